// The promises of files, clocks, queues and random numbers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "rt/clock.h"
#include "rt/file.h"
#include "rt/memory.h"
#include "rt/queue.h"
#include "rt/random.h"
#include "rt/simulated_files.h"

namespace tailrace::rt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Folder {
 public:
  Folder() {
    char name[] = "/tmp/tailrace_rt_XXXXXX";
    path_ = ::mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

void check_files(FileSystem& files, const std::string& root) {
  ASSERT_TRUE(files.make_folder(root + "/a/b"));
  auto file = files.open_writable(root + "/a/b/x").value();
  ASSERT_TRUE(file->append("hello "));
  ASSERT_TRUE(file->append("world"));
  EXPECT_EQ(file->size(), 11u);
  ASSERT_TRUE(file->truncate(5));
  ASSERT_TRUE(file->append("!"));
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(file->close());
  EXPECT_EQ(read_whole(files, root + "/a/b/x").value(), "hello!");
  EXPECT_EQ(read_whole(files, root + "/a/b/x", 3).error().code, Code::kResourceExhausted);
  EXPECT_EQ(read_whole(files, root + "/a/b/y").error().code, Code::kNotFound);

  auto reader = files.open_readable(root + "/a/b/x").value();
  char buffer[16];
  EXPECT_EQ(reader->read_at(4, buffer, sizeof buffer).value(), 2u);
  EXPECT_EQ(reader->read_at(99, buffer, sizeof buffer).value(), 0u);

  ASSERT_TRUE(write_atomically(files, root + "/a/b/z", "one"));
  ASSERT_TRUE(write_atomically(files, root + "/a/b/z", "two"));
  EXPECT_EQ(read_whole(files, root + "/a/b/z").value(), "two");
  EXPECT_THAT(files.list(root + "/a/b").value(), ElementsAre("x", "z"));
  ASSERT_TRUE(files.rename(root + "/a/b/z", root + "/a/b/w"));
  ASSERT_TRUE(files.remove(root + "/a/b/x"));
  ASSERT_TRUE(files.remove(root + "/a/b/x"));
  EXPECT_EQ(reader->read_at(0, buffer, 5).value(), 5u);
  EXPECT_TRUE(files.exists(root + "/a/b/w").value());
  EXPECT_FALSE(files.exists(root + "/a/b/x").value());
  ASSERT_TRUE(files.sync_folder(root + "/a/b"));
  ASSERT_TRUE(files.remove_folder(root + "/a"));
  EXPECT_FALSE(files.exists(root + "/a/b/w").value());
}

TEST(Files, posix_files_do_what_the_seam_says) {
  Folder folder;
  check_files(posix_files(), folder.path());
}

TEST(Files, simulated_files_do_what_the_seam_says) {
  SimulatedFiles files(1);
  check_files(files, "/root");
}

TEST(Files, a_full_disk_is_resource_exhausted_and_names_the_path) {
  auto full = posix_files().open_writable("/dev/full");
  if (!full) GTEST_SKIP() << "no /dev/full here";
  const auto failure = (*full)->append("x");
  ASSERT_FALSE(failure);
  EXPECT_EQ(failure.error().code, Code::kResourceExhausted);
  EXPECT_THAT(failure.error().what, HasSubstr("no space left on the disk of /dev/full"));
}

TEST(Files, a_second_process_learns_who_holds_the_folder) {
  Folder folder;
  int ready[2];
  int done[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(done), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = posix_files().lock_folder(folder.path());
    char byte = lock ? 'y' : 'n';
    if (::write(ready[1], &byte, 1) != 1 || ::read(done[0], &byte, 1) != 1) ::_exit(2);
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  const auto refused = posix_files().lock_folder(folder.path());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kFailedPrecondition);
  EXPECT_EQ(refused.error().what,
            "data folder " + folder.path() + " is in use by process " + std::to_string(child));
  ASSERT_EQ(::write(done[1], "x", 1), 1);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(posix_files().lock_folder(folder.path()));
}

TEST(Files, a_lock_that_a_killed_ones_child_still_has_is_waited_for) {
  Folder folder;
  int ready[2];
  int done[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(done), 0);
  const pid_t holder = ::fork();
  if (holder == 0) {
    const auto lock = posix_files().lock_folder(folder.path());
    char byte = lock ? 'y' : 'n';
    if (::fork() != 0) ::_exit(0);
    if (::write(ready[1], &byte, 1) != 1 || ::read(done[0], &byte, 1) != 1) ::_exit(2);
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  ASSERT_EQ(::waitpid(holder, nullptr, 0), holder);
  std::thread child_ends([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    EXPECT_EQ(::write(done[1], "x", 1), 1);
  });
  const auto lock = posix_files().lock_folder(folder.path());
  child_ends.join();
  EXPECT_TRUE(lock) << lock.error().what;
}

TEST(SimulatedFiles, a_crash_keeps_synced_bytes_and_a_prefix_of_the_rest) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SimulatedFiles files(seed);
    ASSERT_TRUE(files.make_folder("/d"));
    auto file = files.open_writable("/d/f").value();
    ASSERT_TRUE(files.sync_folder("/d"));
    ASSERT_TRUE(file->append("synced"));
    ASSERT_TRUE(file->sync());
    files.crash_at(2);
    ASSERT_TRUE(file->append("more"));
    ASSERT_FALSE(file->append("torn"));
    ASSERT_FALSE(file->sync());
    files.restart();
    const std::string kept = read_whole(files, "/d/f").value();
    EXPECT_TRUE(kept.starts_with("synced"));
    EXPECT_TRUE(std::string("syncedmoretorn").starts_with(kept));
    ASSERT_FALSE(file->append("an old handle is dead"));
  }
}

TEST(SimulatedFiles, a_full_disk_takes_a_part_and_has_room_later) {
  SimulatedFiles files(1);
  auto file = files.open_writable("/f").value();
  files.set_capacity(4);
  EXPECT_EQ(file->append("123456").error().code, Code::kResourceExhausted);
  EXPECT_EQ(files.content("/f"), "1234");
  ASSERT_TRUE(file->truncate(0));
  files.set_capacity(100);
  ASSERT_TRUE(file->append("123456"));
  EXPECT_EQ(files.content("/f"), "123456");
}

TEST(Queue, pushes_wait_for_room_and_close_drains) {
  Queue<int> queue(2);
  std::thread producer([&] {
    for (int i = 0; i < 1000; ++i) EXPECT_TRUE(queue.push(i));
    queue.close();
  });
  int expected = 0;
  while (const auto item = queue.pop()) {
    EXPECT_EQ(*item, expected++);
    EXPECT_LE(queue.size(), 2u);
  }
  EXPECT_EQ(expected, 1000);
  EXPECT_FALSE(queue.push(1));
  producer.join();
}

TEST(Queue, a_full_queue_refuses_try_push_and_an_empty_one_times_out) {
  Queue<int> queue(1);
  EXPECT_TRUE(queue.try_push(1));
  EXPECT_FALSE(queue.try_push(2));
  EXPECT_EQ(queue.try_pop(), 1);
  EXPECT_EQ(queue.pop_for(std::chrono::milliseconds(1)), std::nullopt);
}

TEST(Random, the_same_seed_gives_the_same_numbers) {
  Random a(42);
  Random b(42);
  Random c(43);
  EXPECT_EQ(a.next(), b.next());
  EXPECT_NE(a.next(), c.next());
  for (int i = 0; i < 1000; ++i) {
    EXPECT_LT(a.below(7), 7u);
    const auto n = a.between(-3, 3);
    EXPECT_TRUE(n >= -3 && n <= 3);
    const double unit = a.unit();
    EXPECT_TRUE(unit >= 0 && unit < 1);
  }
}

TEST(Random, splitmix64_matches_its_published_first_outputs) {
  // Vigna's splitmix64.c with x = 1234567, as listed on Rosetta Code.
  std::uint64_t state = 1234567;
  EXPECT_EQ(splitmix64(state), 6457827717110365317u);
  EXPECT_EQ(splitmix64(state), 3203168211198807973u);
}

TEST(Memory, is_the_machines_or_less_where_a_control_group_says_so) {
  EXPECT_EQ(limited_memory(1000, "max"), 1000u);
  EXPECT_EQ(limited_memory(1000, ""), 1000u);
  EXPECT_EQ(limited_memory(1000, "600\n"), 600u);
  EXPECT_EQ(limited_memory(1000, "2000"), 1000u);
  EXPECT_GT(machine_memory(), 64u << 20);
}

TEST(Clock, a_manual_clock_moves_only_when_told) {
  ManualClock clock(TimestampMs(5));
  clock.advance(std::chrono::milliseconds(7));
  EXPECT_EQ(clock.now(), TimestampMs(12));
  clock.set(TimestampMs(100));
  EXPECT_EQ(clock.now(), TimestampMs(100));
  const auto before = system_clock().monotonic();
  EXPECT_LE(before, system_clock().monotonic());
}

}  // namespace
}  // namespace tailrace::rt
