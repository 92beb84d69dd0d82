#include "schema/avro/encoder.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "base/check.h"
#include "columns/column_view.h"
#include "schema/avro/columns.h"
#include "schema/avro/plan.h"

namespace tailrace::schema::avro {

/// How one value of a column is written, and the values within it.
struct Encoder::Node {
  const Type* type = nullptr;
  std::string name;    ///< of the field
  std::string before;  ///< what comes in front: a union's branch
  std::string null;    ///< what is written for null
  bool takes_null = false;
  int column = -1;       ///< of the record's columns; -1: `constant`
  std::string constant;  ///< a default
  std::unordered_map<std::string_view, std::int64_t> symbols;
  std::vector<Node> children;  ///< fields, members, an element, or key and value
};

namespace {

using Node = Encoder::Node;
using Id = arrow::Type;

std::unexpected<Error> misfit(const std::string& path, const arrow::DataType& column,
                              const Type& type) {
  return error(Code::kFailedPrecondition, path + ": a column of " + spark_name(column) +
                                              " does not go into Avro's " +
                                              std::string(kind_name(type.kind)));
}

// Ties columns to types, once.
class Fitting {
 public:
  Status record(const Type& type, const arrow::FieldVector& columns, const std::string& path,
                Node& made) {
    made.type = &type;
    std::size_t used = 0;
    for (const auto& field : type.defined->fields) {
      Node child;
      const std::string at = path.empty() ? field.name : path + "." + field.name;
      const auto found = std::ranges::find(columns, field.name, &arrow::Field::name);
      if (found == columns.end()) {
        if (!field.default_value)
          return error(Code::kFailedPrecondition, at + ": no such column, and no default");
        TRY(encode_default(*field.type, *field.default_value, child.constant));
      } else {
        TRY(value(*field.type, *(*found)->type(), at, child));
        child.column = static_cast<int>(found - columns.begin());
        ++used;
      }
      child.name = field.name;
      made.children.push_back(std::move(child));
    }
    if (used == columns.size()) return {};
    for (const auto& column : columns)
      if (!find_field(*type.defined, column->name()))
        return error(Code::kFailedPrecondition, path + (path.empty() ? "" : ".") + column->name() +
                                                    ": the schema has no such field");
    return {};
  }

  Status value(const Type& type, const arrow::DataType& column, const std::string& path,
               Node& made) {
    made.type = &type;
    switch (type.kind) {
      case Kind::kUnion:
        return union_of(type, column, path, made);
      case Kind::kRecord:
        if (column.id() != Id::STRUCT) return misfit(path, column, type);
        return record(type, column.fields(), path, made);
      case Kind::kArray:
      case Kind::kMap:
        return collection(type, column, path, made);
      case Kind::kEnum:
        for (const auto& symbol : type.defined->symbols)
          made.symbols.emplace(symbol, static_cast<std::int64_t>(made.symbols.size()));
        [[fallthrough]];
      default:
        if (!fits(type, column)) return misfit(path, column, type);
        made.takes_null = type.kind == Kind::kNull;
        return {};
    }
  }

 private:
  Status union_of(const Type& type, const arrow::DataType& column, const std::string& path,
                  Node& made) {
    for (std::size_t i = 0; i < type.branches.size(); ++i)
      if (type.branches[i]->kind == Kind::kNull) {
        made.takes_null = true;
        append_long(made.null, static_cast<std::int64_t>(i));
      }
    const UnionColumn shape = union_column(type);
    const std::string null = made.null;
    const bool takes_null = made.takes_null;
    if (shape.single) {
      TRY(value(*shape.single, column, path, made));
      made.before = branch_bytes(type, shape.single);
    } else if (shape.branches.empty()) {
      if (column.id() != Id::NA) return misfit(path, column, type);
    } else {
      if (column.id() != Id::STRUCT ||
          column.num_fields() != static_cast<int>(shape.branches.size()))
        return misfit(path, column, type);
      for (int i = 0; i < column.num_fields(); ++i) {
        Node child;
        const Type* branch = shape.branches[static_cast<std::size_t>(i)];
        TRY(value(*branch, *column.field(i)->type(), path + "." + column.field(i)->name(), child));
        child.before = branch_bytes(type, branch);
        made.children.push_back(std::move(child));
      }
    }
    made.null = null;
    made.takes_null = takes_null;
    return {};
  }

