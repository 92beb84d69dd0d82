// The schema registry over a log: its records, its rules and its door.
#pragma once

#include <memory>
#include <string>

#include "app/registry_settings.h"
#include "auth/scram_users.h"
#include "base/result.h"
#include "log/log.h"
#include "registry/door.h"
#include "subjects/subject_log.h"

namespace tailrace::app {

class RegistryService {
 public:
  /// Reads the topic `_schemas` of the log, which must outlive it.
  static Result<std::unique_ptr<RegistryService>> open(log::Log& log);
  /// Opens the door. Without the settings' own users those of the log's folder are asked.
  Status start(RegistrySettings settings);

  subjects::Registry& registry() { return registry_; }
  /// "http://127.0.0.1:8081"; empty without a door.
  std::string url() const { return door_ ? door_->url() : std::string(); }
  void write_metrics(MetricsText& out) const {
    if (door_) door_->write_metrics(out);
  }
  void stop() {
    if (door_) door_->stop();
  }

 private:
  explicit RegistryService(log::Log& log) : records_(log), registry_(records_) {}

  subjects::SubjectLog records_;
  subjects::Registry registry_;
  std::unique_ptr<auth::ScramUsers> users_;  ///< null: they are somebody else's
  std::unique_ptr<registry::Door> door_;
};

}  // namespace tailrace::app
