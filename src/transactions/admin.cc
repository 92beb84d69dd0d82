// DescribeTransactions and ListTransactions (KIP-664, 994, 1152).
#include <re2/re2.h>

#include <algorithm>
#include <memory>

#include "transactions/transactions.h"

namespace tailrace::transactions {

void Transactions::handle(const DescribeTransactions& request, Turn& turn) {
  DescribeAnswer answer;
  for (const auto& id : request.ids) {
    const auto* known = find(id);
    if (id.empty()) {
      answer.transactions.push_back({ErrorCode::kInvalidRequest, id});
    } else if (known == nullptr) {
      answer.transactions.push_back({ErrorCode::kTransactionalIdNotFound, id});
    } else {
      answer.transactions.push_back({ErrorCode::kNone, id, known->now});
    }
  }
  turn.reply(std::move(answer));
}

bool Transactions::lists(const ListTransactions& filter, const Transaction& transaction,
                         TimestampMs now) const {
  const auto passes = [](const auto& some, const auto& one) {
    return some.empty() || std::ranges::find(some, one) != some.end();
  };
  if (!passes(filter.producer_ids, transaction.producer.id)) return false;
  if (!passes(filter.states, state_name(transaction.state))) return false;
  return filter.running_longer_ms < 0 ||
         now.value - transaction.started.value > filter.running_longer_ms;
}

void Transactions::handle(const ListTransactions& request, Turn& turn) {
  ListAnswer answer;
  std::ranges::copy_if(request.states, std::back_inserter(answer.unknown_states),
                       [](const auto& name) { return !is_state_name(name); });
  std::unique_ptr<re2::RE2> pattern;
  if (!request.pattern.empty()) {
    re2::RE2::Options quiet;
    quiet.set_log_errors(false);
    pattern = std::make_unique<re2::RE2>(request.pattern, quiet);
    if (!pattern->ok()) return turn.reply(ListAnswer{ErrorCode::kInvalidRegularExpression});
  }
  for (const auto& [id, entry] : entries_) {
    const auto& transaction = entry.known.now;
    if (!lists(request, transaction, turn.now)) continue;
    if (pattern && !re2::RE2::FullMatch(id, *pattern)) continue;
    answer.transactions.push_back({id, transaction.producer.id, transaction.state});
  }
  turn.reply(std::move(answer));
}

}  // namespace tailrace::transactions
