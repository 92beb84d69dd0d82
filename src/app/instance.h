// A running project: every room opened from the ground up and closed in reverse. The one place
// where all are wired.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "airflow/door.h"
#include "alerts/alerts.h"
#include "app/airflow_config.h"
#include "app/console_door.h"
#include "app/cql_service.h"
#include "app/hooks_service.h"
#include "app/log_view.h"
#include "app/open_log.h"
#include "app/registry_service.h"
#include "app/run_options.h"
#include "app/schema_view.h"
#include "app/staged_flows.h"
#include "base/result.h"
#include "connect/noted_state.h"
#include "connect/runner.h"
#include "console/console.h"
#include "kafka/door.h"
#include "kafka_log/kafka_log.h"
#include "log/log.h"
#include "log/upkeep.h"
#include "pipeline/contracts/judge.h"
#include "pipeline/runner.h"
#include "pipeline/stored_project.h"
#include "telemetry/exporter.h"
#include "workflows/airflow_events.h"
#include "workflows/workflows.h"

namespace tailrace::app {

/// Where a running instance is reached: DATA/run.json.
struct RunFile {
  int pid = 0;
  std::string url;
  std::string kafka;
  std::string registry;
  std::string cql;
  std::string airflow;
  std::string hooks;
  /// Of doors that speak TLS: the public key they are known by (net/certificate.h).
  std::string console_key;
  std::string airflow_key;
};

class Instance {
 public:
  /// Opens log, state and tables; recovery happens here. Nothing runs yet.
  static Result<std::unique_ptr<Instance>> open(RunOptions options);
  /// What the data folder holds, to be asked only: nothing is written, nobody is kept from running
  /// on it. kNotFound when nothing has run on it yet.
  static Result<std::unique_ptr<Instance>> open_to_read(RunOptions options);
  ~Instance();

  /// Starts the console, the pipeline and the sources.
  Status start();
  /// Sources to the end of what is there now, the pipeline to the end of the log, a checkpoint.
  Status run_once();
  /// Stops sources, then the pipeline with a checkpoint, then the console.
  Status stop();

  std::string console_url() const;
  /// HOST:PORT of the Kafka door, or of the Kafka that has the log; empty when there is none.
  std::string kafka_address() const;
  /// "http://127.0.0.1:8081"; empty when there is none.
  std::string registry_url() const { return registry_ ? registry_->url() : std::string(); }
  /// "127.0.0.1:9042"; empty when there is none.
  std::string cql_address() const { return cql_ ? cql_->address() : std::string(); }
  /// "http://127.0.0.1:8080"; empty when there is none.
  std::string airflow_url() const { return airflow_ ? airflow_->url() : std::string(); }
  /// "http://127.0.0.1:9080"; empty when there is none.
  std::string hooks_url() const { return hooks_ ? hooks_->url() : std::string(); }
  HooksService* hooks() { return hooks_.get(); }
  const pipeline::Project& project() const { return project_; }
  pipeline::Runner& runner() { return *runner_; }
  /// What its contracts ask of tables, and what was found.
  const pipeline::Judge& judge() const { return *judge_; }
  /// These of an instance that is not opened to be asked only.
  log::Log& log() { return *log_; }
  /// Where what is committed to a partition ends now.
  Result<Offset> committed_end(std::string_view topic, PartitionId id);
  console::Backend& backend() { return *backend_; }
  /// Null when `ingest` has none of that name.
  connect::SourceRunner* source(std::string_view name);
  /// Null where the project stages nothing.
  StagedFlows* staged() { return staged_.get(); }
  /// Whether it emits only when a workflow asks it to.
  bool is_paused(std::string_view name) const;
  /// Null when the project has no DAGs.
  workflows::Workflows* workflows() { return workflows_.get(); }
  /// Null where tailrace.yml has no `alerts`, and before the console has started.
  alerts::Alerts* alerts() { return shown_alerts_; }
  const telemetry::Exporter* traces() const { return traces_.get(); }
  /// What its rooms count, beside the hops, the log and the console.
  void write_metrics(MetricsText& out);
  console::LogView& log_view() { return *log_view_; }
  /// Of one that has started.
  console::SchemaView& schema_view() { return *schema_view_; }
  /// All hops from source to serving, judged.
  std::vector<pipeline::Hop> hops() const;
  std::string stopped_by() const;
  /// Whether it was opened to be asked only.
  bool read_only() const { return stored_ != nullptr; }
  double uptime_s() const;