  static std::string branch_bytes(const Type& type, const Type* branch) {
    std::string bytes;
    append_long(bytes, std::ranges::find(type.branches, branch) - type.branches.begin());
    return bytes;
  }

  Status collection(const Type& type, const arrow::DataType& column, const std::string& path,
                    Node& made) {
    const bool is_map = type.kind == Kind::kMap;
    if (column.id() != (is_map ? Id::MAP : Id::LIST)) return misfit(path, column, type);
    const auto& element = *column.field(0)->type();
    const auto& inner = is_map ? *element.field(1)->type() : element;
    if (is_map && element.field(0)->type()->id() != Id::STRING) return misfit(path, column, type);
    made.children.emplace_back();
    return value(*type.element, inner, path + (is_map ? ".value" : ".element"),
                 made.children.back());
  }

  static bool is_whole(Id::type id) { return id == Id::INT8 || id == Id::INT16 || id == Id::INT32; }

  static bool fits(const Type& type, const arrow::DataType& column) {
    const auto id = column.id();
    if (id == Id::NA) return type.kind == Kind::kNull;
    if (type.logical.kind == Logical::kDecimal) {
      if (id != Id::DECIMAL128) return false;
      return static_cast<const arrow::Decimal128Type&>(column).scale() == type.logical.scale;
    }
    const bool text = id == Id::STRING || id == Id::BINARY;
    switch (type.kind) {
      case Kind::kBoolean:
        return id == Id::BOOL;
      case Kind::kInt:
        return is_whole(id) || (id == Id::DATE32 && type.logical.kind == Logical::kDate);
      case Kind::kLong:
        if (id == Id::TIMESTAMP) return type.logical.kind >= Logical::kTimestampMillis;
        return is_whole(id) || id == Id::INT64;
      case Kind::kFloat:
        return id == Id::FLOAT;
      case Kind::kDouble:
        return id == Id::FLOAT || id == Id::DOUBLE || is_whole(id);
      case Kind::kString:
      case Kind::kEnum:
        return id == Id::STRING;
      case Kind::kBytes:
        return text;
      case Kind::kFixed:
        if (type.logical.kind == Logical::kDuration)
          return id == Id::STRUCT && column.num_fields() == 3 &&
                 std::ranges::all_of(column.fields(), [](const auto& field) {
                   return field->type()->id() == Id::INT64;
                 });
        return type.logical.kind == Logical::kUuid ? id == Id::STRING : text;
      default:
        return false;
    }
  }
};

std::int64_t whole_at(const ColumnView& view, std::int64_t row) {
  const auto* raw = view.fixed(row, view.width);
  const auto load = [raw]<typename T>(T value) {
    std::memcpy(&value, raw, sizeof value);
    return static_cast<std::int64_t>(value);
  };
  switch (view.width) {
    case 1:
      return load(std::int8_t{});
    case 2:
      return load(std::int16_t{});
    case 4:
      return load(std::int32_t{});
    default:
      return load(std::int64_t{});
  }
}

template <typename T>
T raw_at(const ColumnView& view, std::int64_t row) {
  T value;
  std::memcpy(&value, view.fixed(row, sizeof value), sizeof value);
  return value;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Writes values; a fault is told with the fields it is in.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  Status value(const Node& node, const ColumnView& view, std::int64_t row) {
    if (view.is_null(row)) {
      if (!node.takes_null) return wrong("null, which the schema does not take");
      out_ += node.null;
      return {};
    }
    out_ += node.before;
    switch (node.type->kind) {
      case Kind::kUnion:
        return member(node, view, row);
      case Kind::kRecord:
        return record(node, view.children, row);
      case Kind::kArray:
      case Kind::kMap:
        return collection(node, view, row);
      case Kind::kBoolean:
        out_ += view.bit(row) ? '\1' : '\0';
        return {};
      case Kind::kInt:
        append_long(out_, whole_at(view, row));
        return {};
      case Kind::kLong:
        return long_of(node, view, row);
      case Kind::kFloat:
        append_raw(out_, raw_at<float>(view, row));
        return {};
      case Kind::kDouble:
        append_raw(out_, double_of(view, row));
        return {};
      default:
        return bytes(node, view, row);
    }
  }

  Status record(const Node& node, const std::vector<ColumnView>& columns, std::int64_t row) {
    for (const Node& child : node.children) {
      if (child.column < 0) {
        out_ += child.constant;
        continue;
      }
      const auto done = value(child, columns[static_cast<std::size_t>(child.column)], row);
      if (!done) return std::unexpected(done.error().in(child.name));
    }
    return {};
  }

 private:
  static std::unexpected<Error> wrong(std::string why) {
    return error(Code::kInvalidArgument, std::move(why));
  }

  Status member(const Node& node, const ColumnView& view, std::int64_t row) {
    for (std::size_t i = 0; i < view.children.size(); ++i)
      if (!view.children[i].is_null(row)) return value(node.children[i], view.children[i], row);
    return wrong("no member of the union is there");
  }

  Status collection(const Node& node, const ColumnView& view, std::int64_t row) {
    const std::int32_t begin = view.list_begin(row);
    const std::int32_t end = view.list_end(row);
    const bool is_map = node.type->kind == Kind::kMap;
    const ColumnView& elements = view.children.front();
    if (end > begin) append_long(out_, end - begin);
    for (std::int32_t i = begin; i < end; ++i) {
      if (is_map) text(elements.children[0].bytes(i));
      TRY(value(node.children.front(), is_map ? elements.children[1] : elements, i));
    }
    out_ += '\0';
    return {};
  }

  Status long_of(const Node& node, const ColumnView& view, std::int64_t row) {
    std::int64_t number = whole_at(view, row);
    const Logical logical = node.type->logical.kind;
    if (logical == Logical::kTimestampMillis || logical == Logical::kLocalTimestampMillis)
      number = number / 1000 - (number % 1000 < 0 ? 1 : 0);
    const bool nanos =
        logical == Logical::kTimestampNanos || logical == Logical::kLocalTimestampNanos;
    if (nanos && __builtin_mul_overflow(number, std::int64_t{1000}, &number))
      return wrong("a timestamp that nanoseconds do not reach");
    append_long(out_, number);
    return {};
  }

  static double double_of(const ColumnView& view, std::int64_t row) {
    if (view.kind == ColumnView::Kind::kInt) return static_cast<double>(whole_at(view, row));
    if (view.kind == ColumnView::Kind::kFloat) return raw_at<float>(view, row);
    return raw_at<double>(view, row);
  }

  void text(std::string_view bytes) {
    append_long(out_, static_cast<std::int64_t>(bytes.size()));
    out_ += bytes;
  }

  Status bytes(const Node& node, const ColumnView& view, std::int64_t row) {
    const Type& type = *node.type;
    if (type.logical.kind == Logical::kDecimal) return decimal(type, view, row);
    if (type.logical.kind == Logical::kDuration) return duration(view, row);
    const std::string_view value = view.bytes(row);
    if (type.kind == Kind::kEnum) {
      const auto found = node.symbols.find(value);
      if (found == node.symbols.end())
        return wrong("\"" + std::string(value) + "\" is no symbol of the enum");
      append_long(out_, found->second);
      return {};
    }
    if (type.kind != Kind::kFixed) {
      text(value);
      return {};
    }
    if (type.logical.kind == Logical::kUuid) return uuid(value);
    if (value.size() != static_cast<std::size_t>(type.defined->size))
      return wrong(std::to_string(value.size()) + " bytes, and the fixed has " +
                   std::to_string(type.defined->size));
    out_ += value;
    return {};
  }

  Status uuid(std::string_view value) {
    std::string raw;
    for (std::size_t i = 0; i < value.size();) {
      if (value[i] == '-' && raw.size() * 2 + (i > 8) + (i > 13) + (i > 18) + (i > 23) == i) {
        ++i;
        continue;
      }
      const int high = hex_digit(value[i]);
      const int low = i + 1 < value.size() ? hex_digit(value[i + 1]) : -1;
      if (high < 0 || low < 0) break;
      raw += static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (value.size() != 36 || raw.size() != 16) return wrong("not a UUID");
    out_ += raw;
    return {};
  }

  Status duration(const ColumnView& view, std::int64_t row) {
    for (const auto& part : view.children) {
      if (part.is_null(row)) return wrong("a duration with a part that is null");
      const std::int64_t number = whole_at(part, row);
      if (number < 0 || number > UINT32_MAX) return wrong("a duration's part is out of range");
      append_raw(out_, static_cast<std::uint32_t>(number));
    }
    return {};
  }

  // Two's complement, the highest byte first: as few bytes as hold it, or the fixed's.
  Status decimal(const Type& type, const ColumnView& view, std::int64_t row) {
    arrow::Decimal128 value(view.fixed(row, 16));
    if (!value.FitsInPrecision(type.logical.precision))
      return wrong("a decimal of more than " + std::to_string(type.logical.precision) + " digits");
    char raw[16];
    const auto little = value.ToBytes();
    std::reverse_copy(little.begin(), little.end(), raw);
    const char sign = value.IsNegative() ? '\xFF' : '\0';
    std::size_t skip = 0;
    while (skip < 15 && raw[skip] == sign && (raw[skip + 1] & 0x80) == (sign & 0x80)) ++skip;
    const std::string_view shortest(raw + skip, 16 - skip);
    if (type.kind == Kind::kBytes) {
      text(shortest);
      return {};
    }
    const auto size = static_cast<std::size_t>(type.defined->size);
    if (shortest.size() > size) return wrong("a decimal that the fixed cannot hold");
    out_.append(size - shortest.size(), sign);
    out_ += shortest;
    return {};
  }

  std::string& out_;
};

}  // namespace

Result<Encoder> Encoder::make(std::shared_ptr<const AvroSchema> schema, const Schema& columns) {
  Encoder encoder;
  auto root = std::make_shared<Node>();
  const Type& type = schema->root();
  // A schema that may contain itself is none that columns have.
  TRY(columns_of(type));
  if (type.kind == Kind::kRecord) {
    TRY(Fitting().record(type, columns->fields(), "", *root));
  } else {
    if (columns->num_fields() != 1)
      return error(Code::kFailedPrecondition, "a schema that is no record takes one column");
    TRY(Fitting().value(type, *columns->field(0)->type(), "value", *root));
  }
  encoder.schema_ = std::move(schema);
  encoder.root_ = std::move(root);
  return encoder;
}

Status Encoder::encode(const arrow::RecordBatch& rows, EncodedRows& out) const {
  std::vector<ColumnView> columns;
  for (const auto& array : rows.columns()) {
    ASSIGN(auto view, view_column(*array->data()));
    columns.push_back(std::move(view));
  }
  const std::size_t bytes = out.bytes.size();
  const std::size_t records = out.ends.size();
  Writer writer(out.bytes);
  const bool is_record = schema_->root().kind == Kind::kRecord;
  for (std::int64_t row = 0; row < rows.num_rows(); ++row) {
    const auto done = is_record ? writer.record(*root_, columns, row)
                                : writer.value(*root_, columns.front(), row);
    if (!done) {
      out.bytes.resize(bytes);
      out.ends.resize(records);
      return std::unexpected(done.error().in("row " + std::to_string(row)));
    }
    out.ends.push_back(out.bytes.size());
  }
  return {};
}

}  // namespace tailrace::schema::avro
