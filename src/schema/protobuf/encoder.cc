#include "schema/protobuf/encoder.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>

#include "columns/column_view.h"
#include "schema/protobuf/plan.h"

namespace tailrace::schema::protobuf {

/// How a field is written, or the record where it has no name.
struct Encoder::Node {
  enum class Form : std::uint8_t {
    kVarint,
    kZigzag,
    kBool,
    kFour,
    kEight,
    kText,
    kEnum,
    kMessage,
    kGroup,
    kTimestamp,
    kDuration,
    kMap,
  };
  Form form = Form::kMessage;
  std::string name;
  int column = -1;
  std::string tag;
  std::string end_tag;  ///< of a group
  bool repeated = false;
  bool packed = false;
  bool required = false;
  bool skips_zero = false;
  bool unsigned_32 = false;
  bool to_double = false;
  int oneof = -1;
  std::map<std::string, std::int64_t, std::less<>> numbers;  ///< of an enum's names
  std::vector<Node> children;  ///< a message's fields; a map's key and value
};

namespace {

namespace pb = google::protobuf;
using Node = Encoder::Node;
using Form = Node::Form;
using Id = arrow::Type;
using Kind = pb::FieldDescriptor::Type;

void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

std::string tag_of(const pb::FieldDescriptor& field, std::uint32_t wire) {
  std::string made;
  append_varint(made, static_cast<std::uint64_t>(field.number()) << 3 | wire);
  return made;
}

std::unexpected<Error> misfit(const std::string& path, const arrow::DataType& column,
                              const pb::FieldDescriptor& field) {
  return error(Code::kFailedPrecondition,
               path + ": a column of " + spark_name(column) + " does not go into Protobuf's " +
                   (field.message_type() ? field.message_type()->full_name()
                                         : std::string(field.type_name())));
}

// Ties columns to fields, once.
class Fitting {
 public:
  Status record(const pb::Descriptor& type, const arrow::FieldVector& columns,
                const std::string& path, Node& made) {
    if (++depth_ > kMaxPlanDepth)
      return error(Code::kFailedPrecondition, path + ": too many messages in one another");
    std::size_t used = 0;
    for (int i = 0; i < type.field_count(); ++i) {
      const auto& field = *type.field(i);
      const std::string at = path.empty() ? field.name() : path + "." + field.name();
      const auto found = std::ranges::find(columns, field.name(), &arrow::Field::name);
      if (found == columns.end()) {
        if (field.is_required())
          return error(Code::kFailedPrecondition, at + ": no such column, and it is required");
        continue;
      }
      Node child;
      TRY(this->field(field, *(*found)->type(), at, child));
      child.column = static_cast<int>(found - columns.begin());
      made.children.push_back(std::move(child));
      ++used;
    }
    --depth_;
    if (used == columns.size()) return {};
    for (const auto& column : columns)
      if (!type.FindFieldByName(column->name()))
        return error(Code::kFailedPrecondition, path + (path.empty() ? "" : ".") + column->name() +
                                                    ": the message has no such field");
    return {};
  }

 private:
  Status field(const pb::FieldDescriptor& field, const arrow::DataType& column,
               const std::string& path, Node& made) {
    made.name = field.name();
    made.repeated = field.is_repeated();
    made.required = field.is_required();
    made.skips_zero = !field.is_repeated() && !field.has_presence();
    if (const auto* oneof = field.real_containing_oneof()) made.oneof = oneof->index();
    if (field.is_map()) {
      if (column.id() != Id::MAP) return misfit(path, column, field);
      made.form = Form::kMap;
      made.tag = tag_of(field, 2);
      const auto& entries = *column.field(0)->type();
      made.children.resize(2);
      TRY(entry(*field.message_type()->map_key(), *entries.field(0)->type(), path, made, 0));
      return entry(*field.message_type()->map_value(), *entries.field(1)->type(), path, made, 1);
    }
    if (!made.repeated) return value(field, column, path, made);
    if (column.id() != Id::LIST) return misfit(path, column, field);
    made.packed = field.is_packed();
    return value(field, *column.field(0)->type(), path + ".element", made);
  }

  Status entry(const pb::FieldDescriptor& part, const arrow::DataType& column,
               const std::string& path, Node& made, std::size_t index) {
    Node& child = made.children[index];
    TRY(field(part, column, path + "." + part.name(), child));
    child.skips_zero = false;
    child.required = true;
    return {};
  }

  Status value(const pb::FieldDescriptor& field, const arrow::DataType& column,
               const std::string& path, Node& made) {
    const auto* message = field.message_type();
    const bool is_group = field.type() == Kind::TYPE_GROUP;
    if (!message) return scalar(field, column, path, made);
    made.tag = tag_of(field, is_group ? 3 : 2);
    if (is_group) made.end_tag = tag_of(field, 4);
    if (is_timestamp(*message) && column.id() == Id::TIMESTAMP) {
      made.form = Form::kTimestamp;
      return {};
    }
    if (is_duration(*message) && column.id() == Id::DURATION) {
      made.form = Form::kDuration;
      return {};
    }
    if (column.id() != Id::STRUCT) return misfit(path, column, field);
    made.form = is_group ? Form::kGroup : Form::kMessage;
    return record(*message, column.fields(), path, made);
  }

