// What is said of a disk that fails, and how often.
#include "kafka/storage_faults.h"

#include <gtest/gtest.h>

namespace tailrace::kafka {
namespace {

using std::chrono::seconds;

const Error kFault{Code::kUnavailable, "open orders-3/0.log: Too many open files"};

TEST(StorageFaults, the_first_is_said_and_then_one_in_ten_seconds_with_how_many_there_were) {
  StorageFaults faults;
  const StorageFaults::Clock::time_point start{};
  const auto first = faults.line("orders", 3, kFault, start);
  ASSERT_TRUE(first);
  EXPECT_EQ(*first,
            "orders-3: not written, producers try again until their timeout: "
            "open orders-3/0.log: Too many open files");
  EXPECT_FALSE(faults.line("orders", 3, kFault, start + seconds(1)));
  EXPECT_FALSE(faults.line("orders", 4, kFault, start + seconds(9)));
  const auto later = faults.line("orders", 5, kFault, start + seconds(10));
  ASSERT_TRUE(later);
  EXPECT_NE(later->find("(2 more such faults since)"), std::string::npos);
  const auto last = faults.line("orders", 5, kFault, start + seconds(20));
  ASSERT_TRUE(last);
  EXPECT_EQ(last->find("more such"), std::string::npos);
}

}  // namespace
}  // namespace tailrace::kafka
