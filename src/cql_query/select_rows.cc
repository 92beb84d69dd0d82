// The reading of a SELECT.
#include "cql_query/select_rows.h"

#include <algorithm>
#include <functional>
#include <tuple>

#include "cql_query/clustering.h"
#include "cql_query/paging.h"
#include "cql_query/source_row.h"
#include "cql_types/parts.h"
#include "cql_types/sort_key.h"
#include "cql_types/token.h"

namespace tailrace::cql_query {
namespace {

using cql_protocol::Answer;
using cql_store::Row;
using cql_store::Slice;
using cql_store::Snapshot;
using cql_terms::InputValue;
using cql_types::Failure;
using cql_types::Part;
using Groups = SelectPlan::Groups;

/// What the reader of rows is to do after one.
enum class After : std::uint8_t { kNextRow, kNextPartition, kStop };

/// Takes rows in their order and makes the page of results.
class Results {
 public:
  Results(const SelectPlan& plan, const Bindings& bindings, std::int64_t now_seconds,
          const Limits& limits, const std::optional<PagingState>& from)
      : plan_(plan),
        limits_(limits),
        row_(*plan.table, now_seconds),
        evaluation_(plan.selection->evaluate(bindings)),
        inputs_(plan.selection->fetched().size()),
        bindings_(bindings) {
    if (!from) return;
    limits_.rows = from->left;
    resumed_in_partition_ = limits.per_partition - from->left_in_partition;
    resumed_ = from->partition;
  }

  Outcome<void> begin() {
    TRY(evaluation_->begin());
    ASSIGN(filter_, plan_.restrictions->filter(bindings_));
    return {};
  }

  Outcome<void> partition(std::string_view key) {
    TRY(row_.partition(key));
    partition_ = key;
    clustering_.reset();
    partition_done_ = false;
    in_partition_ = 0;
    seen_ = false;
    static_.clear();
    row_.static_row(nullptr);
    if (resumed_ && *resumed_ == key) {
      in_partition_ = resumed_in_partition_;
      seen_ = true;
    }
    resumed_.reset();
    return {};
  }
  void static_row(const Row& row) {
    static_.assign(row);
    row_.static_row(static_.get());
  }
  Outcome<After> row(const Row& row) {
    seen_ = true;
    TRY(row_.row(&row));
    return take(row.clustering);
  }
  Outcome<After> values(const cql_schema::Values& values, std::string_view clustering) {
    seen_ = true;
    row_.values(&values);
    return take(clustering);
  }
  /// The partition has no further rows.
  Outcome<After> end_partition() {
    if (seen_ || static_.get() == nullptr || !plan_.static_alone) return After::kNextRow;
    TRY(row_.row(nullptr));
    partition_done_ = true;
    return take(std::nullopt);
  }

  Outcome<Answer> finish() {
    if (plan_.groups == Groups::kOne || (open_group_ && plan_.selection->has_aggregates())) {
      TRY(close_group());
    } else if (open_group_) {
      ++count_;
    }
    cql_protocol::Rows rows;
    rows.columns = plan_.selection->columns();
    if (!plan_.order.empty()) sort();
    if (plan_.groups == Groups::kOne || !plan_.order.empty())
      count_ = std::min(count_, limits_.rows);
    rows.count = count_;
    rows.content = std::move(content_);
    if (page_full_ && limits_.rows > count_) {
      PagingState state;
      state.table = plan_.table->number.value;
      state.left = limits_.rows - count_;
      state.left_in_partition = limits_.per_partition - in_partition_;
      state.partition = last_partition_;
      state.clustering = last_clustering_;
      state.partition_done = last_partition_done_;
      rows.paging_state = encode(state);
    }
    return Answer{std::move(rows), {}};
  }

 private:
  bool page_reached() const { return limits_.page && count_ >= *limits_.page; }
  bool limit_reached() const {
    return plan_.groups != Groups::kOne && plan_.order.empty() && count_ >= limits_.rows;
  }

