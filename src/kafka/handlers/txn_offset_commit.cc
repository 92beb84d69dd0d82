// TxnOffsetCommit (KIP-98, 447): offsets that become visible with the transaction's end. Since
// version 5 the broker brings their partition into the transaction (KIP-890).
#include <memory>

#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/handlers/group_errors.h"
#include "kafka/messages/txn_offset_commit_request.h"
#include "kafka/messages/txn_offset_commit_response.h"
#include "kafka/transaction_join.h"

namespace tailrace::kafka {
namespace {

using TopicAnswer = TxnOffsetCommitResponse::TxnOffsetCommitResponseTopic;

/// A request on its way: what is committed, and the answer with what the broker does not have.
struct Committing {
  Call call;
  groups::CommitOffsets event{};
  TxnOffsetCommitResponse response{};

  TopicAnswer& answer_for(const std::string& topic) {
    for (auto& answer : response.topics) {
      if (answer.name == topic) return answer;
    }
    response.topics.push_back({topic, {}});
    return response.topics.back();
  }

  void answer_all(std::int16_t code) {
    for (const auto& topic : event.topics) {
      auto& answer = answer_for(topic.topic);
      for (const auto& one : topic.partitions) answer.partitions.push_back({one.partition, code});
    }
    call.answer(response);
  }
};

void sort_out(Committing& committing, const TxnOffsetCommitRequest& request) {
  for (const auto& asked : request.topics) {
    const auto topic = committing.call.broker().log().topic(asked.name);
    groups::TopicOffsets known{asked.name, {}, {}};
    if (topic) known.id = {topic->id};
    for (const auto& one : asked.partitions) {
      if (!topic || one.partition_index < 0 || one.partition_index >= topic->settings.partitions) {
        committing.answer_for(asked.name)
            .partitions.push_back({one.partition_index, wire(ErrorCode::kUnknownTopicOrPartition)});
      } else {
        known.partitions.push_back({one.partition_index, one.committed_offset,
                                    groups::LeaderEpoch(one.committed_leader_epoch),
                                    one.committed_metadata.value_or("")});
      }
    }
    if (!known.partitions.empty()) committing.event.topics.push_back(std::move(known));
  }
}

void commit(const std::shared_ptr<Committing>& committing) {
  committing->call.broker().groups().ask(committing->event, [committing](const auto& result) {
    if (!result) return committing->answer_all(kNotKept);
    for (const auto& topic : std::get<groups::CommitAnswer>(*result).topics) {
      auto& answer = committing->answer_for(topic.topic);
      for (const auto& one : topic.partitions) {
        answer.partitions.push_back({one.partition, wire(one.error)});
      }
    }
    committing->call.answer(committing->response);
  });
}

}  // namespace

void txn_offset_commit(Call call, const TxnOffsetCommitRequest& request) {
  const JoinAs as = call.since(5)   ? JoinAs::kAddedByTheBroker
                    : call.since(4) ? JoinAs::kVerifying
                                    : JoinAs::kOldClient;
  Broker& broker = call.broker();
  auto committing = std::make_shared<Committing>(Committing{std::move(call)});
  committing->event = {.group = request.group_id,
                       .member = request.member_id,
                       .instance = request.group_instance_id,
                       .generation = groups::Generation(request.generation_id),
                       .topics = {},
                       .producer = groups::Producer{request.producer_id, request.producer_epoch}};
  sort_out(*committing, request);
  if (committing->event.topics.empty()) return committing->call.answer(committing->response);
  if (request.group_id.empty()) {
    return committing->answer_all(wire(ErrorCode::kInvalidGroupId));
  }
  const auto partition = broker.groups().partition_of(request.group_id).value;
  join_transaction(broker.transactions(), request.transactional_id,
                   {request.producer_id, request.producer_epoch}, {{kOffsetsTopic, {partition}}},
                   as, [committing](const JoinErrors& errors) {
                     if (errors.empty()) return commit(committing);
                     committing->answer_all(wire(errors.begin()->second));
                   });
}

}  // namespace tailrace::kafka