  static Status scalar(const pb::FieldDescriptor& field, const arrow::DataType& column,
                       const std::string& path, Node& made) {
    const auto id = column.id();
    const bool narrow = id == Id::INT8 || id == Id::INT16 || id == Id::INT32;
    const bool whole = narrow || id == Id::INT64;
    std::uint32_t wire = 0;
    bool fits = false;
    const auto be = [&](Form form, std::uint32_t as, bool good) {
      made.form = form;
      wire = as;
      fits = good;
    };
    switch (field.type()) {
      case Kind::TYPE_UINT32:
        made.unsigned_32 = true;
        [[fallthrough]];
      case Kind::TYPE_INT32:
        be(Form::kVarint, 0, narrow);
        break;
      case Kind::TYPE_INT64:
      case Kind::TYPE_UINT64:
        be(Form::kVarint, 0, whole);
        break;
      case Kind::TYPE_SINT32:
        be(Form::kZigzag, 0, narrow);
        break;
      case Kind::TYPE_SINT64:
        be(Form::kZigzag, 0, whole);
        break;
      case Kind::TYPE_BOOL:
        be(Form::kBool, 0, id == Id::BOOL);
        break;
      case Kind::TYPE_FIXED32:
      case Kind::TYPE_SFIXED32:
        be(Form::kFour, 5, narrow);
        break;
      case Kind::TYPE_FIXED64:
      case Kind::TYPE_SFIXED64:
        be(Form::kEight, 1, whole);
        break;
      case Kind::TYPE_FLOAT:
        be(Form::kFour, 5, id == Id::FLOAT);
        break;
      case Kind::TYPE_DOUBLE:
        be(Form::kEight, 1, id == Id::FLOAT || id == Id::DOUBLE);
        made.to_double = true;
        break;
      case Kind::TYPE_ENUM:
        be(Form::kEnum, 0, id == Id::STRING);
        for (int i = field.enum_type()->value_count(); i-- > 0;)
          made.numbers[field.enum_type()->value(i)->name()] = field.enum_type()->value(i)->number();
        break;
      default:
        be(Form::kText, 2,
           id == Id::STRING || (id == Id::BINARY && field.type() == Kind::TYPE_BYTES));
    }
    if (!fits) return misfit(path, column, field);
    made.tag = tag_of(field, made.packed ? 2 : wire);
    return {};
  }

  std::size_t depth_ = 0;
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

// Writes values; a fault is told with the fields it is in.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  Status record(const Node& node, const std::vector<ColumnView>& columns, std::int64_t row) {
    std::vector<int> set;  // the oneofs that have a member
    for (const Node& child : node.children) {
      const ColumnView& view = columns[static_cast<std::size_t>(child.column)];
      if (view.is_null(row)) {
        if (child.required) return wrong(child, "null, and the field is required");
        continue;
      }
      if (child.oneof >= 0) {
        if (std::ranges::find(set, child.oneof) != set.end())
          return wrong(child, "another member of the oneof is there as well");
        set.push_back(child.oneof);
      }
      const auto done = field(child, view, row);
      if (!done) return std::unexpected(done.error().in(child.name));
    }
    return {};
  }

 private:
  static std::unexpected<Error> wrong(std::string why) {
    return error(Code::kInvalidArgument, std::move(why));
  }
  static std::unexpected<Error> wrong(const Node& field, const std::string& why) {
    return wrong(field.name + ": " + why);
  }

  Status field(const Node& node, const ColumnView& view, std::int64_t row) {
    if (node.form == Form::kMap) return map(node, view, row);
    if (!node.repeated) return value(node, view, row, true);
    const std::int32_t begin = view.list_begin(row);
    const std::int32_t end = view.list_end(row);
    const ColumnView& elements = view.children.front();
    if (begin == end) return {};
    for (std::int32_t i = begin; i < end; ++i)
      if (elements.is_null(i)) return wrong("an element is null");
    if (!node.packed) {
      for (std::int32_t i = begin; i < end; ++i) TRY(value(node, elements, i, true));
      return {};
    }
    out_ += node.tag;
    return sized([&]() -> Status {
      for (std::int32_t i = begin; i < end; ++i) TRY(value(node, elements, i, false));
      return {};
    });
  }

  Status map(const Node& node, const ColumnView& view, std::int64_t row) {
    const ColumnView& entries = view.children.front();
    for (std::int32_t i = view.list_begin(row); i < view.list_end(row); ++i) {
      out_ += node.tag;
      const auto done = sized([&]() -> Status {
        for (std::size_t part = 0; part < 2; ++part) {
          if (entries.children[part].is_null(i)) return wrong("a key or value of the map is null");
          TRY(value(node.children[part], entries.children[part], i, true));
        }
        return {};
      });
      if (!done) return done;
    }
    return {};
  }

