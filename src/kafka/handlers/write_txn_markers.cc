// WriteTxnMarkers (KIP-98, 664): ends transactions in partitions, as an admin asks for one that
// hangs. The broker's own coordinator does not go this way.
#include <atomic>
#include <memory>

#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/write_txn_markers_request.h"
#include "kafka/messages/write_txn_markers_response.h"

namespace tailrace::kafka {
namespace {

/// A request of which some markers are not on disk yet.
struct Marking {
  Call call;
  WriteTxnMarkersResponse response;
  std::atomic<int> left = 1;

  void one_done() {
    if (left.fetch_sub(1) == 1) call.answer(response);
  }
};

ErrorCode marker_error(const Status& status) {
  if (status) return ErrorCode::kNone;
  switch (status.error().code) {
    case Code::kAborted:
      return ErrorCode::kInvalidProducerEpoch;
    case Code::kFailedPrecondition:
      return ErrorCode::kTransactionCoordinatorFenced;
    default:
      return append_error(status.error().code);
  }
}

}  // namespace

void write_txn_markers(Call call, const WriteTxnMarkersRequest& request) {
  Broker& broker = call.broker();
  auto marking = std::make_shared<Marking>(std::move(call), WriteTxnMarkersResponse{});
  // Laid out whole first: what is written points into it.
  for (const auto& marker : request.markers) {
    auto& answer = marking->response.markers.emplace_back();
    answer.producer_id = marker.producer_id;
    for (const auto& topic : marker.topics) {
      auto& topic_answer = answer.topics.emplace_back();
      topic_answer.name = topic.name;
      for (const auto partition : topic.partition_indexes) {
        topic_answer.partitions.push_back({partition, 0});
        ++marking->left;
      }
    }
  }
  for (std::size_t i = 0; i < request.markers.size(); ++i) {
    const auto& asked = request.markers[i];
    const log::EndMarker marker{
        asked.producer_id, asked.producer_epoch,
        asked.transaction_result ? log::TransactionEnd::kCommit : log::TransactionEnd::kAbort,
        asked.coordinator_epoch, asked.transaction_version};
    for (auto& topic : marking->response.markers[i].topics) {
      for (auto& answer : topic.partitions) {
        broker.markers().write(topic.name, PartitionId(answer.partition_index), marker,
                               [marking, &answer](const Status& status) {
                                 answer.error_code = wire(marker_error(status));
                                 marking->one_done();
                               });
      }
    }
  }
  marking->one_done();
}

}  // namespace tailrace::kafka
