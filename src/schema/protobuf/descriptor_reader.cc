#include "schema/protobuf/descriptor_reader.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/unknown_field_set.h>

#include <algorithm>
#include <map>
#include <set>

#include "schema/json.h"
#include "schema/protobuf/linker.h"
#include "schema/protobuf/printer.h"
#include "schema/protobuf/reader.h"

namespace tailrace::schema::protobuf {
namespace {

namespace pb = google::protobuf;
using pb::FieldDescriptorProto;

constexpr int kMetaNumber = 1088;  // of Confluent's extensions of every kind of options

Value text_value(std::string text) {
  return {Value::Kind::kText, std::move(text), {}, {}};
}

// The fields of one level of a message that no one declared, by number.
std::vector<std::string> texts_at(const pb::UnknownFieldSet& set, int number) {
  std::vector<std::string> made;
  for (int i = 0; i < set.field_count(); ++i)
    if (set.field(i).number() == number &&
        set.field(i).type() == pb::UnknownField::TYPE_LENGTH_DELIMITED)
      made.push_back(set.field(i).length_delimited());
  return made;
}
std::string text_at(const pb::UnknownFieldSet& set, int number) {
  const auto all = texts_at(set, number);
  return all.empty() ? "" : all.back();
}

Value list_of(std::vector<Value> values) {
  return {Value::Kind::kList, "", {}, std::move(values)};
}
Value map_of(Options members) {
  return {Value::Kind::kMap, "", std::move(members), {}};
}

// confluent.Meta: doc, params, tags, rules.
void add_meta(const pb::Message& options, std::string_view name, Options& list) {
  std::string bytes;
  for (const auto& part : texts_at(options.GetReflection()->GetUnknownFields(options), kMetaNumber))
    bytes += part;
  pb::UnknownFieldSet meta;
  if (bytes.empty() || !meta.ParseFromString(bytes)) return;
  Options members;
  if (const auto doc = text_at(meta, 1); !doc.empty())
    members.push_back({"doc", false, text_value(doc)});
  std::vector<std::pair<std::string, std::string>> params;
  std::map<std::string, std::size_t> places;
  for (const auto& entry : texts_at(meta, 2)) {
    pb::UnknownFieldSet both;
    if (!both.ParseFromString(entry)) continue;
    const std::string key = text_at(both, 1);
    const auto [place, is_new] = places.try_emplace(key, params.size());
    if (is_new) params.emplace_back(key, "");
    params[place->second].second = text_at(both, 2);
  }
  std::vector<Value> shown;
  for (const auto& [key, value] : params) {
    Options entry = {{"key", false, text_value(key)}, {"value", false, text_value(value)}};
    if (key == "precision" || key == "scale") std::swap(entry[0], entry[1]);
    shown.push_back(map_of(std::move(entry)));
  }
  if (!shown.empty()) members.push_back({"params", false, list_of(std::move(shown))});
  std::vector<Value> tags;
  for (const auto& tag : texts_at(meta, 3)) tags.push_back(text_value(tag));
  if (!tags.empty()) members.push_back({"tags", false, list_of(std::move(tags))});
  std::vector<Value> rules;
  for (const auto& bytes_of_rule : texts_at(meta, 4)) {
    pb::UnknownFieldSet rule;
    if (!rule.ParseFromString(bytes_of_rule)) continue;
    Options entry;
    int number = 0;
    for (const auto* word : {"name", "doc", "expr", "sql"})
      if (const auto text = text_at(rule, ++number); !text.empty())
        entry.push_back({word, false, text_value(text)});
    if (!entry.empty()) rules.push_back(map_of(std::move(entry)));
  }
  if (!rules.empty()) members.push_back({"rules", false, list_of(std::move(rules))});
  if (!members.empty()) list.push_back({std::string(name), true, map_of(std::move(members))});
}

Value scalar_value(const pb::Message& message, const pb::FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case pb::FieldDescriptor::CPPTYPE_BOOL:
      return {
          Value::Kind::kBoolean, reflection.GetBool(message, &field) ? "true" : "false", {}, {}};
    case pb::FieldDescriptor::CPPTYPE_ENUM:
      return {Value::Kind::kEnum, reflection.GetEnum(message, &field)->name(), {}, {}};
    default:
      return text_value(reflection.GetString(message, &field));
  }
}

// The options that are set, by name: those of `first`, in that order, then Confluent's.
Options options_of(const pb::Message& options, std::initializer_list<const char*> names,
                   std::string_view meta = "") {
  Options made;
  const auto* type = options.GetDescriptor();
  for (const auto* name : names) {
    const auto* field = type->FindFieldByName(name);
    if (field && options.GetReflection()->HasField(options, field))
      made.push_back({name, false, scalar_value(options, *field)});
  }
  if (!meta.empty()) add_meta(options, meta, made);
  return made;
}

class Conversion {
 public:
  Result<File> file(const pb::FileDescriptorProto& from) {
    File made;
    if (from.syntax() == "proto2" || from.syntax() == "proto3")
      made.syntax = from.syntax();
    else if (!from.syntax().empty())
      return error(Code::kInvalidArgument, "neither proto2 nor proto3: " + from.syntax());
    proto3_ = made.is_proto3();
    made.package = from.package();
    const std::set<int> open(from.public_dependency().begin(), from.public_dependency().end());
    const std::set<int> weak(from.weak_dependency().begin(), from.weak_dependency().end());
    for (int i = 0; i < from.dependency_size(); ++i)
      (open.contains(i)   ? made.public_imports
       : weak.contains(i) ? made.weak_imports
                          : made.imports)
          .push_back(from.dependency(i));
    made.options = options_of(
        from.options(),
        {"java_package", "java_outer_classname", "java_multiple_files",
         "java_generate_equals_and_hash", "java_string_check_utf8", "optimize_for", "go_package",
         "cc_generic_services", "java_generic_services", "py_generic_services", "deprecated",
         "cc_enable_arenas", "objc_class_prefix", "csharp_namespace", "swift_prefix",
         "php_class_prefix", "php_namespace", "php_metadata_namespace", "ruby_package"},
        "confluent.file_meta");
    for (const auto& one : from.message_type()) {
      ASSIGN(auto message_made, message(one, 0));
      made.messages.push_back(std::move(message_made));
    }
    for (const auto& one : from.enum_type()) made.enums.push_back(enumeration(one));
    made.extends = extends(from.extension());
    for (const auto& one : from.service()) made.services.push_back(service(one));
    return made;
  }

