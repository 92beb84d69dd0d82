// The bound of answers that wait for their clients.
#include "kafka/answer_memory.h"

#include <gtest/gtest.h>

#include <vector>

namespace tailrace::kafka {
namespace {

TEST(AnswerMemory, many_answers_that_nobody_takes_stay_below_the_bound) {
  AnswerMemory memory(256 << 20);
  std::vector<std::shared_ptr<const void>> waiting;
  std::int64_t held = 0;
  for (int i = 0; i < 100; ++i) {
    const std::int64_t bytes = std::min<std::int64_t>(memory.room(), 50 << 20);
    held += bytes;
    waiting.push_back(memory.hold(bytes, std::make_shared<int>(i)));
  }
  EXPECT_LT(held, (256 << 20) + 100 * AnswerMemory::kLeast);
  EXPECT_EQ(memory.room(), AnswerMemory::kLeast);
}

TEST(AnswerMemory, what_is_taken_makes_room_again) {
  AnswerMemory memory(400);
  AnswerMemory large(400 << 20);
  EXPECT_EQ(memory.room(), AnswerMemory::kLeast);
  EXPECT_EQ(large.room(), 100 << 20);
  auto kept = std::make_shared<int>(1);
  const std::weak_ptr<int> seen = kept;
  auto held = large.hold(200 << 20, std::move(kept));
  auto copy = held;
  held.reset();
  EXPECT_EQ(large.room(), 50 << 20);
  EXPECT_FALSE(seen.expired());
  copy.reset();
  EXPECT_EQ(large.room(), 100 << 20);
  EXPECT_TRUE(seen.expired());
}

}  // namespace
}  // namespace tailrace::kafka
