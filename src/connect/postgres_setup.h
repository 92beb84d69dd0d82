// What a source needs on a PostgreSQL: two connections, a publication and a slot, made when they
// are not there, and the certainty that the slot still goes on where the source stands.
//
// Tables without a replica identity (no primary key) would not take updates and deletes any more if
// those were published; only their inserts and truncates are, in a second publication NAME_inserts.
//
// What was lost for ever is kDataLoss, and the sentence says what to do: the slot is gone, or was
// invalidated, or was moved on by somebody else; another PostgreSQL, or one restored to an earlier
// time, answers. What may pass is kUnavailable.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "connect/postgres_position.h"
#include "connect/postgres_tables.h"
#include "postgres/connection.h"

namespace tailrace::connect {

struct PostgresSettings {
  enum class Snapshot { kInitial, kNever, kOnly };
  std::string name;  ///< of the source
  std::string url, password;
  std::vector<std::string> tables;
  std::string slot, publication;
  Snapshot snapshot = Snapshot::kInitial;
  int chunk_rows = 0;
  std::int64_t heartbeat_ms = 0;
  bool truncates = true;
  std::string scratch;
};

struct PostgresConnections {
  std::unique_ptr<postgres::Connection> sql, stream;
  std::string database, version;
  postgres::Lsn server_end;  ///< of its log, when it was asked
  bool inserts_publication = false;
};

/// Connects, checks, makes what is missing, and starts the stream at the position, which it begins
/// when it is empty and to which it adds the tables that are new.
Result<PostgresConnections> open_postgres(const PostgresSettings& settings,
                                          PostgresPosition& position, std::stop_token stop);

/// `value` with what a slot's name cannot have made `_`, at most 63 characters.
std::string slot_name(const std::string& value);

}  // namespace tailrace::connect
