// Airflow's connections and variables as YAML, with secrets as tailrace.yml has them.
#include "workflows/settings.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "metadata/metadata.h"
#include "rt/memory.h"
#include "yaml/file.h"

namespace tailrace::workflows {
namespace {

using nlohmann::json;

constexpr std::uint64_t kOpenFiles = 4096, kProcesses = 1000;
constexpr std::string_view kUnlimited = "unlimited";

std::string file_of(const std::string& folder) {
  return folder + "/tailrace.yml";
}

/// A number of one or more by `read`, or `unlimited`.
template <typename Number, typename Read>
Status read_limit(const yaml::File& file, const YAML::Node& mapping, const char* key,
                  const Read& read, std::optional<Number>& limit) {
  const YAML::Node node = mapping[key];
  if (!node) return {};
  if (node.IsScalar() && node.Scalar() == kUnlimited) {
    limit.reset();
    return {};
  }
  ASSIGN(const std::int64_t number, read(node));
  if (number < 1)
    return file.fail(node, fmt::format("`{}` is more than 0, or {}", key, kUnlimited));
  limit = Number(number);
  return {};
}

Status read_limits(const yaml::File& file, tasks::Limits& limits) {
  const YAML::Node node = file.root["workflows"];
  TRY(file.only_keys(node,
                     {"task_memory", "task_processor_time", "task_processes", "task_open_files"}));
  if (!node || node.IsNull()) return {};
  TRY(read_limit(
      file, node, "task_memory", [&](const auto& at) { return file.bytes(at, "task_memory"); },
      limits.memory_bytes));
  std::optional<std::chrono::milliseconds> time;
  TRY(read_limit(
      file, node, "task_processor_time",
      [&](const auto& at) { return file.milliseconds(at, "task_processor_time"); }, time));
  limits.processor_time = time;
  for (auto [key, limit] :
       {std::pair{"task_processes", &limits.processes}, {"task_open_files", &limits.open_files}})
    TRY(read_limit(
        file, node, key, [&](const auto& at) { return file.integer(at, key); }, *limit));
  return {};
}

/// A value as JSON: what stands in quotes is a text, other words are what JSON makes of them.
Result<json> value_of(const yaml::File& file, const YAML::Node& node, std::string_view key) {
  if (node.IsNull()) return json();
  if (node.IsMap()) {
    json made = json::object();
    ASSIGN(const auto entries, file.entries(node, key, "{NAME: VALUE}"));
    for (const auto& entry : entries) {
      ASSIGN(made[entry.key], value_of(file, entry.value, entry.key));
    }
    return made;
  }
  if (node.IsSequence()) {
    json made = json::array();
    for (const auto& one : node) {
      ASSIGN(auto value, value_of(file, one, key));
      made.push_back(std::move(value));
    }
    return made;
  }
  const bool quoted = node.Tag() == "!";
  if (const std::string& word = node.Scalar(); !quoted && word.find("${") == word.npos) {
    auto read = json::parse(word, nullptr, false);
    if (read.is_number() || read.is_boolean()) return read;
  }
  ASSIGN(auto text, file.text(node, key));
  return json(std::move(text));
}

/// Its URI as it is, its fields as JSON.
Result<std::string> connection_of(const yaml::File& file, const yaml::File::Entry& entry) {
  std::string text;
  if (entry.value.IsMap()) {
    TRY(file.only_keys(entry.value, {"conn_type", "description", "host", "login", "password",
                                     "schema", "port", "extra"}));
    if (!entry.value["conn_type"])
      return file.fail(
          entry.key_node,
          fmt::format("connection `{}` has no `conn_type`: http, postgres, …", entry.key));
    json fields = json::object();
    for (const auto& field : entry.value) {
      const std::string name = field.first.Scalar();
      if (name == "extra") {
        ASSIGN(fields[name], value_of(file, field.second, name));
      } else if (!field.second.IsNull()) {
        ASSIGN(fields[name], file.text(field.second, name));
      }
    }
    text = fields.dump();
  } else {
    ASSIGN(text, file.text(entry.value, entry.key));
  }
  const auto read = metadata::parse_connection(entry.key, text);
  // Its message may quote a part that is a secret.
  if (!read)
    return file.fail(entry.value,
                     fmt::format("connection `{}` is TYPE://LOGIN:PASSWORD@HOST:PORT/SCHEMA, with "
                                 "%XX for what is special in a part, or a mapping with conn_type, "
                                 "host, port, login, password, schema, extra, description",
                                 entry.key));
  return text;
}

/// A text as it is, what is more as JSON.
Result<std::string> variable_of(const yaml::File& file, const yaml::File::Entry& entry) {
  if (entry.value.IsScalar()) return file.text(entry.value, entry.key);
  ASSIGN(const json value, value_of(file, entry.value, entry.key));
  return value.dump();
}

}  // namespace

Result<Settings> load_settings(const std::string& folder) {
  Settings settings{.limits = {.memory_bytes = rt::machine_memory() / 2,
                               .processor_time = {},
                               .processes = kProcesses,
                               .open_files = kOpenFiles}};
  if (!std::filesystem::exists(file_of(folder))) return settings;
  ASSIGN(const yaml::File file, yaml::File::load(file_of(folder)));
  if (!file.root.IsMap()) return settings;
  TRY(read_limits(file, settings.limits));
  ASSIGN(const auto connections, file.entries(file.root["connections"], "connections",
                                              "NAME: URI, or NAME: {conn_type: …}"));
  for (const auto& entry : connections) {
    ASSIGN(settings.connections[entry.key], connection_of(file, entry));
  }
  ASSIGN(const auto variables, file.entries(file.root["variables"], "variables", "NAME: VALUE"));
  for (const auto& entry : variables) {
    ASSIGN(settings.variables[entry.key], variable_of(file, entry));
  }
  return settings;
}

Result<bool> has_connections(const std::string& folder) {
  if (!std::filesystem::exists(file_of(folder))) return false;
  ASSIGN(const yaml::File file, yaml::File::load(file_of(folder)));
  return file.root.IsMap() &&
         (file.root["connections"].IsDefined() || file.root["variables"].IsDefined());
}

}  // namespace tailrace::workflows