  /// The row in hand, if it passes the filter.
  Outcome<After> take(std::optional<std::string_view> clustering) {
    for (const auto& condition : filter_)
      if (!satisfies(row_, *plan_.table, condition)) return After::kNextRow;
    if (plan_.groups == Groups::kKeys) {
      ASSIGN(const After after, next_in_group());
      if (after != After::kNextRow) return after;
    }
    TRY(evaluate());
    last_partition_ = partition_;
    last_clustering_.reset();
    if (clustering) last_clustering_ = std::string(*clustering);
    last_partition_done_ = partition_done_ || plan_.distinct;
    if (plan_.groups == Groups::kOne)
      return plan_.distinct ? After::kNextPartition : After::kNextRow;
    if (plan_.groups == Groups::kNone) {
      ++count_;
      ++in_partition_;
      if (limit_reached()) return After::kStop;
      if (page_reached()) {
        last_partition_done_ |= in_partition_ >= limits_.per_partition;
        page_full_ = true;
        return After::kStop;
      }
      if (in_partition_ >= limits_.per_partition) return After::kNextPartition;
    }
    return plan_.distinct ? After::kNextPartition : After::kNextRow;
  }

  /// Ends the group before where the row in hand starts another.
  Outcome<After> next_in_group() {
    std::string group;
    cql_types::append_part(group, partition_);
    const int plain = plan_.group_columns - (plan_.group_function ? 1 : 0);
    for (int i = 0; i < plain; ++i)
      cql_types::append_part(group, row_.value(plan_.table->partition_columns + i));
    if (plan_.group_function) {
      const InputValue input{row_.value(plan_.group_function->fetched().front().column), {}};
      auto evaluation = plan_.group_function->evaluate(bindings_);
      TRY(evaluation->row({&input, 1}, group));
    }
    first_of_group_ = !open_group_ || group != group_;
    if (!first_of_group_) return After::kNextRow;
    const bool same_partition = open_group_ && group_partition_ == partition_;
    if (open_group_) {
      if (plan_.selection->has_aggregates()) {
        TRY(close_group());
      } else {
        ++count_;
      }
      open_group_ = false;
      if (same_partition) ++in_partition_;
      if (limit_reached()) return After::kStop;
      if (page_reached()) {
        last_partition_done_ |= same_partition && in_partition_ >= limits_.per_partition;
        if (!same_partition) in_partition_ = 0;
        page_full_ = true;
        return After::kStop;
      }
    }
    if (in_partition_ >= limits_.per_partition) return After::kNextPartition;
    open_group_ = true;
    group_ = std::move(group);
    group_partition_ = partition_;
    return After::kNextRow;
  }

  Outcome<void> close_group() {
    const std::size_t at = content_.size();
    TRY(evaluation_->end_group(content_));
    if (content_.size() > at || plan_.groups == Groups::kOne) ++count_;
    return {};
  }

  Outcome<void> evaluate() {
    const bool aggregates = plan_.selection->has_aggregates();
    if (plan_.groups == Groups::kKeys && !aggregates && !first_of_group_) return {};
    const auto& fetched = plan_.selection->fetched();
    const std::size_t start = content_.size();
    if (plan_.selection->plain() && !aggregates) {
      for (const auto& column : fetched)
        cql_types::append_part(content_, row_.value(column.column));
    } else {
      for (std::size_t i = 0; i < fetched.size(); ++i) {
        inputs_[i].value = row_.value(fetched[i].column);
        if (fetched[i].cells) inputs_[i].cells = row_.times(fetched[i].column);
      }
      TRY(evaluation_->row(inputs_, content_));
    }
    if (!plan_.order.empty()) sorted_.push_back({order_key(), start, content_.size() - start});
    return {};
  }

  std::string order_key() {
    std::string key;
    for (const int place : plan_.order) {
      const auto& column = plan_.table->columns[static_cast<std::size_t>(place)];
      // A value that was a key when it was written is one now.
      (void)cql_types::append_sort_key(key, *column.type, row_.value(place), column.descending);
    }
    return key;
  }

  void sort() {
    std::ranges::stable_sort(sorted_, [&](const Sorted& a, const Sorted& b) {
      return plan_.backwards ? b.key < a.key : a.key < b.key;
    });
    std::string content;
    content.reserve(content_.size());
    const auto most = std::min(sorted_.size(), static_cast<std::size_t>(limits_.rows));
    for (std::size_t i = 0; i < most; ++i) content.append(content_, sorted_[i].at, sorted_[i].size);
    content_ = std::move(content);
  }

  struct Sorted {
    std::string key;
    std::size_t at = 0, size = 0;
  };

