// The tables that a project serves, as CQL's clients see them: NAME of `serving` is table NAME in a
// keyspace of the project's name, KEYSPACE.TABLE puts it elsewhere.
#pragma once

#include <memory>
#include <vector>

#include "cql_query/foreign_table.h"
#include "pipeline/graph.h"
#include "pipeline/runner.h"

namespace tailrace::app {

/// What a served table is called in SQL and under /api/tables: KEYSPACE.TABLE, as CQL's clients say
/// it; and its own name alone, where that is no table's.
std::vector<std::string> served_names(const pipeline::Project& project,
                                      const pipeline::ServingSpec& serving,
                                      const pipeline::Graph& graph);

/// What CQL cannot have of them is kInvalidArgument, with its place in tailrace.yml.
Status check_served_tables(const pipeline::Project& project, const pipeline::Graph& graph);

/// As they are now; another list follows when the runner says that they have changed.
Result<std::vector<std::shared_ptr<const cql_query::ForeignTable>>> served_tables(
    const pipeline::Project& project, const pipeline::Runner& runner);

}  // namespace tailrace::app
