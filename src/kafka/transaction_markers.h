// Writes the markers that end transactions into their partitions: those of __consumer_offsets by
// way of the group coordinator, whose offsets they make visible.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "kafka/committer.h"
#include "kafka/group_coordinator.h"
#include "log/log.h"

namespace tailrace::kafka {

class TransactionMarkers {
 public:
  TransactionMarkers(log::Log& log, Committer& committer, GroupCoordinator& groups)
      : log_(log), committer_(committer), groups_(groups) {}

  /// `done`, on any thread, when the marker is durable. kNotFound without such a partition; else
  /// what log::Partition::end_transaction says.
  void write(const std::string& topic, PartitionId partition, const log::EndMarker& marker,
             std::move_only_function<void(const Status& status)> done);

 private:
  log::Log& log_;
  Committer& committer_;
  GroupCoordinator& groups_;
};

}  // namespace tailrace::kafka
