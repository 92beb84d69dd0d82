#include "transactions/transitions.h"

#include <algorithm>

namespace tailrace::transactions {
namespace {

/// The same one, a change later.
Known changed(const Known& from, State state, TimestampMs now) {
  Known to = from;
  to.now.previous_id = from.now.producer.id;
  to.now.state = state;
  to.now.updated = now;
  return to;
}

bool is_settled(State state) {
  return state == State::kEmpty || state == State::kCompleteCommit ||
         state == State::kCompleteAbort;
}

Known initialized(const Known& from, Producer producer, std::int16_t last_epoch,
                  std::int32_t timeout_ms, TimestampMs now) {
  Known to = changed(from, State::kEmpty, now);
  to.now.producer = producer;
  to.last_epoch = last_epoch;
  to.now.timeout_ms = timeout_ms;
  to.now.partitions.clear();
  to.now.started = TimestampMs(-1);
  return to;
}

std::int16_t after(std::int16_t epoch) {
  return static_cast<std::int16_t>(epoch + 1);
}

}  // namespace

Known with_producer(const Known& from, std::int64_t id, std::int32_t timeout_ms, bool keeps_last,
                    TimestampMs now) {
  const auto last = keeps_last ? from.now.producer.epoch : kNoEpoch;
  return initialized(from, {id, 0}, last, timeout_ms, now);
}

std::optional<Known> with_next_epoch(const Known& from, std::optional<std::int16_t> expected,
                                     std::int32_t timeout_ms, TimestampMs now) {
  const auto& producer = from.now.producer;
  const Producer next{producer.id, after(producer.epoch)};
  if (!expected) return initialized(from, next, kNoEpoch, timeout_ms, now);
  if (producer.epoch == kNoEpoch || *expected == producer.epoch) {
    return initialized(from, next, producer.epoch, timeout_ms, now);
  }
  if (*expected == from.last_epoch) {
    return initialized(from, producer, from.last_epoch, timeout_ms, now);
  }
  return std::nullopt;
}

Known with_partitions(const Known& from, const Partitions& added, Version version,
                      TimestampMs now) {
  Known to = changed(from, State::kOngoing, now);
  for (const auto& [topic, partitions] : added) {
    to.now.partitions[topic].insert(partitions.begin(), partitions.end());
  }
  if (is_settled(from.now.state)) to.now.started = now;
  to.now.version = version;
  return to;
}

Known prepared(const Known& from, bool commit, Version version, std::int64_t next_id,
               TimestampMs now) {
  Known to = changed(from, commit ? State::kPrepareCommit : State::kPrepareAbort, now);
  if (version >= kEpochPerTransaction) {
    const auto epoch = from.now.producer.epoch;
    if (epoch != kHighestEpoch) to.now.producer.epoch = after(epoch);
    to.last_epoch = epoch;
  }
  // What never had a partition begins where it ends.
  if (is_settled(from.now.state)) to.now.started = now;
  to.now.next_id = next_id;
  to.now.version = version;
  return to;
}

Known completed(const Known& from, TimestampMs now) {
  const bool commit = from.now.state == State::kPrepareCommit;
  Known to = changed(from, commit ? State::kCompleteCommit : State::kCompleteAbort, now);
  if (from.now.version >= kEpochPerTransaction && from.now.next_id != kNoProducerId) {
    to.now.producer = {from.now.next_id, 0};
  }
  to.now.next_id = kNoProducerId;
  to.now.partitions.clear();
  return to;
}

bool includes(const Partitions& all, const Partitions& some) {
  return std::ranges::all_of(some, [&](const auto& one) {
    const auto topic = all.find(one.first);
    return topic != all.end() && std::ranges::includes(topic->second, one.second);
  });
}

}  // namespace tailrace::transactions
