// InitProducerId (KIP-98, 360): a producer comes, again, or after an error.
#include "transactions/transactions.h"

namespace tailrace::transactions {
namespace {

/// Whether a producer that says who it was may go on (KIP-360): the id is its own, or was until its
/// epochs ran out and it did not hear of it.
bool may_go_on(const Producer& expected, const Transaction& now) {
  return now.producer.epoch == kNoEpoch || expected.id == now.producer.id ||
         (expected.id == now.previous_id && is_exhausted(expected.epoch));
}

}  // namespace

void Transactions::handle(const InitProducerId& request, Turn& turn) {
  turn.reply(init(request, turn));
}

InitAnswer Transactions::init(const InitProducerId& request, Turn& turn) {
  if (request.id.empty()) return {ErrorCode::kInvalidRequest};
  if (request.two_phase_commit && !config_.two_phase_commit) {
    return {ErrorCode::kTransactionalIdAuthorizationFailed};
  }
  if (request.keep_prepared) return {ErrorCode::kUnsupportedVersion};
  if (!request.two_phase_commit &&
      (request.timeout_ms <= 0 || request.timeout_ms > config_.transaction_max_timeout_ms)) {
    return {ErrorCode::kInvalidTransactionTimeout};
  }
  const auto* known = find(request.id);
  if (known == nullptr) {
    const auto id = new_producer_id_();
    if (!id) return {ErrorCode::kCoordinatorLoadInProgress};
    Known fresh;
    fresh.now.producer.id = *id;
    return init_settled(request, fresh, turn);
  }
  if (request.expected && !may_go_on(*request.expected, known->now)) {
    return {ErrorCode::kProducerFenced};
  }
  switch (known->now.state) {
    case State::kPrepareCommit:
    case State::kPrepareAbort:
      return {ErrorCode::kConcurrentTransactions};
    case State::kOngoing:
      // The client asks again; the epoch that fences the old producer off is nobody's.
      if (const auto error = fence(request.id, *known, turn); error != ErrorCode::kNone) {
        return {error};
      }
      return {ErrorCode::kConcurrentTransactions};
    case State::kEmpty:
    case State::kCompleteCommit:
    case State::kCompleteAbort:
      break;
  }
  return init_settled(request, *known, turn);
}

InitAnswer Transactions::init_settled(const InitProducerId& request, const Known& known,
                                      Turn& turn) {
  const auto timeout_ms = request.two_phase_commit ? INT32_MAX : request.timeout_ms;
  const auto epoch = known.now.producer.epoch;
  std::optional<Known> next;
  if (is_exhausted(epoch) && (!request.expected || request.expected->epoch == epoch)) {
    const auto id = new_producer_id_();
    if (!id) return {ErrorCode::kCoordinatorLoadInProgress};
    next = with_producer(known, *id, timeout_ms, request.expected.has_value(), turn.now);
  } else if (is_exhausted(epoch) && request.expected->epoch != known.last_epoch) {
    return {ErrorCode::kProducerFenced};
  } else {
    const auto expected = request.expected ? std::optional(request.expected->epoch) : std::nullopt;
    next = with_next_epoch(known, expected, timeout_ms, turn.now);
  }
  if (!next) return {ErrorCode::kProducerFenced};
  const Producer producer = next->now.producer;
  append(request.id, std::move(*next), turn);
  return {ErrorCode::kNone, producer};
}

}  // namespace tailrace::transactions
