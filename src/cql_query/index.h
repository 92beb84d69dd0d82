// Which relations a secondary index can answer, and what a query asks of it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cql_query/restriction.h"
#include "cql_schema/schema.h"

namespace tailrace::cql_query {

/// The index of the table that supports one of the restriction's relations, or null.
const cql_schema::Index* supporting_index(const cql_schema::Table& table,
                                          const Restriction& restriction);

/// Whether one index answers all of them, or the storage-attached ones do together.
bool indexes_answer(const cql_schema::Table& table,
                    const std::vector<const Restriction*>& restrictions);

/// The entries (index_entries.h) that conditions ask one index for: those of a value, or of a range
/// of values.
struct Lookup {
  const cql_schema::Index* index = nullptr;
  const cql_schema::Column* column = nullptr;
  std::optional<std::string> value = {};
  std::optional<std::string> from = {}, to = {};  // without a value; none: no bound
  bool with_from = false, with_to = false;

  bool takes(std::string_view other) const {
    if (value) return other == *value;
    return (!from || (with_from ? other >= *from : other > *from)) &&
           (!to || (with_to ? other <= *to : other < *to));
  }
};
/// What can be looked up. The rows with what all conditions ask are among those of each.
std::vector<Lookup> lookups(const cql_schema::Table& table, std::span<const Condition> conditions);

}  // namespace tailrace::cql_query
