// What the system tells of a folder, against what is done in it.
#include "rt/folder_watch.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>

namespace tailrace::rt {
namespace {

class FolderWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "folder_watch_XXXXXX";
    folder_ = mkdtemp(name.data());
    auto started = FolderWatch::start([this] {
      std::lock_guard lock(mutex_);
      ++wakes_;
      changed_.notify_all();
    });
    ASSERT_TRUE(started) << started.error().what;
    watch_ = std::move(*started);
  }
  void TearDown() override {
    watch_.reset();
    std::filesystem::remove_all(folder_);
  }

  void wait_for_wake(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return wakes_ >= count; });
  }

  std::string folder_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int wakes_ = 0;
  std::unique_ptr<FolderWatch> watch_;
};

TEST_F(FolderWatchTest, a_file_that_was_closed_or_moved_there_wakes_and_is_named) {
  if (!watch_->add(folder_)) GTEST_SKIP() << "the temporary folder is on a silent file system";
  std::ofstream(folder_ + "/a") << "x";
  wait_for_wake(1);
  EXPECT_EQ(watch_->take().paths, (std::set<std::string>{folder_ + "/a"}));
  std::filesystem::rename(folder_ + "/a", folder_ + "/b");
  wait_for_wake(2);
  EXPECT_TRUE(watch_->take().paths.contains(folder_ + "/b"));
}

TEST_F(FolderWatchTest, a_new_folder_asks_for_a_look_at_everything) {
  if (!watch_->add(folder_)) GTEST_SKIP() << "the temporary folder is on a silent file system";
  std::filesystem::create_directory(folder_ + "/new");
  wait_for_wake(1);
  EXPECT_TRUE(watch_->take().all);
  EXPECT_FALSE(watch_->take().all);
}

TEST_F(FolderWatchTest, a_folder_that_is_not_there_cannot_be_watched) {
  EXPECT_FALSE(watch_->add(folder_ + "/none"));
}

}  // namespace
}  // namespace tailrace::rt
