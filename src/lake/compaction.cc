#include "lake/compaction.h"

#include <algorithm>
#include <utility>

namespace tailrace::lake {
namespace {

int tier_of(std::int64_t bytes, const CompactionOptions& options) {
  int tier = 0;
  for (std::int64_t limit = options.smallest_tier_bytes; bytes > limit;
       limit *= options.files_per_tier)
    ++tier;
  return tier;
}

}  // namespace

std::vector<std::vector<std::string>> files_to_compact(const std::map<std::string, AddFile>& files,
                                                       const CompactionOptions& options,
                                                       bool force) {
  struct Tier {
    std::vector<std::string> paths;
    std::int64_t bytes = 0;
  };
  std::vector<std::vector<std::string>> groups;
  std::map<int, Tier> tiers;
  const std::size_t enough = force ? 2 : static_cast<std::size_t>(options.files_per_tier);
  for (const auto& [path, file] : files) {
    if (file.size_bytes >= std::min(options.under_bytes, options.target_file_bytes / 2)) continue;
    Tier& tier = tiers[force ? 0 : tier_of(file.size_bytes, options)];
    if (tier.bytes + file.size_bytes > options.target_file_bytes) {
      if (tier.paths.size() >= enough) groups.push_back(std::exchange(tier.paths, {}));
      tier = {};
    }
    tier.paths.push_back(path);
    tier.bytes += file.size_bytes;
  }
  for (auto& [number, tier] : tiers) {
    if (tier.paths.size() >= enough) groups.push_back(std::move(tier.paths));
  }
  return groups;
}

}  // namespace tailrace::lake
