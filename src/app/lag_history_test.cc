// What is kept of the lag, and what is not.
#include "app/lag_history.h"

#include <gtest/gtest.h>

namespace tailrace::app {
namespace {

using Lags = std::vector<std::pair<std::string, std::int64_t>>;

TEST(LagHistory, samples_come_the_oldest_first_and_the_oldest_go) {
  LagHistory history;
  const auto last = static_cast<std::int64_t>(LagHistory::kSamples) + 5;
  for (std::int64_t i = 0; i < last; ++i) history.note(TimestampMs(i), {{"g", i * 2}});
  const auto samples = history.of("g");
  ASSERT_EQ(samples.size(), LagHistory::kSamples);
  EXPECT_EQ(samples.front().time_ms, 5);
  EXPECT_EQ(samples.back().time_ms, last - 1);
  EXPECT_EQ(samples.back().lag, (last - 1) * 2);
}

TEST(LagHistory, a_group_that_is_gone_is_forgotten) {
  LagHistory history;
  history.note(TimestampMs(1), {{"a", 1}, {"b", 2}});
  history.note(TimestampMs(2), {{"b", 3}});
  EXPECT_TRUE(history.of("a").empty());
  EXPECT_EQ(history.of("b").size(), 2U);
  history.note(TimestampMs(3), {{"a", 4}});
  EXPECT_EQ(history.of("a").size(), 1U);
}

TEST(LagHistory, groups_are_bounded) {
  Lags lags;
  for (std::size_t i = 0; i <= LagHistory::kGroups; ++i) lags.emplace_back(std::to_string(i), 1);
  LagHistory history;
  history.note(TimestampMs(1), lags);
  EXPECT_EQ(history.of(std::to_string(LagHistory::kGroups - 1)).size(), 1U);
  EXPECT_TRUE(history.of(std::to_string(LagHistory::kGroups)).empty());
}

}  // namespace
}  // namespace tailrace::app
