// The commands of `tailrace`, one file each: each returns the exit code and prints its own errors.
#pragma once

#include <string>
#include <vector>

#include "app/run_options.h"
#include "base/result.h"
#include "console/query_rows.h"

namespace tailrace::app {

int run_command(const RunOptions& options, bool check);
struct BrokerOptions {
  std::string data;
  std::string listen;                 ///< HOST:PORT; empty: as `listeners` says, or the usual port
  std::string config;                 ///< a server.properties file; empty for none
  std::vector<std::string> settings;  ///< NAME=VALUE
  std::string metrics;                ///< HOST:PORT for Prometheus; empty for none
  std::string registry;  ///< HOST:PORT of a schema registry over the same log; nowhere when empty
  std::string registry_config = {};  ///< a file of its settings; empty for none
};
int broker_command(const BrokerOptions& options);

struct RegistryOptions {
  std::string data;
  std::string listen;                 ///< HOST:PORT; empty: as `listeners` says, or the usual port
  std::string config;                 ///< a file of settings; empty for none
  std::vector<std::string> settings;  ///< NAME=VALUE
  std::string metrics = {};           ///< HOST:PORT for Prometheus; empty for none
};
/// Serves schemas alone until a signal.
int registry_command(const RegistryOptions& options);

struct ServeOptions {
  std::string data;
  std::string listen = "127.0.0.1:9042";
  TlsFiles tls = {};
  CqlLogins logins = {};
  bool materialized_views = false;  ///< clients may make views
  std::string metrics = {};         ///< HOST:PORT for Prometheus; empty for none
};
/// Serves CQL alone until a signal.
int serve_command(const ServeOptions& options);

int check_command(const std::string& project);
int init_command(const std::string& name);
int status_command(const std::string& project, const std::string& data, bool json);

struct SqlOptions {
  std::string project, data, query;  ///< without a query statements come from standard input
  bool json = false;
  int limit = console::kQueryRows;
};
int sql_command(const SqlOptions& options);

struct RedriveOptions {
  std::string project, data, table, reason;
  std::vector<std::string> ids;
  bool all = false;
};
int redrive_command(const RedriveOptions& options);

struct SparkOptions {
  std::string project, data, master = "local[2]", out;
  bool write_only = false;
};
int spark_command(const SparkOptions& options);

struct AirflowOptions {
  std::string project, data, out;
};
int airflow_command(const AirflowOptions& options);

/// Which broker a command asks: HOST:PORT, else the one of the instance that runs on the project.
struct BrokerAddress {
  std::string broker, project = ".", data;
  std::string config;  // a file of a Kafka client's settings
};

struct TopicsOptions {
  BrokerAddress at;
  std::string topic;  ///< empty: all of them
  bool json = false;
};
int topics_command(const TopicsOptions& options);

struct GroupsOptions {
  BrokerAddress at;
  std::string group;     ///< empty: all of them
  bool members = false;  ///< of the group, instead of its offsets
  bool json = false;
};
int groups_command(const GroupsOptions& options);

struct SchemasOptions {
  enum class Action { kList, kShow, kDiff, kCheck, kRegister };
  Action action = Action::kList;
  std::string registry;  ///< http(s)://…; empty: of the project
  std::string project = ".", data;
  std::string subject;
  std::string version = "latest";
  std::string other;  ///< kDiff: the version to compare with; empty: the one before
  std::string file;   ///< kCheck and kRegister
  std::string type;   ///< AVRO, JSON or PROTOBUF; empty: by the file's name
  bool json = false;
};
int schemas_command(const SchemasOptions& options);

struct ProduceOptions {
  BrokerAddress at;
  std::string topic;
  std::string separator;  ///< between key and value; empty: lines have no key
  bool json = false;
};
int produce_command(const ProduceOptions& options);

struct ConsumeOptions {
  BrokerAddress at;
  std::string topic;
  std::string from = "beginning";  ///< or end, or an offset
  std::int32_t partition = -1;     ///< -1: all of them
  std::int64_t limit = INT64_MAX;
  bool follow = false;
  bool json = false;
  bool raw = false;      ///< bytes as they are, whatever schema they name
  std::string registry;  ///< http(s)://…; empty: of the project
};
int consume_command(const ConsumeOptions& options);

struct DagsOptions {
  enum class Action {
    kList,
    kShow,
    kTest,
    kRun,
    kRuns,
    kBackfill,
    kClear,
    kPause,
    kUnpause,
    kLogs
  };
  Action action = Action::kList;
  std::string project = ".", data;
  std::string dag;
  std::string date;  ///< kTest, kRun: the logical date; empty: none
  std::string conf;  ///< kTest, kRun, kBackfill: JSON
  std::string run;
  std::string task;  ///< kLogs: its id; kClear: a regular expression for ids
  std::string from, to;
  std::string reprocess = "none";
  int max_active_runs = 10, limit = 25, try_number = 0, map_index = -1;
  bool json = false, wait = false, dry_run = false, backwards = false, yes = false;
  bool failed = false, upstream = false, downstream = false, follow = false;
};
int dags_command(const DagsOptions& options);

struct AlertsOptions {
  enum class Action { kList, kTest, kSilence, kUnsilence, kHistory };
  Action action = Action::kList;
  std::string project = ".", data;
  std::string name;  ///< kTest: a rule or a channel; kHistory: a rule; kUnsilence: an id
  std::vector<std::string> matchers;
  std::string duration = "2h", comment;
  int limit = 100;
  bool json = false;
};
int alerts_command(const AlertsOptions& options);

struct ComposeOptions {
  std::string project;
  std::string out;    ///< empty: PROJECT/compose
  bool real = false;  ///< the real systems that the project has need of
  bool all = false;   ///< every one of them
};
/// Writes files of Docker Compose for a project.
int compose_command(const ComposeOptions& options);
/// Asks a running instance whether it answers: 0 or 1, for containers' health checks.
int health_command(const std::string& url);

struct DoctorOptions {
  std::string folder = ".";
  std::string write;    ///< where the project goes that does the same; empty: nowhere
  bool json = false;    ///< a JSON object a finding
  bool faults = false;  ///< the names of all faults instead
};
/// 0 when nothing is found, 1 when something is.
int doctor_command(const DoctorOptions& options);

/// The types of sources, or one type's options; `json`: an object a line.
int sources_command(const std::string& type, bool json);

/// Prints "tailrace: what" to standard error and returns 1.
int fail(const Error& error);

}  // namespace tailrace::app
