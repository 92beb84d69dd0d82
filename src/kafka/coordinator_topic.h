// What coordinators do with the topics that keep their records.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>

#include "base/log.h"
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

/// The partitions of a coordinator's topic whose files are damaged. Who is kept there is not
/// served, and nothing is written there, until the files are back and the broker is started again.
class OfflinePartitions {
 public:
  bool contains(std::int32_t partition) const { return all_ || some_.contains(partition); }
  void add(std::int32_t partition) { some_.insert(partition); }
  /// Not even how many partitions there are is known.
  void add_all() { all_ = true; }

 private:
  std::set<std::int32_t> some_;
  bool all_ = false;
};

/// `whether` of a coordinator's event, where it takes that kind of event; false for the others.
template <typename... Events, typename Whether>
bool holds_of(const std::variant<Events...>& event, Whether whether) {
  return std::visit(
      [&](const auto& one) {
        if constexpr (requires { whether(one); }) {
          return whether(one);
        } else {
          return false;
        }
      },
      event);
}

/// Makes a coordinator's state from its topic: `fresh` empties it, `replay` takes all of one
/// partition, and fails with kDataLoss where that cannot be read. A partition that is damaged is
/// left out, and is in `offline` from then on.
template <typename Fresh, typename Replay>
Status replay_topic(log::Log& log, std::string_view name, OfflinePartitions& offline, Fresh fresh,
                    Replay replay) {
  const auto replay_all = [&]() -> Result<bool> {
    fresh();
    const auto topic = log.topic(name);
    if (!topic) {
      const auto none = log.partition(name, PartitionId(0));
      if (!none && none.error().code == Code::kDataLoss) offline.add_all();
      return true;
    }
    for (std::int32_t i = 0; i < topic->settings.partitions; ++i) {
      if (offline.contains(i)) continue;
      const auto partition = log.partition(name, PartitionId(i));
      if (!partition && partition.error().code == Code::kDataLoss) {
        offline.add(i);  // which the log has told
        continue;
      }
      if (!partition) return std::unexpected(partition.error());
      const Status taken = replay(**partition);
      if (taken) continue;
      if (taken.error().code != Code::kDataLoss) return std::unexpected(taken.error());
      LOG_OF(error, log_of("topic", name, "partition", i),
             "what is kept in {}-{} is not served: {}; put the file back and start again", name, i,
             taken.error().what);
      offline.add(i);
      return false;  // a part of it has been taken
    }
    return true;
  };
  for (;;) {
    ASSIGN(const bool whole, replay_all());
    if (whole) return {};
  }
}

}  // namespace tailrace::kafka
