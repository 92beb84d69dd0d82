// Assets as DAG files name them, with Airflow's normalised URIs.
#pragma once

#include <optional>
#include <string>

#include "dags/tree.h"

namespace tailrace::dags {

/// Airflow's _sanitize_uri: scheme in lower case, no user info with a password, no slash at the
/// end, the query sorted, no fragment; what does not look like a URI stays.
Result<std::string> normalise_uri(const std::string& uri);

/// A text (its name and URI) or an Asset object; none after a finding.
std::optional<Asset> asset_of(const Node& node, Findings& findings);

/// An asset, an alias, AssetAll, AssetAny.
std::optional<AssetCondition> condition_of(const Node& node, Findings& findings);

}  // namespace tailrace::dags
