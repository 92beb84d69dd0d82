// What is wrong with services themselves: images, volumes, memory, start order, use.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "doctor/rules.h"

namespace tailrace::doctor {
namespace {

struct Gone {
  std::string_view prefix;  ///< of the image's name
  std::string_view why, remedy;
};

constexpr std::array<Gone, 7> kGone = {{
    {"bitnami/", "Bitnami's free images left Docker Hub in 2025: the pull fails",
     "use the project's own image, for example apache/kafka, apache/spark, cassandra or postgres"},
    {"bitnamilegacy/", "Bitnami's legacy images are frozen and get no fixes",
     "use the project's own image, for example apache/kafka, apache/spark, cassandra or postgres"},
    {"minio/", "MinIO's images left Docker Hub in September 2026: the pull is denied",
     "use quay.io/minio/… with a RELEASE tag"},
    {"wurstmeister/", "this image has had no release since 2022", "use apache/kafka:4.3.1"},
    {"puckel/docker-airflow", "this image stopped at Airflow 1.10", "use apache/airflow:3.3.2"},
    {"bde2020/", "these images stopped at Spark 3.3", "use apache/spark:4.2.0-python3"},
    {"openjdk", "Docker Hub's openjdk images are withdrawn", "use eclipse-temurin"},
}};

int first_number(const std::string& tag) {
  return std::atoi(tag.c_str());
}

void check_image(const Service& one, Findings& out) {
  if (one.image.text.empty() || one.role == Role::kTailrace) return;
  const auto [name, tag] = image_parts(one.image.text);
  const auto add = [&](std::string fault, std::string what, std::string remedy) {
    out.push_back({one.image_file, one.image.line, std::move(fault),
                   one.image.text + ": " + std::move(what), std::move(remedy)});
  };
  for (const Gone& gone : kGone)
    if (name.starts_with(gone.prefix))
      return add("image-gone", std::string(gone.why), std::string(gone.remedy));
  if (name == "confluentinc/cp-zookeeper" && first_number(tag) >= 8)
    return add("image-gone", "Confluent 8 has no ZooKeeper",
               "run Kafka in KRaft mode, or pin 7.9.1");
  if (name == "apache/kafka" && tag.starts_with("3.") && first_number(tag.substr(2)) < 7)
    return add("image-gone", "Apache's image begins with 3.7.0", "use apache/kafka:4.3.1");
  if (one.context.empty() && (tag.empty() || tag == "latest"))
    add("image-unpinned", "no version is pinned, so each pull may bring another one",
        "name a version that the rest was tried with");
}

const std::set<Role> kKeepers = {Role::kKafka, Role::kZooKeeper, Role::kPostgres,
                                 Role::kMySql, Role::kCassandra, Role::kMinio,
                                 Role::kMongo, Role::kSearch};

/// A mounted file is configuration, and scripts for the first start are no data.
bool keeps_data(const Volume& volume) {
  if (volume.target.find("initdb.d") != std::string::npos) return false;
  const std::string last = volume.target.substr(volume.target.rfind('/') + 1);
  return last.find('.') == std::string::npos && volume.target.find("/etc/") != 0;
}

void check_volume(const ComposeFile& file, const Service& one, Findings& out) {
  if (!kKeepers.contains(one.role) || std::ranges::any_of(one.volumes, keeps_data)) return;
  out.push_back({file.path, one.line, "no-volume",
                 one.name + ": " + role_name(one.role) +
                     " has no volume: what it holds is gone with the container",
                 "add a named volume at its data folder"});
}

/// Of the consoles Confluent's alone is large; what only prepares Airflow's database is soon gone.
bool is_heavy(const Service& one) {
  static const std::set<Role> kHeavy = {Role::kKafka,  Role::kZooKeeper, Role::kRegistry,
                                        Role::kSpark,  Role::kCassandra, Role::kConnect,
                                        Role::kSearch, Role::kAirflow};
  if (one.role == Role::kConsole) return one.image.text.find("control-center") != std::string::npos;
  if (one.role == Role::kAirflow && mentions(one.command.text, "db")) return false;
  return kHeavy.contains(one.role);
}

void check_memory(const ComposeFile& file, const Service& one, Findings& out) {
  if (!is_heavy(one) || one.has_limit) return;
  const bool java = one.role != Role::kAirflow;
  out.push_back({file.path, one.line, "no-memory-limit",
                 one.name + ": " + role_name(one.role) +
                     (java ? " takes its heap" : " starts processes that take what they want") +
                     " from the machine's memory; the kernel ends some container with 137 and no "
                     "log",
                 java ? "set mem_limit, and a heap that fits in it" : "set mem_limit"});
}

bool is_waited_for(const Service& target) {
  return target.has_health || (target.role != Role::kOther && target.role != Role::kConsole);
}

void check_waits(const ComposeFile& file, const Service& one, Findings& out) {
  for (const Wait& wait : one.waits) {
    const Service* target = file.named(wait.service);
    if (target == nullptr) continue;
    if (wait.condition == "service_started" && is_waited_for(*target))
      out.push_back(
          {file.path, wait.line, "not-ready",
           one.name + " waits until " + wait.service + " has started, not until it answers",
           "give " + wait.service + " a healthcheck, and write condition: service_healthy"});
    if (wait.condition == "service_healthy" && !target->has_health &&
        target->role != Role::kTailrace)
      out.push_back({file.path, wait.line, "not-ready",
                     one.name + " waits for the health of " + wait.service +
                         ", which has no healthcheck: it never starts",
                     "give " + wait.service + " a healthcheck"});
  }
}

void reach(const ComposeFile& file, const Service& one, std::set<std::string>& seen) {
  for (const Wait& wait : one.waits)
    if (const Service* target = file.named(wait.service);
        target != nullptr && seen.insert(target->name).second)
      reach(file, *target, seen);
}

/// The script of a service, by which it asks another from the first moment on: one that it is
/// started with, or that is there to be submitted to Spark. A DAG's tasks run later.
const Script* asking_script(const Folder& folder, const Service& one, const Service& target) {
  for (const Script& script : folder.scripts) {
    const std::string name = std::filesystem::path(script.path).filename().string();
    if (one.role != Role::kSpark && !mentions(one.command.text, name)) continue;
    if (const auto homes = folder.homes(script); std::ranges::find(homes, &one) == homes.end())
      continue;
    if (std::ranges::any_of(script.addresses,
                            [&](const Address& at) { return target.answers_to(at.host); }))
      return &script;
  }
  return nullptr;
}

/// Who is asked from the first moment on, without being waited for at all.
void check_order(const Folder& folder, const ComposeFile& file, const Service& one, Findings& out) {
  static const std::set<Role> kNeeded = {Role::kKafka, Role::kZooKeeper, Role::kPostgres,
                                         Role::kMySql, Role::kCassandra};
  std::set<std::string> seen = {one.name};
  reach(file, one, seen);
  for (const Service& target : file.services) {
    if (!kNeeded.contains(target.role) || seen.contains(target.name)) continue;
    const auto add = [&](const std::string& who, int line) {
      out.push_back({file.path, line, "not-ready",
                     who + " asks " + target.name + " but does not wait for it",
                     "add " + target.name + " to its depends_on with condition: service_healthy"});
    };
    bool told = false;
    for (const auto& [key, value] : one.environment) {
      const bool asks = std::ranges::any_of(target.names, [&](const std::string& name) {
        return mentions(value.text, name + ":") || mentions(value.text, "@" + name);
      });
      if (!asks || key.find("LISTENER") != std::string::npos ||
          key.find("QUORUM") != std::string::npos)
        continue;
      add(one.name, value.line);
      told = true;
      break;
    }
    if (told) continue;
    if (const Script* script = asking_script(folder, one, target))
      add(one.name + " (" + script->path + ")", one.line);
  }
}

/// The text of the configuration files that a service has mounted from the folder.
std::string mounted_text(const Folder& folder, const ComposeFile& file, const Service& one) {
  namespace fs = std::filesystem;
  std::string out;
  for (const Volume& volume : one.volumes) {
    if (!volume.source.starts_with('.')) continue;
    const fs::path path = fs::path(folder.path) / fs::path(file.path).parent_path() / volume.source;
    std::error_code failed;
    constexpr std::uintmax_t kMaxBytes = 1 << 20;
    if (!fs::is_regular_file(path, failed) || fs::file_size(path, failed) > kMaxBytes) continue;
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    out += text.str();
  }
  return out;
}

/// Who really uses a store: consoles only look, and the broker only forwards to a registry. For
/// `records`: Airflow has tables of its own there, which is no use of it.
bool is_used(const Folder& folder, const ComposeFile& file, const Service& store,
             bool records = false) {
  const auto named_in = [&](const std::string& text) {
    return std::ranges::any_of(store.names,
                               [&](const std::string& name) { return mentions(text, name); });
  };
  for (const Service& other : file.services) {
    if (&other == &store || other.role == Role::kConsole) continue;
    if (store.role == Role::kRegistry && other.role == Role::kKafka) continue;
    if (records && other.role == Role::kAirflow) continue;
    if (named_in(other.command.text) || named_in(mounted_text(folder, file, other))) return true;
    for (const auto& [key, value] : other.environment)
      if (named_in(value.text)) return true;
  }
  for (const Script& script : folder.scripts)
    for (const Site& text : script.texts) {
      if (named_in(text.text)) return true;
      for (const Port& port : store.ports)
        if (port.published != 0 &&
            (text.text.find("localhost:" + std::to_string(port.published)) != std::string::npos ||
             text.text.find("127.0.0.1:" + std::to_string(port.published)) != std::string::npos))
          return true;
    }
  return std::ranges::any_of(folder.scripts, [&](const Script& script) {
    return std::ranges::any_of(script.addresses, [&](const Address& address) {
      return is_loopback(address.host) && std::ranges::any_of(store.ports, [&](const Port& port) {
               return port.published == address.port;
             });
    });
  });
}

void check_use(const Folder& folder, const ComposeFile& file, const Service& one, Findings& out) {
  static const std::set<Role> kStores = {Role::kRegistry, Role::kPostgres, Role::kMySql,
                                         Role::kMinio,    Role::kRedis,    Role::kMongo,
                                         Role::kSearch,   Role::kCassandra};
  if (!kStores.contains(one.role) || is_used(folder, file, one)) return;
  const std::string what = one.role == Role::kRegistry
                               ? " runs and no producer or consumer uses a schema"
                               : " runs and nothing ever writes to it";
  out.push_back({file.path, one.line, "unused-service",
                 one.name + ": " + role_name(one.role) + what,
                 "use it, or leave it out: it costs memory and start time"});
}

/// By a client, or by a connection of Airflow's.
bool speaks_to_postgres(const Script& script) {
  static const std::array<std::string_view, 6> kClients = {
      "psycopg2", "psycopg", "asyncpg", "sqlalchemy", "pg8000", "airflow.providers.postgres"};
  return std::ranges::any_of(script.modules,
                             [](const auto& module) {
                               return std::ranges::any_of(kClients, [&](std::string_view client) {
                                 return module.first == client ||
                                        module.first.starts_with(std::string(client) + ".");
                               });
                             }) ||
         std::ranges::any_of(script.texts,
                             [](const Site& text) { return text.text.contains("postgresql"); });
}

/// A README that says that PostgreSQL has the data, where only Airflow's own tables are in it.
void check_claims(const Folder& folder, const ComposeFile& file, const Service& one,
                  Findings& out) {
  if (one.role != Role::kPostgres || is_used(folder, file, one, true) ||
      std::ranges::any_of(folder.scripts, speaks_to_postgres))
    return;
  for (const Claim& claim : folder.claims)
    out.push_back({claim.file, claim.line, "unused-service",
                   "it says that data is stored in PostgreSQL, and no script writes to " +
                       one.name + " (" + file.path + ":" + std::to_string(one.line) +
                       "): only Airflow has tables in it",
                   "write the records there before they are sent, or take the sentence out"});
}

}  // namespace

void check_services(const Folder& folder, Findings& out) {
  for (const ComposeFile& file : folder.compose)
    for (const Service& one : file.services) {
      check_image(one, out);
      check_volume(file, one, out);
      check_memory(file, one, out);
      check_waits(file, one, out);
      check_order(folder, file, one, out);
      check_use(folder, file, one, out);
      check_claims(folder, file, one, out);
    }
}

}  // namespace tailrace::doctor
