// Lines of a try: what is masked, and how a reader follows.
#include "workflows/try_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

namespace tailrace::workflows {
namespace {

using namespace std::chrono_literals;

class TryLogTest : public testing::Test {
 protected:
  TryLogTest()
      : folder_(std::filesystem::temp_directory_path() /
                ("tailrace_try_log_" + std::to_string(::getpid()))),
        logs_(folder_.string(), clock_) {}
  ~TryLogTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_;
  rt::ManualClock clock_{TimestampMs(0)};
  TryLogs logs_;
  const sched::TaskId task_{{"d", "manual__2026-01-01T00:00:00+00:00"}, "group.task", 2};
};

TEST_F(TryLogTest, each_line_has_its_time_and_secrets_are_starred) {
  auto log = *logs_.open(task_, 1);
  log->mask("swordfish");
  log->line("swordfish and swordfish");
  log.reset();
  const auto part = *logs_.read(task_, 1, 0, 0ms);
  EXPECT_EQ(part.text, "1970-01-01T00:00:00+00:00 *** and ***\n");
  EXPECT_FALSE(part.under_way);
}

TEST_F(TryLogTest, a_secret_within_another_leaves_nothing_of_that_one) {
  auto log = *logs_.open(task_, 1);
  log->mask("sword");
  log->mask("swordfish");
  log->mask("fish");
  log->mask("airflow");
  log->line("swordfish, sword, fish of airflow");
  EXPECT_THAT(logs_.read(task_, 1, 0, 0ms)->text, testing::HasSubstr(" ***, ***, fish of airflow"));
}

TEST_F(TryLogTest, a_reader_waits_for_the_next_line_and_sees_the_end) {
  auto log = *logs_.open(task_, 1);
  std::jthread writer([&] {
    std::this_thread::sleep_for(50ms);
    log->line("late");
    log.reset();
  });
  const auto part = *logs_.read(task_, 1, 0, 60s);
  EXPECT_THAT(part.text, testing::HasSubstr("late"));
  writer.join();
  const auto end = *logs_.read(task_, 1, part.next, 60s);
  EXPECT_TRUE(end.text.empty());
  EXPECT_FALSE(end.under_way);
}

TEST_F(TryLogTest, names_that_hold_slashes_stay_in_the_folder) {
  const auto path = try_log_path("/logs", {{"../../etc", "a/b"}, ".."}, 1);
  EXPECT_EQ(path, "/logs/..%2F..%2Fetc/a%2Fb/%2E./1.log");
}

TEST_F(TryLogTest, a_try_that_wrote_nothing_has_no_log) {
  EXPECT_EQ(logs_.read(task_, 9, 0, 0ms).error().code, Code::kNotFound);
}

}  // namespace
}  // namespace tailrace::workflows
