// What was told to be durable is there after kill -9, whole; a full disk refuses writes and loses
// nothing.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <semaphore>

#include "base/bytes.h"
#include "cql_store/testing/temporary_store.h"

extern char** environ;

namespace tailrace::cql_store {
namespace {

constexpr TableNumber kRows = 1, kSums = 2;
constexpr const char* kFolder = "TAILRACE_STORE_OF_CHILD";
constexpr int kLines = 8;
/// Where a child tells; no other file of it has the number.
constexpr int kTellsAt = 200;

/// One step of a line of writes: two rows in different partitions say the step, a counter counts
/// it.
Mutation step_of(int line, std::int64_t step) {
  char value[sizeof step];
  store_be(value, step);
  const std::string left = "left" + std::to_string(line), right = "right" + std::to_string(line);
  Mutation mutation;
  for (const std::string& partition : {left, right}) {
    mutation.row(kRows, {line, partition}, {});
    mutation.put(0, {}, step, {value, sizeof value});
    mutation.put(1, {}, step, std::string(static_cast<std::size_t>(step % 700), 'x'));
  }
  mutation.row(kSums, {line, left}, {});
  mutation.add(0, 1);
  return mutation;
}

std::int64_t number_in(const Store& store, TableNumber table, int line, const char* side) {
  Row row;
  Snapshot::Buffer buffer;
  const std::string partition = side + std::to_string(line);
  const auto there = store.read(table, {line, partition}, {}, 1, row, buffer);
  EXPECT_TRUE(there.has_value());
  return there && *there ? load_be<std::int64_t>(row.cells.front().value.data()) : 0;
}

struct Told {
  std::int32_t line = 0;
  std::int64_t step = 0;
};

/// Not a test of its own: the process that the test below kills. It goes on with each line where
/// the store has it, and tells what is durable.
TEST(KilledStore, DISABLED_child_writes_until_it_is_killed) {
  const char* folder = std::getenv(kFolder);
  ASSERT_TRUE(folder);
  auto store = Store::open(folder, {.write_buffer_bytes = 1 << 20});
  ASSERT_TRUE(store.has_value()) << store.error().what;
  std::function<void(int, std::int64_t)> write = [&](int line, std::int64_t step) {
    (*store)->commit(step_of(line, step), [&write, line, step](Status status) {
      ASSERT_TRUE(status.has_value());
      const Told told{line, step};
      ASSERT_EQ(::write(kTellsAt, &told, sizeof told), static_cast<ssize_t>(sizeof told));
      write(line, step + 1);
    });
  };
  for (int line = 0; line < kLines; ++line)
    write(line, 1 + number_in(**store, kRows, line, "left"));
  while (true) ::pause();
}

struct Child {
  pid_t pid = 0;
  int told = -1;  // reads what it tells
};

Child start_child(const std::string& folder) {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], kTellsAt);
  std::string program = std::filesystem::read_symlink("/proc/self/exe");
  std::string filter = "--gtest_filter=*child_writes_until_it_is_killed";
  std::string disabled = "--gtest_also_run_disabled_tests";
  char* words[] = {program.data(), filter.data(), disabled.data(), nullptr};
  ::setenv(kFolder, folder.c_str(), 1);
  Child child;
  EXPECT_EQ(::posix_spawn(&child.pid, program.c_str(), &actions, nullptr, words, environ), 0);
  ::unsetenv(kFolder);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  child.told = ends[0];
  return child;
}

