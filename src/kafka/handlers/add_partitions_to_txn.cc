// AddPartitionsToTxn (KIP-98), since version 4 of many transactions at once and to verify only
// (KIP-890).
#include <atomic>
#include <memory>

#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/handlers/transaction_errors.h"
#include "kafka/messages/add_partitions_to_txn_request.h"
#include "kafka/messages/add_partitions_to_txn_response.h"

namespace tailrace::kafka {
namespace {

using Asked = AddPartitionsToTxnRequest::AddPartitionsToTxnTransaction;
using TopicAnswer = AddPartitionsToTxnResponse::AddPartitionsToTxnTopicResult;

/// A request of which some transactions are not answered yet.
struct Adding {
  Call call;
  AddPartitionsToTxnResponse response;
  std::atomic<int> left = 1;

  void one_done() {
    if (left.fetch_sub(1) == 1) call.answer(response);
  }
};

/// The same code for every partition.
void answer_all(std::vector<TopicAnswer>& answers, std::int16_t code) {
  for (auto& topic : answers) {
    for (auto& one : topic.results_by_partition) one.partition_error_code = code;
  }
}

/// Lays the answer out; whether the broker has all that is asked for.
bool lay_out(Broker& broker, const Asked& asked, std::vector<TopicAnswer>& answers) {
  bool all = true;
  for (const auto& topic : asked.topics) {
    auto& answer = answers.emplace_back();
    answer.name = topic.name;
    for (const auto partition : topic.partitions) {
      const bool there = broker.log().partition(topic.name, PartitionId(partition)).has_value();
      all &= there;
      answer.results_by_partition.push_back(
          {partition,
           wire(there ? ErrorCode::kOperationNotAttempted : ErrorCode::kUnknownTopicOrPartition)});
    }
  }
  return all;
}

void note(std::vector<TopicAnswer>& answers, const transactions::VerifyAnswer& verified,
          const Call& call) {
  for (const auto& one : verified.partitions) {
    for (auto& topic : answers) {
      if (topic.name != one.topic) continue;
      for (auto& answer : topic.results_by_partition) {
        if (answer.partition_index == one.partition) {
          answer.partition_error_code = wire(one.error, call, 2);
        }
      }
    }
  }
}

transactions::Happening event_of(const Asked& asked, const Call& call) {
  transactions::Partitions partitions;
  for (const auto& topic : asked.topics) {
    partitions[topic.name].insert(topic.partitions.begin(), topic.partitions.end());
  }
  const transactions::Producer producer{asked.producer_id, asked.producer_epoch};
  if (asked.verify_only) {
    return transactions::VerifyPartitions{asked.transactional_id, producer, partitions};
  }
  const auto version = call.since(4) ? transactions::kEpochPerTransaction : transactions::kPlain;
  return transactions::AddPartitions{asked.transactional_id, producer, partitions, version};
}

void add(const std::shared_ptr<Adding>& adding, const Asked& asked,
         std::vector<TopicAnswer>& answers) {
  Broker& broker = adding->call.broker();
  if (!lay_out(broker, asked, answers)) return;
  ++adding->left;
  broker.transactions().ask(
      event_of(asked, adding->call),
      [adding, &answers](const Result<transactions::Answer>& result) {
        if (!result) {
          answer_all(answers, kTransactionNotKept);
        } else if (const auto* verified = std::get_if<transactions::VerifyAnswer>(&*result)) {
          note(answers, *verified, adding->call);
        } else {
          const auto& added = std::get<transactions::AddAnswer>(*result);
          answer_all(answers, wire(added.error, adding->call, 2));
        }
        adding->one_done();
      });
}

}  // namespace

void add_partitions_to_txn(Call call, const AddPartitionsToTxnRequest& request) {
  const bool many = call.since(4);
  auto adding = std::make_shared<Adding>(std::move(call), AddPartitionsToTxnResponse{});
  auto& response = adding->response;
  if (!many) {
    const Asked asked{request.v3_and_below_transactional_id, request.v3_and_below_producer_id,
                      request.v3_and_below_producer_epoch, false, request.v3_and_below_topics};
    add(adding, asked, response.results_by_topic_v3_and_below);
    return adding->one_done();
  }
  response.results_by_transaction.resize(request.transactions.size());
  for (std::size_t i = 0; i < request.transactions.size(); ++i) {
    auto& answer = response.results_by_transaction[i];
    answer.transactional_id = request.transactions[i].transactional_id;
    add(adding, request.transactions[i], answer.topic_results);
  }
  adding->one_done();
}

}  // namespace tailrace::kafka
