// Rows of the store, by key or by range of tokens.
#include "cql_query/row_reader.h"

#include <algorithm>

#include "cql_query/index_reader.h"
#include "cql_types/token.h"

namespace tailrace::cql_query {

using cql_store::Row;
using cql_store::Slice;
using cql_store::Snapshot;
using cql_types::Failure;

bool in_slices(const Slices& slices, std::string_view clustering) {
  return std::ranges::any_of(slices, [&](const Slice& slice) {
    return clustering >= slice.begin && (slice.end.empty() || clustering < slice.end);
  });
}

Outcome<void> RowReader::prepare() {
  const Restrictions& restrictions = *plan_.restrictions;
  by_names_ = !plan_.distinct && !restrictions.is_column_range();
  if (by_names_) {
    ASSIGN(clusterings_, restrictions.clusterings(bindings_));
    if (plan_.backwards) std::ranges::reverse(clusterings_);
  } else if (plan_.distinct) {
    slices_ = {slice_of_prefix("")};
  } else {
    ASSIGN(slices_, restrictions.slices(bindings_));
  }
  if (restrictions.is_key_range()) {
    ASSIGN(tokens_, restrictions.tokens(bindings_));
  } else {
    ASSIGN(keys_, restrictions.keys(bindings_));
    if (from_) {
      const auto at = std::ranges::find(keys_, from_->partition, &Key::bytes);
      keys_.erase(keys_.begin(), at == keys_.end() ? keys_.begin() : at);
      if (!keys_.empty() && at != keys_.end() && from_->partition_done) keys_.erase(keys_.begin());
    }
  }
  return {};
}

Slices RowReader::slices_left(std::string_view partition) const {
  if (!from_ || from_->partition != partition || !from_->clustering) return slices_;
  const Slice left =
      plan_.backwards ? Slice{"", *from_->clustering} : Slice{after_prefix(*from_->clustering), ""};
  // Of a table without clustering columns the one row was given.
  if (from_->clustering->empty()) return {};
  return intersection(slices_, {left});
}

bool RowReader::given(std::string_view partition, std::string_view clustering) const {
  if (!from_ || from_->partition != partition) return false;
  if (!from_->clustering) return false;
  return plan_.backwards ? clustering >= *from_->clustering : clustering <= *from_->clustering;
}

bool RowReader::wanted(std::string_view clustering) const {
  if (!by_names_) return in_slices(slices_, clustering);
  return std::ranges::find(clusterings_, clustering, &Clustering::key) != clusterings_.end();
}

template <typename Rows>
Outcome<After> RowReader::read_names(const Rows& rows, const Key& key) {
  const auto number = table_.number.value;
  if (table_.has_static()) {
    ASSIGN(const bool there,
           rows.read(number, key.view(), {"", "", true}, now_seconds_, row_, buffer_));
    if (there) results_.static_row(row_);
  }
  for (const auto& clustering : clusterings_) {
    if (given(key.bytes, clustering.key)) continue;
    ASSIGN(const bool there,
           rows.read(number, key.view(), {clustering.key}, now_seconds_, row_, buffer_));
    if (!there) continue;
    ASSIGN(const After after, results_.row(row_));
    if (after == After::kStop) return after;
    if (after == After::kNextPartition) break;
  }
  return results_.end_partition();
}

Outcome<After> RowReader::read_key(const Snapshot& snapshot, const Key& key) {
  TRY(results_.partition(key.bytes));
  if (by_names_) return read_names(snapshot, key);
  const Slices slices = slices_left(key.bytes);
  After next = After::kNextRow;
  std::optional<Failure> failed;
  const auto visit = [&](const Row& row) {
    if (row.is_static) {
      results_.static_row(row);
      return true;
    }
    auto after = results_.row(row);
    if (!after) {
      failed = std::move(after.error());
      return false;
    }
    next = *after;
    return next == After::kNextRow;
  };
  if (!slices.empty() || table_.has_static()) {
    const Slice nothing{std::string(1, '\0'), std::string(1, '\0')};
    std::vector<Slice> asked = slices;
    if (asked.empty()) asked.push_back(nothing);
    TRY(snapshot.scan_partition(table_.number.value, key.view(),
                                {asked, plan_.backwards, table_.has_static()}, now_seconds_,
                                visit));
  }
  if (failed) return std::unexpected(std::move(*failed));
  if (next != After::kNextRow) return next;
  return results_.end_partition();
}

Outcome<void> RowReader::read_range(const Snapshot& snapshot) {
  if (tokens_.empty) return {};
  cql_store::Range range;
  range.table = table_.number.value;
  range.first_token = tokens_.first;
  range.last_token = tokens_.last;
  std::string current;
  bool open = false;
  std::optional<Failure> failed;
  if (from_) {
    range.first_token = std::max(range.first_token, cql_types::murmur3_token(from_->partition));
    range.after =
        cql_store::Range::After{from_->partition, from_->clustering, from_->partition_done};
    if (table_.has_static() && !from_->partition_done) {
      const cql_store::PartitionKey key{cql_types::murmur3_token(from_->partition),
                                        from_->partition};
      TRY(results_.partition(from_->partition));
      ASSIGN(const bool there,
             snapshot.read(range.table, key, {"", "", true}, now_seconds_, row_, buffer_));
      if (there) results_.static_row(row_);
      current = from_->partition;
      open = true;
    }
  }
  using Next = Snapshot::Next;
  bool stopped = false;
  const auto take = [&](const Row& row) -> Outcome<Next> {
    if (!open || row.partition != current) {
      if (open) {
        ASSIGN(const After after, results_.end_partition());
        if (after == After::kStop) return Next::kStop;
      }
      current = row.partition;
      open = true;
      TRY(results_.partition(row.partition));
    }
    if (row.is_static) {
      results_.static_row(row);
      return Next::kRow;
    }
    const bool wanted =
        by_names_ ? std::ranges::any_of(
                        clusterings_, [&](const Clustering& c) { return c.key == row.clustering; })
                  : in_slices(slices_, row.clustering);
    if (!wanted) return Next::kRow;
    ASSIGN(const After after, results_.row(row));
    if (after == After::kStop) return Next::kStop;
    return after == After::kNextPartition ? Next::kPartition : Next::kRow;
  };
  TRY(snapshot.scan(range, now_seconds_, [&](const Row& row) {
    auto next = take(row);
    if (next && *next != Next::kStop) return *next;
    stopped = true;
    if (!next) failed = std::move(next.error());
    return Next::kStop;
  }));
  if (failed) return std::unexpected(std::move(*failed));
  if (open && !stopped) TRY(results_.end_partition());
  return {};
}

Outcome<void> RowReader::read(const cql_store::Store& store, Indexes* indexes) {
  const bool by_index = indexes != nullptr && plan_.restrictions->uses_index();
  if (!by_index && !plan_.restrictions->is_key_range() && is_one_row()) {
    TRY(results_.partition(keys_.front().bytes));
    TRY(read_names(store, keys_.front()));
    return {};
  }
  const auto snapshot = store.snapshot();
  if (by_index) {
    IndexReader reader(*this, *snapshot, *indexes);
    ASSIGN(const bool read, reader.read());
    if (read) return {};
  }
  if (plan_.restrictions->is_key_range()) return read_range(*snapshot);
  for (const Key& key : keys_) {
    ASSIGN(const After after, read_key(*snapshot, key));
    if (after == After::kStop) break;
  }
  return {};
}

}  // namespace tailrace::cql_query
