// DescribeProducers (KIP-664): who writes to a partition, and where its open transaction begins.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/describe_producers_request.h"
#include "kafka/messages/describe_producers_response.h"

namespace tailrace::kafka {

void describe_producers(Call call, const DescribeProducersRequest& request) {
  DescribeProducersResponse response;
  for (const auto& topic : request.topics) {
    auto& answers = response.topics.emplace_back();
    answers.name = topic.name;
    for (const auto index : topic.partition_indexes) {
      auto& answer = answers.partitions.emplace_back();
      answer.partition_index = index;
      const auto partition = call.broker().log().partition(topic.name, PartitionId(index));
      if (!partition) {
        answer.error_code = wire(read_error(partition.error().code));
        continue;
      }
      for (const auto& one : (*partition)->active_producers()) {
        // Those that the broker has given their ids.
        if (one.id >= log::kNamedProducers) continue;
        answer.active_producers.push_back({one.id, one.epoch, one.last_sequence,
                                           one.last_timestamp.value, one.coordinator_epoch,
                                           one.transaction_start.value});
      }
    }
  }
  call.answer(response);
}

}  // namespace tailrace::kafka
