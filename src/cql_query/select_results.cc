// Results of a SELECT, row by row.
#include "cql_query/select_results.h"

#include <algorithm>

#include "cql_query/modification.h"
#include "cql_types/parts.h"
#include "cql_types/sort_key.h"

namespace tailrace::cql_query {

using cql_protocol::Answer;
using cql_store::Row;
using cql_terms::InputValue;
using Groups = SelectPlan::Groups;

Outcome<void> Results::begin() {
  TRY(evaluation_->begin());
  ASSIGN(filter_, plan_.restrictions->filter(bindings_));
  if (plan_.nearest) {
    ASSIGN(nearest_, NearestTo::bind(*plan_.nearest, *plan_.table, bindings_));
  }
  return {};
}

Outcome<void> Results::partition(std::string_view key) {
  partition_ = key;
  TRY(row_.partition(partition_));  // which keeps views
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

void Results::static_row(const Row& row) {
  if (!is_there(*plan_.table, row)) return;
  static_.assign(row);
  row_.static_row(static_.get());
}

Outcome<After> Results::row(const Row& row) {
  // Of a view: see view.h.
  if (plan_.table->view && row.liveness.timestamp == cql_store::kNoTimestamp)
    return After::kNextRow;
  if (!is_there(*plan_.table, row)) return After::kNextRow;
  seen_ = true;
  TRY(row_.row(&row));
  return take(row.clustering);
}

Outcome<After> Results::values(const cql_schema::Values& values, std::string_view clustering) {
  seen_ = true;
  row_.values(&values);
  return take(clustering);
}

Outcome<After> Results::end_partition() {
  if (seen_ || static_.get() == nullptr || !plan_.static_alone) return After::kNextRow;
  TRY(row_.row(nullptr));
  partition_done_ = true;
  return take(std::nullopt);
}

Outcome<Answer> Results::finish() {
  if (plan_.groups == Groups::kOne || (open_group_ && plan_.selection->has_aggregates())) {
    TRY(close_group());
  } else if (open_group_) {
    ++count_;
  }
  // Whether there is another group is not known before the next page asks.
  if (plan_.groups == Groups::kKeys && open_group_ && page_reached()) page_full_ = true;
  cql_protocol::Rows rows;
  rows.columns = plan_.selection->columns();
  if (plan_.sorts()) sort();
  if (plan_.groups == Groups::kOne || plan_.sorts()) count_ = std::min(count_, limits_.rows);
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

Outcome<After> Results::take(std::optional<std::string_view> clustering) {
  for (const auto& condition : filter_)
    if (!satisfies(row_, *plan_.table, condition)) return After::kNextRow;
  if (nearest_ && !is_near_enough()) return After::kNextRow;
  if (plan_.groups == Groups::kKeys) {
    ASSIGN(const After after, next_in_group());
    if (after != After::kNextRow) return after;
  }
  TRY(evaluate());
  last_partition_ = partition_;
  last_clustering_.reset();
  if (clustering) last_clustering_ = std::string(*clustering);
  last_partition_done_ = partition_done_ || plan_.distinct;
  if (plan_.groups == Groups::kOne) return plan_.distinct ? After::kNextPartition : After::kNextRow;
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

Outcome<After> Results::next_in_group() {
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

Outcome<void> Results::close_group() {
  const std::size_t at = content_.size();
  TRY(evaluation_->end_group(content_));
  if (content_.size() > at || plan_.groups == Groups::kOne) ++count_;
  return {};
}

Outcome<void> Results::evaluate() {
  const bool aggregates = plan_.selection->has_aggregates();
  if (plan_.groups == Groups::kKeys && !aggregates && !first_of_group_) return {};
  const auto& fetched = plan_.selection->fetched();
  const std::size_t start = content_.size();
  if (plan_.selection->plain() && !aggregates) {
    for (const auto& column : fetched) cql_types::append_part(content_, row_.value(column.column));
  } else {
    for (std::size_t i = 0; i < fetched.size(); ++i) {
      inputs_[i].value = row_.value(fetched[i].column);
      if (fetched[i].cells) inputs_[i].cells = row_.times(fetched[i].column);
    }
    TRY(evaluation_->row(inputs_, content_));
  }
  if (plan_.sorts()) sorted_.push_back({order_key(), start, content_.size() - start});
  if (nearest_) keep_nearest();
  return {};
}

bool Results::is_near_enough() {
  const auto vector = row_.value(plan_.nearest->column);
  if (!vector) return false;
  nearness_ = nearest_->key_of(*vector);
  return !nearness_.empty() && (farthest_.empty() || nearness_ < farthest_);
}

/// Twice as many as are asked for are kept at most.
void Results::keep_nearest() {
  const auto most = static_cast<std::size_t>(limits_.rows);
  if (sorted_.size() / 2 < most) return;
  sort();
  sorted_.resize(most);
  std::size_t at = 0;
  for (Sorted& one : sorted_) {
    one.at = at;
    at += one.size;
  }
  farthest_ = sorted_.back().key;
  count_ = limits_.rows;
}

std::string Results::order_key() {
  if (nearest_) return nearness_;
  std::string key;
  for (const int place : plan_.order) {
    const auto& column = plan_.table->columns[static_cast<std::size_t>(place)];
    // A value that was a key when it was written is one now.
    (void)cql_types::append_sort_key(key, *column.type, row_.value(place), column.descending);
  }
  return key;
}

void Results::sort() {
  std::ranges::stable_sort(sorted_, [&](const Sorted& a, const Sorted& b) {
    return plan_.backwards ? b.key < a.key : a.key < b.key;
  });
  std::string content;
  content.reserve(content_.size());
  const auto most = std::min(sorted_.size(), static_cast<std::size_t>(limits_.rows));
  for (std::size_t i = 0; i < most; ++i) content.append(content_, sorted_[i].at, sorted_[i].size);
  content_ = std::move(content);
}

}  // namespace tailrace::cql_query
