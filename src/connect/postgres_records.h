// A change of a row as a record: its key, and its value in one of two shapes.
//
// flat, as Debezium's ExtractNewRecordState gives it with delete.tombstone.handling.mode=rewrite
// and add.fields=op,table,schema,lsn,txId,source.ts_ms:
//   {"id":1,"name":"x","__deleted":"false","__op":"u","__table":"t","__schema":"public",
//    "__lsn":23876504,"__txId":571,"__source_ts_ms":1700000000000}
// debezium, as its PostgreSQL connector gives it without a schema (schemas.enable=false):
//   {"before":null,"after":{…},"source":{…},"op":"u","ts_ms":…,"transaction":null}
//
// op: c, u, d, r (of the snapshot), t (a truncate). A deleted row has what its table's replica
// identity tells: the key, the rest null; or the whole row (REPLICA IDENTITY FULL). An update that
// changes the key is a delete of the old and a create of the new one. The key is {"id":1}, of the
// primary key's columns (of the replica identity where that is an index). Values that PostgreSQL
// does not send because they are stored apart (TOAST) and did not change come from the old row
// where there is one, else they are "__debezium_unavailable_value".
//
// __lsn is the change's own place: for one row it only grows. Of rows of the snapshot it is where
// the slot began, before all changes. Unlike in Debezium, ts_ms is the time of the commit, so that
// a change is the same record each time it is read, and source.sequence is the places of the
// transaction's commit and of the change: in the order in which they were committed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "connect/postgres_tables.h"
#include "connect/source.h"
#include "postgres/lsn.h"
#include "postgres/pgoutput.h"

namespace tailrace::connect {

/// The members of a flat record behind those of its row.
inline constexpr std::size_t kFlatMetadata = 7;
inline constexpr std::string_view kUnavailableValue = "__debezium_unavailable_value";

enum class Envelope { kFlat, kDebezium };

struct PostgresTransaction {
  postgres::Xid xid;
  postgres::Lsn commit;
  std::int64_t time_us = 0;
};

class PostgresRecordWriter {
 public:
  struct Settings {
    Envelope envelope = Envelope::kFlat;
    bool tombstones = false;
    std::string database;
    std::string source;   ///< source.name
    std::string version;  ///< source.version
  };
  explicit PostgresRecordWriter(Settings settings);

  /// One record, or two or three where the key changed. False: a value was not sent and is not
  /// known.
  bool change(const PostgresTable& table, const postgres::Change& change,
              const PostgresTransaction& transaction, postgres::Lsn lsn, Chunk& chunk);
  void truncate(const PostgresTable& table, const PostgresTransaction& transaction,
                postgres::Lsn lsn, Chunk& chunk);
  void snapshot(const PostgresTable& table, const postgres::Tuple& row,
                const PostgresTransaction& transaction, Chunk& chunk);
  /// The JSON of the row's key; nothing without a key.
  static void append_key(std::string& out, const PostgresTable& table, const postgres::Tuple& row,
                         postgres::ValueStyle style);

 private:
  struct About {
    const PostgresTable& table;
    const PostgresTransaction& transaction;
    postgres::Lsn lsn;
    char op;
  };
  void record(const About& about, const postgres::Tuple* before, const postgres::Tuple* after,
              Chunk& chunk);
  void tombstone(const About& about, const postgres::Tuple& row, Chunk& chunk);
  void append_row(std::string& out, const PostgresTable& table, const postgres::Tuple& row) const;
  void append_flat(std::string& out, const About& about, const postgres::Tuple* row) const;
  void append_debezium(std::string& out, const About& about, const postgres::Tuple* before,
                       const postgres::Tuple* after) const;

  const Settings settings_;
  const postgres::ValueStyle style_;
  std::string source_head_;  // of Debezium's source
  postgres::Tuple filled_;
};

}  // namespace tailrace::connect
