// SELECT: prepared once, then run on one moment of the store, a page at a time.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "cql_protocol/messages.h"
#include "cql_query/foreign_table.h"
#include "cql_query/restrictions.h"
#include "cql_schema/system_tables.h"
#include "cql_store/store.h"
#include "cql_syntax/data_statements.h"
#include "cql_terms/selection.h"

namespace tailrace::cql_query {

/// An entry of an index that led to nothing (index_entries.h).
struct StaleEntry {
  cql_schema::TableNumber index;
  std::string value, place;
};

/// What a SELECT asks about the indexes of its table.
class Indexes {
 public:
  virtual ~Indexes() = default;
  /// All rows have their entries.
  virtual bool is_built(cql_schema::TableNumber index) const = 0;
  /// Removes entries that a read at `now_seconds` found to be stale, if they still are.
  virtual void forget(const cql_schema::TablePtr& table, std::vector<StaleEntry> entries,
                      std::int64_t now_seconds) = 0;
};

/// Where a SELECT reads: one of them.
struct Source {
  const cql_store::Store* store = nullptr;
  Indexes* indexes = nullptr;  // of the store's tables; null: they are not used
  const ForeignTable* foreign = nullptr;
  /// Of a virtual table.
  const std::vector<cql_schema::Values>* rows = nullptr;
};

struct Page {
  std::optional<std::int32_t> size = {};       // rows, or groups; none, or ≤ 0: all at once
  std::optional<std::string_view> state = {};  // of the page before
};

class Select {
 public:
  static Outcome<std::shared_ptr<const Select>> prepare(const cql_syntax::Select& statement,
                                                        const cql_schema::TablePtr& table,
                                                        const cql_terms::Scope& scope);
  virtual ~Select() = default;

  virtual const cql_schema::TablePtr& table() const = 0;
  virtual const std::shared_ptr<const std::vector<cql_protocol::ColumnSpec>>& columns() const = 0;
  /// It reads partitions by their keys, and nothing but the rows it gives: quick enough for the
  /// thread that asks, if they are few.
  virtual bool is_quick() const = 0;
  /// It sorts the rows of several partitions, which cannot be read in pages.
  virtual bool sorts() const = 0;
  virtual Outcome<cql_protocol::Answer> run(const Source& source, const Bindings& bindings,
                                            std::int64_t now_seconds, const Page& page) const = 0;
};
using SelectPtr = std::shared_ptr<const Select>;

}  // namespace tailrace::cql_query
