// One at a time, in the order of coming, and producers do not wait for each other.
#include "kafka/producer_turns.h"

#include <gtest/gtest.h>

#include <vector>

namespace tailrace::kafka {
namespace {

TEST(ProducerTurns, come_in_order_and_for_each_producer_alone) {
  std::deque<std::move_only_function<void()>> posted;
  ProducerTurns turns(
      [&](std::move_only_function<void()> work) { posted.push_back(std::move(work)); });
  std::vector<int> went;
  const auto come = [&](std::int64_t producer, int name) {
    return turns.enter(producer, [&went, name] { return [&went, name] { went.push_back(name); }; });
  };
  EXPECT_TRUE(come(1, 0));
  EXPECT_FALSE(come(1, 1));
  EXPECT_FALSE(come(1, 2));
  EXPECT_TRUE(come(2, 3));
  EXPECT_TRUE(posted.empty());
  turns.leave(1);
  ASSERT_EQ(posted.size(), 1u);
  posted.front()();
  EXPECT_FALSE(come(1, 4)) << "the second one's turn is not over";
  turns.leave(1);
  turns.leave(1);
  ASSERT_EQ(posted.size(), 3u);
  posted[1]();
  posted[2]();
  EXPECT_EQ(went, (std::vector<int>{1, 2, 4}));
  turns.leave(1);
  EXPECT_TRUE(come(1, 5));
}

}  // namespace
}  // namespace tailrace::kafka
