// What others push into a project: the inboxes of its webhooks, its functions, and their door.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "app/run_options.h"
#include "base/metrics.h"
#include "base/result.h"
#include "connect/inbox.h"
#include "connect/reject_log.h"
#include "hooks/door.h"
#include "log/log.h"
#include "pipeline/dead_letters.h"
#include "pipeline/project.h"
#include "pipeline/query.h"

namespace tailrace::app {

class HooksService {
 public:
  HooksService(const pipeline::Project& project, std::string data, log::Log& log)
      : project_(project), data_(std::move(data)), log_(log) {}

  /// Of a source that the door feeds; null for others. The same each time.
  std::shared_ptr<connect::Inbox> inbox(const pipeline::IngestSpec& ingest);

  /// What functions' SQL reads beside `event`.
  using Relations = std::function<std::vector<pipeline::QueryRelation>()>;
  /// Opens the door, where the project has need of one. Before the sources start it refuses with
  /// 503.
  Status start(const HooksSettings& settings, Relations relations);
  /// Answers what is under way: the sources must still run.
  void stop() {
    if (door_) door_->stop();
  }
  /// A lost call of a function is queued again; false: it is none.
  Result<bool> send_back(const pipeline::DeadLetter& letter);
  /// "http://127.0.0.1:9080"; empty without a door.
  std::string url() const { return door_ ? door_->url() : std::string(); }
  void write_metrics(MetricsText& out) const {
    if (door_) door_->write_metrics(out);
  }

 private:
  Result<std::vector<hooks::HookConfig>> webhooks();
  Result<std::unique_ptr<hooks::Functions>> functions(const Relations& relations);
  Result<std::unique_ptr<hooks::Function>> function(
      const pipeline::FunctionSpec& spec, const Relations& relations,
      const std::shared_ptr<hooks::WorkQueue>& workers);
  Status keep_lost(const hooks::LostCall& lost);

  const pipeline::Project& project_;
  const std::string data_;
  log::Log& log_;
  std::map<std::string, std::unique_ptr<connect::RejectLog>> lost_;  ///< by function
  std::map<std::string, std::shared_ptr<connect::Inbox>> inboxes_;
  std::unique_ptr<hooks::Door> door_;
};

/// Whether the project has a door for what others push. kFailedPrecondition where one that others
/// reach would take whatever anybody sends: door.h's rule, before there is a door.
Result<bool> has_guarded_door(const pipeline::Project& project);

/// What webhooks must keep among each other: no path twice.
Status check_hooks(const pipeline::Project& project);

}  // namespace tailrace::app
