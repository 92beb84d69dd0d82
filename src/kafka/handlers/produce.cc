// Produce: appends each partition's batch as it came, and answers when the records are where `acks`
// wants them: nowhere (0), readable (1), on disk (all).
#include <atomic>
#include <memory>

#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/produce_request.h"
#include "kafka/messages/produce_response.h"

namespace tailrace::kafka {
namespace {

using TopicData = ProduceRequest::TopicProduceData;
using PartitionData = ProduceRequest::PartitionProduceData;
using PartitionAnswer = ProduceResponse::PartitionProduceResponse;

constexpr std::int16_t kAcksAll = -1;

/// A produce request whose records are appended and not yet on disk.
struct Syncing {
  Call call;
  ProduceResponse response;
  std::atomic<int> left = 1;

  void one_done() {
    if (left.fetch_sub(1) == 1) call.answer(response);
  }
};

void fail(PartitionAnswer& answer, ErrorCode code, std::string message) {
  answer.error_code = wire(code);
  answer.error_message = std::move(message);
  answer.base_offset = -1;
}

/// Kafka takes exactly one batch of version 2 for a partition.
Status check_records(std::string_view records) {
  const auto batch = log::BatchView::parse(records);
  if (!batch) return error(Code::kDataLoss, batch.error().what);
  if (batch->bytes().size() != records.size()) {
    return error(Code::kInvalidArgument, "more than one record batch for a partition");
  }
  if (batch->control()) return error(Code::kInvalidArgument, "clients write no control batches");
  return {};
}

/// Appends; the partition when there is something to sync.
std::shared_ptr<log::Partition> append(Broker& broker, const std::string& topic,
                                       const PartitionData& data, PartitionAnswer& answer) {
  answer.index = data.index;
  auto partition = broker.log().partition(topic, PartitionId(data.index));
  if (!partition) {
    fail(answer, ErrorCode::kUnknownTopicOrPartition, partition.error().what);
    return nullptr;
  }
  if (!data.records) {
    fail(answer, ErrorCode::kInvalidRecord, "no records");
    return nullptr;
  }
  auto checked = check_records(data.records->first);
  auto result = checked
                    ? (*partition)->append_batches(data.records->first, log::Durability::kNoSync)
                    : std::unexpected(checked.error());
  if (!result) {
    fail(answer, append_error(result.error().code), result.error().what);
    return nullptr;
  }
  answer.base_offset = result->base_offset.value;
  answer.log_start_offset = (*partition)->log_start().value;
  return std::move(*partition);
}

std::string topic_name(Broker& broker, const TopicData& topic, bool by_id) {
  if (!by_id) return topic.name;
  const auto found = broker.log().topic(topic.topic_id);
  return found ? found->name : std::string();
}

}  // namespace

void produce(Call call, const ProduceRequest& request) {
  Broker& broker = call.broker();
  const bool by_id = call.since(13);
  const bool all = request.acks == kAcksAll;
  const bool acks_valid = all || request.acks == 0 || request.acks == 1;
  auto syncing = std::make_shared<Syncing>(std::move(call), ProduceResponse{});
  auto& response = syncing->response;
  std::vector<std::pair<std::shared_ptr<log::Partition>, std::pair<std::size_t, std::size_t>>>
      dirty;
  for (const auto& topic : request.topic_data) {
    auto& answers = response.responses.emplace_back();
    answers.name = topic.name;
    answers.topic_id = topic.topic_id;
    const std::string name = topic_name(broker, topic, by_id);
    for (const auto& data : topic.partition_data) {
      auto& answer = answers.partition_responses.emplace_back();
      answer.index = data.index;
      if (!acks_valid) {
        fail(answer, ErrorCode::kInvalidRequiredAcks, "acks is 0, 1 or -1 (all)");
      } else if (by_id && name.empty()) {
        fail(answer, ErrorCode::kUnknownTopicId, "no topic has this id");
      } else if (Broker::is_internal(name)) {
        fail(answer, ErrorCode::kInvalidTopicException, name + " is written by the broker only");
      } else if (auto partition = append(broker, name, data, answer)) {
        dirty.emplace_back(std::move(partition), std::pair(response.responses.size() - 1,
                                                           answers.partition_responses.size() - 1));
      }
    }
  }
  if (request.acks == 0) return syncing->call.no_answer();
  if (all) syncing->left += static_cast<int>(dirty.size());
  for (std::size_t i = 0; all && i < dirty.size(); ++i) {
    const auto [t, p] = dirty[i].second;
    broker.committer().when_durable(dirty[i].first, [syncing, t, p](const Status& synced) {
      if (!synced) {
        fail(syncing->response.responses[t].partition_responses[p], ErrorCode::kKafkaStorageError,
             synced.error().what);
      }
      syncing->one_done();
    });
  }
  syncing->one_done();
}

}  // namespace tailrace::kafka
