// The log after crashes, on a full disk, and with segments used again.
#include "kv/commit_log.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>

#include "rt/file.h"

namespace tailrace::kv {
namespace {

using Records = std::vector<std::pair<std::uint64_t, std::string>>;

class CommitLogTest : public ::testing::Test {
 protected:
  CommitLogTest() {
    std::string name = (std::filesystem::temp_directory_path() / "tailrace-log-XXXXXX").string();
    EXPECT_TRUE(::mkdtemp(name.data()));
    folder_ = name;
    options_.segment_bytes = 64 << 10;
  }
  ~CommitLogTest() override {
    log_.reset();
    std::filesystem::remove_all(folder_);
  }

  /// What a new process finds.
  Result<Records> reopen(std::uint64_t done = 0) {
    log_.reset();
    options_.done = done;
    Records replayed;
    auto opened = CommitLog::open(folder_, options_, [&](std::uint64_t number, std::string_view r) {
      replayed.emplace_back(number, r);
      return Status();
    });
    if (!opened) return std::unexpected(opened.error());
    log_ = std::move(*opened);
    return replayed;
  }
  void append(std::string_view record) { ASSERT_TRUE(log_->append(record).has_value()); }
  void commit(std::string_view record) {
    append(record);
    ASSERT_TRUE(log_->sync().has_value());
  }
  std::vector<std::filesystem::path> files() const {
    std::vector<std::filesystem::path> all;
    for (const auto& file : std::filesystem::directory_iterator(folder_))
      all.push_back(file.path());
    std::ranges::sort(all);
    return all;
  }
  static void overwrite(const std::filesystem::path& file, std::streamoff at, char byte) {
    std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(at);
    out.put(byte);
  }

  std::string folder_;
  CommitLog::Options options_;
  std::unique_ptr<CommitLog> log_;
};

TEST_F(CommitLogTest, synced_records_come_back_in_order_and_others_do_not) {
  ASSERT_EQ(*reopen(), Records{});
  append("one");
  append("two");
  ASSERT_TRUE(log_->sync().has_value());
  append("taken back");
  log_->take_back();
  commit("three");
  append("never synced");
  EXPECT_EQ(*reopen(), (Records{{1, "one"}, {2, "two"}, {3, "three"}}));
  commit("four");
  EXPECT_EQ(*reopen(2), (Records{{3, "three"}, {4, "four"}}));
}

TEST_F(CommitLogTest, a_frame_that_was_cut_short_ends_the_log_and_it_goes_on) {
  ASSERT_TRUE(reopen().has_value());
  commit("one");
  commit(std::string(10'000, '2'));
  overwrite(files().front(), 4096 + 9'000, 'x');
  EXPECT_EQ(*reopen(), (Records{{1, "one"}}));
  commit("new two");
  EXPECT_EQ(*reopen(), (Records{{1, "one"}, {2, "new two"}}));
}

TEST_F(CommitLogTest, a_record_missing_between_others_is_data_loss) {
  ASSERT_TRUE(reopen().has_value());
  for (int i = 0; i < 40; ++i) commit(std::string(5'000, 'a'));
  ASSERT_GT(files().size(), 2u);
  overwrite(files().front(), 100, 'x');
  const auto reopened = reopen();
  ASSERT_FALSE(reopened.has_value());
  EXPECT_EQ(reopened.error().code, Code::kDataLoss);
}

TEST_F(CommitLogTest, random_sizes_and_releases_replay_exactly_what_is_needed) {
  std::mt19937 random(5);
  Records all;
  std::uint64_t done = 0;
  ASSERT_TRUE(reopen().has_value());
  for (int round = 0; round < 400; ++round) {
    for (unsigned n = 1 + random() % 3; n > 0; --n) {
      const std::size_t size = random() % 50 == 0 ? 100'000 : random() % 9'000;
      std::string record(size, static_cast<char>('a' + random() % 26));
      append(record);
      all.emplace_back(log_->last(), std::move(record));
    }
    ASSERT_TRUE(log_->sync().has_value());
    if (random() % 5 == 0) {
      done = log_->last() - random() % std::min<std::uint64_t>(log_->last() - done + 1, 20);
      log_->release(done);
      std::erase_if(all, [&](const auto& r) { return r.first <= done; });
    }
    if (random() % 20 == 0) {
      ASSERT_EQ(*reopen(done), all) << "round " << round;
      log_->release(done);
    }
  }
  EXPECT_LT(files().size(), 20u);  // segments are used again
}

TEST_F(CommitLogTest, a_log_that_nobody_needs_leaves_no_files) {
  ASSERT_TRUE(reopen().has_value());
  for (int i = 0; i < 40; ++i) commit(std::string(5'000, 'a'));
  log_->release(20);
  log_->remove();
  EXPECT_TRUE(files().empty());
}

TEST_F(CommitLogTest, without_room_a_record_is_refused_and_the_log_goes_on) {
  ASSERT_TRUE(reopen().has_value());
  commit("one");
  // The files may not grow: an error of its own kind, but the same way as a full disk's.
  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old{}, small{};
  getrlimit(RLIMIT_FSIZE, &old);
  small = old;
  small.rlim_cur = 4096;
  setrlimit(RLIMIT_FSIZE, &small);
  const std::string large(100'000, 'x');
  EXPECT_FALSE(log_->append(large).has_value());
  EXPECT_FALSE(log_->append(large).has_value());
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, before);
  commit("two");
  EXPECT_EQ(*reopen(), (Records{{1, "one"}, {2, "two"}}));
}

}  // namespace
}  // namespace tailrace::kv
