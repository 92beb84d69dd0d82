#include "doctor/compose_file.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "yaml/file.h"

namespace tailrace::doctor {
namespace {

namespace fs = std::filesystem;
using Variables = std::map<std::string, std::string>;

int line_of(const YAML::Node& node) {
  const YAML::Mark mark = node.Mark();
  return mark.is_null() ? 0 : mark.line + 1;
}

std::string trimmed(std::string text) {
  const auto from = text.find_first_not_of(" \t\r\n\"'");
  if (from == std::string::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t\r\n\"'") - from + 1);
}

Variables read_env(const fs::path& path) {
  Variables out;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    const auto equals = line.find('=');
    if (equals == std::string::npos || line.starts_with('#')) continue;
    out[trimmed(line.substr(0, equals))] = trimmed(line.substr(equals + 1));
  }
  return out;
}

/// ${NAME}, ${NAME:-default}, ${NAME-default}, $NAME; what nobody sets is empty.
std::string filled_in(const std::string& text, const Variables& variables) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    if (text[i + 1] == '$') {
      out += text[++i];
      continue;
    }
    const bool braces = text[i + 1] == '{';
    std::size_t end = i + (braces ? 2 : 1);
    const std::size_t from = end;
    while (end < text.size() &&
           (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_'))
      ++end;
    const std::string name = text.substr(from, end - from);
    std::string otherwise;
    if (braces) {
      const std::size_t close = std::min(text.find('}', end), text.size());
      const std::size_t dash = text.find('-', end);
      if (dash < close) otherwise = text.substr(dash + 1, close - dash - 1);
      end = close + 1;
    }
    if (name.empty()) {
      out += text[i];
      continue;
    }
    const auto found = variables.find(name);
    out += found == variables.end() ? otherwise : found->second;
    i = end - 1;
  }
  return out;
}

class Reader {
 public:
  Reader(std::string folder, std::string file)
      : folder_(std::move(folder)),
        file_(std::move(file)),
        variables_(read_env(fs::path(folder_) / ".env")) {}

  Service service(const std::string& name, int line, const YAML::Node& node) {
    Service out;
    out.name = name;
    out.line = line;
    out.names = {name};
    take(out, node, 0);
    built(out, node);
    out.role = role_of(out);
    return out;
  }

 private:
  std::string text(const YAML::Node& node) const {
    return node && node.IsScalar() ? filled_in(node.Scalar(), variables_) : std::string();
  }

  /// What is merged in first, so that the service's own words count.
  void take(Service& out, const YAML::Node& node, int depth) {
    if (!node || !node.IsMap() || depth > 10) return;
    for (const auto& entry : node) {
      if (!entry.first.IsScalar() || entry.first.Scalar() != "<<") continue;
      if (entry.second.IsSequence())
        for (const auto& one : entry.second) take(out, one, depth + 1);
      else
        take(out, entry.second, depth + 1);
    }
    for (const auto& entry : node)
      if (entry.first.IsScalar()) word(out, entry.first.Scalar(), entry.second, depth);
  }

  void word(Service& out, const std::string& key, const YAML::Node& value, int depth) {
    if (key == "image") {
      out.image = {text(value), line_of(value)};
      out.image_file = file_;
    } else if (key == "environment") {
      environment(out, value, depth);
    } else if (key == "env_file") {
      env_files(out, value);
    } else if (key == "container_name" || key == "hostname") {
      out.names.push_back(text(value));
    } else if (key == "command" || key == "entrypoint") {
      out.command.line = line_of(value);
      out.command.text += (out.command.text.empty() ? "" : " ") + words(value);
    } else if (key == "ports") {
      for (const auto& one : value) port(out, one);
    } else if (key == "volumes") {
      out.volumes.clear();
      for (const auto& one : value) volume(out, one);
    } else if (key == "depends_on") {
      waits(out, value);
    } else if (key == "healthcheck") {
      out.has_health = value.IsMap() && text(value["disable"]) != "true";
    } else if (key == "mem_limit") {
      out.has_limit = true;
    } else if (key == "deploy" && value.IsMap()) {
      const YAML::Node resources = value["resources"];
      if (resources && resources.IsMap() && resources["limits"] && resources["limits"].IsMap() &&
          resources["limits"]["memory"])
        out.has_limit = true;
    } else if (key == "networks" && value.IsMap()) {
      for (const auto& network : value)
        if (network.second.IsMap() && network.second["aliases"])
          for (const auto& alias : network.second["aliases"]) out.names.push_back(text(alias));
    }
  }