  const SelectPlan& plan_;
  Limits limits_;
  SourceRow row_;
  std::unique_ptr<cql_terms::Evaluation> evaluation_;
  std::vector<InputValue> inputs_;
  const Bindings& bindings_;
  std::vector<Condition> filter_;

  std::string partition_;
  std::optional<std::string> clustering_;
  KeptRow static_;
  bool seen_ = false, partition_done_ = false;
  std::int32_t in_partition_ = 0;
  std::optional<std::string> resumed_;
  std::int32_t resumed_in_partition_ = 0;

  bool open_group_ = false, first_of_group_ = false;
  std::string group_, group_partition_;

  std::string content_;
  std::vector<Sorted> sorted_;
  std::int32_t count_ = 0;
  bool page_full_ = false;
  std::string last_partition_;
  std::optional<std::string> last_clustering_;
  bool last_partition_done_ = false;
};

bool in_slices(const Slices& slices, std::string_view clustering) {
  return std::ranges::any_of(slices, [&](const Slice& slice) {
    return clustering >= slice.begin && (slice.end.empty() || clustering < slice.end);
  });
}

/// Brings rows of the restrictions' partitions to Results.
class Reader {
 public:
  Reader(const SelectPlan& plan, const Bindings& bindings, std::int64_t now_seconds,
         const std::optional<PagingState>& from, Results& results)
      : plan_(plan),
        table_(*plan.table),
        bindings_(bindings),
        now_seconds_(now_seconds),
        from_(from),
        results_(results) {}

  Outcome<void> prepare() {
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
        if (!keys_.empty() && at != keys_.end() && from_->partition_done)
          keys_.erase(keys_.begin());
      }
    }
    return {};
  }

  Outcome<void> read(const cql_store::Store& store);
  Outcome<void> read(const std::vector<cql_schema::Values>& rows);
  Outcome<void> read(const ForeignTable& foreign);

 private:
  /// Whether a row of a range of keys is among those that are read.
  bool wanted(std::string_view clustering) const {
    if (!by_names_) return in_slices(slices_, clustering);
    return std::ranges::find(clusterings_, clustering, &Clustering::key) != clusterings_.end();
  }
  /// Slices of a partition, without what a page before has given.
  Slices slices_left(std::string_view partition) const {
    if (!from_ || from_->partition != partition || !from_->clustering) return slices_;
    const Slice left = plan_.backwards ? Slice{"", *from_->clustering}
                                       : Slice{after_prefix(*from_->clustering), ""};
    // Of a table without clustering columns the one row was given.
    if (from_->clustering->empty()) return {};
    return intersection(slices_, {left});
  }
  bool given(std::string_view partition, std::string_view clustering) const {
    if (!from_ || from_->partition != partition) return false;
    if (!from_->clustering) return false;
    return plan_.backwards ? clustering >= *from_->clustering : clustering <= *from_->clustering;
  }

  Outcome<After> read_key(const Snapshot& snapshot, const Key& key);
  Outcome<After> read_names(const Snapshot& snapshot, const Key& key);
  Outcome<After> read_key(const ForeignTable& foreign, const Key& key);
  Outcome<void> read_range(const Snapshot& snapshot);

  const SelectPlan& plan_;
  const cql_schema::Table& table_;
  const Bindings& bindings_;
  std::int64_t now_seconds_;
  const std::optional<PagingState>& from_;
  Results& results_;
  bool by_names_ = false;
  std::vector<Clustering> clusterings_;
  Slices slices_;
  std::vector<Key> keys_;
  TokenRange tokens_;
  Row row_;
  Snapshot::Buffer buffer_;
};

Outcome<After> Reader::read_names(const Snapshot& snapshot, const Key& key) {
  const auto number = table_.number.value;
  if (table_.has_static()) {
    ASSIGN(const bool there,
           snapshot.read(number, key.view(), {"", "", true}, now_seconds_, row_, buffer_));
    if (there) results_.static_row(row_);
  }
  for (const auto& clustering : clusterings_) {
    if (given(key.bytes, clustering.key)) continue;
    ASSIGN(const bool there,
           snapshot.read(number, key.view(), {clustering.key}, now_seconds_, row_, buffer_));
    if (!there) continue;
    ASSIGN(const After after, results_.row(row_));
    if (after == After::kStop) return after;
    if (after == After::kNextPartition) break;
  }
  return results_.end_partition();
}

