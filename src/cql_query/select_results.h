// What a SELECT makes of rows: filtered, grouped, counted, ordered, a page of them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cql_query/paging.h"
#include "cql_query/select_rows.h"
#include "cql_query/source_row.h"

namespace tailrace::cql_query {

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

  Outcome<void> begin();

  Outcome<void> partition(std::string_view key);
  void static_row(const cql_store::Row& row);
  Outcome<After> row(const cql_store::Row& row);
  Outcome<After> values(const cql_schema::Values& values, std::string_view clustering);
  /// The partition has no further rows.
  Outcome<After> end_partition();

  Outcome<cql_protocol::Answer> finish();

 private:
  bool page_reached() const { return limits_.page && count_ >= *limits_.page; }
  bool limit_reached() const {
    return plan_.groups != SelectPlan::Groups::kOne && !plan_.sorts() && count_ >= limits_.rows;
  }

  /// The row in hand, if it passes the filter.
  Outcome<After> take(std::optional<std::string_view> clustering);

  /// Ends the group before where the row in hand starts another.
  Outcome<After> next_in_group();

  Outcome<void> close_group();

  Outcome<void> evaluate();

  std::string order_key();
  /// Of a query for the nearest: notes how near the row in hand is, if it may be a result.
  bool is_near_enough();
  void keep_nearest();

  void sort();

  struct Sorted {
    std::string key;
    std::size_t at = 0, size = 0;
  };

  const SelectPlan& plan_;
  Limits limits_;
  SourceRow row_;
  std::unique_ptr<cql_terms::Evaluation> evaluation_;
  std::vector<cql_terms::InputValue> inputs_;
  const Bindings& bindings_;
  std::vector<Condition> filter_;
  std::optional<NearestTo> nearest_;
  std::string nearness_, farthest_;  // of the row in hand; of the results, once there are enough

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

}  // namespace tailrace::cql_query
