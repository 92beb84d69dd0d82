// Kafka's offset checkpoint files: text, `version 0`, a count, then `topic partition offset` a
// line.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "base/strong.h"
#include "rt/file.h"

namespace tailrace::log {

using OffsetCheckpoint = std::map<std::pair<std::string, PartitionId>, Offset>;

std::string encode_checkpoint(const OffsetCheckpoint& offsets);
/// kDataLoss for anything malformed.
Result<OffsetCheckpoint> decode_checkpoint(std::string_view text);

/// Empty when the file is missing; kDataLoss names the file.
Result<OffsetCheckpoint> read_checkpoint(rt::FileSystem& files, const std::string& path);

}  // namespace tailrace::log
