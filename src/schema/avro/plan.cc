#include "schema/avro/plan.h"

#include <algorithm>
#include <unordered_map>

#include "base/check.h"
#include "schema/avro/columns.h"

namespace tailrace::schema::avro {
namespace {

constexpr std::size_t kMaxSteps = 1'000'000;

// Columns numbered depth first, as ColumnBuilders are.
struct ColumnNode {
  std::uint32_t number = 0;
  std::vector<ColumnNode> children;
};

ColumnNode number_columns(const arrow::DataType& type, std::uint32_t& next) {
  ColumnNode node{next++, {}};
  for (const auto& field : type.fields())
    node.children.push_back(number_columns(*field->type(), next));
  return node;
}

std::unexpected<Error> unreadable(const std::string& place, const std::string& why) {
  return error(Code::kFailedPrecondition, place + ": " + why);
}

bool is_int_or_long(Kind kind) {
  return kind == Kind::kInt || kind == Kind::kLong;
}

class Compiler {
 public:
  Result<Plan> compile(const Type& writer, const Type& reader) {
    ASSIGN(plan_.columns, columns_of(reader));
    std::uint32_t next = 0;
    ColumnNode root;
    for (const auto& field : plan_.columns->fields())
      root.children.push_back(number_columns(*field->type(), next));
    const std::uint32_t begin = here();
    if (reader.kind == Kind::kRecord && writer.kind == Kind::kRecord)
      TRY(fields(writer, reader, root));
    else if (reader.kind == Kind::kRecord)
      return unreadable("the record", "the writer's schema is no record");
    else
      TRY(value(writer, reader, root.children.front()));
    plan_.record = {begin, here()};
    TRY(routines());
    return std::move(plan_);
  }

 private:
  std::uint32_t here() const { return static_cast<std::uint32_t>(plan_.steps.size()); }

  std::uint32_t step(Op op, std::uint32_t column = 0, std::uint32_t a = 0, std::uint32_t b = 0) {
    plan_.steps.push_back({op, column, a, b});
    plan_.places.push_back(place_);
    return here() - 1;
  }

  // A field's or branch's path, for as long as it lives.
  class At {
   public:
    At(std::string& place, const std::string& name) : place_(place), size_(place.size()) {
      place_ += (place_.empty() ? "" : ".") + name;
    }
    ~At() { place_.resize(size_); }
    At(const At&) = delete;
    At& operator=(const At&) = delete;

   private:
    std::string& place_;
    std::size_t size_;
  };

  Status value(const Type& writer, const Type& reader, const ColumnNode& column) {
    if (++tried_ > kMaxSteps || plan_.steps.size() > kMaxSteps)
      return error(Code::kUnimplemented, "the schemas come to too many steps");
    if (writer.kind == Kind::kUnion) {
      return union_of(writer, [&](const Type& branch) { return value(branch, reader, column); });
    }
    if (reader.kind == Kind::kUnion) return into_union(writer, reader, column);
    if (reader.kind == Kind::kArray || reader.kind == Kind::kMap)
      return collection(writer, reader, column);
    if (reader.kind == Kind::kRecord) {
      if (writer.kind != Kind::kRecord) return mismatch(writer, reader);
      step(Op::kStruct, column.number);
      return fields(writer, reader, column);
    }
    return scalar(writer, reader, column);
  }

  std::unexpected<Error> mismatch(const Type& writer, const Type& reader) const {
    return unreadable(place_.empty() ? "the value" : place_,
                      "the writer's " + std::string(kind_name(writer.kind)) +
                          " cannot be read as " + std::string(kind_name(reader.kind)));
  }

  // A branch that fits nowhere fails when it comes, and not before.
  template <typename Emit>
  Status union_of(const Type& writer, const Emit& emit) {
    const std::uint32_t at = step(Op::kUnion);
    std::vector<StepRange> ranges;
    for (const Type* branch : writer.branches) {
      const std::uint32_t begin = here();
      const Status done = emit(*branch);
      if (!done) {
        if (done.error().code != Code::kFailedPrecondition) return done;
        rewind(begin);
        fail(done.error().what);
      }
      ranges.push_back({begin, here()});
    }
    plan_.steps[at].a = static_cast<std::uint32_t>(plan_.branches.size());
    plan_.steps[at].b = here();
    plan_.branches.push_back(std::move(ranges));
    return {};
  }

