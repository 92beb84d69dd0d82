// Dispatch of events, partitions and deadlines; InitProducerId and EndTxn have files of their own.
#include "transactions/transactions.h"

#include <algorithm>
#include <utility>

namespace tailrace::transactions {
namespace {

bool is_decided(State state) {
  return state == State::kPrepareCommit || state == State::kPrepareAbort;
}

}  // namespace

Transactions::Transactions(TransactionsConfig config, NewProducerId new_producer_id)
    : config_(config), new_producer_id_(std::move(new_producer_id)) {}

void Transactions::replay(const Record& record) {
  auto& entry = entries_[record.id];
  entry.known = {record.value.value_or(Transaction{}), kNoEpoch};
  set_deadline(record.id, entry);
  if (record.value) return;
  if (entry.deadline) deadlines_.erase({*entry.deadline, record.id});
  entries_.erase(record.id);
}

Actions Transactions::start(TimestampMs now) {
  Actions actions;
  Turn turn{now, {}, actions};
  for (const auto& [id, entry] : entries_) {
    if (is_decided(entry.known.now.state)) write_markers(id, entry.known.now, turn);
  }
  return actions;
}

Actions Transactions::step(const Event& event, TimestampMs now) {
  Actions actions;
  Turn turn{now, event.request, actions};
  std::visit([&](const auto& what) { handle(what, turn); }, event.what);
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const std::string id = deadlines_.begin()->second;
    deadline(id, turn);
  }
  return actions;
}

std::optional<TimestampMs> Transactions::next_deadline() const {
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.begin()->first;
}

std::map<std::string, Transaction> Transactions::all() const {
  std::map<std::string, Transaction> out;
  for (const auto& [id, entry] : entries_) out.emplace(id, entry.known.now);
  return out;
}

Transactions::Census Transactions::census() const {
  Census census;
  for (const auto& [id, entry] : entries_) {
    const Transaction& now = entry.known.now;
    ++census.states[now.state];
    const bool open = now.state == State::kOngoing || now.state == State::kPrepareCommit ||
                      now.state == State::kPrepareAbort;
    if (open && (!census.oldest_open || now.started < *census.oldest_open))
      census.oldest_open = now.started;
  }
  return census;
}

const Known* Transactions::find(const std::string& id) const {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : &found->second.known;
}

void Transactions::append(const std::string& id, Known to, Turn& turn) {
  auto& entry = entries_[id];
  entry.known = std::move(to);
  set_deadline(id, entry);
  turn.actions.push_back(Append{{id, entry.known.now}});
}

void Transactions::forget(const std::string& id, Turn& turn) {
  turn.actions.push_back(Append{{id, std::nullopt}});
  replay({id, std::nullopt});
}

/// A transaction that is open for longer than its timeout is aborted; an id that was not used for
/// long is forgotten; who waits for markers waits not for ever.
void Transactions::set_deadline(const std::string& id, Entry& entry) {
  if (entry.deadline) deadlines_.erase({*entry.deadline, id});
  entry.deadline.reset();
  const auto& transaction = entry.known.now;
  switch (transaction.state) {
    case State::kOngoing:
      // KIP-939: who commits in two phases has no timeout.
      if (transaction.timeout_ms != INT32_MAX) {
        entry.deadline = transaction.started + transaction.timeout_ms + 1;
      }
      break;
    case State::kPrepareCommit:
    case State::kPrepareAbort:
      if (!entry.waiting.empty()) entry.deadline = entry.waiting.front().until;
      break;
    case State::kEmpty:
    case State::kCompleteCommit:
    case State::kCompleteAbort:
      entry.deadline = transaction.updated + config_.transactional_id_expiration_ms;
      break;
  }
  if (entry.deadline) deadlines_.emplace(*entry.deadline, id);
}

