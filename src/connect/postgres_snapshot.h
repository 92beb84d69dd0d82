// The rows that are in a table before its changes are read, in chunks while the stream runs: DBLog
// (Andreakis, Papapanagiotou: "DBLog: A Watermark Based Change-Data-Capture Framework", 2020) with
// PostgreSQL's own means.
//
// A chunk is read in one transaction of its own, which sees what is committed
// (pg_current_snapshot() says exactly what), and which at its end writes a watermark into the log
// (pg_logical_emit_message). Until the watermark comes along in the stream, each change by a
// transaction that the chunk did not see takes its row out of the chunk: the change is emitted, and
// is newer. At the watermark the rows that are left are emitted: no later change is older than they
// are. Changes by transactions that the chunk saw take nothing out: they come before its rows,
// which are as new or newer.
//
// A transaction's end is in the log a moment before others see it. So a chunk may not have seen
// what the stream has emitted already; then it is read again.
//
// A table without a key is read whole in one chunk, and is emitted at once. Its changes are left
// out before that, and after it those by transactions that the chunk has seen.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "connect/postgres_position.h"
#include "connect/postgres_records.h"
#include "connect/postgres_tables.h"
#include "postgres/connection.h"

namespace tailrace::connect {

/// What a transaction sees: xmin:xmax:xip,xip,…
class SeenTransactions {
 public:
  SeenTransactions() = default;
  static std::optional<SeenTransactions> parse(std::string_view text);
  bool sees(postgres::Xid xid) const;
  /// Those that are under way.
  const std::vector<postgres::Xid>& under_way() const { return under_way_; }
  std::string text() const { return text_; }

 private:
  std::uint32_t first_ = 0, end_ = 0;
  std::vector<postgres::Xid> under_way_;
  std::string text_;
};

class SnapshotChunk {
 public:
  struct Wanted {
    std::string schema, name;
    SnapshotProgress progress;
    std::vector<std::string> publications;
    int most_rows = 0;
    std::string prefix;     ///< of the watermark's message
    std::string watermark;  ///< its content
  };
  /// None: there is no such table any more. kFailedPrecondition: it has no key, and is too large to
  /// be read in one chunk.
  static Result<std::optional<SnapshotChunk>> read(postgres::Connection& connection,
                                                   const Wanted& wanted, std::stop_token stop);

  const PostgresTable& table() const { return table_; }
  const std::string& watermark() const { return watermark_; }
  const SeenTransactions& seen() const { return seen_; }
  const SnapshotProgress& after() const { return after_; }
  bool keyed() const { return !table_.key.empty(); }
  std::int64_t estimate() const { return estimate_; }

  /// A row was changed by a transaction that the chunk did not see. `whole`: it is known as it is
  /// now; else its row is needed, and the chunk must be read again.
  void take_out(const std::string& key, bool whole);
  void take_out_all();
  bool must_be_read_again() const { return again_; }

  /// The rows that are left.
  void emit(PostgresRecordWriter& writer, const PostgresTransaction& of, Chunk& chunk) const;

 private:
  void index_rows(const Wanted& wanted);
  postgres::Tuple row(int i) const;
  std::string key_of(int i) const;

  postgres::Rows rows_;
  PostgresTable table_;
  SeenTransactions seen_;
  SnapshotProgress after_;
  std::string watermark_;
  std::int64_t estimate_ = 0;
  std::unordered_map<std::string, int> by_key_;
  std::vector<bool> out_;
  bool again_ = false;
};

/// The last transactions that were emitted.
class EmittedTransactions {
 public:
  void add(postgres::Xid xid);
  bool contains(postgres::Xid xid) const;

 private:
  static constexpr std::size_t kMost = 65'536;
  std::deque<postgres::Xid> order_;
  std::unordered_map<postgres::Xid, int> counts_;
};

}  // namespace tailrace::connect
