// Reads in turns.
#include "cql_query/long_reads.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace tailrace::cql_query {
namespace {

/// How often those that were stuck are looked at again.
constexpr std::chrono::milliseconds kLook{20};

Traffic traffic_of(const Client& client) {
  return client.traffic ? client.traffic() : Traffic::kFlows;
}

}  // namespace

LongReads::LongReads(int threads) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { loop(); });
}

LongReads::~LongReads() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void LongReads::run(const Client& client, Work work) {
  {
    const std::lock_guard lock(mutex_);
    auto turn = std::ranges::find(turns_, &client, &Turn::client);
    if (turn == turns_.end()) turn = turns_.insert(turn, Turn{&client, {}});
    turn->waiting.push_back(std::move(work));
  }
  changed_.notify_one();
}

LongReads::Turn* LongReads::next(std::vector<Work>& gone) {
  for (auto turn = turns_.begin(); turn != turns_.end();) {
    const auto now = turn++;
    if (now->waiting.empty() || now->running >= kAtOnce) continue;
    switch (traffic_of(*now->client)) {
      case Traffic::kFlows:
        turns_.splice(turns_.end(), turns_, now);
        return &*now;
      case Traffic::kStuck:
        break;
      case Traffic::kGone:
        std::ranges::move(now->waiting, std::back_inserter(gone));
        now->waiting.clear();
        if (now->running == 0) turns_.erase(now);
    }
  }
  return nullptr;
}

bool LongReads::somebody_is_stuck() const {
  return std::ranges::any_of(
      turns_, [](const Turn& turn) { return !turn.waiting.empty() && turn.running < kAtOnce; });
}

void LongReads::end(Turn* turn) {
  --turn->running;
  if (turn->running == 0 && turn->waiting.empty())
    turns_.remove_if([turn](const Turn& one) { return &one == turn; });
}

void LongReads::loop() {
  for (std::unique_lock lock(mutex_); !stopping_;) {
    std::vector<Work> gone;
    Work work;
    Turn* const turn = next(gone);
    if (turn != nullptr) {
      ++turn->running;
      work = std::move(turn->waiting.front());
      turn->waiting.pop_front();
    } else if (gone.empty()) {
      if (somebody_is_stuck())
        changed_.wait_for(lock, kLook);
      else
        changed_.wait(lock);
      continue;
    }
    lock.unlock();
    gone.clear();
    if (work) work();
    work = nullptr;
    lock.lock();
    if (turn != nullptr) end(turn);
    changed_.notify_one();
  }
}

}  // namespace tailrace::cql_query
