// EndTxn (KIP-98, 890), and the transactions that are ended for their clients.
//
// A client with an epoch for each transaction says in its epoch which transaction it means:
//   the current epoch   the one that is open; in CompleteX and Empty, one it has not begun: it may
//                       abort that, which gives it a new epoch
//   the one before      a repeated request: the same answer again, or INVALID_TXN_STATE for the
//                       other end
// Of another client it is not known which one it means: the state decides.
#include "transactions/transactions.h"

namespace tailrace::transactions {
namespace {

/// A repeated request has the same answer.
ErrorCode repeated(State state, bool commit) {
  switch (state) {
    case State::kCompleteCommit:
      return commit ? ErrorCode::kNone : ErrorCode::kInvalidTxnState;
    case State::kCompleteAbort:
      return commit ? ErrorCode::kInvalidTxnState : ErrorCode::kNone;
    case State::kPrepareCommit:
      return commit ? ErrorCode::kConcurrentTransactions : ErrorCode::kInvalidTxnState;
    case State::kPrepareAbort:
      return commit ? ErrorCode::kInvalidTxnState : ErrorCode::kConcurrentTransactions;
    case State::kEmpty:
    case State::kOngoing:
      break;
  }
  return ErrorCode::kInvalidTxnState;
}

}  // namespace

void Transactions::handle(const EndTransaction& request, Turn& turn) {
  const auto before = turn.actions.size();
  const auto answer = end(request, turn);
  const bool decided = turn.actions.size() > before;
  turn.reply(answer);
  if (decided) write_markers(request.id, find(request.id)->now, turn);
}

EndAnswer Transactions::end(const EndTransaction& request, Turn& turn) {
  if (request.id.empty()) return {ErrorCode::kInvalidRequest};
  const auto* known = find(request.id);
  if (known == nullptr) return {ErrorCode::kInvalidProducerIdMapping};
  return request.version >= kEpochPerTransaction ? end_with_epoch(request, *known, turn)
                                                 : end_plain(request, *known, turn);
}

EndAnswer Transactions::end_plain(const EndTransaction& request, const Known& known, Turn& turn) {
  if (known.now.producer.id != request.producer.id) return {ErrorCode::kInvalidProducerIdMapping};
  if (known.now.producer.epoch != request.producer.epoch) return {ErrorCode::kProducerFenced};
  if (known.now.state != State::kOngoing) return {repeated(known.now.state, request.commit)};
  append(request.id, prepared(known, request.commit, kPlain, kNoProducerId, turn.now), turn);
  return {};
}

EndAnswer Transactions::end_with_epoch(const EndTransaction& request, const Known& known,
                                       Turn& turn) {
  const auto& now = known.now;
  const bool overflowed = now.previous_id == request.producer.id &&
                          request.producer.epoch == kHighestEpoch - 1 && now.producer.epoch == 0;
  const bool again = overflowed || now.producer.epoch == request.producer.epoch + 1;
  const bool current = now.producer.epoch == request.producer.epoch;
  if (now.producer.id != request.producer.id && !overflowed) {
    return {ErrorCode::kInvalidProducerIdMapping};
  }
  switch (now.state) {
    case State::kOngoing:
      if (!current) return {ErrorCode::kProducerFenced};
      return decide(request, known, turn);
    case State::kEmpty:
      if (!current) return {ErrorCode::kProducerFenced};
      break;
    case State::kPrepareCommit:
    case State::kPrepareAbort:
      if (!again || overflowed) return {ErrorCode::kProducerFenced};
      return {repeated(now.state, request.commit)};
    case State::kCompleteCommit:
    case State::kCompleteAbort:
      if (!again && !current) return {ErrorCode::kProducerFenced};
      if (!again) break;
      if (const auto error = repeated(now.state, request.commit); error != ErrorCode::kNone) {
        return {error};
      }
      return {ErrorCode::kNone, now.producer};
  }
  if (request.commit) return {ErrorCode::kInvalidTxnState};
  return decide(request, known, turn);
}

EndAnswer Transactions::decide(const EndTransaction& request, const Known& known, Turn& turn) {
  std::int64_t next_id = kNoProducerId;
  if (is_exhausted(known.now.producer.epoch)) {
    const auto id = new_producer_id_();
    if (!id) return {ErrorCode::kCoordinatorLoadInProgress};
    next_id = *id;
  }
  append(request.id, prepared(known, request.commit, request.version, next_id, turn.now), turn);
  return {ErrorCode::kNone, completed(*find(request.id), turn.now).now.producer};
}

/// Aborts an open transaction with an epoch that its producer does not have.
ErrorCode Transactions::fence(const std::string& id, const Known& known, Turn& turn) {
  if (version_ >= kEpochPerTransaction) {
    const EndTransaction abort{id, known.now.producer, false, version_};
    const auto answer = decide(abort, known, turn);
    if (answer.error != ErrorCode::kNone) return answer.error;
  } else {
    Known fenced = known;
    auto& epoch = fenced.now.producer.epoch;
    if (epoch != kHighestEpoch) ++epoch;
    fenced.last_epoch = kNoEpoch;
    append(id, prepared(fenced, false, kPlain, kNoProducerId, turn.now), turn);
  }
  write_markers(id, find(id)->now, turn);
  return ErrorCode::kNone;
}

}  // namespace tailrace::transactions
