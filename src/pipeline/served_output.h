// The keyed tables of `serving` that follow one table: rows go into the writer's batch, so readers
// see whole steps, and to the sink, where served tables are kept somewhere else, too.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/kept_result.h"
#include "pipeline/graph.h"
#include "pipeline/serving_sink.h"
#include "table/keyed_table.h"

namespace tailrace::pipeline {

/// The rows with a null in a column of `key`.
std::vector<std::int64_t> null_key_rows(const arrow::RecordBatch& rows,
                                        std::span<const std::string> key);

/// The rows of a keyed table, their columns in the order of `schema`, which may have got columns
/// since they were written.
Status scan_keyed(const table::KeyedTable& keyed, const Schema& schema,
                  const std::function<Status(const Batch&)>& visit);

/// What is said of a name that no keyed table has.
inline std::unexpected<Error> nothing_served(std::string_view name) {
  return error(Code::kNotFound, fmt::format("nothing is served as `{}`", name));
}

class ServedOutput {
 public:
  /// Opens or creates the keyed tables; `again` empties them first.
  static Result<ServedOutput> open(const Table& table, const Project& project,
                                   table::Catalogue& catalogue, ServingSink* sink, bool again);

  /// `notes` go with the rows of the keyed table `noted`, also where `delta` is empty.
  Status accept(const Delta& delta, kv::WriteBatch& batch, std::string_view noted = {},
                std::span<const engine::KeptNote> notes = {}) const;
  const std::vector<std::shared_ptr<const table::KeyedTable>>& tables() const { return tables_; }
  /// Null: none of them has the name.
  std::shared_ptr<const table::KeyedTable> find(std::string_view name) const;

 private:
  Status serve(const table::KeyedTable& keyed, const Delta& delta, table::KeyedTable::Notes notes,
               kv::WriteBatch& batch) const;

  bool streaming_ = false;
  ServingSink* sink_ = nullptr;  ///< of the keyed tables' rows, too; or null
  std::vector<std::shared_ptr<const table::KeyedTable>> tables_;
};

}  // namespace tailrace::pipeline
