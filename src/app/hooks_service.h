// What others push into a project: the inboxes of its webhooks, and their door.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "app/cql_service.h"
#include "base/metrics.h"
#include "base/result.h"
#include "connect/inbox.h"
#include "hooks/door.h"
#include "pipeline/project.h"

namespace tailrace::app {

struct HooksSettings {
  std::string listen = "127.0.0.1:9080";  ///< HOST:PORT, port 0 picks a free one; "off" for no door
  std::string certificate = {};           ///< PEM files; empty: plain
  std::string key = {};
};

class HooksService {
 public:
  explicit HooksService(const pipeline::Project& project) : project_(project) {}

  /// Of a source that the door feeds; null for others. The same each time.
  std::shared_ptr<connect::Inbox> inbox(const pipeline::IngestSpec& ingest);

  /// Opens the door, where the project has need of one. Before the sources start it refuses with
  /// 503.
  Status start(const HooksSettings& settings);
  /// Answers what is under way: the sources must still run.
  void stop() {
    if (door_) door_->stop();
  }
  /// "http://127.0.0.1:9080"; empty without a door.
  std::string url() const { return door_ ? door_->url() : std::string(); }
  void write_metrics(MetricsText& out) const {
    if (door_) door_->write_metrics(out);
  }

 private:
  Result<std::vector<hooks::HookConfig>> webhooks();

  const pipeline::Project& project_;
  std::map<std::string, std::shared_ptr<connect::Inbox>> inboxes_;
  std::unique_ptr<hooks::Door> door_;
};

/// What webhooks must keep among each other: no path twice.
Status check_hooks(const pipeline::Project& project);

}  // namespace tailrace::app
