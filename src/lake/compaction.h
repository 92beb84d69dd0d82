// Which small files to merge, and when: a pure rule.
//
// Files are put into tiers, each eight times the size of the one below, up to `under_bytes`; a
// tier with eight files is merged into one. So a row is written about log8(target / size of a
// commit) times, and a table that gets a small file every few seconds stays at some tens of files.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lake/actions.h"

namespace tailrace::lake {

struct CompactionOptions {
  std::int64_t target_file_bytes = 128 << 20;
  int files_per_tier = 8;
  std::int64_t under_bytes = 64 << 20;  ///< only files smaller than this are merged
  std::int64_t smallest_tier_bytes = 256 << 10;
};

/// Groups of paths, each to become one file. `force`: every file below `under_bytes`, whatever the
/// tiers say.
std::vector<std::vector<std::string>> files_to_compact(const std::map<std::string, AddFile>& files,
                                                       const CompactionOptions& options,
                                                       bool force = false);

}  // namespace tailrace::lake
