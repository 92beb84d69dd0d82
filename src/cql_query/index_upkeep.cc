#include "cql_query/index_upkeep.h"

#include <fmt/format.h>

#include <algorithm>

#include "cql_query/index_entries.h"
#include "cql_query/index_writer.h"
#include "cql_query/view.h"
#include "cql_types/token.h"
#include "rt/wall_time.h"

namespace tailrace::cql_query {
namespace {

using cql_schema::Index;
using cql_schema::Table;
using cql_schema::TableNumber;
using cql_store::Mutation;
using cql_store::Row;
using cql_store::Snapshot;

constexpr std::string_view kBuilt = "built/";
/// Rows between two looks at whether the filling is still wanted; and that a change of the schema
/// fills itself, so that who made an index of a small table can ask it at once.
constexpr int kRowsAtOnce = 1000, kStepsAtOnce = 4;

/// A request's seconds are ours, give or take.
constexpr std::int64_t kOtherTime = 60;

std::string built_record(TableNumber number) {
  return fmt::format("{}{:010}", kBuilt, number.value);
}

std::int64_t now_seconds() {
  return rt::wall_microseconds() / 1'000'000;
}

}  // namespace

IndexUpkeep::~IndexUpkeep() {
  stopping_ = true;
  {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

Status IndexUpkeep::load() {
  ASSIGN(const auto kept, store_.kept(kBuilt));
  for (const auto& [name, nothing] : kept) {
    const auto digits = std::string_view(name).substr(kBuilt.size());
    built_.insert(TableNumber(static_cast<std::uint32_t>(std::stoul(std::string(digits)))));
  }
  std::vector<Filling> fillings;
  for (const auto& [keyspace_name, keyspace] : schema_()->keyspaces)
    for (const auto& [name, table] : keyspace->tables) {
      for (const Index& index : table->indexes)
        if (is_kept(index) && !built_.contains(index.number))
          fillings.push_back({keyspace_name, name, index.number});
      if (table->view && !built_.contains(table->number))
        fillings.push_back({keyspace_name, name, table->number, true});
    }
  start(std::move(fillings));
  return {};
}

void IndexUpkeep::changed(const cql_schema::Change& change) {
  if (!change.dropped.empty()) {
    Mutation mutation;
    std::unique_lock lock(mutex_);
    for (const TableNumber number : change.dropped) {
      std::erase_if(waiting_, [&](const Filling& one) { return one.number == number; });
      if (built_.erase(number) > 0) mutation.keep(built_record(number), std::nullopt);
      // What was on its way when it was dropped is here by now.
      mutation.drop_all(number.value);
    }
    const auto in_hand = [&] {
      return in_hand_ && std::ranges::find(change.dropped, *in_hand_) != change.dropped.end();
    };
    changed_.wait(lock, [&] { return !in_hand(); });
    lock.unlock();
    (void)write(std::move(mutation));
  }
  std::vector<Filling> fillings;
  for (const auto& table : change.filled) {
    if (table->view) fillings.push_back({table->keyspace, table->name, table->number, true});
    for (const Index& index : table->indexes)
      if (is_kept(index) &&
          std::ranges::find(change.new_indexes, index.number) != change.new_indexes.end())
        fillings.push_back({table->keyspace, table->name, index.number});
  }
  start(std::move(fillings));
}

void IndexUpkeep::start(std::vector<Filling> fillings) {
  if (!fillings.empty()) catch_up();
  for (Filling& filling : fillings) {
    Result<bool> whole = false;
    for (int step = 0; step < kStepsAtOnce && whole && !*whole; ++step) whole = fill_some(filling);
    if (whole && *whole) continue;
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(filling));
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    changed_.notify_all();
  }
}

void IndexUpkeep::run() {
  for (std::unique_lock lock(mutex_);;) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    Filling filling = std::move(waiting_.front());
    waiting_.pop_front();
    in_hand_ = filling.number;
    lock.unlock();
    const auto whole = fill_some(filling);
    lock.lock();
    in_hand_.reset();
    changed_.notify_all();
    // One that failed (no room on the disk) is tried again when the server starts.
    if (whole && !*whole) waiting_.push_back(std::move(filling));
  }
}

Result<bool> IndexUpkeep::fill_some(Filling& filling) {
  const auto schema = schema_();
  const auto table = schema->table(filling.keyspace, filling.table);
  if (!table) return true;
  if (filling.is_view) {
    if (table->number != filling.number) return true;
    ASSIGN(const bool filled, fill_view(table, schema, filling));
    if (filled) TRY(finish(filling));
    return filled;
  }
  const auto index = std::ranges::find(table->indexes, filling.number, &Index::number);
  if (index == table->indexes.end()) return true;
  ASSIGN(const bool whole, fill_index(*table, *index, filling));
  if (whole) TRY(finish(filling));
  return whole;
}

Result<bool> IndexUpkeep::fill_index(const Table& table, const Index& index, Filling& filling) {
  cql_store::Range range;
  range.table = table.number.value;
  if (filling.after) range.first_token = cql_types::murmur3_token(filling.after->partition);
  range.after = std::move(filling.after);
  filling.after.reset();
  IndexWriter writer(table, &index);
  int rows = 0;
  Status failed;
  const auto snapshot = store_.snapshot();
  TRY(snapshot->scan(range, now_seconds(), [&](const Row& row) {
    writer.row({std::string(row.partition), row.token},
               {row.clustering, row.raw_clustering, row.is_static});
    const auto life_of = [](const auto& one) { return entry_life(one.ttl, one.expires); };
    // Values that the index cannot have are not in it.
    if (row.liveness.timestamp != cql_store::kNoTimestamp) (void)writer.live(life_of(row.liveness));
    for (const auto& cell : row.cells) {
      const auto column =
          std::ranges::find(table.columns, cell.column,
                            [](const cql_schema::Column& one) { return one.number.value; });
      if (column != table.columns.end())
        (void)writer.put(*column, cell.path, cell.value, life_of(cell));
    }
    if (++rows < kRowsAtOnce) return Snapshot::Next::kRow;
    filling.after = {std::string(row.partition), std::nullopt, false};
    if (!row.is_static) filling.after->clustering = std::string(row.clustering);
    return Snapshot::Next::kStop;
  }));
  Mutation mutation;
  writer.write_to(mutation);
  TRY(write(std::move(mutation)));
  return !filling.after;
}

Status IndexUpkeep::finish(const Filling& filling) {
  Mutation mutation;
  mutation.keep(built_record(filling.number), "");
  TRY(write(std::move(mutation)));
  const std::lock_guard lock(mutex_);
  built_.insert(filling.number);
  return {};
}

Status IndexUpkeep::write(Mutation mutation) {
  if (mutation.empty()) return {};
  std::atomic<bool> finished = false;
  Status written;
  store_.commit(std::move(mutation), [&](Status status) {
    written = std::move(status);
    finished = true;
    finished.notify_one();
  });
  finished.wait(false);
  return written;
}

/// Rows are read and written where no other write comes between.
Result<bool> IndexUpkeep::fill_view(const cql_schema::TablePtr& table,
                                    const cql_schema::SchemaPtr& schema, Filling& filling) {
  const auto base = schema->table(table->keyspace, table->view->base_table);
  if (!base) return true;
  const auto view = View::make(base, table, schema);
  if (!view) return error(Code::kInternal, view.error().message);
  cql_store::Range range;
  range.table = base->number.value;
  if (filling.after) range.first_token = cql_types::murmur3_token(filling.after->partition);
  range.after = std::move(filling.after);
  filling.after.reset();
  const Status filled = decide([&](const Snapshot& snapshot) -> Result<Mutation> {
    Mutation mutation;
    std::optional<cql_types::Failure> failed;
    int rows = 0;
    TRY(snapshot.scan(range, kBeforeAllTime, [&](const Row& row) {
      if (!row.is_static) {
        const auto place = (*view)->place_of(row);
        if (!place) failed = place.error();
        if (place && *place) (*view)->put(**place, row, mutation);
      }
      if (!failed && ++rows < kRowsAtOnce) return Snapshot::Next::kRow;
      filling.after = {std::string(row.partition), std::nullopt, false};
      if (!row.is_static) filling.after->clustering = std::string(row.clustering);
      return Snapshot::Next::kStop;
    }));
    if (failed) return error(Code::kInternal, failed->message);
    return mutation;
  });
  TRY(filled);
  return !filling.after;
}

Status IndexUpkeep::decide(cql_store::Store::Decide decide) {
  std::atomic<bool> finished = false;
  Status decided;
  store_.decide(std::move(decide), [&](Status status) {
    decided = std::move(status);
    finished = true;
    finished.notify_one();
  });
  finished.wait(false);
  return decided;
}

/// What was committed before is there to be read.
void IndexUpkeep::catch_up() {
  (void)decide([](const Snapshot&) -> Result<Mutation> { return Mutation(); });
}

bool IndexUpkeep::is_built(TableNumber index) const {
  const std::lock_guard lock(mutex_);
  return built_.contains(index);
}

void IndexUpkeep::forget(const cql_schema::TablePtr& table, std::vector<StaleEntry> entries,
                         std::int64_t asked_seconds) {
  // Who reads at another time than ours sees what has expired, or will.
  if (std::abs(asked_seconds - now_seconds()) > kOtherTime) return;
  store_.decide(
      [table, entries = std::move(entries)](const Snapshot& snapshot) -> Result<Mutation> {
        Mutation mutation;
        Row row;
        Snapshot::Buffer buffer;
        const std::int64_t now = now_seconds();
        for (const StaleEntry& entry : entries) {
          const auto index = std::ranges::find(table->indexes, entry.index, &Index::number);
          if (index == table->indexes.end()) continue;
          const auto& column = table->columns[static_cast<std::size_t>(table->find(index->column))];
          ASSIGN(const EntryPlace at, read_place(entry.place));
          const auto number = table->number.value;
          bool there = false;
          if (column.kind == cql_schema::ColumnKind::kPartitionKey) {
            TRY(snapshot.scan_partition(number, at.key.view(), {.with_static = table->has_static()},
                                        now, [&](const Row&) {
                                          there = true;
                                          return false;
                                        }));
          } else {
            const bool of_static = column.kind == cql_schema::ColumnKind::kStatic;
            ASSIGN(there, snapshot.read(number, at.key.view(), {at.clustering, "", of_static}, now,
                                        row, buffer));
          }
          if (there && still_has(*table, *index, column, row, entry.value)) continue;
          const Key partition = partition_of(entry.value);
          mutation.replace_row(entry.index.value, partition.view(), {.clustering = entry.place});
        }
        return mutation;
      },
      [](Status) {});
}

}  // namespace tailrace::cql_query
