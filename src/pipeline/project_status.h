// Hops and tables as others see them, from counts alone: of a running project (runner_status.cc) or
// of one that is only read (stored_project.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/circuit.h"
#include "pipeline/dead_letters.h"
#include "pipeline/graph.h"
#include "pipeline/hops.h"
#include "pipeline/project.h"
#include "pipeline/runner.h"

namespace tailrace::pipeline {

struct TopicCounts {
  std::int64_t decoded = 0, bytes = 0, lag = 0;
  double lag_s = 0;
  std::string waits = {};  ///< why the next record cannot be read now, or empty
  /// Of records held to the topic's contracts, by name: passed and failed.
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> expectations = {};
};

/// Each list by its index in the graph.
struct ProjectCounts {
  std::vector<TopicCounts> topics;
  std::vector<std::int64_t> table_rows, lake_rows;
  std::vector<std::string> flow_failed;  ///< why it stopped, or empty
  std::vector<std::string> flow_waits;   ///< what it holds its rows back for, or empty
  std::vector<std::vector<engine::ExpectationCount>> expectations;  ///< by flow
  LetterTotals letters;
  std::string stopped_by;
  std::string lake_waits;  ///< for room on the disk: the whole sentence, or empty
  std::string sink_waits;  ///< why rows do not get to the database behind `serving`, or empty
  std::map<std::string, std::string> sink_places;  ///< by serving: where in that database
  /// By serving: its rows at the last checkpoint, where its table had more, since some have one
  /// key.
  std::map<std::string, std::int64_t> served_fewer;
  /// Whether rows that break an expectation which only warns are counted.
  bool warns_counted = true;
};

/// Notes in ProjectCounts::served_fewer how many rows a serving has, where its table has more. One
/// of many rows is not counted: that would hold up the steps.
Status note_fewer(const table::KeyedTable& served, std::int64_t table_rows,
                  std::map<std::string, std::int64_t>& served_fewer);

/// Adds what one flow, topic or source rejected and nobody sent back; trimmed letters count too.
void count_rejected(const LetterTotals& letters, const std::string& flow, Hop& hop);

/// decoded, rejected, bronze, silver, gold, lake, served; not judged yet.
std::vector<Hop> hops_of(const Project& project, const Graph& graph, const ProjectCounts& counts,
                         const std::string& lake_folder);

/// Of the topics' own, from contracts.
std::vector<TopicExpectations> topic_expectations_of(const Graph& graph,
                                                     const ProjectCounts& counts);

std::vector<TableStatus> tables_of(const Graph& graph, const ProjectCounts& counts);

}  // namespace tailrace::pipeline
