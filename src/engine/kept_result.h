// The rows of a flow's result as somebody else keeps them by key (a served table): an operator that
// would have to hold the same rows asks for the few it takes back.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/plan.h"

namespace tailrace::engine {

struct KeptResult {
  std::vector<int> key;  ///< columns of the result, in the key's order
  /// The rows that are there of some keys (bytes of encode_keys), with the result's columns: as
  /// they were when the last step's change had been taken in.
  std::function<Result<Batch>(std::span<const std::string> keys)> find;
};

/// The node below `root` that gives the first row of each partition, when the partition is `key`
/// and all above it works row by row; else null.
const Plan* first_rows_kept(const Plan& root, std::vector<int> key);

}  // namespace tailrace::engine
