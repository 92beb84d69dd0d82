// The rows of a SELECT by an index: the entries of what is asked, in the order of the table's
// tokens; what they lead to is read and asked like any row.
//
// Of several conditions the index with the fewest entries leads, and the others are asked of each
// row. The entries of one value are in order as they lie. Those of a range of values are put in
// order some thousand at a time; where they are more than an index is worth, the table is scanned.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cql_query/index.h"
#include "cql_query/index_entries.h"
#include "cql_query/row_reader.h"

namespace tailrace::cql_query {

class IndexReader {
 public:
  IndexReader(RowReader& rows, const cql_store::Snapshot& snapshot, Indexes& indexes)
      : rows_(rows), table_(rows.table_), snapshot_(snapshot), indexes_(indexes) {}

  /// False: no index helps, and nothing was read. kReadFailure: they are still being made.
  Outcome<bool> read();

 private:
  struct Found {
    std::string place, value;
  };

  /// Which of them to go by; null: none.
  Outcome<const Lookup*> choose(const std::vector<Lookup>& all) const;
  /// How many entries there are, up to `most`.
  Outcome<std::size_t> count(const Lookup& lookup, std::size_t most) const;
  /// Where entries may lie: within the tokens or the keys, behind the page before.
  Slices places(const Lookup& lookup) const;
  Status scan_range(
      const Lookup& lookup, const Slices& places,
      const std::function<bool(const Key& value, std::string_view place)>& visit) const;

  Outcome<void> read_value();
  Outcome<bool> read_values();
  /// The first some thousand within `places`, in order; true: there are more.
  Outcome<bool> gather(const Slices& places, std::vector<Found>& found, bool& too_many) const;

  /// Follows the entries of one place, each of a value. kStop: the page is full.
  using Values = std::span<const std::string_view>;
  Outcome<After> take(std::string_view place, Values values);
  Outcome<After> take_partition(const Key& key, std::string_view place, Values values);
  Outcome<After> take_row(const EntryPlace& at, std::string_view place, Values values);
  Outcome<After> enter(const Key& key);
  /// Those of the values that the row in hand does not have are stale; whether one is not.
  bool check(bool there, std::string_view place, Values values);

  RowReader& rows_;
  const cql_schema::Table& table_;
  const cql_store::Snapshot& snapshot_;
  Indexes& indexes_;
  const Lookup* lookup_ = nullptr;

  std::string partition_;  // the one in hand
  bool open_ = false, passed_ = false;
  std::vector<StaleEntry> stale_;
};

}  // namespace tailrace::cql_query
