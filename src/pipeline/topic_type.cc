#include "pipeline/topic_type.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "columns/widening.h"
#include "rt/file.h"
#include "schema/json.h"
#include "schema/record_rows.h"
#include "schema/schema.h"

namespace tailrace::pipeline {
namespace {

using subjects::RegisteredSchema;

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 30;

std::string types_file(const std::string& data) {
  return data + "/topic_types.json";
}

schema::Format format_of(const TopicSpec& topic) {
  return topic.format == "json_schema" ? schema::Format::kJsonSchema
         : topic.format == "protobuf"  ? schema::Format::kProtobuf
                                       : schema::Format::kAvro;
}

Result<std::string> record_of_schema(const TopicSpec& topic) {
  ASSIGN(const auto parsed, schema::parse_schema(format_of(topic), topic.values->text));
  std::string name = parsed->record_name();
  if (name.empty())
    return error(Code::kInvalidArgument, format_of(topic) == schema::Format::kJsonSchema
                                             ? "a JSON Schema has no name without a `title`"
                                             : "the schema is no record with a name");
  return name;
}

nlohmann::json to_json(const RegisteredSchema& schema) {
  nlohmann::json references = nlohmann::json::array();
  for (const schema::Reference& one : schema.references)
    references.push_back({{"name", one.name}, {"text", one.text}});
  std::string rules;
  if (schema.rules) schema::append_json(rules, subjects::to_json(*schema.rules));
  return {{"rules", rules},
          {"id", schema.id},
          {"subject", schema.subject},
          {"version", schema.version},
          {"format", schema::format_name(schema.format)},
          {"text", schema.text},
          {"references", std::move(references)}};
}

Result<RegisteredSchema> registered_of(const nlohmann::json& json) {
  RegisteredSchema schema = {.id = json.at("id"),
                             .subject = json.at("subject"),
                             .version = json.at("version"),
                             .text = json.at("text")};
  for (const auto format :
       {schema::Format::kAvro, schema::Format::kJsonSchema, schema::Format::kProtobuf})
    if (json.at("format") == schema::format_name(format)) schema.format = format;
  for (const auto& one : json.at("references"))
    schema.references.push_back({one.at("name"), one.at("text")});
  // Those of an older release's file are asked for again with the next version.
  if (const std::string rules = json.value("rules", ""); !rules.empty()) {
    ASSIGN(const schema::Json parsed, schema::parse_json(rules));
    ASSIGN(schema.rules, subjects::rule_set_of(parsed));
  }
  return schema;
}

Result<TopicTypePtr> shared(Result<TopicType> type) {
  if (!type) return std::unexpected(type.error());
  return std::make_shared<const TopicType>(std::move(*type));
}

/// Of topics that still follow the same subject.
Result<TopicTypes> kept_types(const Project& project, const std::string& data) {
  TopicTypes types;
  auto text = rt::read_whole(rt::posix_files(), types_file(data), kMaxFileBytes);
  if (!text && text.error().code == Code::kNotFound) return types;
  if (!text) return std::unexpected(text.error());
  try {
    const auto json = nlohmann::json::parse(*text);
    for (const TopicSpec& topic : project.topics) {
      if (!topic.values || !json.contains(topic.name)) continue;
      std::vector<RegisteredSchema> taken;
      for (const auto& one : json.at(topic.name)) {
        ASSIGN(taken.emplace_back(), registered_of(one));
      }
      ASSIGN(const std::string subject, subject_of(topic));
      if (taken.empty() || taken.front().subject != subject) continue;
      ASSIGN(types[topic.name], shared(TopicType::make(std::move(taken))));
    }
  } catch (const nlohmann::json::exception& wrong) {
    return error(Code::kDataLoss, types_file(data) + ": " + wrong.what());
  }
  return types;
}

/// The type of the topic's own file; null when it has none.
Result<TopicTypePtr> declared_type(const TopicSpec& topic) {
  if (topic.values->text.empty()) return nullptr;
  ASSIGN(std::string subject, subject_of(topic));
  auto type = shared(TopicType::make(
      {{.subject = std::move(subject), .format = format_of(topic), .text = topic.values->text}}));
  if (!type) return std::unexpected(type.error().in(topic.place + ": " + topic.values->file));
  return type;
}

/// Fills in what is missing from the schema files.
Result<TopicTypes> with_declared(const Project& project, TopicTypes types) {
  for (const TopicSpec& topic : project.topics) {
    if (!topic.values || types.contains(topic.name)) continue;
    ASSIGN(auto type, declared_type(topic));
    if (!type)
      return error(Code::kFailedPrecondition,
                   fmt::format("{}: the columns of topic {} are known once it has run, or with "
                               "`schema: FILE`",
                               topic.place, topic.name));
    types[topic.name] = std::move(type);
  }
  return types;
}

/// The version that the topic begins or goes on with.
Result<RegisteredSchema> current_version(const TopicSpec& topic, subjects::SchemaClient& schemas,
                                         const GuessSchema& guess) {
  ASSIGN(const std::string subject, subject_of(topic));
  const ValueSpec& values = *topic.values;
  if (!values.text.empty()) {
    auto put = schemas.register_schema(subject, format_of(topic), values.text);
    if (!put)
      return std::unexpected(put.error().in(
          fmt::format("{}: {} as a version of {}", topic.place, values.file, subject)));
  }
  auto latest = schemas.latest(subject);
  if (!latest && latest.error().code == Code::kNotFound) {
    ASSIGN(const std::string guessed, guess(topic));
    if (!guessed.empty()) return schemas.register_schema(subject, format_of(topic), guessed);
  }
  if (!latest && latest.error().code == Code::kNotFound)
    return error(Code::kNotFound,
                 fmt::format("{}: subject {} of topic {} has no schema yet; register one, or give "
                             "the topic `schema: FILE`",
                             topic.place, subject, topic.name));
  if (!latest) return std::unexpected(latest.error().in(topic.place));
  return latest;
}

}  // namespace

Result<TopicType> TopicType::make(std::vector<RegisteredSchema> taken) {
  TopicType type;
  for (RegisteredSchema& one : taken) TRY(type.take(std::move(one)));
  return type;
}

Result<TopicType> TopicType::with(RegisteredSchema next) const {
  TopicType type = *this;
  TRY(type.take(std::move(next)));
  return type;
}

Status TopicType::take(RegisteredSchema next) {
  ASSIGN(reader_,
         schema::parse_schema(next.format, next.text, next.references, schema::Age::kKnown));
  ASSIGN(const Schema columns, schema::columns_of(*reader_));
  const Type value = arrow::struct_(columns->fields());
  if (value_) {
    ASSIGN(value_, widened_type(value_, value));
  } else {
    value_ = value;
  }
  taken_.push_back(std::move(next));
  return {};
}

Result<std::string> subject_of(const TopicSpec& topic) {
  const ValueSpec& values = *topic.values;
  if (!values.subject.empty()) return values.subject;
  if (values.strategy == "topic_name") return topic.name + "-value";
  if (values.text.empty())
    return error(Code::kInvalidArgument,
                 fmt::format("{}: `subject_name_strategy: {}` needs `schema: FILE`, which names "
                             "the record, or `subject`",
                             topic.place, values.strategy));
  const auto record = record_of_schema(topic);
  if (!record) return std::unexpected(record.error().in(topic.place + ": " + values.file));
  return values.strategy == "record_name" ? *record : topic.name + "-" + *record;
}

Result<TopicTypes> declared_topic_types(const Project& project) {
  return with_declared(project, {});
}

Result<TopicTypes> stored_topic_types(const Project& project, const std::string& data) {
  ASSIGN(auto types, kept_types(project, data));
  return with_declared(project, std::move(types));
}

Result<TopicTypes> open_topic_types(const Project& project, const std::string& data,
                                    subjects::SchemaClient& schemas, const GuessSchema& guess) {
  ASSIGN(TopicTypes types, kept_types(project, data));
  for (const TopicSpec& topic : project.topics) {
    if (!topic.values) continue;
    TopicTypePtr& type = types[topic.name];
    auto current = current_version(topic, schemas, guess);
    if (!current && type && current.error().code == Code::kUnavailable) {
      LOG_OF(warn, log_of("topic", topic.name), "topic {}: {}; it goes on with version {} of {}",
             topic.name, current.error().what, type->latest().version, type->latest().subject);
      continue;
    }
    if (!current) return std::unexpected(current.error());
    if (!type) {
      ASSIGN(type, shared(TopicType::make({std::move(*current)})));
      continue;
    }
    const bool newer = current->version > type->latest().version;
    if (!newer || topic.values->evolution != "add_columns") continue;
    auto next = shared(type->with(std::move(*current)));
    if (next)
      type = std::move(*next);
    else
      LOG_OF(warn, log_of("topic", topic.name), "topic {} stays at version {} of {}: {}",
             topic.name, type->latest().version, type->latest().subject, next.error().what);
  }
  TRY(save_topic_types(data, types));
  return types;
}

Status save_topic_types(const std::string& data, const TopicTypes& types) {
  if (types.empty()) return {};
  nlohmann::json json = nlohmann::json::object();
  for (const auto& [topic, type] : types)
    for (const RegisteredSchema& one : type->taken()) json[topic].push_back(to_json(one));
  return rt::write_atomically(rt::posix_files(), types_file(data), json.dump());
}

}  // namespace tailrace::pipeline