Outcome<After> Reader::read_key(const Snapshot& snapshot, const Key& key) {
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

Outcome<void> Reader::read_range(const Snapshot& snapshot) {
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

Outcome<void> Reader::read(const cql_store::Store& store) {
  const auto snapshot = store.snapshot();
  if (plan_.restrictions->is_key_range()) return read_range(*snapshot);
  for (const Key& key : keys_) {
    ASSIGN(const After after, read_key(*snapshot, key));
    if (after == After::kStop) break;
  }
  return {};
}

/// A row that is not the store's, with the keys it would have there.
struct LocatedRow {
  Key partition;
  std::string clustering;
  const cql_schema::Values* values = nullptr;
};

Outcome<LocatedRow> located(const cql_schema::Table& table, const cql_schema::Values& values) {
  LocatedRow row;
  std::vector<std::string_view> key;
  for (int i = 0; i < table.partition_columns; ++i) {
    const auto& value = values[static_cast<std::size_t>(i)];
    key.push_back(value ? std::string_view(*value) : std::string_view());
  }
  if (key.size() == 1) {
    row.partition.bytes = key.front();
  } else {
    ASSIGN(row.partition.bytes, cql_types::partition_key(key));
  }
  row.partition.token = cql_types::murmur3_token(row.partition.bytes);
  for (int i = 0; i < table.clustering_columns; ++i) {
    const auto& value = values[static_cast<std::size_t>(table.partition_columns + i)];
    TRY(append_clustering_key(row.clustering, table.clustering_column(i),
                              value ? std::string_view(*value) : std::string_view()));
  }
  row.values = &values;
  return row;
}

/// The rows of a virtual table in the order that the store would have them in.
Outcome<std::vector<LocatedRow>> in_order(const cql_schema::Table& table,
                                          const std::vector<cql_schema::Values>& rows) {
  std::vector<LocatedRow> all;
  for (const auto& values : rows) {
    ASSIGN(auto row, located(table, values));
    all.push_back(std::move(row));
  }
  std::ranges::sort(all, [](const LocatedRow& a, const LocatedRow& b) {
    return std::tie(a.partition.token, a.partition.bytes, a.clustering) <
           std::tie(b.partition.token, b.partition.bytes, b.clustering);
  });
  return all;
}

/// The columns of a whole key, or of its partition alone.
class KeyValues {
 public:
  KeyValues(const cql_schema::Table& table, std::string_view partition) : table_(table) {
    values_.resize(static_cast<std::size_t>(table.partition_columns));
    if (values_.size() == 1) {
      values_[0] = partition;
    } else if (!cql_types::split_partition_key(partition, values_)) {
      values_.clear();
    }
  }
  Status clustering(std::string_view key, std::string_view raw) {
    ASSIGN(const auto parts, decode_clustering(table_, key, raw, buffer_));
    for (const auto& part : parts) values_.push_back(part.value_or(std::string_view()));
    return {};
  }
  std::span<const std::string_view> all() const { return values_; }

 private:
  const cql_schema::Table& table_;
  std::vector<std::string_view> values_;
  std::vector<std::string> buffer_;
};

/// Gives rows to `take` until it says to stop, or fails.
class Taking {
 public:
  using Take = std::function<Outcome<bool>(const cql_schema::Values&)>;
  explicit Taking(Take take) : take_(std::move(take)) {}

  ForeignTable::Visit visit() {
    return [this](const cql_schema::Values& values) {
      auto on = take_(values);
      if (!on) failed_ = std::move(on.error());
      return on && *on;
    };
  }
  Outcome<void> result() {
    if (failed_) return std::unexpected(std::move(*failed_));
    return {};
  }

 private:
  Take take_;
  std::optional<Failure> failed_;
};

Outcome<After> Reader::read_key(const ForeignTable& foreign, const Key& key) {
  TRY(results_.partition(key.bytes));
  const Slices slices = slices_left(key.bytes);
  After next = After::kNextRow;
  Taking taking([&](const cql_schema::Values& values) -> Outcome<bool> {
    ASSIGN(const auto row, located(table_, values));
    if (!by_names_ && !in_slices(slices, row.clustering)) return true;
    ASSIGN(next, results_.values(values, row.clustering));
    return next == After::kNextRow;
  });
  if (!by_names_) {
    const KeyValues partition(table_, key.bytes);
    TRY(foreign.rows(partition.all(), plan_.backwards, taking.visit()));
    TRY(taking.result());
    return next;
  }
  for (const auto& clustering : clusterings_) {
    if (given(key.bytes, clustering.key)) continue;
    KeyValues whole(table_, key.bytes);
    TRY(whole.clustering(clustering.key, clustering.raw));
    TRY(foreign.rows(whole.all(), false, taking.visit()));
    TRY(taking.result());
    if (next != After::kNextRow) break;
  }
  return next;
}

Outcome<void> Reader::read(const ForeignTable& foreign) {
  if (!plan_.restrictions->is_key_range()) {
    for (const Key& key : keys_) {
      ASSIGN(const After after, read_key(foreign, key));
      if (after == After::kStop) break;
    }
    return {};
  }
  if (tokens_.empty) return {};
  std::optional<KeyValues> after;
  std::string current, skipped;
  bool open = false, skip = false;
  if (from_) {
    after.emplace(table_, from_->partition);
    if (from_->clustering) TRY(after->clustering(*from_->clustering, ""));
    if (from_->partition_done) {
      current = from_->partition;
      open = skip = true;
    }
  }
  Taking taking([&](const cql_schema::Values& values) -> Outcome<bool> {
    ASSIGN(const auto row, located(table_, values));
    if (row.partition.token < tokens_.first || row.partition.token > tokens_.last) return true;
    if (!open || row.partition.bytes != current) {
      current = row.partition.bytes;
      open = true;
      skip = false;
      TRY(results_.partition(current));
    }
    if (skip || !wanted(row.clustering)) return true;
    ASSIGN(const After next, results_.values(values, row.clustering));
    skip = next == After::kNextPartition;
    return next != After::kStop;
  });
  TRY(foreign.scan(after ? after->all() : std::span<const std::string_view>(), taking.visit()));
  return taking.result();
}

Outcome<void> Reader::read(const std::vector<cql_schema::Values>& rows) {
  ASSIGN(auto all, in_order(table_, rows));
  std::erase_if(all, [&](const LocatedRow& row) {
    const bool here =
        plan_.restrictions->is_key_range()
            ? !tokens_.empty && row.partition.token >= tokens_.first &&
                  row.partition.token <= tokens_.last
            : std::ranges::find(keys_, row.partition.bytes, &Key::bytes) != keys_.end();
    return !here || !wanted(row.clustering);
  });
  if (plan_.backwards) {
    std::ranges::reverse(all);
    std::ranges::stable_sort(all, {}, [](const LocatedRow& row) { return row.partition.token; });
  }
  if (from_) {
    const auto last = std::ranges::find_if(all, [&](const LocatedRow& row) {
      return row.partition.bytes == from_->partition && row.clustering == from_->clustering;
    });
    if (last != all.end()) all.erase(all.begin(), last + 1);
  }
  const std::string* current = nullptr;
  bool skip = false;
  for (const auto& row : all) {
    if (current == nullptr || *current != row.partition.bytes) {
      current = &row.partition.bytes;
      skip = false;
      TRY(results_.partition(*current));
    }
    if (skip) continue;
    ASSIGN(const After after, results_.values(*row.values, row.clustering));
    if (after == After::kStop) break;
    skip = after == After::kNextPartition;
  }
  return {};
}

}  // namespace

Outcome<Answer> select_rows(const SelectPlan& plan, const Source& source, const Bindings& bindings,
                            std::int64_t now_seconds, const Limits& limits,
                            std::optional<std::string_view> paging_state) {
  std::optional<PagingState> from;
  if (paging_state && limits.page) {
    ASSIGN(from, decode_paging_state(*paging_state, plan.table->number.value));
  }
  Results results(plan, bindings, now_seconds, limits, from);
  TRY(results.begin());
  Reader reader(plan, bindings, now_seconds, from, results);
  TRY(reader.prepare());
  if (source.rows != nullptr) {
    TRY(reader.read(*source.rows));
  } else if (source.foreign != nullptr) {
    TRY(reader.read(*source.foreign));
  } else {
    TRY(reader.read(*source.store));
  }
  return results.finish();
}

}  // namespace tailrace::cql_query
