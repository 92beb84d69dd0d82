// What coordinators do with the topics that keep their records.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "log/log.h"

namespace tailrace::kafka {

/// A coordinator's record, encoded.
struct RecordBytes {
  std::string key;
  std::optional<std::string> value;  ///< none: a tombstone

  /// Points into these bytes.
  log::Record record() const {
    log::Record out;
    out.key = key;
    if (value) out.value = *value;
    return out;
  }
};

/// Makes the topic where it is missing: compacted, or of records that no time takes away.
inline Status ensure_coordinator_topic(log::Log& log, std::string_view name,
                                       std::int32_t partitions, std::int64_t segment_bytes,
                                       bool compacted) {
  if (log.topic(name)) return {};
  log::TopicSettings settings;
  settings.partitions = partitions;
  settings.segment_bytes = segment_bytes;
  if (!compacted) settings.retention_ms = -1;
  settings.extra["cleanup.policy"] = compacted ? "compact" : "delete";
  return log.ensure_topic(name, settings);
}

/// Gives all batches of a partition to `use`, which returns a Status, in their order.
template <typename Use>
Status read_batches(log::Partition& partition, Use use) {
  constexpr std::size_t kAtOnceBytes = 1 << 20;
  log::ReadBuffer buffer;
  for (Offset at = partition.log_start(); at < partition.next_offset();) {
    TRY(partition.read(at, kAtOnceBytes, buffer));
    if (buffer.empty()) break;
    auto batches = buffer.batches();
    for (log::BatchView batch; batches.next(batch); at = batch.next_offset()) TRY(use(batch));
  }
  return {};
}

}  // namespace tailrace::kafka
