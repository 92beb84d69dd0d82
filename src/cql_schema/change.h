// DDL: a statement and a schema to the next schema, with Cassandra's rules and sentences. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cql_schema/schema.h"
#include "cql_syntax/statement.h"
#include "cql_types/failure.h"

namespace tailrace::cql_schema {

/// What a statement changes, as permissions on it are asked for before the statement is looked at.
struct Touched {
  enum class Kind : std::uint8_t {
    kAllKeyspaces,
    kKeyspace,
    kAllTables,  // of the keyspace; its types too
    kTable,
    kFunctions,  // of the keyspace
    kTriggers,   // of a table: code of the server's own
  };
  Kind kind = Kind::kKeyspace;
  std::string_view permission;  // CREATE, ALTER or DROP
  std::string keyspace = {}, table = {};
};

/// What a statement is applied with.
struct Circumstances {
  std::string keyspace;  // of USE; empty: none
  std::int64_t now_us = 0;
  std::function<std::string()> new_id;  // a timeuuid's 16 bytes
  bool materialized_views = true;
  bool dynamic_data_masking = false;        // a default Cassandra's
  std::string data_center = "datacenter1";  // the only one, which replication may name
  /// Whether who makes the statement may; empty: everybody may.
  std::function<cql_types::Outcome<void>(const Touched&)> authorize = {};
};

/// As the protocol tells it (§4.2.5.5).
struct Event {
  enum class Change : std::uint8_t { kCreated, kUpdated, kDropped };
  enum class Target : std::uint8_t { kKeyspace, kTable, kType, kFunction, kAggregate };
  Change change = Change::kCreated;
  Target target = Target::kKeyspace;
  std::string keyspace, name;               // name: of all but keyspaces
  std::vector<std::string> argument_types;  // of functions and aggregates
};

/// A piece of the schema as it is kept: a name (text, below 1 KiB) and bytes; nullopt: it is gone.
struct Record {
  std::string name;
  std::optional<std::string> bytes;
};

struct Change {
  SchemaPtr schema;            // after it
  std::optional<Event> event;  // none: nothing changed (IF NOT EXISTS, IF EXISTS)
  std::vector<std::string> warnings;
  std::vector<Record> records;       // what to keep, together, before the change is told
  std::vector<TableNumber> dropped;  // tables whose cells are to be erased
  /// New views, and tables that have a new index (`new_indexes`): to be filled from what is there.
  std::vector<TablePtr> filled;
  std::vector<TableNumber> new_indexes;
};

/// True of the statements that `apply` takes: those of schema_statements.h.
bool is_schema_statement(const cql_syntax::Statement& statement);

cql_types::Outcome<Change> apply(const SchemaPtr& schema, const cql_syntax::Statement& statement,
                                 const Circumstances& circumstances);

/// The schema of a new server: the keyspaces system, system_schema, system_auth, system_traces,
/// system_distributed, system_views and system_virtual_schema.
SchemaPtr initial_schema();
/// The initial one with what was kept. kDataLoss names a record that cannot be read.
Result<SchemaPtr> load(const std::vector<Record>& records);

}  // namespace tailrace::cql_schema
