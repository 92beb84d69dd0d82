// A project folder as data: spark-pipeline.yml (Spark's own format and errors), the SQL files it
// names, and tailrace.yml (roles, topics, ingest, serving, limits). docs/project.md describes every
// key.
//
// Unknown keys are errors that name the nearest known one and the place. ${NAME} in a value of
// tailrace.yml is the environment's; `file:PATH` reads a secret from a file. Values so read never
// appear in messages.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pipeline/contracts/contract.h"
#include "staging/table_spec.h"

namespace tailrace::pipeline {

struct SqlFile {
  std::string path;  ///< as messages show it
  std::string text;
};

/// The schema of a topic's values, where its format has one.
struct ValueSpec {
  std::string subject;                    ///< empty: by the strategy
  std::string strategy = "topic_name";    ///< topic_name | record_name | topic_record_name
  std::string file;                       ///< as messages show it; empty: the registry has it
  std::string text;                       ///< of the file
  std::string named_in = "prefix";        ///< or header: where records name their schema
  std::string evolution = "add_columns";  ///< or none: the first version's columns stay
};

struct TopicSpec {
  std::string name;
  std::string relation;  ///< what SQL calls it; the topic's name by default
  std::int32_t partitions = 1;
  std::string format = "raw";                   ///< raw | json | avro | json_schema | protobuf
  std::optional<ValueSpec> values = {};         ///< of the last three
  std::map<std::string, std::string> settings;  ///< Kafka's topic configs by name
  std::string place = {};
};

struct IngestSpec {
  std::string name;
  std::string topic;
  std::string type;                            ///< fake | http | files
  std::map<std::string, std::string> options;  ///< nested keys joined by dots: headers.Accept
  std::string place;
  bool paused = false;     ///< emits only while a workflow runs it
  std::string stage = {};  ///< the staging table its records land in; empty: straight to the topic
  std::vector<std::string> secrets =
      {};  ///< what of the options came from the environment or a file
};

/// A staging table: what lands in it by `ingest` with `stage:`, and how its changes flow on.
struct StageSpec {
  staging::TableSpec table;
  std::string topic;      ///< of the sources that land there
  bool debezium = false;  ///< the envelope; else flat
  bool metadata = false;  ///< flat: each message says what the change was, and where it was
  std::string place;
  std::string slot;  ///< of a PostgreSQL staging; empty: named after project and table
};

/// What Lambda's Invoke API calls: `functions`.
struct FunctionSpec {
  enum class Kind { kIngest, kSql, kPython };
  std::string name;
  Kind kind = Kind::kIngest;
  std::string file;  ///< of kSql and kPython, and its text
  std::string code;
  std::string ingest;           ///< the webhook's source that records go to; empty: an answer only
  std::string answer = "rows";  ///< of kSql: rows, row or value
  std::string handler;          ///< of kPython: MODULE.FUNCTION
  std::string description;
  std::int64_t timeout_ms = 3000;
  std::int64_t memory_bytes = 128 << 20;
  std::int64_t retry_after_ms = 60'000;
  int workers = 2;
  std::map<std::string, std::string> environment;
  std::string place;
};

/// Who may call them: `invoke`.
struct InvokeSpec {
  std::string token, access_key, secret_key;
};

struct ServingSpec {
  std::string name;   ///< the served table; KEYSPACE.NAME puts it into another keyspace of CQL's
  std::string table;  ///< the relation it follows
  std::vector<std::string> key;
  std::string place;
  int partition_columns = 1;  ///< of the key, the first ones: CQL's partition key
};

/// A log that is somewhere else: `log: kafka://…`, or a mapping of url, properties and id.
struct RemoteLogSpec {
  std::map<std::string, std::string> properties;  ///< of librdkafka, by name
  std::vector<std::string> secrets;  ///< what of them came from the environment or a file
  std::string id;                    ///< who writes; the project's name by default
  std::string place;
};

/// A registry that is somewhere else: `registry: http://…`, or a mapping.
struct RemoteRegistrySpec {
  std::string user, password;  ///< HTTP basic authentication
  std::string ca_file;         ///< PEM certificates to trust instead of the system's
};

/// A database that is somewhere else: `serving: cassandra://…`, or a mapping.
struct RemoteServingSpec {
  std::string user, password;
  bool tls = false;
  std::string ca_file, certificate_file, key_file;  ///< PEM, in the project's folder
  std::string place;
};

/// A Spark that keeps the tables: `engine: spark://…`, or a mapping.
struct RemoteEngineSpec {
  std::int64_t every_ms = 60'000;  ///< an update begins at most so often
  std::string jars;                ///< the folder of Delta's jars; empty: TAILRACE_SPARK_JARS
  std::map<std::string, std::string> properties;  ///< Spark's settings by name
  std::vector<std::string> secrets;  ///< what of them came from the environment or a file
};

/// The Airflow that runs the DAGs: who tells it of asset events.
struct RemoteScheduleSpec {
  std::string user, password;
  std::string token;  ///< instead of both
};

/// A database that rows are staged in: `staging: postgresql://…`, or a mapping.
struct RemoteStagingSpec {
  std::string user, password;
  std::string place;
};

/// A database that has what workflows keep: `metadata: postgresql://…`, or a mapping.
struct MetadataSpec {
  std::string url = "embedded";
  std::string user, password;
  std::string schema;  ///< tailrace_PROJECT by default
};

struct Roles {
  std::string log = "embedded";  ///< or kafka://HOST:PORT
  RemoteLogSpec remote_log;
  std::string registry = "embedded";  ///< or http://HOST:PORT, https://…
  RemoteRegistrySpec remote_registry;
  std::string engine = "embedded";  ///< or spark://HOST:PORT, local[N]: Spark's master
  RemoteEngineSpec remote_engine;
  std::string lake = "embedded";
  std::string serving = "embedded";  ///< or cassandra://HOST:PORT/KEYSPACE
  RemoteServingSpec remote_serving;
  std::string staging = "embedded";  ///< or postgresql://HOST:PORT/DATABASE
  RemoteStagingSpec remote_staging;
  std::string schedule = "embedded";  ///< or the address of an Airflow
  RemoteScheduleSpec remote_schedule;
};

struct Limits {
  std::int64_t max_message_bytes = 1 << 20;
  std::int64_t step_records = 8192;
  std::int64_t checkpoint_ms = 2000;
  std::int64_t checkpoint_records = 400000;
};

/// What is cleaned up, and when.
struct Upkeep {
  std::int64_t compact_under_bytes = 64 << 20;             ///< smaller data files are joined
  std::int64_t vacuum_after_ms = 7 * 86'400'000LL;         ///< files that left a table are deleted
  std::int64_t letters_keep_ms = 30 * 86'400'000LL;        ///< older dead letters are trimmed
  std::int64_t letters_max_bytes = std::int64_t{1} << 30;  ///< the oldest above it are trimmed
};

struct Project {
  std::string name;
  std::string folder;
  std::string storage;
  std::string database;
  std::map<std::string, std::string> configuration;
  std::vector<SqlFile> sql_files;
  Roles roles;
  std::vector<TopicSpec> topics;
  std::vector<IngestSpec> ingest;
  std::vector<StageSpec> stages;
  std::vector<FunctionSpec> functions;
  InvokeSpec invoke;
  std::vector<ServingSpec> serving;
  std::vector<Contract> contracts;
  Limits limits;
  Upkeep upkeep;
  MetadataSpec metadata;  ///< of `roles`
};

/// The stage of that name; null when there is none.
const StageSpec* find_stage(const Project& project, std::string_view name);

/// `path` is the folder, or a spark-pipeline.yml in it. kNotFound carries Spark's
/// PIPELINE_SPEC_FILE_NOT_FOUND.
Result<Project> load_project(const std::string& path);

/// Writes a small project that runs: `tailrace init NAME`. kAlreadyExists when the folder is there.
Status init_project(const std::string& folder);

}  // namespace tailrace::pipeline