 private:
  Result<Message> message(const pb::DescriptorProto& from, int depth) {
    if (depth > kMaxMessageDepth)
      return error(Code::kInvalidArgument, "too many messages in one another");
    Message made;
    made.name = from.name();
    made.options =
        options_of(from.options(), {"no_standard_descriptor_accessor", "deprecated", "map_entry"},
                   "confluent.message_meta");
    for (const auto& one : from.oneof_decl()) made.oneofs.push_back({one.name(), {}, {}, {}});
    for (const auto& one : from.field()) {
      const bool in_oneof = one.has_oneof_index() && !one.proto3_optional();
      if (in_oneof && (one.oneof_index() < 0 || one.oneof_index() >= from.oneof_decl_size()))
        return error(Code::kInvalidArgument, from.name() + ": a field of no oneof");
      if (one.type() == FieldDescriptorProto::TYPE_GROUP) {
        ASSIGN(auto made_group, group(from, one, in_oneof));
        (in_oneof ? made.oneofs[static_cast<std::size_t>(one.oneof_index())].groups : made.groups)
            .push_back(std::move(made_group));
        continue;
      }
      auto& list =
          in_oneof ? made.oneofs[static_cast<std::size_t>(one.oneof_index())].fields : made.fields;
      list.push_back(field(one, in_oneof));
    }
    std::erase_if(made.oneofs,
                  [](const OneOf& one) { return one.fields.empty() && one.groups.empty(); });
    for (const auto& one : from.reserved_range())
      made.reserved.push_back({range(one.start(), one.end() - 1)});
    for (const auto& one : from.reserved_name()) made.reserved.push_back({one});
    for (const auto& one : from.extension_range())
      made.extensions.push_back({{range(one.start(), one.end() - 1)}, {}});
    made.extends = extends(from.extension());
    for (const auto& one : from.nested_type()) {
      const bool is_group = std::ranges::any_of(
          from.field(), [&](const auto& field) { return is_group_of(one, field); });
      if (is_group) continue;
      ASSIGN(auto nested, message(one, depth + 1));
      made.messages.push_back(std::move(nested));
    }
    for (const auto& one : from.enum_type()) made.enums.push_back(enumeration(one));
    return made;
  }

