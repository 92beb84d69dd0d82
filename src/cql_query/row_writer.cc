#include "cql_query/row_writer.h"

#include <algorithm>

#include "base/check.h"

namespace tailrace::cql_query {

using cql_schema::Column;
using cql_schema::Table;

void RowWriter::row(const Table& table, const Key& key, const cql_store::RowKey& row) {
  to_.row(table.number.value, key.view(), row);
  if (size_ != nullptr) size_->row(table, key, row);
  dropped_ = table.dropped;
  if (!table.indexes.empty()) {
    if (!indexes_) indexes_.emplace(table);
    indexes_->row(key, row);
  }
  if (snapshot_ == nullptr) return;
  table_ = table.number.value;
  key_ = key;
  clustering_ = row.clustering;
  raw_ = row.raw;
  is_static_ = row.is_static;
  changes_.clear();
}

void RowWriter::liveness() {
  to_.liveness({times_.timestamp, times_.ttl, times_.expires});
  if (size_ != nullptr) size_->liveness(times_.ttl != 0);
  if (indexes_) check(indexes_->live(entry_life(times_.ttl, times_.expires)));
}

void RowWriter::delete_row() {
  to_.delete_row(deletion(times_.deletion));
}

void RowWriter::put(const Column& column, std::string_view path, std::string_view value) {
  if (is_dropped(column)) return;
  to_.put(column.number.value, path, times_.timestamp, value, times_.ttl, times_.expires);
  if (size_ != nullptr) size_->cell(column, path, value);
  if (indexes_) check(indexes_->put(column, path, value, entry_life(times_.ttl, times_.expires)));
  note(column, times_.timestamp, false, true, path, value);
}

void RowWriter::erase(const Column& column, std::string_view path) {
  if (is_dropped(column)) return;
  to_.erase(column.number.value, path, deletion(times_.timestamp));
  if (size_ != nullptr) size_->cell(column, path, {});
  note(column, times_.timestamp, false, false, path, {});
}

bool RowWriter::is_dropped(const Column& column) const {
  return std::ranges::any_of(dropped_, [&](const cql_schema::DroppedColumn& one) {
    return times_.timestamp <= one.dropped_us && one.column.name == column.name;
  });
}

void RowWriter::erase(const Column& column) {
  if (!column.type->is_multi_cell()) return erase(column, {});
  erase_all(column, times_.deletion);
}

void RowWriter::clear_before(const Column& column) {
  // Nothing is older than the oldest time there is.
  if (times_.timestamp - 1 != cql_store::kNoTimestamp) erase_all(column, times_.timestamp - 1);
}

void RowWriter::erase_all(const Column& column, std::int64_t timestamp) {
  to_.erase_all(column.number.value, deletion(timestamp));
  if (size_ != nullptr) size_->column(column);
  note(column, timestamp, true, false, {}, {});
}

void RowWriter::add(const Column& counter, std::int64_t amount) {
  to_.add(counter.number.value, amount);
  if (size_ != nullptr) size_->counter(counter);
}

void RowWriter::delete_slice(const Table& table, const Key& key, const cql_store::Slice& slice) {
  to_.delete_slice(table.number.value, key.view(), slice, deletion(times_.deletion));
  if (size_ != nullptr) size_->slice(table, key, slice);
}

void RowWriter::delete_partition(const Table& table, const Key& key) {
  if (table.clustering_columns > 0) {
    to_.delete_partition(table.number.value, key.view(), deletion(times_.deletion));
  } else {  // its row is all there is
    to_.row(table.number.value, key.view(), {});
    to_.delete_row(deletion(times_.deletion));
  }
  if (size_ != nullptr) size_->partition(table, key);
}

Outcome<void> RowWriter::finish() {
  if (refused_) return std::unexpected(std::move(*refused_));
  if (indexes_) indexes_->write_to(to_);
  return {};
}

void RowWriter::note(const Column& column, std::int64_t timestamp, bool whole_column, bool live,
                     std::string_view path, std::string_view value) {
  if (snapshot_ == nullptr) return;
  changes_.push_back(
      {column.number.value, timestamp, whole_column, live, std::string(path), std::string(value)});
}

Outcome<std::span<const SeenCell>> RowWriter::seen(const Column& column) {
  CHECK(snapshot_ != nullptr);
  seen_.clear();
  cql_store::Row row;
  cql_store::Snapshot::Buffer buffer;
  ASSIGN(const bool found, snapshot_->read(table_, key_.view(), {clustering_, raw_, is_static_},
                                           times_.now_seconds, row, buffer));
  if (found) {
    const auto [first, count] = row.of(column.number.value);
    for (const auto& cell : std::span(first, count)) {
      seen_.push_back({std::string(cell.path), std::string(cell.value), cell.timestamp});
    }
  }
  for (const Change& change : changes_) {
    if (change.column == column.number.value) apply(change);
  }
  return seen_;
}

void RowWriter::apply(const Change& change) {
  if (change.whole_column) {
    std::erase_if(seen_, [&](const SeenCell& cell) { return cell.timestamp <= change.timestamp; });
    return;
  }
  const auto at = std::ranges::lower_bound(seen_, change.path, {}, &SeenCell::path);
  const bool there = at != seen_.end() && at->path == change.path;
  if (there && at->timestamp > change.timestamp) return;
  if (!change.live) {
    if (there) seen_.erase(at);
  } else if (there) {
    if (at->timestamp < change.timestamp || at->value < change.value) {
      at->value = change.value;
      at->timestamp = change.timestamp;
    }
  } else {
    seen_.insert(at, {change.path, change.value, change.timestamp});
  }
}

}  // namespace tailrace::cql_query