  std::string words(const YAML::Node& node) const {
    if (!node.IsSequence()) return text(node);
    std::string out;
    for (const auto& one : node) out += (out.empty() ? "" : " ") + text(one);
    return out;
  }

  void environment(Service& out, const YAML::Node& node, int depth) {
    if (node.IsSequence()) {
      for (const auto& one : node) {
        const std::string whole = text(one);
        const auto equals = whole.find('=');
        if (equals != std::string::npos)
          out.environment[whole.substr(0, equals)] = {whole.substr(equals + 1), line_of(one)};
      }
    } else if (node.IsMap() && depth <= 10) {
      for (const auto& entry : node)
        if (entry.first.IsScalar() && entry.first.Scalar() == "<<")
          environment(out, entry.second, depth + 1);
      for (const auto& entry : node)
        if (entry.first.IsScalar() && entry.first.Scalar() != "<<")
          out.environment[entry.first.Scalar()] = {text(entry.second), line_of(entry.first)};
    }
  }

  void env_files(Service& out, const YAML::Node& node) {
    const auto one = [&](const YAML::Node& name) {
      for (const auto& [key, value] : read_env(fs::path(folder_) / text(name)))
        out.environment.try_emplace(key, Site{value, line_of(name)});
    };
    if (node.IsSequence())
      for (const auto& name : node) one(name);
    else
      one(node);
  }

  void port(Service& out, const YAML::Node& node) {
    if (node.IsMap()) {
      out.ports.push_back(
          {std::atoi(text(node["published"]).c_str()), std::atoi(text(node["target"]).c_str())});
      return;
    }
    std::string whole = text(node);
    whole = whole.substr(0, whole.find('/'));
    const auto last = whole.rfind(':');
    const int target = std::atoi(whole.c_str() + (last == std::string::npos ? 0 : last + 1));
    if (last == std::string::npos) return out.ports.push_back({0, target});
    const auto before = last == 0 ? std::string::npos : whole.rfind(':', last - 1);
    const int published = std::atoi(whole.c_str() + (before == std::string::npos ? 0 : before + 1));
    out.ports.push_back({published, target});
  }

  void volume(Service& out, const YAML::Node& node) {
    if (node.IsMap()) {
      if (text(node["type"]) != "tmpfs")
        out.volumes.push_back({text(node["source"]), text(node["target"])});
      return;
    }
    const std::string whole = text(node);
    const auto colon = whole.find(':');
    if (colon == std::string::npos) return out.volumes.push_back({"", whole});
    const auto second = whole.find(':', colon + 1);
    out.volumes.push_back(
        {whole.substr(0, colon),
         whole.substr(colon + 1, second == std::string::npos ? second : second - colon - 1)});
  }

  void waits(Service& out, const YAML::Node& node) {
    out.waits.clear();
    if (node.IsSequence())
      for (const auto& one : node)
        out.waits.push_back({text(one), "service_started", line_of(one)});
    if (!node.IsMap()) return;
    for (const auto& entry : node) {
      if (!entry.first.IsScalar() || entry.first.Scalar() == "<<") continue;
      std::string condition = entry.second.IsMap() ? text(entry.second["condition"]) : "";
      if (condition.empty()) condition = "service_started";
      out.waits.push_back({entry.first.Scalar(), condition, line_of(entry.first)});
    }
  }

  void built(Service& out, const YAML::Node& node) {
    const YAML::Node build = node["build"];
    if (!build) return;
    std::string context = build.IsMap() ? text(build["context"]) : text(build);
    std::string file =
        build.IsMap() && build["dockerfile"] ? text(build["dockerfile"]) : "Dockerfile";
    if (context.empty()) context = ".";
    out.context = context;
    if (!out.image.text.empty()) return;
    const std::string path = (fs::path(context) / file).lexically_normal().string();
    if (path.starts_with("..") || path.starts_with('/')) return;
    std::ifstream in(fs::path(folder_) / path);
    Variables defaults;
    int number = 0;
    for (std::string line; std::getline(in, line);) {
      ++number;
      std::istringstream words(line);
      std::string first, image;
      words >> first >> image;
      if (first == "ARG" || first == "arg")
        if (const auto equals = image.find('='); equals != std::string::npos)
          defaults[image.substr(0, equals)] = image.substr(equals + 1);
      if (first != "FROM" && first != "from") continue;
      if (image.starts_with("--")) words >> image;
      out.image = {filled_in(image, defaults), number};
      out.image_file = path;
    }
  }

