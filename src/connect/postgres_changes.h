// The messages of a slot's stream, one after the other, to records and to the position behind them.
//
// Feed it frames until it says that a chunk must end (stop_here()), or replay a large transaction
// that has ended (step()). Between two calls the position and the chunk agree.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <unordered_map>

#include "connect/postgres_position.h"
#include "connect/postgres_records.h"
#include "connect/postgres_setup.h"
#include "connect/postgres_snapshot.h"
#include "connect/postgres_spill.h"
#include "connect/postgres_tables.h"
#include "postgres/replication.h"

namespace tailrace::connect {

class PostgresChanges {
 public:
  /// All of them must outlive it. `catalog` belongs to the connection that stands.
  PostgresChanges(const PostgresSettings& settings, PostgresPosition& position,
                  PostgresCatalog& catalog, PostgresRecordWriter& writer,
                  EmittedTransactions& emitted, std::string prefix);

  Status take(const postgres::StreamFrame& frame, Chunk& chunk, const std::stop_token& stop);
  /// A large transaction has ended, and its changes are on disk.
  bool replaying() const { return replay_ != nullptr; }
  Status step(Chunk& chunk, const std::stop_token& stop);

  bool between_transactions() const { return !in_transaction_; }
  /// The chunk must be noted, or a snapshot's chunk follows; true once.
  bool stop_here() { return std::exchange(stop_here_, false); }
  /// Transactions are told apart from now on; the next end of one stops.
  void want_snapshot(bool wanted) { wants_snapshot_ = wanted; }

  /// The chunk that waits for its watermark; taken out by what is changed meanwhile.
  void await(std::unique_ptr<SnapshotChunk> chunk) { awaited_ = std::move(chunk); }
  bool awaits() const { return awaited_ != nullptr; }
  /// Its watermark has come: it is to be emitted now.
  std::unique_ptr<SnapshotChunk> take_due();
  /// Whether what was emitted holds something that the chunk has not seen.
  bool ahead_of(const SeenTransactions& seen) const;
  /// A table without a key was emitted as `seen` saw it, until this watermark.
  void leave_out(const std::string& table, const SeenTransactions& seen, std::string watermark);

  /// When the last transaction that was emitted was committed; 0: none was.
  std::int64_t last_commit_us() const { return last_commit_us_; }

 private:
  struct Known {
    PostgresTable table;
    std::string full_name;
  };
  Status handle(std::string_view bytes, postgres::Lsn lsn, bool replayed, Chunk& chunk,
                const std::stop_token& stop);
  Status spill(postgres::Xid part, std::string_view bytes, postgres::Lsn lsn);
  void begin(postgres::Xid xid, postgres::Lsn commit, std::int64_t time_us);
  void end(postgres::Lsn end);
  Status learn(const postgres::Relation& relation, Chunk& chunk, const std::stop_token& stop);
  Status change(const postgres::Change& change, postgres::Lsn lsn, Chunk& chunk);
  Status truncate(const postgres::Truncate& truncate, postgres::Lsn lsn, Chunk& chunk);
  Status stream_commit(const postgres::StreamCommit& commit);
  void stream_abort(const postgres::StreamAbort& abort);
  void message(const postgres::LogicalMessage& message);
  void add_trace(std::size_t from, Chunk& chunk) const;
  Result<Known*> known(postgres::Oid oid);
  bool left_out(const Known& known) const;
  void take_out_of_awaited(const Known& known, const postgres::Change& change);
  bool counts() { return ++index_ > skip_; }

  const PostgresSettings& settings_;
  PostgresPosition& position_;
  PostgresCatalog& catalog_;
  PostgresRecordWriter& writer_;
  EmittedTransactions& emitted_;
  const std::string prefix_;
  postgres::PgoutputDecoder decoder_;
  std::unordered_map<postgres::Oid, Known> known_;
  Known* last_known_ = nullptr;
  postgres::Oid last_oid_;

  bool in_transaction_ = false;
  PostgresTransaction transaction_;
  std::int64_t index_ = 0, skip_ = 0;
  std::string seen_watermark_;                   // of this transaction
  std::optional<telemetry::SpanContext> trace_;  // of this transaction

  std::optional<postgres::Xid> in_stream_;
  std::map<postgres::Xid, std::unique_ptr<PostgresSpill>> spills_;
  std::unique_ptr<PostgresSpill> replay_;
  postgres::Lsn replay_end_;

  bool stop_here_ = false, wants_snapshot_ = false, due_ = false;
  std::unique_ptr<SnapshotChunk> awaited_;
  std::int64_t last_commit_us_ = 0;
  std::set<std::string> told_;  // tables of which a value was not known
};

}  // namespace tailrace::connect
