// DATA/lake_commits.json: the lake commits of the checkpoint under way, durable before the
// checkpoint is, and published after it.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "rt/room_watch.h"

namespace tailrace::pipeline {

struct LakeCommits {
  std::int64_t checkpoint = 0;
  std::map<std::string, std::string> commits;  ///< by table, as lake::Prepared::to_text gives them

  /// In place of those of the checkpoint before; waits at `room` on a full disk.
  Status write(const std::string& data, rt::RoomWatch& room) const;
  /// Those of checkpoint `number`; nothing is there before the first one. kDataLoss: they are of an
  /// earlier checkpoint, or cannot be read.
  static Result<LakeCommits> read(const std::string& data, std::int64_t number);
};

}  // namespace tailrace::pipeline