  void rewind(std::uint32_t size) {
    plan_.steps.resize(size);
    plan_.places.resize(size);
  }

  void fail(std::string message) {
    step(Op::kFail, 0, static_cast<std::uint32_t>(plan_.messages.size()));
    plan_.messages.push_back(std::move(message));
  }

  // Specification: the first branch of the reader's union that takes the writer's type; one of the
  // same kind and name is preferred to one it is promoted to.
  Status into_union(const Type& writer, const Type& reader, const ColumnNode& column) {
    const UnionColumn target = union_column(reader);
    if (writer.kind == Kind::kNull) {
      if (!target.nullable) return mismatch(writer, reader);
      step(Op::kNull, column.number);
      return {};
    }
    std::vector<std::size_t> order(target.branches.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::stable_sort(order, std::ranges::greater{},
                             [&](std::size_t i) { return likeness(writer, *target.branches[i]); });
    for (const std::size_t i : order) {
      const std::uint32_t begin = here();
      const Status done = into_branch(writer, target, i, column);
      if (done || done.error().code != Code::kFailedPrecondition) return done;
      rewind(begin);
    }
    return mismatch(writer, reader);
  }

  Status into_branch(const Type& writer, const UnionColumn& target, std::size_t branch,
                     const ColumnNode& column) {
    if (target.single) {
      // Of two numbers in one column, a value is taken by its own branch first.
      TRY(takes_number(writer, *target.branches[branch]));
      return value(writer, *target.single, column);
    }
    step(Op::kMember, column.number, static_cast<std::uint32_t>(branch));
    return value(writer, *target.branches[branch], column.children[branch]);
  }

  // Whether a narrower branch of a column of two numbers takes the writer's number.
  Status takes_number(const Type& writer, const Type& branch) const {
    if (branch.kind == Kind::kInt && writer.kind != Kind::kInt) return mismatch(writer, branch);
    if (branch.kind == Kind::kFloat && writer.kind == Kind::kDouble)
      return mismatch(writer, branch);
    return {};
  }

  static int likeness(const Type& writer, const Type& reader) {
    if (writer.kind != reader.kind) return 0;
    if (!writer.defined || writer.full_name() == reader.full_name()) return 3;
    const auto& aliases = reader.defined->aliases;
    if (std::ranges::find(aliases, writer.full_name()) != aliases.end()) return 3;
    return writer.defined->name == reader.defined->name ? 2 : 1;
  }

  // Enums and fixed must have one name, namespaces apart, or an alias; records are taken by their
  // fields, as every reader of Kafka's topics does.
  Status same_name(const Type& writer, const Type& reader) const {
    if (likeness(writer, reader) > 1) return {};
    return unreadable(place_, "the writer's " + std::string(writer.full_name()) +
                                  " is not the reader's " + std::string(reader.full_name()));
  }

  Status collection(const Type& writer, const Type& reader, const ColumnNode& column) {
    if (writer.kind != reader.kind) return mismatch(writer, reader);
    const bool is_map = reader.kind == Kind::kMap;
    const std::uint32_t at = step(Op::kList, column.number);
    const At path(place_, is_map ? "value" : "element");
    const ColumnNode* element = &column.children.front();
    if (is_map) {
      step(Op::kStruct, element->number);
      step(Op::kText, element->children[0].number);
      element = &element->children[1];
    }
    TRY(value(*writer.element, *reader.element, *element));
    plan_.steps[at].a = here();
    plan_.steps[at].b = !is_map && may_be_empty(*writer.element);
    return {};
  }

  // Whether a value may take no bytes. A record that contains itself always takes some.
  bool may_be_empty(const Type& type) {
    if (type.kind == Kind::kNull) return true;
    if (type.kind == Kind::kFixed) return type.defined->size == 0;
    if (type.kind != Kind::kRecord) return false;
    const auto [known, is_new] = empty_.try_emplace(&type, true);
    if (!is_new) return known->second;
    const bool empty = std::ranges::all_of(
        type.defined->fields, [this](const Field& field) { return may_be_empty(*field.type); });
    return empty_[&type] = empty;
  }

  // The writer's fields in its order, then the reader's that the writer has not. A field is the one
  // of its name; aliases are for what is left.
  Status fields(const Type& writer, const Type& reader, const ColumnNode& columns) {
    const auto& wanted = reader.defined->fields;
    std::unordered_map<std::string_view, std::size_t> source;
    std::vector<bool> written(wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i)
      written[i] =
          find_field(*writer.defined, wanted[i].name) && source.emplace(wanted[i].name, i).second;
    for (std::size_t i = 0; i < wanted.size(); ++i)
      for (const std::string_view alias : wanted[i].aliases)
        if (!written[i] && find_field(*writer.defined, alias))
          written[i] = source.emplace(alias, i).second;
    for (const auto& field : writer.defined->fields) {
      const At path(place_, field.name);
      const auto found = source.find(field.name);
      if (found == source.end())
        TRY(skip(*field.type));
      else
        TRY(value(*field.type, *wanted[found->second].type, columns.children[found->second]));
    }
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (written[i]) continue;
      const At path(place_, wanted[i].name);
      TRY(default_of(wanted[i], columns.children[i]));
    }
    return {};
  }