  static bool is_group_of(const pb::DescriptorProto& nested, const FieldDescriptorProto& field) {
    if (field.type() != FieldDescriptorProto::TYPE_GROUP) return false;
    const std::string& type = field.type_name();
    return std::string_view(type).substr(type.rfind('.') + 1) == nested.name();
  }

  // The registry would show a group as a message, which no record has; it stays what it is.
  Result<Group> group(const pb::DescriptorProto& message, const FieldDescriptorProto& from,
                      bool in_oneof) const {
    for (const auto& nested : message.nested_type()) {
      if (!is_group_of(nested, from)) continue;
      Group made;
      if (!in_oneof) made.label = label(from);
      made.name = nested.name();
      made.number = from.number();
      for (const auto& one : nested.field()) made.fields.push_back(field(one, false));
      return made;
    }
    return error(Code::kUnimplemented, message.name() + ": a group without its fields");
  }

  static Range range(std::int32_t first, std::int32_t last) { return {first, last, first != last}; }

  Field field(const FieldDescriptorProto& from, bool in_oneof) const {
    Field made;
    made.name = from.name();
    made.number = from.number();
    made.type = from.type_name();
    if (!from.has_type_name() && from.has_type())
      made.type = pb::FieldDescriptor::TypeName(
          static_cast<pb::FieldDescriptor::Type>(static_cast<int>(from.type())));
    if (!in_oneof) made.label = label(from);
    made.options = options_of(from.options(), {"ctype", "packed", "jstype", "deprecated"},
                              "confluent.field_meta");
    if (from.has_json_name()) made.json_name = from.json_name();
    if (!proto3_ && from.has_default_value()) made.default_value = default_of(from);
    return made;
  }

  Label label(const FieldDescriptorProto& from) const {
    if (from.proto3_optional()) return Label::kOptional;
    if (from.label() == FieldDescriptorProto::LABEL_REPEATED) return Label::kRepeated;
    if (proto3_) return Label::kNone;
    return from.label() == FieldDescriptorProto::LABEL_REQUIRED ? Label::kRequired
                                                                : Label::kOptional;
  }

  // Descriptors hold the default of bytes with its escapes.
  static std::string default_of(const FieldDescriptorProto& from) {
    if (from.type() != FieldDescriptorProto::TYPE_BYTES) return from.default_value();
    const auto plain = read_file("option a = \"" + from.default_value() + "\";");
    return plain ? plain->options.front().value.text : from.default_value();
  }

  template <typename Fields>
  std::vector<Extend> extends(const Fields& fields) const {
    std::vector<Extend> made;
    std::map<std::string, std::size_t> places;
    for (const auto& one : fields) {
      const auto [place, is_new] = places.try_emplace(one.extendee(), made.size());
      if (is_new) made.push_back({one.extendee(), {}, {}});
      made[place->second].fields.push_back(field(one, false));
    }
    return made;
  }

  static Enum enumeration(const pb::EnumDescriptorProto& from) {
    Enum made;
    made.name = from.name();
    made.options = options_of(from.options(), {"allow_alias", "deprecated"}, "confluent.enum_meta");
    for (const auto& one : from.value())
      made.values.push_back(
          {one.name(), one.number(),
           options_of(one.options(), {"deprecated"}, "confluent.enum_value_meta")});
    for (const auto& one : from.reserved_range())
      made.reserved.push_back({range(one.start(), one.end())});
    for (const auto& one : from.reserved_name()) made.reserved.push_back({one});
    return made;
  }

  static Service service(const pb::ServiceDescriptorProto& from) {
    Service made;
    made.name = from.name();
    made.options = options_of(from.options(), {"deprecated"});
    for (const auto& one : from.method())
      made.rpcs.push_back({one.name(), one.input_type(), one.output_type(), one.client_streaming(),
                           one.server_streaming(),
                           options_of(one.options(), {"deprecated", "idempotency_level"})});
    return made;
  }

  bool proto3_ = false;
};

}  // namespace

Result<File> read_descriptor(std::string_view bytes) {
  silence_library();
  if (bytes.size() > kMaxSchemaBytes)
    return error(Code::kInvalidArgument, "the descriptor is too long");
  pb::FileDescriptorProto descriptor;
  if (bytes.empty() || !descriptor.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return error(Code::kInvalidArgument, "the bytes are no FileDescriptorProto");
  ASSIGN(const File made, Conversion().file(descriptor));
  // Names are taken as they come: what they make of the text is what counts.
  return read_file(printed(made));
}

}  // namespace tailrace::schema::protobuf
