// The rows of a flow's result as somebody else keeps them by key (a served table): a deduplication
// that would have to hold the same rows gives a note with each row instead, asks for the notes of
// keys it does not know, and for the few rows it takes back. So a key is written once, not twice.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/plan.h"

namespace tailrace::engine {

/// To be kept with the row of a key, in place of its last note.
struct KeptNote {
  std::string_view key;  ///< bytes of encode_keys over KeptResult::key
  std::string_view note;
};

struct KeptResult {
  std::vector<int> key;  ///< columns of the result, in the key's order
  /// The rows that are there of some keys (bytes of encode_keys), with the result's columns: as
  /// they were when the last step's change had been taken in.
  std::function<Result<Batch>(std::span<const std::string> keys)> find;
  /// The notes of the rows that are there of some sorted keys, as StepOutput::notes gave them.
  std::function<Result<std::vector<std::optional<std::string>>>(
      std::span<const std::string_view> keys)>
      notes;
};

/// The node below `root` that gives the first row of each partition, when the partition is `key`
/// and all above it only chooses columns; else null.
const Plan* first_rows_kept(const Plan& root, std::vector<int> key);

}  // namespace tailrace::engine