  Status default_of(const Field& field, const ColumnNode& column) {
    if (!field.default_value)
      return unreadable(place_, "the writer has no such field, and it has no default");
    std::string bytes;
    if (const auto done = encode_default(*field.type, *field.default_value, bytes); !done)
      return std::unexpected(done.error().in(place_));
    const std::uint32_t at =
        step(Op::kConstant, 0, static_cast<std::uint32_t>(plan_.constants.size()));
    plan_.constants.push_back(std::move(bytes));
    TRY(value(*field.type, *field.type, column));
    plan_.steps[at].b = here();
    return {};
  }

  Status scalar(const Type& writer, const Type& reader, const ColumnNode& column) {
    switch (reader.kind) {
      case Kind::kNull:
      case Kind::kBoolean:
        if (writer.kind != reader.kind) return mismatch(writer, reader);
        step(reader.kind == Kind::kNull ? Op::kNull : Op::kBoolean, column.number);
        return {};
      case Kind::kInt:
        if (writer.kind != Kind::kInt) return mismatch(writer, reader);
        step(Op::kInt, column.number);
        return {};
      case Kind::kLong:
        if (!is_int_or_long(writer.kind)) return mismatch(writer, reader);
        step(long_op(reader.logical.kind, writer.kind == Kind::kInt), column.number);
        return {};
      case Kind::kFloat:
      case Kind::kDouble:
        return real(writer, reader, column);
      case Kind::kEnum:
        return symbols(writer, reader, column);
      default:
        return bytes(writer, reader, column);
    }
  }

  static Op long_op(Logical logical, bool from_int) {
    if (logical == Logical::kTimestampMillis || logical == Logical::kLocalTimestampMillis)
      return from_int ? Op::kIntMillisToMicros : Op::kMillisToMicros;
    if (logical == Logical::kTimestampNanos || logical == Logical::kLocalTimestampNanos)
      return from_int ? Op::kIntNanosToMicros : Op::kNanosToMicros;
    return from_int ? Op::kIntToLong : Op::kLong;
  }

  Status real(const Type& writer, const Type& reader, const ColumnNode& column) {
    const bool is_double = reader.kind == Kind::kDouble;
    if (writer.kind == Kind::kInt)
      step(is_double ? Op::kIntToDouble : Op::kIntToFloat, column.number);
    else if (writer.kind == Kind::kLong)
      step(is_double ? Op::kLongToDouble : Op::kLongToFloat, column.number);
    else if (writer.kind == Kind::kFloat)
      step(is_double ? Op::kFloatToDouble : Op::kFloat, column.number);
    else if (writer.kind == Kind::kDouble && is_double)
      step(Op::kDouble, column.number);
    else
      return mismatch(writer, reader);
    return {};
  }

  Status symbols(const Type& writer, const Type& reader, const ColumnNode& column) {
    if (writer.kind != Kind::kEnum) return mismatch(writer, reader);
    TRY(same_name(writer, reader));
    const auto& known = reader.defined->symbols;
    const std::string otherwise = reader.defined->default_symbol.value_or("");
    std::vector<std::string> texts;
    for (const auto& symbol : writer.defined->symbols)
      texts.push_back(std::ranges::find(known, symbol) != known.end() ? symbol : otherwise);
    step(Op::kEnum, column.number, static_cast<std::uint32_t>(plan_.symbols.size()));
    plan_.symbols.push_back(std::move(texts));
    return {};
  }

