#include "schema/protobuf/plan.h"

#include <google/protobuf/descriptor.pb.h>

#include <bit>
#include <unordered_set>

namespace tailrace::schema::protobuf {
namespace {

namespace pb = google::protobuf;
using Kind = pb::FieldDescriptor::Type;

constexpr std::uint32_t kNearTags = 2048;

bool is_seconds_and_nanos(const pb::Descriptor& message, std::string_view name) {
  return message.name() == name && message.field_count() == 2 &&
         message.field(0)->name() == "seconds" && message.field(1)->name() == "nanos" &&
         message.field(0)->number() == 1 && message.field(1)->number() == 2;
}

enum WireType : std::uint32_t { kVarint = 0, kEight = 1, kLength = 2, kGroup = 3, kFour = 5 };

struct Scalar {
  Op op;
  WireType wire;
  tailrace::Type type;
};

Scalar scalar_of(const pb::FieldDescriptor& field) {
  switch (field.type()) {
    case Kind::TYPE_INT64:
    case Kind::TYPE_UINT64:
      return {Op::kInt64, kVarint, arrow::int64()};
    case Kind::TYPE_SINT32:
      return {Op::kZigzag32, kVarint, arrow::int32()};
    case Kind::TYPE_SINT64:
      return {Op::kZigzag64, kVarint, arrow::int64()};
    case Kind::TYPE_BOOL:
      return {Op::kBool, kVarint, arrow::boolean()};
    case Kind::TYPE_ENUM:
      return {Op::kEnum, kVarint, arrow::utf8()};
    case Kind::TYPE_FIXED32:
    case Kind::TYPE_SFIXED32:
      return {Op::kFixed32, kFour, arrow::int32()};
    case Kind::TYPE_FIXED64:
    case Kind::TYPE_SFIXED64:
      return {Op::kFixed64, kEight, arrow::int64()};
    case Kind::TYPE_FLOAT:
      return {Op::kFixed32, kFour, arrow::float32()};
    case Kind::TYPE_DOUBLE:
      return {Op::kFixed64, kEight, arrow::float64()};
    case Kind::TYPE_STRING:
      return {Op::kText, kLength, arrow::utf8()};
    case Kind::TYPE_BYTES:
      return {Op::kBytes, kLength, arrow::binary()};
    default:
      return {Op::kInt32, kVarint, arrow::int32()};
  }
}

// The default's bits as they stand on the wire, but for zigzag.
void set_default(const pb::FieldDescriptor& field, FieldPlan& made) {
  using Cpp = pb::FieldDescriptor::CppType;
  made.has_default = true;
  switch (field.cpp_type()) {
    case Cpp::CPPTYPE_INT32:
      made.default_number = static_cast<std::uint64_t>(std::int64_t{field.default_value_int32()});
      break;
    case Cpp::CPPTYPE_INT64:
      made.default_number = static_cast<std::uint64_t>(field.default_value_int64());
      break;
    case Cpp::CPPTYPE_UINT32:
      made.default_number = field.default_value_uint32();
      break;
    case Cpp::CPPTYPE_UINT64:
      made.default_number = field.default_value_uint64();
      break;
    case Cpp::CPPTYPE_DOUBLE:
      made.default_number = std::bit_cast<std::uint64_t>(field.default_value_double());
      break;
    case Cpp::CPPTYPE_FLOAT:
      made.default_number = std::bit_cast<std::uint32_t>(field.default_value_float());
      break;
    case Cpp::CPPTYPE_BOOL:
      made.default_number = field.default_value_bool() ? 1 : 0;
      break;
    case Cpp::CPPTYPE_ENUM:
      made.default_number =
          static_cast<std::uint64_t>(std::int64_t{field.default_value_enum()->number()});
      break;
    default:
      made.default_text = field.default_value_string();
  }
}

class Planning {
 public:
  Result<Plan> plan(const pb::Descriptor& message) {
    ASSIGN(auto fields, columns_of(message, "", 0));
    plan_.columns = arrow::schema(fields);
    return std::move(plan_);
  }

 private:
  // Makes the message's plan, at `place`, and its columns.
  Result<arrow::FieldVector> columns_of(const pb::Descriptor& message, const std::string& path,
                                        std::size_t place) {
    if (plan_.messages.size() <= place) plan_.messages.resize(place + 1);
    if (!open_.insert(&message).second)
      return error(Code::kUnimplemented, path + ": message " + message.full_name() +
                                             " contains itself, which no column does");
    if (open_.size() > kMaxPlanDepth)
      return error(Code::kUnimplemented, path + ": more than " + std::to_string(kMaxPlanDepth) +
                                             " messages in one another");
    MessagePlan made;
    arrow::FieldVector columns;
    const bool is_entry = message.options().map_entry();
    for (int i = 0; i < message.field_count(); ++i) {
      const auto& field = *message.field(i);
      const std::string at = path.empty() ? field.name() : path + "." + field.name();
      if (has_no_columns(field)) continue;
      FieldPlan one;
      one.name = field.name();
      one.column = next_column_++;
      one.repeated = field.is_repeated();
      ASSIGN(auto type, type_of(field, at, one));
      columns.push_back(arrow::field(field.name(), type));
      one.required = field.is_required();
      made.has_required |= one.required;
      one.zero_is_null = !is_entry && !field.is_repeated() && !field.has_presence();
      one.always = is_entry && field.message_type();
      if (!field.message_type() && !field.is_repeated() && (is_entry || field.has_default_value()))
        set_default(field, one);
      add(field, std::move(one), made);
      if (next_column_ > kMaxColumns)
        return error(Code::kUnimplemented, at + ": the message has more than " +
                                               std::to_string(kMaxColumns) + " columns");
    }
    open_.erase(&message);
    plan_.messages[place] = std::move(made);
    return columns;
  }

