// WHERE: relations, checked and merged into what they restrict, with Cassandra's rules and
// sentences (StatementRestrictions of 5.0). Prepared once, bound for each execution.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cql_schema/schema.h"
#include "cql_store/store.h"
#include "cql_syntax/data_statements.h"
#include "cql_terms/term.h"
#include "cql_types/failure.h"
#include "cql_types/parts.h"

namespace tailrace::cql_query {

using cql_terms::Bindings;
using cql_types::Outcome;

enum class StatementKind : std::uint8_t { kInsert, kUpdate, kDelete, kSelect };
/// "INSERT", "UPDATE" …, as sentences have it.
std::string_view kind_name(StatementKind kind);

/// A whole clustering of a table.
struct Clustering {
  std::string key;  // sort keys, as cql_store::RowKey::clustering
  std::string raw;  // as cql_store::RowKey::raw: empty where the sort keys keep the bytes
};

/// Encodes the values of all clustering columns, or of the first ones of a COMPACT STORAGE table.
/// kInvalid for what cannot be a key.
Outcome<Clustering> encode_clustering(const cql_schema::Table& table,
                                      std::span<const std::string_view> values);
/// The values of the clustering columns of a row that was read; views into the row or `buffer`.
Result<std::vector<cql_types::Part>> decode_clustering(const cql_schema::Table& table,
                                                       std::string_view key, std::string_view raw,
                                                       std::vector<std::string>& buffer);

/// A partition key with its token.
struct Key {
  std::string bytes;
  std::int64_t token = 0;

  cql_store::PartitionKey view() const { return {token, bytes}; }
};

/// Tokens from first to last; none: nothing can be in it.
struct TokenRange {
  std::int64_t first = std::numeric_limits<std::int64_t>::min();
  std::int64_t last = std::numeric_limits<std::int64_t>::max();
  bool empty = false;
};

/// What filtering asks of a row: `a = ?` of a column that is no part of the read's bounds.
struct Condition {
  int column = 0;  // its place in Table::columns
  cql_syntax::Operator op = cql_syntax::Operator::kEqual;
  std::optional<std::string> element;  // column[element] = value
  std::string value;                   // bytes; of kIn …
  std::vector<std::string> values;     // … these
};

class Restrictions {
 public:
  struct Intent {
    StatementKind kind = StatementKind::kSelect;
    bool only_static = false;  // it selects or changes static columns alone
    bool allow_filtering = false;
    bool for_view = false;
  };
  /// The markers of the relations are told to `scope`.
  static Outcome<std::shared_ptr<const Restrictions>> prepare(
      const std::vector<cql_syntax::Relation>& relations, const cql_schema::TablePtr& table,
      const cql_terms::Scope& scope, const Intent& intent);
  virtual ~Restrictions() = default;

  /// No partition keys are named: a range of tokens is read.
  virtual bool is_key_range() const = 0;
  virtual bool uses_index() const = 0;
  virtual bool key_has_in() const = 0;
  virtual bool clustering_has_in() const = 0;
  virtual bool has_partition_key() const = 0;
  virtual bool has_clustering() const = 0;  // any clustering column is restricted
  virtual bool has_non_key() const = 0;
  virtual bool all_clustering_equal() const = 0;  // each by = : at most one row of a partition
  virtual bool is_column_range() const = 0;       // slices are read, not rows of whole clusterings
  virtual bool is_equal(int column) const = 0;    // the column is restricted by =
  virtual bool is_restricted(int column) const = 0;
  virtual bool has_slice_on_clustering() const = 0;

  /// The partition keys, without equal ones, in the order of their values. Not of a key range.
  virtual Outcome<std::vector<Key>> keys(const Bindings& bindings) const = 0;
  virtual Outcome<TokenRange> tokens(const Bindings& bindings) const = 0;
  /// Whole clusterings in clustering order: not of a column range. Of a table without clustering
  /// columns the empty one.
  virtual Outcome<std::vector<Clustering>> clusterings(const Bindings& bindings) const = 0;
  /// Slices in clustering order, apart from each other. No restriction: one slice of all.
  virtual Outcome<std::vector<cql_store::Slice>> slices(const Bindings& bindings) const = 0;
  /// What is left to be asked of each row; empty: nothing.
  virtual Outcome<std::vector<Condition>> filter(const Bindings& bindings) const = 0;
  /// All that indexes may be asked for; each row of the result has it.
  virtual Outcome<std::vector<Condition>> indexed(const Bindings& bindings) const = 0;
};
using RestrictionsPtr = std::shared_ptr<const Restrictions>;

}  // namespace tailrace::cql_query
