// A served table in Cassandra: its statements, and making it there.
#pragma once

#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "cassandra/changes.h"
#include "cql_client/cluster.h"
#include "served/definition.h"
#include "table/keyed_table.h"

namespace tailrace::cassandra {

struct Target {
  std::shared_ptr<const table::KeyedTable> table;
  served::Definition definition;
  std::string insert = {}, remove = {};
  /// Of the table in Cassandra that has the rows of a durable checkpoint, system_schema.tables.id;
  /// empty: none has.
  std::string loaded = {};
  Changes changes = {};

  std::string name() const;  ///< KEYSPACE.TABLE, quoted where CQL needs it
};

/// With its statements.
Target make_target(std::shared_ptr<const table::KeyedTable> table, served::Definition definition);

/// Who asks, until it is to stop.
struct Asking {
  cql_client::Cluster& cluster;
  const std::stop_token& stop;
};

/// What is there after make_there().
struct There {
  std::string id;           ///< system_schema.tables.id
  bool must_load = true;    ///< it is not the table that was loaded
  bool must_empty = false;  ///< and it has rows
};

/// Makes the keyspace, the user types and the table where they are not there, and adds columns that
/// it lacks; one that cannot become the target's is dropped and made again, if it is ours: it was
/// loaded before, or its comment says so. kUnavailable: ask again; kFailedPrecondition: it belongs
/// to others, and what to do; kCancelled.
Result<There> make_there(const Asking& ask, const Target& target, const std::string& comment);

/// The rows of an answer; a refusal is kUnavailable with the statement; kCancelled: stopped.
Result<std::vector<cql_client::Row>> asked(const Asking& ask, const std::string& text,
                                           std::vector<std::string> values = {});

}  // namespace tailrace::cassandra
