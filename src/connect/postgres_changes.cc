#include "connect/postgres_changes.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "staging/staging.h"
#include "telemetry/context_text.h"

namespace tailrace::connect {

using postgres::Cell;
using postgres::Change;
using postgres::Lsn;
using postgres::Oid;
using postgres::Xid;

PostgresChanges::PostgresChanges(const PostgresSettings& settings, PostgresPosition& position,
                                 PostgresCatalog& catalog, PostgresRecordWriter& writer,
                                 EmittedTransactions& emitted, std::string prefix)
    : settings_(settings),
      position_(position),
      catalog_(catalog),
      writer_(writer),
      emitted_(emitted),
      prefix_(std::move(prefix)) {}

Status PostgresChanges::take(const postgres::StreamFrame& frame, Chunk& chunk,
                             const std::stop_token& stop) {
  return handle(frame.message, frame.start, false, chunk, stop);
}

Status PostgresChanges::step(Chunk& chunk, const std::stop_token& stop) {
  ASSIGN(const auto entry, replay_->next());
  if (entry) return handle(entry->message, entry->lsn, true, chunk, stop);
  replay_.reset();
  end(replay_end_);
  return {};
}

Status PostgresChanges::handle(std::string_view bytes, Lsn lsn, bool replayed, Chunk& chunk,
                               const std::stop_token& stop) {
  ASSIGN(const auto decoded, decoder_.decode(bytes, replayed || in_stream_));
  if (decoded.of && !replayed) return spill(*decoded.of, bytes, lsn);
  struct Handler {
    PostgresChanges& self;
    Lsn lsn;
    Chunk& chunk;
    const std::stop_token& stop;
    Status operator()(const Change* change) { return self.change(*change, lsn, chunk); }
    Status operator()(const postgres::Begin& begin) {
      self.begin(begin.xid, begin.commit, begin.time_us);
      return {};
    }
    Status operator()(const postgres::Commit& commit) {
      self.end(commit.end);
      return {};
    }
    Status operator()(const postgres::Relation& relation) {
      return self.learn(relation, chunk, stop);
    }
    Status operator()(const postgres::Truncate& truncate) {
      return self.truncate(truncate, lsn, chunk);
    }
    Status operator()(const postgres::LogicalMessage& message) {
      self.message(message);
      return {};
    }
    Status operator()(const postgres::StreamStart& start) {
      self.in_stream_ = start.xid;
      return {};
    }
    Status operator()(postgres::StreamStop) {
      self.in_stream_.reset();
      return {};
    }
    Status operator()(const postgres::StreamCommit& commit) { return self.stream_commit(commit); }
    Status operator()(const postgres::StreamAbort& abort) {
      self.stream_abort(abort);
      return {};
    }
    Status operator()(postgres::Passed) { return {}; }
    Status operator()(postgres::TwoPhase) {
      return error(Code::kInternal, "PostgreSQL: a two-phase message that was not asked for");
    }
  };
  return std::visit(Handler{*this, lsn, chunk, stop}, decoded.message);
}

Status PostgresChanges::spill(Xid part, std::string_view bytes, Lsn lsn) {
  auto& spill = spills_[*in_stream_];
  if (!spill) {
    ASSIGN(spill, PostgresSpill::make(settings_.scratch));
  }
  return spill->add(part, lsn, bytes);
}

Status PostgresChanges::stream_commit(const postgres::StreamCommit& commit) {
  const auto found = spills_.find(commit.xid);
  begin(commit.xid, commit.commit.commit, commit.commit.time_us);
  if (found == spills_.end()) {
    end(commit.commit.end);
    return {};
  }
  replay_ = std::move(found->second);
  replay_end_ = commit.commit.end;
  spills_.erase(found);
  return {};
}

void PostgresChanges::stream_abort(const postgres::StreamAbort& abort) {
  const auto found = spills_.find(abort.xid);
  if (found == spills_.end()) return;
  if (abort.part == abort.xid) {
    spills_.erase(found);
  } else {
    found->second->abort(abort.part);
  }
}

void PostgresChanges::begin(Xid xid, Lsn commit, std::int64_t time_us) {
  in_transaction_ = true;
  trace_.reset();
  transaction_ = {xid, commit, time_us};
  index_ = 0;
  skip_ = position_.transaction == commit ? position_.changes : 0;
  if (position_.transaction.value != 0 && position_.transaction != commit)
    LOG_OF(warn, log_of("source", settings_.name),
           "ingest {}: the transaction at {}, of which {} changes were read, is not there again",
           settings_.name, text(position_.transaction), position_.changes);
  position_.transaction = commit;
  position_.changes = skip_;
}

void PostgresChanges::end(Lsn end) {
  in_transaction_ = false;
  position_.lsn = end;
  position_.transaction = Lsn();
  position_.changes = 0;
  last_commit_us_ = transaction_.time_us;
  if (wants_snapshot_) {
    emitted_.add(transaction_.xid);
    stop_here_ = stop_here_ || awaited_ == nullptr;
  }
  if (seen_watermark_.empty()) return;
  const std::string watermark = std::exchange(seen_watermark_, {});
  if (awaited_ && awaited_->watermark() == watermark) due_ = stop_here_ = true;
  for (auto& [name, progress] : position_.tables) {
    if (progress.until != watermark) continue;
    progress.seen.clear();
    progress.until.clear();
    progress.done = true;
    stop_here_ = true;
  }
}

void PostgresChanges::message(const postgres::LogicalMessage& message) {
  if (!message.transactional) return;
  if (message.prefix == prefix_) seen_watermark_ = message.content;
  if (message.prefix == staging::kTracePrefix)
    trace_ = telemetry::parse_context_text(message.content);
}

// The staging's write says its own before its rows.
void PostgresChanges::add_trace(std::size_t from, Chunk& chunk) const {
  if (!trace_ || from == chunk.size()) return;
  const auto& traces = chunk.traces();
  const bool same = !traces.empty() && traces.back().same(*trace_);
  const auto number = same ? static_cast<std::uint32_t>(traces.size()) : chunk.add_trace(*trace_);
  for (std::size_t i = from; i < chunk.size(); ++i) chunk.set_trace(i, number);
}

// Tables whose identity is the whole row do not say which columns name it: the catalog does, as it
// is now, so the choice is noted before a record depends on it.
Status PostgresChanges::learn(const postgres::Relation& relation, Chunk& chunk,
                              const std::stop_token& stop) {
  const std::string full = relation.schema + "." + relation.name;
  const std::vector<std::string>* key = nullptr;
  if (relation.identity == 'f') {
    const auto has = [&](const std::string& column) {
      return std::ranges::find(relation.columns, column, &postgres::Relation::Column::name) !=
             relation.columns.end();
    };
    auto found = position_.keys.find(full);
    if (found == position_.keys.end() || !std::ranges::all_of(found->second, has)) {
      ASSIGN(auto names, catalog_.key_of(relation.schema, relation.name, stop));
      if (!std::ranges::all_of(names, has)) names.clear();
      found = position_.keys.insert_or_assign(full, std::move(names)).first;
      chunk.note_first = stop_here_ = true;
    }
    key = &found->second;
  }
  ASSIGN(PostgresTable table, catalog_.table_of(relation, key, stop));
  table.watched = matches(settings_.tables, relation.schema, relation.name);
  known_.insert_or_assign(relation.oid, Known{std::move(table), full});
  last_known_ = nullptr;
  return {};
}

Result<PostgresChanges::Known*> PostgresChanges::known(Oid oid) {
  if (last_known_ != nullptr && last_oid_ == oid) return last_known_;
  const auto found = known_.find(oid);
  if (found == known_.end())
    return error(Code::kDataLoss, "PostgreSQL: a change of a table that the stream has not named");
  last_known_ = &found->second;
  last_oid_ = oid;
  return last_known_;
}

// Of a table without a key, what its snapshot will see or has seen.
bool PostgresChanges::left_out(const Known& known) const {
  if (!known.table.key.empty()) return false;
  const auto found = position_.tables.find(known.full_name);
  if (found == position_.tables.end() || found->second.done) return false;
  if (found->second.seen.empty()) return true;
  const auto seen = SeenTransactions::parse(found->second.seen);
  return seen && seen->sees(transaction_.xid);
}

void PostgresChanges::take_out_of_awaited(const Known& known, const Change& change) {
  if (awaited_->seen().sees(transaction_.xid)) return;
  if (awaited_->table().full_name() != known.full_name) return;
  const bool whole = std::ranges::none_of(
      change.row, [](const Cell& cell) { return cell.kind == Cell::Kind::kUnchanged; });
  for (const postgres::Tuple* row : {&change.old_row, &change.row}) {
    if (row->empty()) continue;
    std::string key;
    PostgresRecordWriter::append_key(key, known.table, *row, postgres::ValueStyle::kFlat);
    awaited_->take_out(key, whole || change.old == Change::Old::kRow);
  }
}

Status PostgresChanges::change(const Change& change, Lsn lsn, Chunk& chunk) {
  ASSIGN(Known* const known, this->known(change.table));
  if (awaited_ && known->table.watched) take_out_of_awaited(*known, change);
  if (!counts()) return {};
  position_.changes = index_;
  if (!known->table.watched || left_out(*known)) return {};
  const std::size_t before = chunk.size();
  const bool all = writer_.change(known->table, change, transaction_, lsn, chunk);
  add_trace(before, chunk);
  if (!all && told_.insert(known->full_name).second)
    LOG(warn,
        "ingest {}: table {} has large values that PostgreSQL does not send where an update leaves "
        "them as they are; they are {} in its records. ALTER TABLE {} REPLICA IDENTITY FULL sends "
        "them",
        settings_.name, known->full_name, kUnavailableValue, known->full_name);
  return {};
}

Status PostgresChanges::truncate(const postgres::Truncate& truncate, Lsn lsn, Chunk& chunk) {
  const bool counted = counts();
  if (counted) position_.changes = index_;
  for (const Oid oid : truncate.tables) {
    ASSIGN(const Known* const known, this->known(oid));
    if (awaited_ && awaited_->table().full_name() == known->full_name &&
        !awaited_->seen().sees(transaction_.xid))
      awaited_->take_out_all();
    if (counted && settings_.truncates && known->table.watched && !left_out(*known))
      writer_.truncate(known->table, transaction_, lsn, chunk);
  }
  return {};
}

std::unique_ptr<SnapshotChunk> PostgresChanges::take_due() {
  if (!due_) return nullptr;
  due_ = false;
  return std::move(awaited_);
}

bool PostgresChanges::ahead_of(const SeenTransactions& seen) const {
  return std::ranges::any_of(seen.under_way(), [&](Xid xid) { return emitted_.contains(xid); });
}

void PostgresChanges::leave_out(const std::string& table, const SeenTransactions& seen,
                                std::string watermark) {
  SnapshotProgress& progress = position_.tables[table];
  progress.done = false;
  progress.seen = seen.text();
  progress.until = std::move(watermark);
}

}  // namespace tailrace::connect
