// OffsetCommit: by topic name, or by id since version 10 (KIP-848).
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/handlers/group_errors.h"
#include "kafka/messages/offset_commit_request.h"
#include "kafka/messages/offset_commit_response.h"

namespace tailrace::kafka {
namespace {

using Asked = OffsetCommitRequest::OffsetCommitRequestTopic;
using TopicAnswer = OffsetCommitResponse::OffsetCommitResponseTopic;

/// Splits what is asked into what the broker has, for the coordinator, and what it has not.
void sort_out(Broker& broker, const Asked& asked, bool by_id, groups::CommitOffsets& event,
              OffsetCommitResponse& response) {
  const auto topic = by_id ? broker.log().topic(asked.topic_id) : broker.log().topic(asked.name);
  groups::TopicOffsets known{topic ? topic->name : asked.name, {asked.topic_id}, {}};
  if (topic) known.id = {topic->id};
  TopicAnswer refused{asked.name, asked.topic_id, {}};
  for (const auto& partition : asked.partitions) {
    if (!topic) {
      refused.partitions.push_back(
          {partition.partition_index,
           wire(by_id ? ErrorCode::kUnknownTopicId : ErrorCode::kUnknownTopicOrPartition)});
    } else if (partition.partition_index < 0 ||
               partition.partition_index >= topic->settings.partitions) {
      refused.partitions.push_back(
          {partition.partition_index, wire(ErrorCode::kUnknownTopicOrPartition)});
    } else {
      known.partitions.push_back({partition.partition_index, partition.committed_offset,
                                  groups::LeaderEpoch(partition.committed_leader_epoch),
                                  partition.committed_metadata.value_or("")});
    }
  }
  if (!refused.partitions.empty()) response.topics.push_back(std::move(refused));
  if (!known.partitions.empty()) event.topics.push_back(std::move(known));
}

TopicAnswer& answer_for(OffsetCommitResponse& response, const groups::TopicErrors& topic,
                        bool by_id) {
  for (auto& answer : response.topics) {
    if (by_id ? answer.topic_id == topic.id.bytes : answer.name == topic.topic) return answer;
  }
  auto& fresh = response.topics.emplace_back();
  if (by_id) fresh.topic_id = topic.id.bytes;
  if (!by_id) fresh.name = topic.topic;
  return fresh;
}

}  // namespace

void offset_commit(Call call, const OffsetCommitRequest& request) {
  const bool by_id = call.since(10);
  groups::CommitOffsets event{
      .group = request.group_id,
      .member = request.member_id,
      .instance = request.group_instance_id,
      .generation = groups::Generation(request.generation_id_or_member_epoch),
      .retention_ms = request.retention_time_ms,
      .topics = {},
      .producer = {},
      .takes_group_errors = call.since(9)};
  OffsetCommitResponse response;
  for (const auto& topic : request.topics) {
    sort_out(call.broker(), topic, by_id, event, response);
  }
  if (event.topics.empty() && !request.topics.empty()) return call.answer(response);
  const auto topics = event.topics;
  call.broker().groups().ask(std::move(event), [call = std::move(call), response, topics, by_id](
                                                   const Result<groups::Answer>& result) mutable {
    if (result) {
      for (const auto& topic : std::get<groups::CommitAnswer>(*result).topics) {
        auto& answer = answer_for(response, topic, by_id);
        for (const auto& one : topic.partitions) {
          answer.partitions.push_back({one.partition, wire(one.error)});
        }
      }
    } else {
      for (const auto& topic : topics) {
        auto& answer = answer_for(response, {topic.topic, topic.id, {}}, by_id);
        for (const auto& one : topic.partitions) {
          answer.partitions.push_back({one.partition, kNotKept});
        }
      }
    }
    call.answer(response);
  });
}

}  // namespace tailrace::kafka