  // Messages without fields, and what holds nothing but such.
  static bool has_no_columns(const pb::FieldDescriptor& field) {
    return field.message_type() && field.message_type()->field_count() == 0;
  }

  Result<tailrace::Type> type_of(const pb::FieldDescriptor& field, const std::string& path,
                                 FieldPlan& made) {
    if (field.is_map()) {
      made.op = Op::kMap;
      ++next_column_;  // the entries
      made.message = static_cast<std::uint32_t>(plan_.messages.size());
      const auto& entry = *field.message_type();
      if (has_no_columns(*entry.map_value()))
        return error(Code::kUnimplemented, path + ": a map of messages without fields");
      ASSIGN(auto both, columns_of(entry, path, made.message));
      return arrow::map(both[0]->type(), both[1]->type());
    }
    if (made.repeated) ++next_column_;  // the element
    ASSIGN(auto type, value_type(field, path, made));
    if (made.repeated) return arrow::list(arrow::field("element", type));
    return type;
  }

  Result<tailrace::Type> value_type(const pb::FieldDescriptor& field, const std::string& path,
                                    FieldPlan& made) {
    const auto* message = field.message_type();
    if (!message) {
      const Scalar scalar = scalar_of(field);
      made.op = scalar.op;
      if (scalar.op == Op::kEnum) made.enumeration = enumeration(*field.enum_type());
      return scalar.type;
    }
    if (is_timestamp(*message)) {
      made.op = Op::kTimestamp;
      return timestamp_type();
    }
    if (is_duration(*message)) {
      made.op = Op::kDuration;
      return arrow::duration(arrow::TimeUnit::MICRO);
    }
    made.op = Op::kMessage;
    made.message = static_cast<std::uint32_t>(plan_.messages.size());
    ASSIGN(auto fields, columns_of(*message, path, made.message));
    if (fields.empty())
      return error(Code::kUnimplemented, path + ": a message of messages without fields");
    return arrow::struct_(fields);
  }

  std::uint32_t enumeration(const pb::EnumDescriptor& type) {
    const auto [known, is_new] =
        enums_.try_emplace(&type, static_cast<std::uint32_t>(plan_.enums.size()));
    if (is_new) {
      EnumPlan made;
      made.name = type.name();
      made.closed = type.file()->syntax() == pb::FileDescriptor::SYNTAX_PROTO2;
      for (int i = 0; i < type.value_count(); ++i)
        made.names.try_emplace(type.value(i)->number(), type.value(i)->name());
      plan_.enums.push_back(std::move(made));
    }
    return known->second;
  }

  static void add(const pb::FieldDescriptor& field, FieldPlan plan, MessagePlan& made) {
    const auto place = static_cast<std::uint16_t>(made.fields.size() + 1);
    const auto number = static_cast<std::uint32_t>(field.number());
    const auto take = [&](std::uint32_t wire) {
      const std::uint32_t tag = number << 3 | wire;
      if (tag >= kNearTags) {
        made.far_tags[tag] = place;
        return;
      }
      if (made.by_tag.size() <= tag) made.by_tag.resize(tag + 1);
      made.by_tag[tag] = place;
    };
    if (field.type() == Kind::TYPE_GROUP)
      take(kGroup);
    else if (field.message_type())
      take(kLength);
    else
      take(scalar_of(field).wire);
    if (field.is_repeated() && field.is_packable()) take(kLength);
    if (const auto* oneof = field.real_containing_oneof()) {
      plan.oneof = oneof->index();
      const auto index = static_cast<std::size_t>(plan.oneof);
      if (made.oneofs.size() <= index) made.oneofs.resize(index + 1);
      made.oneofs[index].push_back(static_cast<std::uint16_t>(place - 1));
    }
    made.fields.push_back(std::move(plan));
  }

  Plan plan_;
  std::uint32_t next_column_ = 0;
  std::unordered_set<const pb::Descriptor*> open_;
  std::unordered_map<const pb::EnumDescriptor*, std::uint32_t> enums_;
};

}  // namespace

bool is_timestamp(const pb::Descriptor& message) {
  return is_seconds_and_nanos(message, "Timestamp");
}

bool is_duration(const pb::Descriptor& message) {
  return is_seconds_and_nanos(message, "Duration");
}

Result<Plan> make_plan(const pb::Descriptor& message) {
  return Planning().plan(message);
}

}  // namespace tailrace::schema::protobuf
