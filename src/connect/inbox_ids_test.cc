// Ids are known for as long as is asked, and as many as are asked; files survive crashes.
#include "connect/inbox_ids.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "rt/simulated_files.h"

namespace tailrace::connect {
namespace {

constexpr std::int64_t kDay = 86'400'000;

class InboxIdsTest : public testing::Test {
 protected:
  std::unique_ptr<InboxIds> open(std::int64_t most = 1'000'000) {
    auto ids = InboxIds::open("/ids", kDay, most, files_);
    EXPECT_TRUE(ids) << ids.error().what;
    return std::move(*ids);
  }
  rt::SimulatedFiles files_{1};
};

TEST_F(InboxIdsTest, an_id_is_known_until_its_time_is_over) {
  const auto ids = open();
  ids->add("one", 1000);
  EXPECT_TRUE(ids->knows("one", 1000 + kDay - 1));
  EXPECT_FALSE(ids->knows("one", 1000 + kDay));
  EXPECT_FALSE(ids->knows("two", 1000));
  ids->add("one", 1000 + kDay);
  EXPECT_TRUE(ids->knows("one", 1000 + kDay));
}

TEST_F(InboxIdsTest, what_was_synced_is_known_after_power_failed_at_any_write) {
  for (std::uint64_t place = 1; place < 40; ++place) {
    rt::SimulatedFiles files(place);
    std::size_t synced = 0;
    const auto live = [&] {
      auto ids = InboxIds::open("/ids", kDay, 1'000'000, files);
      if (!ids) return;
      for (std::size_t i = 0; i < synced; ++i)
        EXPECT_TRUE((*ids)->knows(fmt::format("id {}", i), 5)) << i << " at " << place;
      for (std::size_t i = synced; i < 20; ++i) {
        (*ids)->add(fmt::format("id {}", i), 5);
        if (i % 3 == 2 && (*ids)->sync()) synced = i + 1;
      }
    };
    files.crash_at(place);
    live();
    files.restart();
    live();
    files.restart();
    live();
    EXPECT_GE(synced, 18U);
  }
}

TEST_F(InboxIdsTest, as_many_are_known_as_are_asked_and_the_oldest_go) {
  constexpr int kIds = 400'000;
  auto ids = open(100'000);
  for (int i = 0; i < kIds; ++i) {
    ids->add(fmt::format("id {}", i), 1000);
    if (i % 10'000 == 0) {
      ASSERT_TRUE(ids->sync());
    }
  }
  ASSERT_TRUE(ids->sync());
  ids = open(100'000);
  for (int i = kIds - 100'000; i < kIds; ++i)
    ASSERT_TRUE(ids->knows(fmt::format("id {}", i), 1000)) << i;
  EXPECT_FALSE(ids->knows("id 0", 1000));
  EXPECT_LE(files_.list("/ids")->size(), 4U);
}

TEST_F(InboxIdsTest, a_full_disk_is_told_and_nothing_is_forgotten) {
  auto ids = open();
  ids->add("one", 1000);
  ASSERT_TRUE(ids->sync());
  files_.set_capacity(40);
  ids->add("two", 1000);
  const auto synced = ids->sync();
  ASSERT_FALSE(synced);
  EXPECT_EQ(synced.error().code, Code::kResourceExhausted);
  EXPECT_TRUE(ids->knows("two", 1000));
  files_.set_capacity(1 << 20);
  ASSERT_TRUE(ids->sync());
  ids = open();
  EXPECT_TRUE(ids->knows("one", 1000));
  EXPECT_TRUE(ids->knows("two", 1000));
}

}  // namespace
}  // namespace tailrace::connect