 private:
  Instance() = default;
  Status open_the_log();
  /// The doors of Kafka, the registry and CQL, where they are wanted.
  Status open_doors();
  /// The one for CQL's clients, where the served tables are here.
  Status open_cql();
  /// Connections that tasks have without being told: the project's own topics, its served tables.
  std::map<std::string, std::string> own_connections() const;
  /// The workflows, where the project has any, and their door; they do not run yet.
  workflows::Options asset_options();
  Status open_workflows();
  Status open_console();
  /// The alerts, where tailrace.yml has any; after the console, whose address their links need.
  Status open_alerts();
  /// The log that events of topics are read from: on a Kafka a reader of its own, for the
  /// pipeline's reads elsewhere.
  Result<log::Log*> log_for_events();
  /// The console's eyes on the registry, and on records by it.
  void open_schema_view();
  Status open_sources(const pipeline::TopicTypes& types);
  Status read_project();
  Result<pipeline::Graph> graph_of(const pipeline::TopicTypes& types) const;
  /// What the sources of a topic begin with, as a schema; "" when that is nothing.
  Result<std::string> guessed_schema(const pipeline::TopicSpec& topic) const;
  /// Opens the registry where a topic needs it.
  Result<pipeline::TopicTypes> open_types();
  std::vector<pipeline::Hop> fetched_hops() const;
  /// Of a stopped project: that more was fetched than `state` has, where it is so.
  std::string unnoted(const connect::NotedState& state, const std::string& topic) const;
  std::vector<pipeline::Hop> staged_hops() const;
  std::vector<pipeline::Hop> appended_hops() const;
  /// Why there is no registry, and what to do.
  std::string registry_is_off() const;
  /// Where groups are, when they are not to be seen here.
  std::string groups_are() const;
  /// What retention may not take: what a flow has yet to read.
  log::Log::KeepFrom keep_from();

  RunOptions options_;
  pipeline::Project project_;
  std::string data_;
  std::unique_ptr<rt::FileLock> lock_;
  std::unique_ptr<log::Log> log_;
  kafka_log::KafkaLog* remote_ = nullptr;  ///< the log, when it is on a Kafka somewhere else
  std::unique_ptr<RegistryService> registry_;
  std::unique_ptr<subjects::SchemaClient> schemas_;  ///< null where no topic needs it
  std::unique_ptr<pipeline::ServingSink> sink_;      ///< before the runner, which points to it
  std::unique_ptr<pipeline::Runner> runner_;
  std::unique_ptr<pipeline::Judge> judge_;
  pipeline::StoredProject* stored_ = nullptr;    ///< the runner, when it is one
  std::unique_ptr<StagedFlows> staged_;          ///< before the sources, which land in it
  std::shared_ptr<telemetry::Exporter> traces_;  ///< null: off
  std::unique_ptr<HooksService> hooks_;          ///< its inboxes are the sources'
  std::vector<std::unique_ptr<connect::SourceRunner>> sources_;
  std::unique_ptr<InstanceLogView> log_view_;
  std::unique_ptr<console::SchemaView> schema_view_;
  std::shared_ptr<CqlService> cql_;
  std::unique_ptr<console::Backend> backend_;
  std::unique_ptr<console::Console> console_;
  std::unique_ptr<kafka::Door> kafka_;
  std::unique_ptr<log::Upkeep> upkeep_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  OpenedLog event_log_;  ///< empty where the log is here
  std::unique_ptr<tasks::ProjectAccess> access_;
  std::unique_ptr<workflows::Workflows> workflows_;           ///< null where there are no DAGs
  std::unique_ptr<workflows::AirflowEvents> airflow_events_;  ///< where an Airflow runs them
  std::unique_ptr<airflow::Door> airflow_;
  alerts::Settings alert_settings_;
  std::unique_ptr<alerts::Sight> alert_sight_;
  std::unique_ptr<alerts::Alerts> alerts_;  ///< null where there are none
  std::atomic<alerts::Alerts*> shown_alerts_ = nullptr;
  std::unique_ptr<kafka::SchemaIds> record_schemas_;  ///< of kafka_; null without a registry
};

/// Settings of topics and options of sources that only their own rooms can judge.
Status check_outside(const pipeline::Project& project);

/// The data folder of a project path.
std::string data_folder(const std::string& project, const std::string& data);
/// kNotFound when no instance runs on the folder (a stale file of a dead process counts as none).
Result<RunFile> find_running(const std::string& data);

}  // namespace tailrace::app
