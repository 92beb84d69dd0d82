// What is made of a reading of DAG files: its findings as text, one DAG of many, what its assets
// name.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "dags/read.h"
#include "workflows/asset_sources.h"
#include "workflows/workflows.h"

namespace tailrace::workflows {

/// Findings that are fatal, or those that are not, a line each.
std::string lines_of(const std::vector<dags::Finding>& findings, bool fatal);

/// The one DAG, without what starts it by itself.
Result<std::vector<std::shared_ptr<const dags::Dag>>> only(
    const std::vector<std::shared_ptr<const dags::Dag>>& dags, const std::string& id);

/// What the assets that a DAG waits for name in the project.
Result<std::vector<AssetSource>> sources_of(const dags::AssetCondition& condition,
                                            const Options& options);
/// The same of all DAGs, each URI once, by URI.
Result<std::vector<AssetSource>> all_sources(
    const std::vector<std::shared_ptr<const dags::Dag>>& dags, const Options& options);

}  // namespace tailrace::workflows
