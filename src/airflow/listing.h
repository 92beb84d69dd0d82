// Rows of a list filtered, ordered and cut to a page, as Airflow's collections are.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "airflow/call.h"

namespace tailrace::airflow {

/// What a row is ordered by: null comes first, as in SQLite.
using SortKey = std::function<Json(const Json& row)>;

/// The keys that `order_by` may name; each is a member of the row unless the map says which.
struct Sorting {
  std::vector<std::string> allowed;
  std::map<std::string, std::string> members = {};  ///< name → member of the row
  bool by_primary_key = true;  ///< a list of its database; tasks are sorted by Python
};

/// Orders rows, which come in the order of Airflow's primary key, by the names of `order_by`
/// (`-name` descending). Equal ones keep their order; in a list of the database they have the
/// reverse where the first name is descending. 400 for a name that is not allowed, and for more
/// than ten.
Answer<void> sort(std::vector<Json>& rows, const std::vector<std::string>& order_by,
                  const Sorting& sorting);

/// {NAME: the rows from `offset` on, `limit` of them, "total_entries": how many there are}.
Json page(const std::string& name, std::vector<Json> rows, std::int64_t offset, std::int64_t limit);

/// Bounds of one member: `NAME_gte`, `_gt`, `_lte`, `_lt`, of a query or a body.
struct Range {
  std::optional<double> gte, gt, lte, lt;
  bool any() const { return gte || gt || lte || lt; }
  /// Null is in no range that has a bound.
  bool holds(const Json& value) const;
};

/// Times in rows are texts; they are compared as microseconds.
std::optional<double> number_of(const Json& value);

Range time_range(Parameters& parameters, const std::string& name);
Range number_range(Parameters& parameters, const std::string& name);
Range time_range(Body& body, const std::string& name);
Range number_range(Body& body, const std::string& name);

/// Whether a member is one of those asked for; nothing asked for: all are. `none` is null.
bool is_one_of(const Json& value, const std::vector<std::string>& wanted);

}  // namespace tailrace::airflow
