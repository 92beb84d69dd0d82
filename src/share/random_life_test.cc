// Random lives of a share partition against a model that has a line for every offset: a record is
// with one member at a time, comes again until it is final, and never after that.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "share/share_partition.h"

namespace tailrace::share {
namespace {

class Life {
 public:
  explicit Life(std::uint64_t seed) : random_(seed) {
    settings_.record_lock_ms = 50;
    settings_.delivery_count_limit = 2 + below(4);
    settings_.max_record_locks = 5 + below(40);
    for (Offset at(below(3)); std::ssize(batches_) < 30;) {
      if (one_in(6)) at = at + (1 + below(3));  // compacted away
      const Offset last = at + below(7);
      batches_.push_back({at, last, !one_in(8)});
      if (batches_.back().has_records)
        for (; at <= last; ++at) model_[at] = {};
      at = last + 1;
    }
  }

  void run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
      now_ = now_ + below(8);
      expire();
      switch (below(8)) {
        case 0:
          release();
          break;
        case 1:
          if (one_in(4)) restart();
          break;
        case 2:
        case 3:
        case 4:
          acknowledge(one_in(5));
          break;
        default:
          acquire(false);
      }
      check();
    }
  }

  /// All that is left is taken and accepted.
  void end() {
    settings_.max_record_locks = 100'000;
    now_ = now_ + 1000;
    expire();
    for (int i = 0; i < 1000 && partition_.next_fetch() <= batches_.back().last; ++i) {
      acquire(true);
      for (const auto& [offset, line] : std::map(model_))
        if (line.state == RecordState::kAcquired) say(line.member, offset, offset);
    }
    for (const auto& [offset, line] : model_) {
      EXPECT_TRUE(is_final(line.state)) << offset.value;
      EXPECT_GE(line.count, 1) << offset.value << " was never delivered";
    }
    EXPECT_EQ(partition_.start(), partition_.end());
  }

 private:
  struct Line {
    RecordState state = RecordState::kAvailable;
    int count = 0;
    std::string member{};
    TimestampMs deadline{0};
  };

  int below(int n) { return static_cast<int>(random_() % static_cast<std::uint64_t>(n)); }
  bool one_in(int n) { return below(n) == 0; }
  std::string someone() { return std::string(1, static_cast<char>('a' + below(3))); }

  void acquire(bool all) {
    const auto from = partition_.next_fetch();
    std::vector<ReadBatch> read;
    const int most = all ? 1000 : 1 + below(4);
    for (const auto& batch : batches_)
      if (batch.last >= from && std::ssize(read) < most) read.push_back(batch);
    const AcquireTask task{someone(), read, all ? 100'000 : 1 + below(20), 1 + below(20),
                           one_in(2)};
    std::int64_t total = 0;
    for (const auto& got : partition_.acquire(task, settings_, now_)) {
      total += got.last - got.first + 1;
      for (Offset at = got.first; at <= got.last; ++at) {
        ASSERT_TRUE(model_.contains(at)) << at.value << " holds no record";
        auto& line = model_[at];
        ASSERT_EQ(line.state, RecordState::kAvailable) << at.value;
        line.state = RecordState::kAcquired;
        ASSERT_EQ(++line.count, got.delivery_count) << at.value;
        line.member = task.member;
        line.deadline = now_ + settings_.record_lock_ms;
      }
    }
    EXPECT_TRUE(!task.exactly || total <= task.max_records);
  }

  /// Some of what a member has, or (a lie) of what it has not.
  void acknowledge(bool lies) {
    const auto member = someone();
    std::vector<Offset> has;
    for (const auto& [offset, line] : model_)
      if (line.state == RecordState::kAcquired && (lies || line.member == member))
        has.push_back(offset);
    if (has.empty()) return;
    const auto first = has[static_cast<std::size_t>(below(static_cast<int>(has.size())))];
    auto last = first;
    while (std::ranges::binary_search(has, last + 1) && !one_in(5)) ++last;
    say(member, first, last);
  }

  void say(const std::string& member, Offset first, Offset last) {
    Acknowledgement one{first, last, {}};
    bool right = true;
    for (Offset at = first; at <= last; ++at) {
      auto& line = model_[at];
      right &= line.state == RecordState::kAcquired && line.member == member;
      one.types.push_back(
          static_cast<AcknowledgeType>(settings_.max_record_locks == 100'000 ? 1 : below(5)));
    }
    const auto settled = partition_.acknowledge(member, {&one, 1}, settings_, now_);
    ASSERT_EQ(settled.error == KafkaError::kNone, right) << settled.message;
    keep(settled);
    for (Offset at = first; right && at <= last; ++at) {
      auto& line = model_[at];
      switch (one.types[static_cast<std::size_t>(at - first)]) {
        case AcknowledgeType::kRenew:
          line.deadline = now_ + settings_.record_lock_ms;
          break;
        case AcknowledgeType::kRelease:
          back(line);
          break;
        case AcknowledgeType::kAccept:
          line.state = RecordState::kAcknowledged;
          break;
        default:
          line.state = RecordState::kArchived;
      }
    }
  }

  void back(Line& line) {
    const bool often = line.count >= settings_.delivery_count_limit;
    line.state = often ? RecordState::kArchived : RecordState::kAvailable;
  }

  void release() {
    const auto member = someone();
    keep(partition_.release(member, settings_));
    for (auto& [offset, line] : model_)
      if (line.state == RecordState::kAcquired && line.member == member) back(line);
  }

  void expire() {
    keep(partition_.expire(settings_, now_));
    for (auto& [offset, line] : model_)
      if (line.state == RecordState::kAcquired && line.deadline <= now_) back(line);
  }

  void restart() {
    if (one_in(2)) kept_.apply(kept_.next_snapshot(now_));
    partition_ = SharePartition(kept_, Offset(0));
    for (auto& [offset, line] : model_) {
      if (line.state != RecordState::kAcquired) continue;
      line.state = RecordState::kAvailable;
      --line.count;
    }
  }

  void keep(const Settled& settled) {
    if (!settled.update) return;
    auto update = *settled.update;
    update.snapshot_epoch = kept_.snapshot_epoch();
    kept_.apply(update);
  }

  void check() {
    std::optional<TimestampMs> due;
    for (const auto& [offset, line] : model_) {
      if (line.state == RecordState::kAcquired)
        due = std::min(due.value_or(line.deadline), line.deadline);
      EXPECT_TRUE(offset >= partition_.start() || is_final(line.state)) << offset.value;
      EXPECT_TRUE(offset < partition_.end() || line.count == 0) << offset.value;
    }
    if (due) {
      ASSERT_TRUE(partition_.next_deadline());
      EXPECT_LE(*partition_.next_deadline(), *due);
    }
    for (const auto& [first, run] : kept_.fates())
      for (Offset at = first; at <= run.last; ++at)
        EXPECT_TRUE(!is_final(run.value.first) || !model_.contains(at) ||
                    is_final(model_[at].state));
  }

  std::mt19937_64 random_;
  Settings settings_;
  TimestampMs now_{1000};
  std::vector<ReadBatch> batches_;
  std::map<Offset, Line> model_;
  KeptState kept_;
  SharePartition partition_{KeptState{}, Offset(0)};
};

TEST(RandomLife, a_record_is_with_one_at_a_time_until_it_is_final) {
  for (std::uint64_t seed = 1; seed <= 300 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Life life(seed);
    life.run(300);
    life.end();
  }
}

}  // namespace
}  // namespace tailrace::share
