// Guards of requests about transactions and their producers.
#include "kafka/guarding.h"

namespace tailrace::kafka {
namespace {

bool may_write(const Call& call, const std::string& transactional_id) {
  return call.allows(Operation::kWrite, Resource::kTransactionalId, transactional_id);
}

/// Whether some topic may be written, whichever.
bool may_write_some(const Call& call) {
  const auto* authorizer = call.broker().authorizer();
  if (authorizer == nullptr) return true;
  const auto principal = call.client().principal.text();
  return authorizer->allows_on_some(
      {principal, call.client().peer.address, Operation::kWrite, Resource::kTopic, ""});
}

using AddedTopic = AddPartitionsToTxnRequest::AddPartitionsToTxnTopic;
using AddedAnswer = AddPartitionsToTxnResponse::AddPartitionsToTxnTopicResult;

void deny_partitions(const AddedTopic& topic, std::int16_t code,
                     std::vector<AddedAnswer>& answers) {
  auto& answer = answers.emplace_back();
  answer.name = topic.name;
  for (const auto index : topic.partitions) answer.results_by_partition.push_back({index, code});
}

}  // namespace

bool guard(Call& call, InitProducerIdRequest& request) {
  std::int16_t code = 0;
  if (request.transactional_id) {
    const bool may_prepare =
        !request.enable2_pc || call.allows(Operation::kTwoPhaseCommit, Resource::kTransactionalId,
                                           *request.transactional_id);
    if (!may_prepare || !may_write(call, *request.transactional_id)) code = kTransactionDenied;
  } else if (!call.allows(Operation::kIdempotentWrite, Resource::kCluster, auth::kClusterName,
                          false) &&
             !may_write_some(call)) {
    code = kClusterDenied;
  }
  if (code == 0) return true;
  InitProducerIdResponse response;
  response.error_code = code;
  response.producer_epoch = -1;
  call.answer(response);
  return false;
}

bool guard(Call& call, AddPartitionsToTxnRequest& request) {
  if (!call.guarded()) return true;
  AddPartitionsToTxnResponse response;
  if (call.since(4)) {
    if (call.allows_on_cluster(Operation::kClusterAction)) return true;
    response.error_code = kClusterDenied;
    call.answer(response);
    return false;
  }
  const bool may_all = may_write(call, request.v3_and_below_transactional_id);
  bool denied = !may_all;
  std::vector<std::int16_t> codes;
  for (const auto& topic : request.v3_and_below_topics) {
    const bool ours = may_all && may(call, Operation::kWrite, topic.name);
    denied |= !ours;
    codes.push_back(!may_all ? kTransactionDenied
                    : ours   ? wire(ErrorCode::kOperationNotAttempted)
                             : kTopicDenied);
  }
  if (!denied) return true;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    deny_partitions(request.v3_and_below_topics[i], codes[i],
                    response.results_by_topic_v3_and_below);
  }
  call.answer(response);
  return false;
}

bool guard(Call& call, AddOffsetsToTxnRequest& request) {
  AddOffsetsToTxnResponse response;
  if (!may_write(call, request.transactional_id)) {
    response.error_code = kTransactionDenied;
  } else if (!call.allows(Operation::kRead, Resource::kGroup, request.group_id)) {
    response.error_code = kGroupDenied;
  } else {
    return true;
  }
  call.answer(response);
  return false;
}

bool guard(Call& call, EndTxnRequest& request) {
  if (may_write(call, request.transactional_id)) return true;
  EndTxnResponse response;
  response.error_code = kTransactionDenied;
  call.answer(response);
  return false;
}

namespace {

void deny_topic(const TxnOffsetCommitRequest::TxnOffsetCommitRequestTopic& topic, std::int16_t code,
                TxnOffsetCommitResponse& response) {
  auto& answer = response.topics.emplace_back();
  answer.name = topic.name;
  for (const auto& one : topic.partitions) answer.partitions.push_back({one.partition_index, code});
}

}  // namespace

bool guard(Call& call, TxnOffsetCommitRequest& request) {
  std::int16_t code = 0;
  if (!may_write(call, request.transactional_id)) {
    code = kTransactionDenied;
  } else if (!call.allows(Operation::kRead, Resource::kGroup, request.group_id)) {
    code = kGroupDenied;
  }
  if (code != 0) {
    TxnOffsetCommitResponse response;
    for (const auto& topic : request.topics) deny_topic(topic, code, response);
    call.answer(response);
    return false;
  }
  const auto denied = take_out(
      request.topics, [&](const auto& topic) { return may(call, Operation::kRead, topic.name); });
  if (denied.empty()) return true;
  const auto change = [denied](const Call&, TxnOffsetCommitResponse& response) {
    for (const auto& topic : denied) deny_topic(topic, kTopicDenied, response);
  };
  call.on_answer<TxnOffsetCommitResponse>(change);
  return true;
}

bool guard(Call& call, WriteTxnMarkersRequest& request) {
  if (call.allows(Operation::kAlter, Resource::kCluster, auth::kClusterName, false) ||
      call.allows_on_cluster(Operation::kClusterAction)) {
    return true;
  }
  WriteTxnMarkersResponse response;
  for (const auto& marker : request.markers) {
    auto& answer = response.markers.emplace_back();
    answer.producer_id = marker.producer_id;
    for (const auto& topic : marker.topics) {
      auto& told = answer.topics.emplace_back();
      told.name = topic.name;
      for (const auto index : topic.partition_indexes) {
        told.partitions.push_back({index, kClusterDenied});
      }
    }
  }
  call.answer(response);
  return false;
}

bool guard(Call& call, DescribeTransactionsRequest& request) {
  if (!call.guarded()) return true;
  const auto denied = take_out(request.transactional_ids, [&](const auto& id) {
    return call.allows(Operation::kDescribe, Resource::kTransactionalId, id);
  });
  const auto change = [denied](const Call& by, DescribeTransactionsResponse& response) {
    for (auto& one : response.transaction_states) {
      std::erase_if(one.topics, [&](const auto& topic) {
        return !by.allows(Operation::kDescribe, Resource::kTopic, topic.topic, false);
      });
    }
    for (const auto& id : denied) {
      auto& answer = response.transaction_states.emplace_back();
      answer.transactional_id = id;
      answer.error_code = kTransactionDenied;
    }
  };
  call.on_answer<DescribeTransactionsResponse>(change);
  return true;
}

bool guard(Call& call, ListTransactionsRequest& /*request*/) {
  if (!call.guarded()) return true;
  const auto change = [](const Call& by, ListTransactionsResponse& response) {
    std::erase_if(response.transaction_states, [&](const auto& one) {
      return !by.allows(Operation::kDescribe, Resource::kTransactionalId, one.transactional_id,
                        false);
    });
  };
  call.on_answer<ListTransactionsResponse>(change);
  return true;
}

}  // namespace tailrace::kafka
