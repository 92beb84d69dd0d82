// From a row back to its record: which columns of a plan's rows say the topic, partition and offset
// they come from.
//
// A row that went through projections, filters, unions, explodes and watermarks alone has one
// record; one that went through an aggregation or a join has not. Where the SQL itself keeps
// `partition` and `offset` (under any name) those columns are used as they are. Elsewhere the plan
// carries two more at the end of its rows, from the topic to the table's expectations and on to the
// flows that read the table; no table stores them, so a row read back from the lake has none, nor
// has one of a deduplication whose rows a serving keeps (sent again, its record would change
// nothing).
//
//   _tailrace_source INT      partition + 65536 × index of the topic in the graph
//   _tailrace_offset BIGINT
#pragma once

#include <cstdint>
#include <optional>

#include "columns/types.h"

namespace tailrace::pipeline {

struct Graph;
struct Flow;

/// Where rows of `schema` say their record.
struct Lineage {
  Schema schema;
  int partition = -1;  ///< column; holds the topic too when `topic` is -1
  int offset = -1;     ///< column
  int topic = -1;      ///< index into Graph::topics
};

struct RecordPlace {
  int topic;
  std::int32_t partition;
  std::int64_t offset;
};

/// Rewrites the flows' plans and fills in Flow::lineage, Flow::hidden and Table::hidden.
void carry_lineage(Graph& graph);

/// The record of a one-row batch that some node of the flow made; nullopt when it has none.
std::optional<RecordPlace> record_of(const Flow& flow, const arrow::RecordBatch& row);

/// The rows without the two columns at their end.
Batch without_hidden(const Batch& rows);
/// The row as it is shown: without the two columns where it has them.
Batch shown_row(const Batch& row);
/// Rows of a table whose flows carry the two columns, read back without them: nulls at the end.
Result<Batch> with_unknown_hidden(const Batch& rows);

}  // namespace tailrace::pipeline