void Transactions::deadline(const std::string& id, Turn& turn) {
  auto& entry = entries_.at(id);
  if (entry.known.now.state == State::kOngoing) {
    if (fence(id, entry.known, turn) == ErrorCode::kNone) return;
    // No producer id is at hand to go on with: a moment later there may be one.
    deadlines_.erase({*entry.deadline, id});
    entry.deadline = turn.now + 1'000;
    deadlines_.emplace(*entry.deadline, id);
  } else if (is_decided(entry.known.now.state)) {
    while (!entry.waiting.empty() && entry.waiting.front().until <= turn.now) {
      turn.actions.push_back(
          Reply{entry.waiting.front().request, AddAnswer{ErrorCode::kConcurrentTransactions}});
      entry.waiting.erase(entry.waiting.begin());
    }
    set_deadline(id, entry);
  } else {
    forget(id, turn);
  }
}

void Transactions::write_markers(const std::string& id, const Transaction& transaction,
                                 Turn& turn) const {
  turn.actions.push_back(WriteMarkers{id, transaction.producer,
                                      transaction.state == State::kPrepareCommit,
                                      transaction.version, transaction.partitions});
}

ErrorCode Transactions::add(const AddPartitions& request, Turn& turn) {
  if (request.id.empty()) return ErrorCode::kInvalidRequest;
  const auto* known = find(request.id);
  if (known == nullptr || known->now.producer.id != request.producer.id) {
    return ErrorCode::kInvalidProducerIdMapping;
  }
  if (known->now.producer.epoch != request.producer.epoch) return ErrorCode::kProducerFenced;
  if (is_decided(known->now.state)) return ErrorCode::kConcurrentTransactions;
  const bool there =
      known->now.state == State::kOngoing && includes(known->now.partitions, request.partitions);
  if (!there) {
    append(request.id, with_partitions(*known, request.partitions, request.version, turn.now),
           turn);
  }
  return ErrorCode::kNone;
}

void Transactions::handle(const AddPartitions& request, Turn& turn) {
  const auto found = entries_.find(request.id);
  // The producer has its new epoch from the answer to EndTxn, before all markers are written.
  const bool waits =
      request.implicit && found != entries_.end() && is_decided(found->second.known.now.state) &&
      (found->second.known.now.producer == request.producer ||
       (found->second.known.now.next_id == request.producer.id && request.producer.epoch == 0));
  if (!waits) return turn.reply(AddAnswer{add(request, turn)});
  auto& entry = found->second;
  entry.waiting.push_back({turn.request, request, turn.now + config_.add_partitions_wait_ms});
  set_deadline(request.id, entry);
}

void Transactions::handle(const VerifyPartitions& request, Turn& turn) {
  const auto* known = find(request.id);
  ErrorCode refused = ErrorCode::kNone;
  if (request.id.empty()) {
    refused = ErrorCode::kInvalidRequest;
  } else if (known == nullptr || known->now.producer.id != request.producer.id) {
    refused = ErrorCode::kInvalidProducerIdMapping;
  } else if (known->now.producer.epoch != request.producer.epoch) {
    refused = ErrorCode::kProducerFenced;
  } else if (is_decided(known->now.state)) {
    refused = ErrorCode::kConcurrentTransactions;
  }
  VerifyAnswer answer;
  for (const auto& [topic, partitions] : request.partitions) {
    for (const auto partition : partitions) {
      auto error = refused;
      if (refused == ErrorCode::kNone && !includes(known->now.partitions, {{topic, {partition}}})) {
        error = ErrorCode::kTransactionAbortable;
      }
      answer.partitions.push_back({topic, partition, error});
    }
  }
  turn.reply(std::move(answer));
}

void Transactions::handle(const MarkersWritten& event, Turn& turn) {
  const auto found = entries_.find(event.id);
  if (found == entries_.end()) return;
  const auto& now = found->second.known.now;
  if (!is_decided(now.state) || now.producer != event.producer) return;
  const auto waiting = std::exchange(found->second.waiting, {});
  append(event.id, completed(found->second.known, turn.now), turn);
  for (const auto& one : waiting) {
    turn.request = one.request;
    turn.reply(AddAnswer{add(one.add, turn)});
  }
}

}  // namespace tailrace::transactions
