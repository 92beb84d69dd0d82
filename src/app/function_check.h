// What `tailrace check` says of a project's functions and of its `lambda:` part, before anything
// runs.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "pipeline/graph.h"
#include "pipeline/project.h"
#include "pipeline/query.h"

namespace tailrace::app {

/// What a query may read when the project runs, but for system tables: names and schemas alone.
std::vector<pipeline::QueryRelation> stored_relations(const pipeline::Project& project,
                                                      const pipeline::Graph& graph);

struct FunctionReport {
  std::vector<std::string>
      lines;  ///< one a function: "function  double  hooks/double.sql, 2 columns"
  std::vector<std::string> warnings;  ///< what could not be looked at, or is to come from elsewhere
};

/// SQL bound against the event and the tables; Python compiled, and its handler looked for, without
/// running it. The first error with its file and line.
Result<FunctionReport> check_functions(const pipeline::Project& project,
                                       const pipeline::Graph& graph);

/// The `lambda:` part as the function on AWS reads it; warnings name what its environment must say.
Result<std::vector<std::string>> check_lambda(const pipeline::Project& project);

}  // namespace tailrace::app
