// A project's staging at work: its tables, what lands in them, and what flows from them to topics.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "connect/outbox_source.h"
#include "connect/runner.h"
#include "connect/staged_rows.h"
#include "pipeline/runner.h"
#include "staging/staging.h"

namespace tailrace::app {

class StagedFlows {
 public:
  /// Null where the project stages nothing.
  static Result<std::unique_ptr<StagedFlows>> open(const pipeline::Project& project,
                                                   const std::string& data, log::Log& log);

  /// Where the records of a staged source go.
  Result<std::unique_ptr<connect::Target>> target(const pipeline::IngestSpec& ingest);
  /// What flows on from each table, made once its sources' targets are.
  Status open_flows(
      const std::function<connect::EncoderSource(const std::string& topic)>& encoders);

  /// Before the sources: what they write waits until its changes are followed.
  void start();
  void stop();
  /// All that is in the tables now is in the log; without start().
  Status drain();
  /// The same of flows that have started; false: stopped before.
  Result<bool> wait_until_passed(std::stop_token stop);
  /// A letter that could not land tries it again; false: it is none of the staging's.
  Result<bool> send_back(const pipeline::DeadLetter& letter);

  /// One a table: what landed, what waits in it, why it fails. `sources`: of the project's ingest.
  std::vector<pipeline::Hop> hops(
      const std::vector<std::unique_ptr<connect::SourceRunner>>& sources,
      const pipeline::LetterTotals& letters) const;
  /// tailrace_staging_…{table}, since the start.
  void write_metrics(const std::vector<std::unique_ptr<connect::SourceRunner>>& sources,
                     MetricsText& out) const;

 private:
  struct Flow {
    const pipeline::StageSpec* stage;
    std::shared_ptr<staging::Changes> changes;          // of SQLite
    std::shared_ptr<connect::StagedProgress> progress;  // of PostgreSQL
    std::unique_ptr<connect::SourceRunner> runner;
  };
  bool embedded() const { return project_.roles.staging == "embedded"; }
  staging::PostgresStaging postgres() const;
  std::unique_ptr<connect::Source> outbox(const Flow& flow) const;
  Result<std::unique_ptr<connect::Source>> captured(const Flow& flow) const;
  /// Returns when the changes of a table in PostgreSQL are followed.
  Status follow(const std::string& table, std::stop_token stop);
  /// Behind all that is in a table now: SQLite's newest change, PostgreSQL's place in its log.
  struct Place {
    std::int64_t newest = 0;
    std::string in_log;
  };
  Result<Place> behind_all(const Flow& flow) const;
  static Result<bool> has_passed(const Flow& flow, const Place& place);
  /// Of a source's position in the staging; a database may have several projects.
  std::string writer(const std::string& source) const;

  StagedFlows(const pipeline::Project& project, const std::string& data, log::Log& log)
      : project_(project), data_(data), log_(log) {}

  const pipeline::Project& project_;
  const std::string data_;
  log::Log& log_;
  std::unique_ptr<staging::Staging> staging_;
  std::vector<Flow> flows_;
  bool started_ = false;
};

/// The hops of an instance that is opened to be asked only.
std::vector<pipeline::Hop> stored_staged_hops(const pipeline::Project& project,
                                              const std::string& data,
                                              const pipeline::LetterTotals& letters);

/// Misfits of the staging are counted at its hop, not at the source's.
void leave_misfits_to_staging(pipeline::Hop& fetched);

}  // namespace tailrace::app
