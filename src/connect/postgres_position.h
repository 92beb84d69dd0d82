// Where a source on a PostgreSQL stands: JSON, noted by the runner.
//
//   {"system": the cluster's identifier, "start": where the slot began, "lsn": the end of the last
//    transaction that was emitted whole, "tx": the commit record of the one after it and "n": how
//    many of its changes were emitted, "tables": {"public.orders": {"state": "pending" | "done",
//    "after": ["7"], "rows": 4096, "seen": "7:9:8", "until": "…"}},
//    "keys": {"public.orders": ["id"]}}
//
// "after": the key of the last row that the snapshot has read. "seen" and "until": of a table
// without a key, whose rows are emitted as those transactions left them; what the stream says of
// them until this watermark is left out. "keys": of tables whose identity is the whole row, what
// was chosen as the records' key. "lsn" and "start" are as in PostgreSQL.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "postgres/lsn.h"

namespace tailrace::connect {

struct SnapshotProgress {
  bool done = false;
  std::vector<std::string> after{};  ///< empty: at its beginning
  std::int64_t rows = 0;
  std::string seen{}, until{};
};

struct PostgresPosition {
  std::string system;
  postgres::Lsn start, lsn;
  postgres::Lsn transaction;  ///< 0: between transactions
  std::int64_t changes = 0;
  std::map<std::string, SnapshotProgress> tables;
  std::map<std::string, std::vector<std::string>> keys;

  bool empty() const { return system.empty(); }
};

std::string encode_postgres_position(const PostgresPosition& position);
/// "" is an empty one. kDataLoss: not a position.
Result<PostgresPosition> parse_postgres_position(std::string_view text);

}  // namespace tailrace::connect
