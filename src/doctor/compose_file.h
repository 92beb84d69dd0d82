// A file of Docker Compose as the rules ask it: services with the place of each word.
//
// Merge keys (<<), anchors, both forms of lists and mappings are taken, ${NAME:-default} is filled
// in from .env and the defaults. A service that is built has the image of its Dockerfile's last
// FROM.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "doctor/python_script.h"

namespace tailrace::doctor {

/// What a service is, by its image.
enum class Role {
  kOther,
  kKafka,
  kZooKeeper,
  kRegistry,
  kConnect,
  kConsole,
  kPostgres,
  kMySql,
  kCassandra,
  kSpark,
  kAirflow,
  kMinio,
  kRedis,
  kMongo,
  kSearch,
  kTailrace,
};

struct Port {
  int published = 0, target = 0;
};

struct Volume {
  std::string source, target;  ///< source is a path, or a volume's name
};

struct Wait {
  std::string service, condition;
  int line = 0;
};

struct Service {
  std::string name;
  int line = 0;
  Role role = Role::kOther;
  Site image;              ///< empty: built without a Dockerfile that can be read
  std::string context;     ///< of its build; empty: none
  std::string image_file;  ///< where `image` stands: the compose file, or a Dockerfile
  std::map<std::string, Site> environment;
  std::vector<Port> ports;
  std::vector<Volume> volumes;
  std::vector<Wait> waits;
  bool has_health = false;
  bool has_limit = false;
  Site command;                    ///< entrypoint and command, in one line
  std::vector<std::string> names;  ///< by which others know it

  bool answers_to(const std::string& host) const;
};

struct ComposeFile {
  std::string path;
  std::vector<Service> services;

  const Service* named(const std::string& host) const;
};

/// `folder`/`name`; paths in it are as seen from `folder`.
Result<ComposeFile> read_compose(const std::string& folder, const std::string& name);

/// "confluentinc/cp-kafka" and "7.4.0" of an image; Docker Hub's own prefix is left out.
std::pair<std::string, std::string> image_parts(const std::string& image);

/// As people call it: "Kafka", "PostgreSQL"; empty for kOther.
std::string role_name(Role role);

}  // namespace tailrace::doctor
