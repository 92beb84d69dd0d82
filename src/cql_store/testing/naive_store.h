// The store's promise said the slow way: every write is remembered, and a row is worked out from
// all of them by Cassandra's rules each time it is asked for.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "cql_store/store.h"

namespace tailrace::cql_store {

class NaiveStore {
 public:
  struct Write {
    enum Kind { kLiveness, kRowDeletion, kPut, kErase, kEraseAll, kAdd, kSlice, kPartition } kind;
    TableNumber table = 0;
    std::int64_t token = 0;
    std::string partition;
    bool is_static = false;
    std::string clustering;  // of a slice: its begin
    std::string end;         // of a slice
    std::uint32_t column = 0;
    std::string path, value;
    std::int64_t timestamp = 0, when = 0, amount = 0;
    std::int32_t ttl = 0;
  };
  void write(const Write& write) { history_.push_back(write); }
  std::size_t moment() const { return history_.size(); }

  /// A row as text, all that a reader can see of it; empty where it is not there.
  std::string row(TableNumber table, std::int64_t token, const std::string& partition,
                  bool is_static, const std::string& clustering, std::int64_t now,
                  std::size_t moment) const;

  /// Places of rows that were ever written, in the order of scans.
  using Place = std::tuple<std::int64_t, std::string, bool, std::string>;  // token, partition, is a
                                                                           // row, clustering
  std::set<Place> places(TableNumber table, std::size_t moment) const {
    std::set<Place> all;
    for (std::size_t i = 0; i < moment; ++i) {
      const Write& w = history_[i];
      if (w.table == table && w.kind < Write::kSlice)
        all.emplace(w.token, w.partition, !w.is_static, w.is_static ? "" : w.clustering);
    }
    return all;
  }

 private:
  std::vector<Write> history_;
};

/// What NaiveStore::row says, of a row that was read.
inline std::string text_of(const Row& row) {
  std::string text;
  if (row.liveness.timestamp != kNoTimestamp) {
    text += "live@" + std::to_string(row.liveness.timestamp) + "/" +
            std::to_string(row.liveness.ttl) + "/" + std::to_string(row.liveness.expires) + " ";
  }
  for (const Cell& cell : row.cells) {
    text += std::to_string(cell.column) + "[" + std::string(cell.path) +
            "]=" + std::string(cell.value) + "@" + std::to_string(cell.timestamp) + "/" +
            std::to_string(cell.ttl) + "/" + std::to_string(cell.expires) + " ";
  }
  return text;
}

inline std::string NaiveStore::row(TableNumber table, std::int64_t token,
                                   const std::string& partition, bool is_static,
                                   const std::string& clustering, std::int64_t now,
                                   std::size_t moment) const {
  std::vector<const Write*> mine;
  for (std::size_t i = 0; i < moment; ++i) {
    const Write& w = history_[i];
    if (w.table != table || w.token != token || w.partition != partition) continue;
    const bool slice_has = w.kind == Write::kSlice && !is_static && w.clustering <= clustering &&
                           (w.end.empty() || clustering < w.end);
    const bool row_has = w.kind < Write::kSlice && w.is_static == is_static &&
                         (is_static || w.clustering == clustering);
    if (slice_has || row_has || w.kind == Write::kPartition) mine.push_back(&w);
  }
  std::int64_t deleted = kNoTimestamp;
  std::map<std::uint32_t, std::int64_t> erased;
  for (const Write* w : mine) {
    if (w->kind == Write::kRowDeletion || w->kind >= Write::kSlice)
      deleted = std::max(deleted, w->timestamp);
    if (w->kind == Write::kEraseAll) {
      auto& at = erased.try_emplace(w->column, kNoTimestamp).first->second;
      at = std::max(at, w->timestamp);
    }
  }
  // The greatest wins: timestamp, ends some day, is a tombstone, when, a shorter ttl, value.
  using Claim = std::tuple<std::int64_t, bool, bool, std::int64_t, std::int32_t, std::string>;
  std::map<std::pair<std::uint32_t, std::string>, Claim> claims;
  std::map<std::uint32_t, std::optional<std::int64_t>> sums;
  std::optional<std::tuple<std::int64_t, bool, std::int64_t, std::int32_t>> liveness;
  for (const Write* w : mine) {
    const bool deletes = w->kind == Write::kRowDeletion || w->kind >= Write::kSlice;
    if (deletes) sums.clear();
    if (w->kind == Write::kErase) sums.erase(w->column);
    if (w->kind == Write::kAdd) sums[w->column] = sums[w->column].value_or(0) + w->amount;
    if (w->timestamp <= deleted) continue;
    if (w->kind == Write::kLiveness)
      liveness = std::max(liveness,
                          std::optional(std::tuple(w->timestamp, w->ttl != 0, w->when, -w->ttl)));
    if (w->kind != Write::kPut && w->kind != Write::kErase) continue;
    if (erased.contains(w->column) && w->timestamp <= erased[w->column]) continue;
    const bool tombstone = w->kind == Write::kErase;
    const bool ends = tombstone || w->ttl != 0;
    const Claim claim(w->timestamp, ends, tombstone, ends ? w->when : 0, -w->ttl, w->value);
    const auto [at, first] = claims.try_emplace({w->column, w->path}, claim);
    if (!first) at->second = std::max(at->second, claim);
  }
  Row seen;
  if (liveness) {
    const auto& [timestamp, ends, when, minus_ttl] = *liveness;
    if (!ends || now < when) seen.liveness = {timestamp, -minus_ttl, when};
  }
  std::vector<std::string> counted;
  counted.reserve(sums.size());
  std::map<std::pair<std::uint32_t, std::string>, Cell> cells;
  for (const auto& [place, claim] : claims) {
    const auto& [timestamp, ends, tombstone, when, minus_ttl, value] = claim;
    if (tombstone || (ends && now >= when)) continue;
    cells[place] = {place.first, place.second, timestamp, -minus_ttl, when, value};
  }
  for (const auto& [column, sum] : sums) {
    std::string bytes(8, '\0');
    for (int i = 0; i < 8; ++i)
      bytes[static_cast<std::size_t>(i)] =
          static_cast<char>(static_cast<std::uint64_t>(*sum) >> (56 - 8 * i));
    counted.push_back(std::move(bytes));
    cells[{column, ""}] = {column, "", 0, 0, 0, counted.back()};
  }
  for (const auto& [place, cell] : cells) seen.cells.push_back(cell);
  return text_of(seen);
}

}  // namespace tailrace::cql_store
