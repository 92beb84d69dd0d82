#include "cql_query/index_reader.h"

#include <algorithm>
#include <queue>

#include "cql_types/token.h"

namespace tailrace::cql_query {

using cql_store::Row;
using cql_store::Slice;
using cql_store::Snapshot;
using cql_types::Failure;

namespace {

/// Entries of a range of values that are put in order at a time; and that are looked at before the
/// table is scanned instead.
constexpr std::size_t kGathered = 1 << 14, kMostOfRange = 16 * kGathered;
/// To choose between indexes.
constexpr std::size_t kCounted = 128;
/// Entries that one query has removed.
constexpr std::size_t kMostStale = 1000;

Failure being_built() {
  Failure failure(cql_types::ErrorCode::kReadFailure,
                  "Operation failed - received 0 responses and 1 failures: INDEX_NOT_AVAILABLE "
                  "from /127.0.0.1:7000");
  failure.replicas = Failure::Replicas{};
  return failure;
}

}  // namespace

Outcome<bool> IndexReader::read() {
  ASSIGN(const auto conditions, rows_.plan_.restrictions->indexed(rows_.bindings_));
  std::vector<Lookup> all = lookups(table_, conditions);
  if (all.empty()) return false;
  std::erase_if(all, [&](const Lookup& one) { return !indexes_.is_built(one.index->number); });
  if (all.empty()) return std::unexpected(being_built());
  ASSIGN(lookup_, choose(all));
  bool answered = true;
  if (lookup_->value) {
    TRY(read_value());
  } else {
    ASSIGN(answered, read_values());
  }
  if (!stale_.empty()) indexes_.forget(rows_.plan_.table, std::move(stale_), rows_.now_seconds_);
  return answered;
}

Outcome<const Lookup*> IndexReader::choose(const std::vector<Lookup>& all) const {
  const Lookup* best = &all.front();
  std::size_t fewest = kCounted;
  if (all.size() == 1) return best;
  for (const Lookup& one : all) {
    ASSIGN(const std::size_t entries, count(one, fewest));
    if (entries < fewest || (entries == fewest && one.value && !best->value)) best = &one;
    fewest = std::min(fewest, entries);
  }
  return best;
}

Outcome<std::size_t> IndexReader::count(const Lookup& lookup, std::size_t most) const {
  std::size_t entries = 0;
  const auto counted = [&] { return ++entries < most; };
  const Slices within = places(lookup);
  if (lookup.value) {
    const Key partition = partition_of(*lookup.value);
    if (within.empty() || most == 0) return entries;
    TRY(snapshot_.scan_partition(lookup.index->number.value, partition.view(), {within},
                                 rows_.now_seconds_, [&](const Row&) { return counted(); }));
  } else if (most > 0) {
    TRY(scan_range(lookup, within, [&](const Key&, std::string_view) { return counted(); }));
  }
  return entries;
}

Slices IndexReader::places(const Lookup& lookup) const {
  Slices places;
  const auto place_of = [](std::int64_t token) {
    return entry_place({.bytes = "", .token = token}, "").substr(0, sizeof token);
  };
  if (!rows_.plan_.restrictions->is_key_range()) {
    for (const Key& key : rows_.keys_) places.push_back(slice_of_prefix(entry_place(key, "")));
  } else if (!rows_.tokens_.empty) {
    const bool to_end = rows_.tokens_.last == std::numeric_limits<std::int64_t>::max();
    places.push_back(
        {place_of(rows_.tokens_.first), to_end ? "" : place_of(rows_.tokens_.last + 1)});
  }
  places = normalised(std::move(places));
  if (!rows_.from_) return places;
  const auto& from = *rows_.from_;
  const Key key{from.partition, cql_types::murmur3_token(from.partition)};
  std::string begin = entry_place(key, "");
  if (from.partition_done) {
    begin = after_prefix(begin);
  } else if (is_of_rows(*lookup.column) && from.clustering) {
    begin = entry_place(key, *from.clustering) + '\0';
  }
  return intersection(places, {{begin, ""}});
}

Outcome<void> IndexReader::read_value() {
  const Slices within = places(*lookup_);
  if (within.empty()) return {};
  const std::string_view value = *lookup_->value;
  const Key partition = partition_of(*lookup_->value);
  std::optional<Failure> failed;
  bool stopped = false;
  TRY(snapshot_.scan_partition(lookup_->index->number.value, partition.view(), {within},
                               rows_.now_seconds_, [&](const Row& entry) {
                                 auto after = take(entry.clustering, {&value, 1});
                                 stopped = !after || *after == After::kStop;
                                 if (!after) failed = std::move(after.error());
                                 return !stopped;
                               }));
  if (failed) return std::unexpected(std::move(*failed));
  if (open_ && !stopped) TRY(rows_.results_.end_partition());
  return {};
}

Status IndexReader::scan_range(
    const Lookup& lookup, const Slices& places,
    const std::function<bool(const Key& value, std::string_view place)>& visit) const {
  cql_store::Range range;
  range.table = lookup.index->number.value;
  if (lookup.from) range.first_token = partition_of(*lookup.from).token;
  if (lookup.to) range.last_token = partition_of(*lookup.to).token;
  Key value;
  bool taken = false, first = true;
  return snapshot_.scan(range, rows_.now_seconds_, [&](const Row& entry) {
    if (first || entry.partition != value.bytes) {
      first = false;
      value.bytes = entry.partition;
      taken = lookup.takes(value.bytes);
    }
    if (!taken) return Snapshot::Next::kPartition;
    if (!in_slices(places, entry.clustering)) return Snapshot::Next::kRow;
    return visit(value, entry.clustering) ? Snapshot::Next::kRow : Snapshot::Next::kStop;
  });
}

Outcome<bool> IndexReader::gather(const Slices& places, std::vector<Found>& found,
                                  bool& too_many) const {
  const auto before = [](const Found& a, const Found& b) {
    return a.place != b.place ? a.place < b.place : a.value < b.value;
  };
  std::size_t seen = 0;
  TRY(scan_range(*lookup_, places, [&](const Key& value, std::string_view place) {
    if (++seen > kMostOfRange) return false;
    if (found.size() == kGathered) {
      if (place >= found.front().place) return true;
      std::ranges::pop_heap(found, before);
      found.pop_back();
    }
    found.push_back({std::string(place), value.bytes});
    std::ranges::push_heap(found, before);
    return true;
  }));
  too_many = seen > kMostOfRange;
  std::ranges::sort_heap(found, before);
  return seen > found.size();
}

Outcome<bool> IndexReader::read_values() {
  Slices within = places(*lookup_);
  while (!within.empty()) {
    std::vector<Found> found;
    bool too_many = false;
    ASSIGN(const bool more, gather(within, found, too_many));
    if (too_many) return false;  // the first time, or never
    std::vector<std::string_view> values;
    for (std::size_t i = 0; i < found.size();) {
      const std::string& place = found[i].place;
      values.clear();
      for (; i < found.size() && found[i].place == place; ++i) values.push_back(found[i].value);
      ASSIGN(const After after, take(place, values));
      if (after == After::kStop) return true;
    }
    if (!more) break;
    within = intersection(within, {{found.back().place + '\0', ""}});
  }
  if (open_) TRY(rows_.results_.end_partition());
  return true;
}

Outcome<After> IndexReader::take(std::string_view place, Values values) {
  ASSIGN(const EntryPlace entry, read_place(place));
  return is_of_rows(*lookup_->column) ? take_row(entry, place, values)
                                      : take_partition(entry.key, place, values);
}

bool IndexReader::check(bool there, std::string_view place, Values values) {
  bool any = false;
  for (const std::string_view value : values) {
    const bool has =
        there && still_has(table_, *lookup_->index, *lookup_->column, rows_.row_, value);
    any |= has;
    if (!has && stale_.size() < kMostStale)
      stale_.push_back({lookup_->index->number, std::string(value), std::string(place)});
  }
  return any;
}

Outcome<After> IndexReader::take_partition(const Key& key, std::string_view place, Values values) {
  const auto number = table_.number.value;
  bool there = false;
  if (lookup_->column->kind == cql_schema::ColumnKind::kStatic) {
    ASSIGN(there, snapshot_.read(number, key.view(), {"", "", true}, rows_.now_seconds_, rows_.row_,
                                 rows_.buffer_));
  } else {
    TRY(snapshot_.scan_partition(number, key.view(), {.with_static = table_.has_static()},
                                 rows_.now_seconds_, [&](const Row&) {
                                   there = true;
                                   return false;
                                 }));
  }
  if (!check(there, place, values)) return After::kNextRow;
  ASSIGN(const After after, rows_.read_key(snapshot_, key));
  return after == After::kStop ? after : After::kNextRow;
}

Outcome<After> IndexReader::enter(const Key& key) {
  if (open_ && key.bytes == partition_) return After::kNextRow;
  if (open_) {
    ASSIGN(const After after, rows_.results_.end_partition());
    if (after == After::kStop) return after;
  }
  partition_ = key.bytes;
  open_ = true;
  passed_ = false;
  TRY(rows_.results_.partition(key.bytes));
  if (table_.has_static()) {
    ASSIGN(const bool there, snapshot_.read(table_.number.value, key.view(), {"", "", true},
                                            rows_.now_seconds_, rows_.row_, rows_.buffer_));
    if (there) rows_.results_.static_row(rows_.row_);
  }
  return After::kNextRow;
}

Outcome<After> IndexReader::take_row(const EntryPlace& at, std::string_view place, Values values) {
  ASSIGN(const After entered, enter(at.key));
  if (entered == After::kStop) return entered;
  if (passed_ || !rows_.wanted(at.clustering)) return After::kNextRow;
  ASSIGN(const bool there, snapshot_.read(table_.number.value, at.key.view(), {at.clustering},
                                          rows_.now_seconds_, rows_.row_, rows_.buffer_));
  if (!check(there, place, values)) return After::kNextRow;
  ASSIGN(const After after, rows_.results_.row(rows_.row_));
  passed_ = after == After::kNextPartition;
  return after == After::kStop ? after : After::kNextRow;
}

}  // namespace tailrace::cql_query
