// DescribeTransactions (KIP-664).
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/handlers/transaction_errors.h"
#include "kafka/messages/describe_transactions_request.h"
#include "kafka/messages/describe_transactions_response.h"

namespace tailrace::kafka {
namespace {

using Described = DescribeTransactionsResponse::TransactionState;

Described described(const transactions::DescribedTransaction& one, const Call& call) {
  Described out;
  out.error_code = wire(one.error, call, 0);
  out.transactional_id = one.id;
  if (one.error != transactions::ErrorCode::kNone) return out;
  const auto& now = one.transaction;
  out.transaction_state = transactions::state_name(now.state);
  out.transaction_timeout_ms = now.timeout_ms;
  out.transaction_start_time_ms = now.started.value;
  out.producer_id = now.producer.id;
  out.producer_epoch = now.producer.epoch;
  for (const auto& [topic, partitions] : now.partitions) {
    out.topics.push_back({topic, {partitions.begin(), partitions.end()}});
  }
  return out;
}

}  // namespace

void describe_transactions(Call call, const DescribeTransactionsRequest& request) {
  transactions::DescribeTransactions event{request.transactional_ids};
  call.broker().transactions().ask(
      event, [call = std::move(call), event](const auto& result) mutable {
        DescribeTransactionsResponse response;
        if (result) {
          for (const auto& one : std::get<transactions::DescribeAnswer>(*result).transactions) {
            response.transaction_states.push_back(described(one, call));
          }
        } else {
          for (const auto& id : event.ids) {
            auto& refused = response.transaction_states.emplace_back();
            refused.error_code = kTransactionNotKept;
            refused.transactional_id = id;
          }
        }
        call.answer(response);
      });
}

}  // namespace tailrace::kafka