TEST(KilledStore, acknowledged_writes_survive_whole) {
  std::string name = (std::filesystem::temp_directory_path() / "tailrace-killed-XXXXXX").string();
  ASSERT_TRUE(::mkdtemp(name.data()));
  std::mt19937 random(11);
  std::int64_t acknowledged[kLines] = {};
  for (int round = 0; round < 12 && !::testing::Test::HasFailure(); ++round) {
    const Child child = start_child(name);
    const auto most = 20 + random() % 1500;
    Told told;
    for (unsigned n = 0; ::read(child.told, &told, sizeof told) == sizeof told; ++n) {
      acknowledged[told.line] = std::max(acknowledged[told.line], told.step);
      if (n == most) ::kill(child.pid, SIGKILL);
    }
    ::close(child.told);
    int status = 0;
    ::waitpid(child.pid, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";
    const auto store = Store::open(name);
    ASSERT_TRUE(store.has_value()) << store.error().what;
    for (int line = 0; line < kLines; ++line) {
      const std::int64_t left = number_in(**store, kRows, line, "left");
      EXPECT_GE(left, acknowledged[line]) << "an acknowledged write is lost";
      EXPECT_LE(left, acknowledged[line] + 1) << "nobody wrote that";
      EXPECT_EQ(number_in(**store, kRows, line, "right"), left) << "half a mutation";
      EXPECT_EQ(number_in(**store, kSums, line, "left"), left) << "replayed twice, or not at all";
    }
  }
  std::filesystem::remove_all(name);
}

/// A disk of its own, small enough to fill.
class SmallDisk : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "tailrace-disk-XXXXXX").string();
    ASSERT_TRUE(::mkdtemp(name.data()));
    folder_ = name;
    mounted_ = ::mount("tmpfs", name.c_str(), "tmpfs", 0, "size=80m") == 0;
    if (!mounted_) GTEST_SKIP() << "a small disk can be mounted by root only";
  }
  void TearDown() override {
    if (mounted_) ::umount2(folder_.c_str(), MNT_DETACH);
    std::filesystem::remove_all(folder_);
  }

  std::string folder_;
  bool mounted_ = false;
};

Status commit(Store& store, std::int64_t number) {
  Mutation mutation;
  mutation.row(kRows, {number, "p" + std::to_string(number)}, {});
  std::string value(20'000, 'v');
  for (std::size_t i = 0; i < value.size(); ++i)  // does not compress
    value[i] = static_cast<char>((static_cast<std::size_t>(number) + i) * 2654435761u >> 13);
  mutation.put(0, {}, 1, value);
  std::binary_semaphore ended(0);
  Status result;
  store.commit(std::move(mutation), [&](Status status) {
    result = std::move(status);
    ended.release();
  });
  ended.acquire();
  return result;
}

bool is_there(const Store& store, std::int64_t number) {
  Row row;
  Snapshot::Buffer buffer;
  const auto there = store.read(kRows, {number, "p" + std::to_string(number)}, {}, 1, row, buffer);
  EXPECT_TRUE(there.has_value()) << there.error().what;
  return there && *there;
}

TEST_F(SmallDisk, a_full_disk_refuses_writes_reads_go_on_and_it_recovers) {
  const std::string ballast = folder_ + "/ballast";
  const int fd = ::open(ballast.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
  // As much as the rest: when it is gone there is room to merge all that was written.
  ASSERT_EQ(::posix_fallocate(fd, 0, 40 << 20), 0);
  ::close(fd);
  std::vector<std::int64_t> durable;
  const Options options{.write_buffer_bytes = 2 << 20};
  {
    auto store = Store::open(folder_ + "/cells", options);
    ASSERT_TRUE(store.has_value()) << store.error().what;
    std::int64_t number = 0;
    Status status;
    for (; number < 20'000 && (status = commit(**store, number)); ++number)
      durable.push_back(number);
    ASSERT_FALSE(status.has_value()) << "the disk never filled";
    EXPECT_EQ(status.error().code, Code::kResourceExhausted) << status.error().what;
    for (const std::int64_t n : durable) ASSERT_TRUE(is_there(**store, n));
    std::filesystem::remove(ballast);
    // The flush that waits sees the room by itself; until then writes are refused.
    while (!(status = commit(**store, ++number)))
      ASSERT_EQ(status.error().code, Code::kResourceExhausted) << status.error().what;
    durable.push_back(number);
  }
  auto store = Store::open(folder_ + "/cells", options);
  ASSERT_TRUE(store.has_value()) << store.error().what;
  for (const std::int64_t n : durable) ASSERT_TRUE(is_there(**store, n)) << n;
}

}  // namespace
}  // namespace tailrace::cql_store