  // What `write` writes, with its length in front.
  Status sized(const auto& write) {
    const std::size_t at = out_.size();
    TRY(write());
    std::string length;
    append_varint(length, out_.size() - at);
    out_.insert(at, length);
    return {};
  }

  Status value(const Node& node, const ColumnView& view, std::int64_t row, bool tagged) {
    const auto number = [&](std::uint64_t raw) -> Status {
      if (raw == 0 && node.skips_zero) return {};
      if (tagged) out_ += node.tag;
      append_varint(out_, raw);
      return {};
    };
    switch (node.form) {
      case Form::kVarint: {
        const auto raw = static_cast<std::uint64_t>(whole_at(view, row));
        return number(node.unsigned_32 ? static_cast<std::uint32_t>(raw) : raw);
      }
      case Form::kZigzag: {
        const std::int64_t raw = whole_at(view, row);
        return number(static_cast<std::uint64_t>(raw) << 1 ^ static_cast<std::uint64_t>(raw >> 63));
      }
      case Form::kBool:
        return number(view.bit(row) ? 1 : 0);
      case Form::kEnum: {
        const auto found = node.numbers.find(view.bytes(row));
        if (found == node.numbers.end())
          return wrong("\"" + std::string(view.bytes(row)) + "\" is no name of the enum");
        return number(static_cast<std::uint64_t>(found->second));
      }
      case Form::kFour:
        return fixed(node,
                     view.kind == ColumnView::Kind::kFloat
                         ? raw_at<std::uint32_t>(view, row)
                         : static_cast<std::uint32_t>(whole_at(view, row)),
                     tagged);
      case Form::kEight:
        return fixed(node, eight(node, view, row), tagged);
      case Form::kText:
        return text(node, view.bytes(row), tagged);
      case Form::kTimestamp:
      case Form::kDuration:
        return time(node, raw_at<std::int64_t>(view, row));
      default:
        return message(node, view, row);
    }
  }

  static std::uint64_t eight(const Node& node, const ColumnView& view, std::int64_t row) {
    if (!node.to_double) return static_cast<std::uint64_t>(whole_at(view, row));
    if (view.kind != ColumnView::Kind::kFloat) return raw_at<std::uint64_t>(view, row);
    return std::bit_cast<std::uint64_t>(static_cast<double>(raw_at<float>(view, row)));
  }

  template <typename T>
  Status fixed(const Node& node, T raw, bool tagged) {
    if (raw == 0 && node.skips_zero) return {};
    if (tagged) out_ += node.tag;
    char bytes[sizeof raw];
    std::memcpy(bytes, &raw, sizeof raw);
    out_.append(bytes, sizeof bytes);
    return {};
  }

  Status text(const Node& node, std::string_view bytes, bool tagged) {
    if (bytes.empty() && node.skips_zero) return {};
    if (tagged) out_ += node.tag;
    append_varint(out_, bytes.size());
    out_ += bytes;
    return {};
  }

  // A timestamp's nanoseconds count forward; a duration's have the sign of its seconds.
  Status time(const Node& node, std::int64_t micros) {
    std::int64_t seconds = micros / 1'000'000;
    std::int64_t rest = micros % 1'000'000;
    if (node.form == Form::kTimestamp && rest < 0) {
      --seconds;
      rest += 1'000'000;
    }
    out_ += node.tag;
    return sized([&]() -> Status {
      if (seconds != 0) {
        out_ += '\x08';
        append_varint(out_, static_cast<std::uint64_t>(seconds));
      }
      if (rest != 0) {
        out_ += '\x10';
        append_varint(out_, static_cast<std::uint64_t>(rest * 1000));
      }
      return {};
    });
  }

  Status message(const Node& node, const ColumnView& view, std::int64_t row) {
    out_ += node.tag;
    if (node.form == Form::kMessage)
      return sized([&]() -> Status { return record(node, view.children, row); });
    TRY(record(node, view.children, row));
    out_ += node.end_tag;
    return {};
  }

  std::string& out_;
};

}  // namespace

Result<Encoder> Encoder::make(const ProtobufSchema& schema, const Schema& columns,
                              std::string_view message) {
  ASSIGN(const auto* type, schema.message(message));
  // A message that contains itself is none that columns have.
  TRY(make_plan(*type));
  auto root = std::make_shared<Node>();
  TRY(Fitting().record(*type, columns->fields(), "", *root));
  Encoder encoder;
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
  for (std::int64_t row = 0; row < rows.num_rows(); ++row) {
    const auto done = writer.record(*root_, columns, row);
    if (!done) {
      out.bytes.resize(bytes);
      out.ends.resize(records);
      return std::unexpected(done.error().in("row " + std::to_string(row)));
    }
    out.ends.push_back(out.bytes.size());
  }
  return {};
}

}  // namespace tailrace::schema::protobuf
