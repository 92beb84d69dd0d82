// Where one table's changes go: its Delta table in the lake, and the keyed tables of `serving` that
// follow it.
//
// Serving rows go into the step's write, so readers see whole steps. Lake rows become visible at a
// checkpoint: prepare() says the commit as text, publish() makes it visible (twice is once).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lake/delta_table.h"
#include "pipeline/graph.h"
#include "pipeline/lake_writer.h"
#include "pipeline/served_output.h"
#include "telemetry/span.h"

namespace tailrace::pipeline {

class TableOutput {
 public:
  /// Opens or creates DATA/lake/NAME and the keyed tables; `again` empties them first.
  static Result<std::unique_ptr<TableOutput>> open(const Table& table, const std::string& data,
                                                   const Project& project,
                                                   table::Catalogue& catalogue, LakeWriter& writer,
                                                   ServingSink* sink, bool again);

  /// `notes` go with the rows of the keyed table `noted`, also where `delta` is empty.
  Status accept(Delta delta, kv::WriteBatch& batch, std::string_view noted = {},
                std::span<const engine::KeptNote> notes = {});
  /// Posts the preparation of the lake commit of everything accepted since the last.
  void begin_prepare(std::int64_t checkpoint);
  /// That commit; empty when there was nothing. On the writer's thread, after the preparation.
  std::string prepared() const { return prepared_.empty() ? std::string() : prepared_.to_text(); }
  /// Posts what was prepared to the writer, and the joining of small files when there are many.
  /// `checkpoint`: whose span the commit's belongs to; not valid: it has none.
  void publish(const telemetry::SpanContext& checkpoint);
  /// The same for a commit that prepared() gave before a crash.
  void publish(const std::string& commit);
  /// Deletes files that left the table, or never were in it, longer than `after` ago.
  void vacuum(std::chrono::milliseconds after);

  std::int64_t rows() const { return rows_; }
  void set_rows(std::int64_t rows) { rows_ = rows; }

  Status scan_lake(const std::function<Status(const Batch&)>& visit) const;
  const std::vector<std::shared_ptr<const table::KeyedTable>>& served() const {
    return served_.tables();
  }
  std::shared_ptr<const table::KeyedTable> find_served(std::string_view name) const {
    return served_.find(name);
  }

 private:
  TableOutput(std::string app_id, bool streaming, LakeWriter& writer)
      : app_id_(std::move(app_id)), streaming_(streaming), writer_(writer) {}

  Status publish_traced(const lake::Prepared& prepared, const telemetry::SpanContext& checkpoint);

  std::string app_id_;
  bool streaming_;  ///< rows only come: they need no summing up and keep their order
  LakeWriter& writer_;
  std::unique_ptr<lake::DeltaTable> lake_;
  ServedOutput served_;
  lake::Prepared prepared_;  ///< the writer's thread's
  std::int64_t rows_ = 0;
};

}  // namespace tailrace::pipeline
