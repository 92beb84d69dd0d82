// The reading of a SELECT: partitions and rows within its restrictions, filtered, grouped, counted,
// ordered, a page of them.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "cql_protocol/messages.h"
#include "cql_query/nearest.h"
#include "cql_query/restrictions.h"
#include "cql_query/select.h"
#include "cql_schema/schema.h"
#include "cql_terms/selection.h"

namespace tailrace::cql_query {

struct SelectPlan {
  cql_schema::TablePtr table;
  RestrictionsPtr restrictions;
  std::shared_ptr<const cql_terms::Selection> selection;
  bool distinct = false;
  bool backwards = false;
  /// A partition's static row is a result where the partition has no others.
  bool static_alone = false;
  /// All rows are one group; or rows are by partition and the first clustering columns.
  enum class Groups : std::uint8_t { kNone, kOne, kKeys };
  Groups groups = Groups::kNone;
  int group_columns = 0;  // clustering columns that make a group
  /// What is made of the last of them, where that is not the column itself.
  std::shared_ptr<const cql_terms::Selection> group_function;
  /// Places of the clustering columns that results of several partitions are sorted by.
  std::vector<int> order;
  /// ORDER BY … ANN OF.
  std::optional<Nearest> nearest = {};

  bool sorts() const { return !order.empty() || nearest; }
};

struct Limits {
  std::int32_t rows = std::numeric_limits<std::int32_t>::max();
  std::int32_t per_partition = std::numeric_limits<std::int32_t>::max();
  std::optional<std::int32_t> page = {};
};

Outcome<cql_protocol::Answer> select_rows(const SelectPlan& plan, const Source& source,
                                          const Bindings& bindings, std::int64_t now_seconds,
                                          const Limits& limits,
                                          std::optional<std::string_view> paging_state);

}  // namespace tailrace::cql_query
