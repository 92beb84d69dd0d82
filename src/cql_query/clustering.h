// Slices of clusterings as ranges of sort keys, and what is done with sets of them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cql_query/restrictions.h"

namespace tailrace::cql_query {

/// Ranges in order, apart from each other; an empty `end` is no bound.
using Slices = std::vector<cql_store::Slice>;

/// The first key after every key that starts with `prefix`; empty when there is none.
std::string after_prefix(std::string_view prefix);

/// Appends the sort key of one clustering column; of null one before all values.
Outcome<void> append_clustering_key(std::string& out, const cql_schema::Column& column,
                                    cql_types::Part value);

/// All that starts with `prefix`.
cql_store::Slice slice_of_prefix(std::string_view prefix);

/// What a bound on columns leaves: (a, b, c) > (x, y, z) as tuples compare, of columns whose orders
/// may differ. `columns` are those of `values`, which follow `prefix`.
struct BoundValues {
  std::vector<std::optional<std::string>> values;
  bool inclusive = false;
  bool lower = false;  // > and >=
};
Outcome<Slices> slices_of_bound(std::string_view prefix,
                                std::span<const cql_schema::Column* const> columns,
                                const BoundValues& bound);

Slices intersection(const Slices& a, const Slices& b);
/// In order, and joined where they touch.
Slices normalised(Slices slices);

}  // namespace tailrace::cql_query