  static Role role_of(const Service& service) {
    const std::string name = image_parts(service.image.text).first;
    const std::string last = name.substr(name.rfind('/') + 1);
    const auto has = [&](std::string_view part) { return name.find(part) != std::string::npos; };
    if (last == "tailrace") return Role::kTailrace;
    if (has("schema-registry") || has("apicurio")) return Role::kRegistry;
    if (has("connect") || has("debezium")) return Role::kConnect;
    if (has("control-center") || has("kafka-ui") || has("akhq") || has("kafdrop") ||
        has("kafbat") || has("console") || has("kafka-manager") || has("pgadmin") || has("adminer"))
      return Role::kConsole;
    if (has("zookeeper")) return Role::kZooKeeper;
    if (last == "kafka" || last == "cp-kafka" || last == "cp-server" || last == "redpanda" ||
        last == "kafka-native")
      return Role::kKafka;
    if (has("airflow")) return Role::kAirflow;
    if (has("spark") || has("jupyter/pyspark")) return Role::kSpark;
    if (has("cassandra") || has("scylla")) return Role::kCassandra;
    if (has("postgres") || has("timescaledb")) return Role::kPostgres;
    if (has("mysql") || has("mariadb")) return Role::kMySql;
    if (last == "minio") return Role::kMinio;
    if (has("redis") || has("valkey")) return Role::kRedis;
    if (has("mongo")) return Role::kMongo;
    if (has("elasticsearch") || has("opensearch")) return Role::kSearch;
    return Role::kOther;
  }

  std::string folder_, file_;
  Variables variables_;
};

}  // namespace

bool Service::answers_to(const std::string& host) const {
  return std::ranges::find(names, host) != names.end();
}

const Service* ComposeFile::named(const std::string& host) const {
  for (const Service& one : services)
    if (one.answers_to(host)) return &one;
  return nullptr;
}

std::pair<std::string, std::string> image_parts(const std::string& image) {
  std::string name = image.substr(0, image.find('@'));
  std::string tag;
  if (const auto colon = name.rfind(':');
      colon != std::string::npos && name.find('/', colon) == std::string::npos) {
    tag = name.substr(colon + 1);
    name = name.substr(0, colon);
  }
  if (tag.empty() && image.find('@') != std::string::npos) tag = image.substr(image.find('@') + 1);
  for (const std::string_view prefix : {"docker.io/", "index.docker.io/", "library/"})
    if (name.starts_with(prefix)) name = name.substr(prefix.size());
  return {name, tag};
}

std::string role_name(Role role) {
  switch (role) {
    case Role::kKafka:
      return "Kafka";
    case Role::kZooKeeper:
      return "ZooKeeper";
    case Role::kRegistry:
      return "the schema registry";
    case Role::kConnect:
      return "Kafka Connect";
    case Role::kConsole:
      return "the console";
    case Role::kPostgres:
      return "PostgreSQL";
    case Role::kMySql:
      return "MySQL";
    case Role::kCassandra:
      return "Cassandra";
    case Role::kSpark:
      return "Spark";
    case Role::kAirflow:
      return "Airflow";
    case Role::kMinio:
      return "MinIO";
    case Role::kRedis:
      return "Redis";
    case Role::kMongo:
      return "MongoDB";
    case Role::kSearch:
      return "the search engine";
    case Role::kTailrace:
      return "Tailrace";
    case Role::kOther:
      return "";
  }
  return "";
}

Result<ComposeFile> read_compose(const std::string& folder, const std::string& name) {
  ASSIGN(const auto file, yaml::File::load((fs::path(folder) / name).string()));
  ComposeFile out{name, {}};
  if (!file.root.IsMap() || !file.root["services"] || !file.root["services"].IsMap())
    return error(Code::kInvalidArgument, name + ": has no services");
  Reader reader(folder, name);
  try {
    for (const auto& entry : file.root["services"])
      if (entry.first.IsScalar() && entry.second.IsMap())
        out.services.push_back(
            reader.service(entry.first.Scalar(), line_of(entry.first), entry.second));
  } catch (const YAML::Exception& e) {
    return error(Code::kInvalidArgument,
                 name + ":" + std::to_string(e.mark.line + 1) + ": " + e.msg);
  }
  return out;
}

}  // namespace tailrace::doctor