  // bytes, string and fixed: bytes and string are read as one another.
  Status bytes(const Type& writer, const Type& reader, const ColumnNode& column) {
    const bool fixed = reader.kind == Kind::kFixed;
    const bool is_bytes = writer.kind == Kind::kBytes || writer.kind == Kind::kString;
    if (fixed ? writer.kind != Kind::kFixed : !is_bytes) return mismatch(writer, reader);
    if (fixed && writer.defined->size != reader.defined->size)
      return unreadable(place_, "fixed of " + std::to_string(writer.defined->size) +
                                    " bytes cannot be read as fixed of " +
                                    std::to_string(reader.defined->size));
    if (fixed) TRY(same_name(writer, reader));
    const auto size = fixed ? static_cast<std::uint32_t>(reader.defined->size) : 0;
    const auto digits = static_cast<std::uint32_t>(reader.logical.precision);
    if (reader.logical.kind == Logical::kDecimal) {
      if (writer.logical.kind == Logical::kDecimal && writer.logical.scale != reader.logical.scale)
        return unreadable(place_, "the decimals differ in scale");
      if (fixed)
        step(Op::kDecimalFixed, column.number, size, digits);
      else
        step(Op::kDecimalBytes, column.number, digits);
    } else if (reader.logical.kind == Logical::kDuration) {
      step(Op::kDuration, column.number);
    } else if (fixed) {
      const bool uuid = reader.logical.kind == Logical::kUuid;
      step(uuid ? Op::kUuid : Op::kFixed, column.number, size);
    } else {
      step(reader.kind == Kind::kString ? Op::kText : Op::kBytes, column.number);
    }
    return {};
  }

  Status skip(const Type& type) {
    switch (type.kind) {
      case Kind::kNull:
        return {};
      case Kind::kInt:
      case Kind::kLong:
      case Kind::kEnum:
        step(Op::kSkipNumber);
        return {};
      case Kind::kBytes:
      case Kind::kString:
        step(Op::kSkipBytes);
        return {};
      case Kind::kUnion:
        return union_of(type, [this](const Type& branch) { return skip(branch); });
      case Kind::kArray:
      case Kind::kMap:
        return skip_list(type);
      case Kind::kRecord:
        step(Op::kCall, 0, routine_of(type));
        return {};
      default:
        step(Op::kSkipFixed, 0, fixed_size(type));
        return {};
    }
  }

  static std::uint32_t fixed_size(const Type& type) {
    if (type.kind == Kind::kFixed) return static_cast<std::uint32_t>(type.defined->size);
    if (type.kind == Kind::kBoolean) return 1;
    return type.kind == Kind::kFloat ? 4 : 8;
  }

  Status skip_list(const Type& type) {
    const std::uint32_t at = step(Op::kSkipList);
    if (type.kind == Kind::kMap) step(Op::kSkipBytes);
    TRY(skip(*type.element));
    plan_.steps[at].a = here();
    plan_.steps[at].b = type.kind == Kind::kArray && may_be_empty(*type.element);
    return {};
  }

  std::uint32_t routine_of(const Type& record) {
    const auto next = static_cast<std::uint32_t>(routine_types_.size());
    const auto [known, is_new] = routine_numbers_.emplace(&record, next);
    if (is_new) routine_types_.push_back(&record);
    return known->second;
  }

  // Skipping one record may ask for others.
  Status routines() {
    for (std::size_t i = 0; i < routine_types_.size(); ++i) {
      const std::uint32_t begin = here();
      const Type* record = routine_types_[i];
      for (const auto& field : record->defined->fields) {
        const At path(place_, field.name);
        TRY(skip(*field.type));
      }
      plan_.routines.push_back({begin, here()});
    }
    return {};
  }

  Plan plan_;
  std::string place_;
  std::size_t tried_ = 0;  ///< values that steps were made for, given up ones too
  std::unordered_map<const Type*, bool> empty_;
  std::unordered_map<const Type*, std::uint32_t> routine_numbers_;
  std::vector<const Type*> routine_types_;
};

}  // namespace

Result<Plan> make_plan(const AvroSchema& writer, const AvroSchema& reader) {
  return Compiler().compile(writer.root(), reader.root());
}

}  // namespace tailrace::schema::avro
