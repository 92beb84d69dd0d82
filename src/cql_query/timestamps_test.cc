// The order of times and places that the server gives.
#include "cql_query/timestamps.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "cql_query/cell_path.h"
#include "cql_types/uuid.h"

namespace tailrace::cql_query {
namespace {

TEST(Timestamps, timestamps_follow_the_clock_and_never_come_twice) {
  TimestampSource source;
  EXPECT_EQ(source.next(1'000), 1'000);
  EXPECT_EQ(source.next(1'000), 1'001);
  EXPECT_EQ(source.next(5), 1'002);
  EXPECT_EQ(source.next(9'000), 9'000);
}

TEST(Timestamps, threads_never_get_the_same_timestamp) {
  TimestampSource source;
  std::vector<std::vector<std::int64_t>> given(4);
  std::vector<std::thread> threads;
  for (auto& mine : given) {
    threads.emplace_back([&source, &mine] {
      for (int i = 0; i < 10'000; ++i) mine.push_back(source.next(i / 7));
    });
  }
  for (auto& thread : threads) thread.join();
  std::vector<std::int64_t> all;
  for (const auto& mine : given) {
    EXPECT_TRUE(std::ranges::is_sorted(mine));
    all.insert(all.end(), mine.begin(), mine.end());
  }
  std::ranges::sort(all);
  EXPECT_EQ(std::ranges::adjacent_find(all), all.end());
}

TEST(Timestamps, each_run_of_places_lies_before_all_that_were_given) {
  PrependSource source;
  constexpr std::int64_t kNow = 1'790'000'000'000;
  std::uint64_t first = UINT64_MAX;
  for (const std::int64_t ms : {kNow, kNow, kNow + 1, kNow - 60'000, kNow - 60'000, kNow + 5}) {
    for (const std::int64_t count : {1L, 7L, 9'999L, 2L}) {
      const std::uint64_t place = source.take(ms, count);
      EXPECT_LE(place + static_cast<std::uint64_t>(count), first);
      first = place;
    }
  }
}

TEST(Timestamps, what_is_prepended_lies_before_what_is_appended) {
  cql_types::TimeuuidSource appended(1);
  PrependSource prepended;
  for (const std::int64_t ms : {1'300'000'000'000L, 1'790'000'000'000L, 2'500'000'000'000L}) {
    EXPECT_LT(list_path(prepended.take(ms, 1), 0), list_path(appended.next(ms)));
  }
}

}  // namespace
}  // namespace tailrace::cql_query
