#include "kafka/transaction_markers.h"

#include <utility>

namespace tailrace::kafka {

void TransactionMarkers::write(const std::string& topic, PartitionId partition,
                               const log::EndMarker& marker,
                               std::move_only_function<void(const Status& status)> done) {
  if (topic == kOffsetsTopic) return groups_.end_transaction(partition, marker, std::move(done));
  auto found = log_.partition(topic, partition);
  if (!found) return done(std::unexpected(found.error()));
  const auto written = (*found)->end_transaction(marker, log::Durability::kNoSync);
  if (!written) return done(std::unexpected(written.error()));
  committer_.when_durable(std::move(*found), std::move(done));
}

}  // namespace tailrace::kafka
