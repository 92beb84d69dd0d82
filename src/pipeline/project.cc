#include "pipeline/project.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "connect/source_types.h"
#include "pipeline/functions.h"
#include "pipeline/names.h"
#include "pipeline/spark_spec.h"
#include "pipeline/stages.h"
#include "rt/file.h"
#include "schema/json.h"
#include "yaml/file.h"

namespace tailrace::pipeline {
namespace {

namespace fs = std::filesystem;

/// One of two readings of `key`, where it is there.
Status read_quantity(const yaml::File& file, const YAML::Node& mapping, const char* key,
                     Result<std::int64_t> (yaml::File::*read)(const YAML::Node&, std::string_view)
                         const,
                     std::int64_t& value) {
  if (!mapping.IsMap() || !mapping[key]) return {};
  ASSIGN(value, (file.*read)(mapping[key], key));
  return {};
}

Status read_role(const yaml::File& file, const YAML::Node& node, std::string_view key,
                 std::string& role) {
  if (!node) return {};
  ASSIGN(role, file.text(node, key));
  if (role != "embedded")
    return file.fail(node,
                     "not supported yet: `" + std::string(key) + "` behind a URL; use `embedded`");
  return {};
}

/// `schedule`: embedded, or the Airflow that runs the DAGs, also as a mapping with a url and user
/// and password, or token.
Status read_schedule_role(const yaml::File& file, const YAML::Node& node, Roles& roles) {
  if (!node) return {};
  const bool mapping = node.IsMap();
  if (mapping) {
    TRY(file.only_keys(node, {"url", "user", "password", "token"}));
    if (!node["url"]) return file.fail(node, "`url` is missing: http://HOST:8080");
  }
  const YAML::Node url = mapping ? node["url"] : node;
  std::string& role = roles.schedule;
  ASSIGN(role, file.text(url, "schedule"));
  RemoteScheduleSpec& remote = roles.remote_schedule;
  for (auto [key, value] : {std::pair{"user", &remote.user},
                            {"password", &remote.password},
                            {"token", &remote.token}}) {
    if (!mapping || !node[key]) continue;
    if (role == "embedded")
      return file.fail(node[key], "`" + std::string(key) + "` is of a schedule that is an Airflow");
    ASSIGN(*value, file.text(node[key], key));
  }
  if (remote.user.empty() != remote.password.empty())
    return file.fail(node, "`user` and `password` go together");
  if (!remote.user.empty() && !remote.token.empty())
    return file.fail(node["token"], "`token` is instead of `user` and `password`");
  if (role == "embedded") return {};
  const std::size_t host = role.starts_with("http://") ? 7 : role.starts_with("https://") ? 8 : 0;
  const std::string_view rest = std::string_view(role).substr(host);
  if (host == 0 || rest.empty() || rest.starts_with('/') || rest.find('@') != std::string::npos)
    return file.fail(url,
                     "`schedule`: embedded, or the address of the Airflow that runs the DAGs: "
                     "http://HOST:8080, without a user");
  return {};
}

/// `embedded`, postgresql://…, or a mapping with a url, user, password and schema.
Status read_metadata_role(const yaml::File& file, const YAML::Node& node, Project& project) {
  if (!node) return {};
  MetadataSpec& remote = project.metadata;
  const bool mapping = node.IsMap();
  if (mapping) {
    TRY(file.only_keys(node, {"url", "user", "password", "schema"}));
    if (!node["url"])
      return file.fail(node, "`url` is missing: postgresql://USER@HOST:PORT/DATABASE");
  }
  const YAML::Node url = mapping ? node["url"] : node;
  ASSIGN(remote.url, file.text(url, "metadata"));
  const bool is_remote = remote.url != "embedded";
  if (is_remote && !remote.url.starts_with("postgresql://") &&
      !remote.url.starts_with("postgres://"))
    return file.fail(url, "`metadata` is embedded or postgresql://USER@HOST:PORT/DATABASE");
  if (is_remote && project.roles.schedule != "embedded")
    return file.fail(node, "`metadata` is of the embedded `schedule`, and that one is an Airflow");
  remote.schema = "tailrace_" + project.name;
  for (auto [key, value] : {std::pair{"user", &remote.user},
                            {"password", &remote.password},
                            {"schema", &remote.schema}}) {
    if (!mapping || !node[key]) continue;
    if (!is_remote)
      return file.fail(node[key], "`" + std::string(key) + "` is of a postgresql:// metadata");
    ASSIGN(*value, file.text(node[key], key));
  }
  static constexpr std::size_t kMostNameBytes = 63;  // PostgreSQL cuts longer ones off
  if (mapping && node["schema"] &&
      (remote.schema.empty() || remote.schema.size() > kMostNameBytes ||
       remote.schema.starts_with("pg_")))
    return file.fail(node["schema"], "`schema` has 1 to 63 bytes, and not pg_ first");
  remote.schema.resize(std::min(remote.schema.size(), kMostNameBytes));
  return {};
}

/// A block of options, nested keys joined by dots, and what of them came from outside.
Status flatten(const yaml::File& file, const YAML::Node& node, const std::string& prefix,
               std::map<std::string, std::string>& options, std::vector<std::string>& secrets) {
  ASSIGN(const auto entries, file.entries(node, "the options", "NAME: VALUE"));
  for (const yaml::File::Entry& entry : entries) {
    const std::string key = prefix + entry.key;
    if (entry.value.IsMap()) {
      TRY(flatten(file, entry.value, key + ".", options, secrets));
      continue;
    }
    if (entry.value.IsSequence()) {
      for (std::size_t i = 0; i < entry.value.size(); ++i) {
        ASSIGN(const std::string one, file.text(entry.value[i], key));
        options[key] += (i > 0 ? "," : "") + one;
      }
      continue;
    }
    ASSIGN(std::string text, file.text(entry.value, key));
    bool from_file = entry.value.Scalar().starts_with("file:");
    for (std::string& value : yaml::environment_values(entry.value.Scalar())) {
      from_file |= value.starts_with("file:");
      secrets.push_back(std::move(value));
    }
    if (from_file) secrets.push_back(text);
    options[key] = std::move(text);
  }
  return {};
}

/// `embedded`, kafka://…, or a mapping with a url and librdkafka's settings.
Status read_log_role(const yaml::File& file, const YAML::Node& node, Project& project) {
  if (!node) return {};
  Roles& roles = project.roles;
  RemoteLogSpec& remote = roles.remote_log;
  remote.place = file.place(node);
  remote.id = project.name;
  const bool mapping = node.IsMap();
  if (mapping) {
    TRY(file.only_keys(node, {"url", "properties", "id"}));
    if (!node["url"]) return file.fail(node, "`url` is missing: kafka://HOST:PORT");
  }
  const YAML::Node url = mapping ? node["url"] : node;
  ASSIGN(roles.log, file.text(url, "log"));
  if (roles.log != "embedded" && !roles.log.starts_with("kafka://"))
    return file.fail(url, "`log` is embedded or kafka://HOST:PORT");
  if (!mapping) return {};
  if (roles.log == "embedded" && node["properties"])
    return file.fail(node["properties"], "`properties` are of a kafka:// log");
  if (node["id"]) {
    ASSIGN(remote.id, file.text(node["id"], "id"));
  }
  if (!node["properties"]) return {};
  return flatten(file, node["properties"], "", remote.properties, remote.secrets);
}

/// `embedded`, spark://…, local[N], or a mapping with a url, every, jars and Spark's settings.
Status read_engine_role(const yaml::File& file, const YAML::Node& node, Roles& roles) {
  if (!node) return {};
  RemoteEngineSpec& remote = roles.remote_engine;
  const bool mapping = node.IsMap();
  if (mapping) {
    TRY(file.only_keys(node, {"url", "every", "jars", "properties"}));
    if (!node["url"]) return file.fail(node, "`url` is missing: spark://HOST:7077");
  }
  const YAML::Node url = mapping ? node["url"] : node;
  std::string& role = roles.engine;
  ASSIGN(role, file.text(url, "engine"));
  const bool embedded = role == "embedded";
  const bool local = role == "local" || (role.starts_with("local[") && role.ends_with(']'));
  if (!embedded && !local && !(role.starts_with("spark://") && role.size() > 8))
    return file.fail(url,
                     "`engine` is embedded or Spark's master: spark://HOST:7077, or local[2] to "
                     "try it");
  if (!mapping) return {};
  for (const char* key : {"every", "jars", "properties"})
    if (embedded && node[key])
      return file.fail(node[key], "`" + std::string(key) + "` is of an engine that is a Spark");
  TRY(read_quantity(file, node, "every", &yaml::File::milliseconds, remote.every_ms));
  if (node["jars"]) {
    ASSIGN(remote.jars, file.text(node["jars"], "jars"));
  }
  if (!node["properties"]) return {};
  return flatten(file, node["properties"], "", remote.properties, remote.secrets);
}

/// `embedded`, http(s)://…, or a mapping with a url, user, password and ca_file.
Status read_registry_role(const yaml::File& file, const YAML::Node& node, Roles& roles) {
  if (!node) return {};
  const bool mapping = node.IsMap();
  if (mapping) {
    TRY(file.only_keys(node, {"url", "user", "password", "ca_file"}));
    if (!node["url"]) return file.fail(node, "`url` is missing: http://HOST:PORT");
  }
  const YAML::Node url = mapping ? node["url"] : node;
  ASSIGN(roles.registry, file.text(url, "registry"));
  if (roles.registry != "embedded" && !roles.registry.starts_with("http://") &&
      !roles.registry.starts_with("https://"))
    return file.fail(url, "`registry` is embedded or http://HOST:PORT");
  RemoteRegistrySpec& remote = roles.remote_registry;
  for (auto [key, value] : {std::pair{"user", &remote.user},
                            {"password", &remote.password},
                            {"ca_file", &remote.ca_file}}) {
    if (!mapping || !node[key]) continue;
    ASSIGN(*value, file.text(node[key], key));
  }
  return {};
}

/// One of some words.
Status read_word(const yaml::File& file, const YAML::Node& node, const char* key,
                 const std::vector<std::string_view>& words, std::string& word) {
  if (!node[key]) return {};
  ASSIGN(word, file.text(node[key], key));
  if (std::ranges::find(words, word) != words.end()) return {};
  std::string all;
  for (const std::string_view one : words) (all += all.empty() ? "" : ", ") += one;
  return file.fail(node[key], "`" + std::string(key) + ": " + word + "` is none of: " + all);
}

/// `embedded`, cassandra://…, or a mapping with a url, user, password, tls and files.
Status read_serving_role(const yaml::File& file, const YAML::Node& node, Roles& roles) {
  if (!node) return {};
  RemoteServingSpec& remote = roles.remote_serving;
  remote.place = file.place(node);
  const bool mapping = node.IsMap();
  if (mapping) {
    TRY(file.only_keys(
        node, {"url", "user", "password", "tls", "ca_file", "certificate_file", "key_file"}));
    if (!node["url"]) return file.fail(node, "`url` is missing: cassandra://HOST:PORT/KEYSPACE");
  }
  const YAML::Node url = mapping ? node["url"] : node;
  ASSIGN(roles.serving, file.text(url, "serving"));
  if (roles.serving != "embedded" && !roles.serving.starts_with("cassandra://"))
    return file.fail(url, "`serving` is embedded or cassandra://HOST:PORT/KEYSPACE");
  if (!mapping) return {};
  for (auto [key, value] : {std::pair{"user", &remote.user},
                            {"password", &remote.password},
                            {"ca_file", &remote.ca_file},
                            {"certificate_file", &remote.certificate_file},
                            {"key_file", &remote.key_file}}) {
    if (!node[key]) continue;
    if (roles.serving == "embedded")
      return file.fail(node[key], "`" + std::string(key) + "` is of a cassandra:// serving");
    ASSIGN(*value, file.text(node[key], key));
  }
  if (remote.user.empty() != remote.password.empty())
    return file.fail(node, "`user` and `password` go together");
  if (remote.certificate_file.empty() != remote.key_file.empty())
    return file.fail(node, "`certificate_file` and `key_file` go together");
  std::string word = remote.ca_file.empty() && remote.key_file.empty() ? "false" : "true";
  TRY(read_word(file, node, "tls", {"true", "false"}, word));
  remote.tls = word == "true";
  if (!remote.tls && !(remote.ca_file.empty() && remote.key_file.empty()))
    return file.fail(node["tls"], "`tls: false`, but there are certificates");
  return {};
}

Status read_roles(Project& project, const yaml::File& file) {
  const YAML::Node roles = file.root["roles"];
  if (!roles || roles.IsNull()) return {};
  TRY(file.only_keys(
      roles, {"log", "registry", "engine", "lake", "serving", "staging", "schedule", "metadata"}));
  Roles& r = project.roles;
  TRY(read_log_role(file, roles["log"], project));
  TRY(read_registry_role(file, roles["registry"], r));
  TRY(read_engine_role(file, roles["engine"], r));
  TRY(read_role(file, roles["lake"], "lake", r.lake));
  TRY(read_serving_role(file, roles["serving"], r));
  TRY(read_staging_role(file, roles["staging"], r));
  TRY(read_schedule_role(file, roles["schedule"], r));
  return read_metadata_role(file, roles["metadata"], project);
}

Result<ValueSpec> read_values(const yaml::File& file, const YAML::Node& node) {
  ValueSpec values;
  if (node["subject"]) {
    ASSIGN(values.subject, file.text(node["subject"], "subject"));
  }
  TRY(read_word(file, node, "subject_name_strategy",
                {"topic_name", "record_name", "topic_record_name"}, values.strategy));
  TRY(read_word(file, node, "schema_id", {"prefix", "header"}, values.named_in));
  TRY(read_word(file, node, "schema_evolution", {"add_columns", "none"}, values.evolution));
  if (!node["schema"]) return values;
  ASSIGN(values.file, file.text(node["schema"], "schema"));
  const fs::path path = fs::path(file.path).parent_path() / values.file;
  auto text = rt::read_whole(rt::posix_files(), path.string(), schema::kMaxSchemaBytes);
  if (!text) return file.fail(node["schema"], "`schema`: " + text.error().what);
  values.text = std::move(*text);
  return values;
}

/// The broker's check, which names subjects by a strategy only.
Status read_validation(const yaml::File& file, const YAML::Node& node, TopicSpec& topic) {
  if (!node["schema_validation"]) return {};
  if (!topic.values)
    return file.fail(node["schema_validation"],
                     "`schema_validation` is of a topic whose format has a schema");
  std::string word = "false";
  TRY(read_word(file, node, "schema_validation", {"true", "false"}, word));
  if (word == "false") return {};
  if (!topic.values->subject.empty())
    return file.fail(node["schema_validation"],
                     "`schema_validation` goes with a subject that `subject_name_strategy` names, "
                     "not with `subject`");
  const std::string& strategy = topic.values->strategy;
  topic.settings["confluent.value.schema.validation"] = "true";
  if (strategy == "topic_name") return {};
  topic.settings["confluent.value.subject.name.strategy"] =
      std::string("io.confluent.kafka.serializers.subject.") +
      (strategy == "record_name" ? "RecordNameStrategy" : "TopicRecordNameStrategy");
  return {};
}

Result<TopicSpec> read_topic(const yaml::File& file, const std::string& name,
                             const YAML::Node& node) {
  TRY(file.only_keys(node, {"partitions",
                            "format",
                            "schema",
                            "subject",
                            "subject_name_strategy",
                            "schema_id",
                            "schema_evolution",
                            "schema_validation",
                            "relation",
                            "max_message_bytes",
                            "retention",
                            "retention_size",
                            "segment_size",
                            "compression",
                            "retention.ms",
                            "retention.bytes",
                            "segment.bytes",
                            "segment.ms",
                            "max.message.bytes",
                            "compression.type"}));
  TopicSpec topic;
  topic.name = name;
  topic.relation = name;
  topic.place = file.place(node);
  if (!node.IsMap()) return topic;
  if (node["relation"]) {
    ASSIGN(topic.relation, file.text(node["relation"], "relation"));
  }
  if (node["partitions"]) {
    ASSIGN(const std::int64_t count, file.integer(node["partitions"], "partitions"));
    if (count < 1 || count > 10000)
      return file.fail(node["partitions"], "`partitions` is 1 to 10000");
    topic.partitions = static_cast<std::int32_t>(count);
  }
  if (node["format"]) {
    ASSIGN(topic.format, file.text(node["format"], "format"));
  }
  if (topic.format == "avro" || topic.format == "json_schema" || topic.format == "protobuf") {
    ASSIGN(topic.values, read_values(file, node));
  } else if (topic.format != "json" && topic.format != "raw") {
    return file.fail(node["format"], "`format: " + topic.format +
                                         "` is none of: json, raw, avro, json_schema, protobuf");
  }
  for (const char* key :
       {"schema", "subject", "subject_name_strategy", "schema_id", "schema_evolution"})
    if (node[key] && !topic.values)
      return file.fail(
          node[key],
          "`" + std::string(key) + "` is of a topic with `format: avro`, json_schema or protobuf");
  if (node["retention"]) {
    ASSIGN(const std::int64_t ms, file.milliseconds(node["retention"], "retention"));
    topic.settings["retention.ms"] = std::to_string(ms);
  }
  const std::pair<const char*, const char*> sizes[] = {{"max_message_bytes", "max.message.bytes"},
                                                       {"retention_size", "retention.bytes"},
                                                       {"segment_size", "segment.bytes"}};
  for (auto [key, setting] : sizes) {
    if (!node[key]) continue;
    ASSIGN(const std::int64_t bytes, file.bytes(node[key], key));
    topic.settings[setting] = std::to_string(bytes);
  }
  if (node["compression"]) {
    ASSIGN(topic.settings["compression.type"], file.text(node["compression"], "compression"));
  }
  TRY(read_validation(file, node, topic));
  for (const char* key : {"retention.ms", "retention.bytes", "segment.bytes", "segment.ms",
                          "max.message.bytes", "compression.type"}) {
    if (!node[key]) continue;
    ASSIGN(topic.settings[key], file.text(node[key], key));
  }
  return topic;
}

Status read_topics(Project& project, const yaml::File& file) {
  ASSIGN(const auto topics,
         file.entries(file.root["topics"], "topics", "NAME: {partitions: 1, format: json}"));
  for (const yaml::File::Entry& entry : topics) {
    ASSIGN(auto topic, read_topic(file, entry.key, entry.value));
    for (const TopicSpec& other : project.topics)
      if (same_name(other.relation, topic.relation))
        return file.fail(entry.key_node,
                         "relation `" + topic.relation + "` is already topic " + other.name);
    project.topics.push_back(std::move(topic));
  }
  return {};
}

Result<IngestSpec> read_source(const Project& project, const yaml::File& file,
                               const YAML::Node& node) {
  std::vector<std::string_view> keys{"name", "topic", "key", "stage", "use", "paused"};
  for (const connect::SourceType& type : connect::source_types()) keys.push_back(type.type);
  TRY(file.only_keys(node, keys));
  for (const char* needed : {"name", "topic", "use"}) {
    if (!node.IsMap() || !node[needed])
      return file.fail(node, "`" + std::string(needed) +
                                 "` is missing: a source has a name, a topic and use: " +
                                 connect::source_type_names());
    ASSIGN(const std::string word, file.text(node[needed], needed));
    if (word.find_first_of(" \t\n") != std::string::npos)
      return file.fail(node[needed],
                       "`" + std::string(needed) + "` is one word; is a quote not closed here?");
  }
  IngestSpec spec;
  spec.place = file.place(node);
  ASSIGN(spec.name, file.text(node["name"], "name"));
  ASSIGN(spec.topic, file.text(node["topic"], "topic"));
  ASSIGN(spec.type, file.text(node["use"], "use"));
  std::string paused = "false";
  TRY(read_word(file, node, "paused", {"true", "false"}, paused));
  spec.paused = paused == "true";
  if (connect::find_source_type(spec.type) == nullptr)
    return file.fail(node["use"], "`use` is " + connect::source_type_names() + ", not `" +
                                      spec.type + "`; what each takes: tailrace sources");
  if (node[spec.type]) TRY(flatten(file, node[spec.type], "", spec.options, spec.secrets));
  if (node["key"]) {
    ASSIGN(spec.options["key"], file.text(node["key"], "key"));
  }
  if (node["stage"]) {
    ASSIGN(spec.stage, file.text(node["stage"], "stage"));
  }
  if (spec.name.starts_with("staging."))
    return file.fail(node["name"],
                     "`name` does not begin with staging.: what flows out of the "
                     "staging tables is called so");
  if (spec.name.empty() || spec.name.find_first_of("/\\") != std::string::npos)
    return file.fail(node["name"], "`name` is a word without slashes: files are called by it");
  for (const IngestSpec& other : project.ingest)
    if (other.name == spec.name)
      return file.fail(node["name"], "source `" + spec.name + "` is already at " + other.place +
                                         "; give this one another name");
  std::vector<std::string_view> names;
  for (const TopicSpec& topic : project.topics) names.push_back(topic.name);
  if (std::ranges::find(names, spec.topic) == names.end())
    return file.fail(node["topic"],
                     "topic `" + spec.topic + "` is not among `topics`" +
                         (yaml::nearest(spec.topic, names).empty()
                              ? std::string("; add it there")
                              : "; did you mean `" + yaml::nearest(spec.topic, names) + "`?"));
  return spec;
}

Status read_ingest(Project& project, const yaml::File& file) {
  ASSIGN(const auto sources,
         file.items(file.root["ingest"], "ingest", "- {name: …, topic: …, use: fake}"));
  for (const YAML::Node& node : sources) {
    ASSIGN(auto spec, read_source(project, file, node));
    project.ingest.push_back(std::move(spec));
  }
  return {};
}

/// COLUMN, [COLUMN, COLUMN], or [[COLUMN, COLUMN], COLUMN]: the inner list is the partition key.
Status read_key(const yaml::File& file, const YAML::Node& node, ServingSpec& spec) {
  if (node.IsScalar()) {
    spec.key.push_back(node.Scalar());
  } else {
    const auto add = [&](const YAML::Node& column) -> Status {
      ASSIGN(auto text, file.text(column, "key"));
      spec.key.push_back(std::move(text));
      return {};
    };
    ASSIGN(const auto columns, file.items(node, "key", "[COLUMN, COLUMN]"));
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (i > 0 || !columns[i].IsSequence()) {
        TRY(add(columns[i]));
        continue;
      }
      ASSIGN(const auto partition, file.items(columns[i], "key", "[[COLUMN, COLUMN], COLUMN]"));
      if (partition.empty())
        return file.fail(columns[i], "the partition key is empty: name its columns");
      spec.partition_columns = static_cast<int>(partition.size());
      for (const YAML::Node& column : partition) TRY(add(column));
    }
  }
  if (spec.key.empty())
    return file.fail(node, "`key` is empty: name the columns that name one row");
  return {};
}

Status read_serving(Project& project, const yaml::File& file) {
  ASSIGN(const auto tables,
         file.entries(file.root["serving"], "serving", "TABLE: {key: [COLUMN]}"));
  for (const auto& [name, name_node, node] : tables) {
    TRY(file.only_keys(node, {"table", "key"}));
    ServingSpec spec;
    spec.name = name;
    spec.place = file.place(name_node);
    spec.table = spec.name;
    if (node.IsMap() && node["table"]) {
      ASSIGN(spec.table, file.text(node["table"], "table"));
    }
    if (!node.IsMap() || !node["key"])
      return file.fail(name_node, "`key` is missing in `" + name +
                                      "`: the columns that name one row, as in key: [id]");
    TRY(read_key(file, node["key"], spec));
    project.serving.push_back(std::move(spec));
  }
  return {};
}

Status read_limits(Project& project, const yaml::File& file) {
  if (const YAML::Node node = file.root["checkpoint"]) {
    TRY(file.only_keys(node, {"every", "records"}));
    if (node.IsMap() && node["every"]) {
      ASSIGN(project.limits.checkpoint_ms, file.milliseconds(node["every"], "every"));
    }
    if (node.IsMap() && node["records"]) {
      ASSIGN(project.limits.checkpoint_records, file.integer(node["records"], "records"));
      if (project.limits.checkpoint_records < 1)
        return file.fail(node["records"], "`records` is 1 or more");
    }
  }
  return {};
}

Status read_upkeep(Project& project, const yaml::File& file) {
  Upkeep& upkeep = project.upkeep;
  if (const YAML::Node node = file.root["lake"]) {
    TRY(file.only_keys(node, {"compact_under", "vacuum_after"}));
    TRY(read_quantity(file, node, "compact_under", &yaml::File::bytes, upkeep.compact_under_bytes));
    TRY(read_quantity(file, node, "vacuum_after", &yaml::File::milliseconds,
                      upkeep.vacuum_after_ms));
  }
  if (const YAML::Node node = file.root["dead_letters"]) {
    TRY(file.only_keys(node, {"keep", "max_bytes"}));
    TRY(read_quantity(file, node, "keep", &yaml::File::milliseconds, upkeep.letters_keep_ms));
    TRY(read_quantity(file, node, "max_bytes", &yaml::File::bytes, upkeep.letters_max_bytes));
  }
  return {};
}

Status read_settings(Project& project, const std::string& path) {
  ASSIGN(const yaml::File file, yaml::File::load(path));
  if (file.root.IsNull()) return {};
  TRY(file.only_keys(file.root, {"roles", "topics", "ingest", "staging", "serving", "lake",
                                 "functions", "invoke", "dead_letters", "checkpoint", "lambda",
                                 "alerts", "workflows", "connections", "variables"}));
  TRY(read_roles(project, file));
  TRY(read_topics(project, file));
  TRY(read_ingest(project, file));
  TRY(read_stages(project, file));
  TRY(read_functions(project, file));
  TRY(read_serving(project, file));
  TRY(read_limits(project, file));
  return read_upkeep(project, file);
}

}  // namespace

Result<Project> load_project(const std::string& path) {
  fs::path folder(path);
  if (folder.filename().string().starts_with("spark-pipeline.y")) folder = folder.parent_path();
  std::error_code failed;
  if (!fs::is_directory(folder, failed))
    return error(Code::kNotFound,
                 path + " is not a folder; `tailrace init NAME` writes a project that runs");
  ASSIGN(Project project, load_spark_spec(folder.lexically_normal().string()));
  const std::string settings = (folder / "tailrace.yml").string();
  if (fs::exists(settings)) TRY(read_settings(project, settings));
  ASSIGN(project.contracts, load_contracts(project));
  return project;
}

}  // namespace tailrace::pipeline
