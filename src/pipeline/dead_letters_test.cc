// Dead letters over a store in memory: counted, sent back once, trimmed from the oldest.
#include "pipeline/dead_letters.h"

#include <gtest/gtest.h>

#include "kv/memory_store.h"
#include "pipeline/checkpoint.h"

namespace tailrace::pipeline {
namespace {

class DeadLettersTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(letters_.load(std::nullopt)); }

  void add(const std::string& flow, std::int64_t time_ms, const std::string& bytes = "12345") {
    DeadLetter letter;
    letter.flow = flow;
    letter.reason = "late";
    letter.bytes = bytes;
    letter.time_ms = time_ms;
    kv::WriteBatch batch;
    letters_.add(letter, batch);
    ASSERT_TRUE(store_.write(batch));
  }
  std::int64_t trim(std::int64_t now_ms, std::int64_t keep_ms, std::int64_t max_bytes) {
    kv::WriteBatch batch;
    const auto removed = letters_.trim(now_ms, keep_ms, max_bytes, batch);
    EXPECT_TRUE(removed);
    EXPECT_TRUE(store_.write(batch));
    return *removed;
  }
  std::vector<DeadLetter> all() {
    std::vector<DeadLetter> found;
    EXPECT_TRUE(letters_.scan(0, [&](const DeadLetter& letter) {
      found.push_back(letter);
      return true;
    }));
    return found;
  }
  std::int64_t waiting(const std::string& flow) {
    return letters_.pending_totals().waiting[flow]["late"];
  }

  kv::MemoryStore store_;
  DeadLetters letters_{store_};
};

TEST_F(DeadLettersTest, trimming_by_age_takes_the_oldest_and_counts_them) {
  for (std::int64_t time : {100, 200, 300}) add("t", time);
  EXPECT_EQ(trim(350, 200, 1000), 1);
  EXPECT_EQ(all().size(), 2u);
  EXPECT_EQ(waiting("t"), 2);
  EXPECT_EQ(letters_.pending_totals().trimmed["t"]["late"], 1);
  EXPECT_EQ(trim(399, 200, 1000), 0);
  EXPECT_EQ(trim(401, 200, 1000), 1);
  EXPECT_EQ(trim(10'000, 200, 1000), 1);
  add("t", 10'000);
  EXPECT_EQ(trim(10'100, 200, 1000), 0);
  EXPECT_EQ(all().size(), 1u);
}

TEST_F(DeadLettersTest, counts_are_never_ahead_of_what_can_be_read) {
  add("t", 1);
  EXPECT_EQ(letters_.totals().next_id, 1u);
  letters_.written();
  EXPECT_EQ(letters_.totals().waiting["t"]["late"], 1);
}

TEST_F(DeadLettersTest, trimming_by_bytes_leaves_the_newest) {
  for (int i = 0; i < 5; ++i) add("t", 100);
  EXPECT_EQ(trim(100, 1000, 12), 3);
  ASSERT_EQ(all().size(), 2u);
  EXPECT_EQ(all()[0].id, 4u);
  EXPECT_EQ(letters_.pending_totals().bytes, 10);
}

TEST_F(DeadLettersTest, a_letter_is_marked_once_however_often_it_is_sent_back) {
  add("t", 1), add("t", 2);
  const auto letters = all();
  kv::WriteBatch batch;
  ASSERT_TRUE(letters_.mark_redriven({letters[0], letters[0]}, batch));
  ASSERT_TRUE(store_.write(batch));
  EXPECT_EQ(waiting("t"), 1);
  kv::WriteBatch again;
  ASSERT_TRUE(letters_.mark_redriven({letters[0]}, again));
  EXPECT_TRUE(again.empty());
  EXPECT_EQ(waiting("t"), 1);
  trim(1000, 10, 1000);
  kv::WriteBatch gone;
  ASSERT_TRUE(letters_.mark_redriven({letters[1]}, gone));
  EXPECT_TRUE(gone.empty());  // it was trimmed meanwhile
  EXPECT_EQ(letters_.pending_totals().trimmed["t"]["late"], 1);
}

TEST_F(DeadLettersTest, the_totals_of_the_checkpoint_are_those_counted_from_the_letters) {
  add("t", 1), add("u", 2), add("u", 3);
  kv::WriteBatch batch;
  ASSERT_TRUE(letters_.erase_flow("t", batch));
  ASSERT_TRUE(letters_.mark_redriven({all()[1]}, batch));
  Checkpoint checkpoint;
  checkpoint.letters = letters_.pending_totals();
  checkpoint.write(batch);
  ASSERT_TRUE(store_.write(batch));
  const auto kept = Checkpoint::load(store_);
  ASSERT_TRUE(kept && *kept);
  DeadLetters counted(store_), restored(store_);
  ASSERT_TRUE(counted.load(std::nullopt));
  ASSERT_TRUE(restored.load((*kept)->letters));
  for (const LetterTotals& totals : {counted.totals(), restored.totals()}) {
    EXPECT_EQ(totals.next_id, 4u);
    EXPECT_EQ(totals.bytes, 10);
    EXPECT_EQ(totals.waiting.at("u").at("late"), 1);
    EXPECT_FALSE(totals.waiting.contains("t"));
  }
}

}  // namespace
}  // namespace tailrace::pipeline
