// The schema registry over a log: its records, its rules and its door.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "log/log.h"
#include "registry/door.h"
#include "subjects/subject_log.h"

namespace tailrace::app {

class RegistryService {
 public:
  /// Reads the topic `_schemas` of the log, which must outlive it.
  static Result<std::unique_ptr<RegistryService>> open(log::Log& log);
  /// Opens the door at `address`, HOST:PORT as `flag` gave it.
  Status start(const std::string& address, const std::string& flag);
  /// Both.
  static Result<std::unique_ptr<RegistryService>> start(log::Log& log, const std::string& address,
                                                        const std::string& flag);

  subjects::Registry& registry() { return registry_; }
  /// "http://127.0.0.1:8081"; empty without a door.
  std::string url() const { return door_ ? door_->url() : std::string(); }
  void stop() {
    if (door_) door_->stop();
  }

 private:
  explicit RegistryService(log::Log& log) : records_(log), registry_(records_) {}

  subjects::SubjectLog records_;
  subjects::Registry registry_;
  std::unique_ptr<registry::Door> door_;
};

}  // namespace tailrace::app
