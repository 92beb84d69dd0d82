// What becomes of a batch that a client sends: which times are let in and whose it carries, and how
// it is compressed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/strong.h"
#include "log/batch.h"
#include "log/topic.h"

namespace tailrace::log {

struct ArrivalSettings {
  bool log_append_time = false;                 ///< message.timestamp.type (KIP-32)
  std::int64_t before_max_ms = INT64_MAX;       ///< message.timestamp.before.max.ms (KIP-937)
  std::int64_t after_max_ms = 3'600'000;        ///< message.timestamp.after.max.ms
  std::optional<Compression> compression = {};  ///< compression.type; none: the producer's
  std::optional<int> level = {};  ///< compression.gzip.level, .lz4.level or .zstd.level: its own
};
ArrivalSettings arrival_settings(const TopicSettings& settings);

/// kDeadlineExceeded names the time of a record that is too far from now. With LogAppendTime, and
/// without a time, none is.
Status check_times(const BatchView& batch, const ArrivalSettings& settings, TimestampMs now);

/// Appends the batch to `out` as it is stored: as it is, unless a setting says otherwise.
Status store_arrived(const BatchView& batch, const ArrivalSettings& settings, TimestampMs now,
                     std::string& out);

}  // namespace tailrace::log
