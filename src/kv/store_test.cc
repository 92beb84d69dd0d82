// A store that is killed, damaged, locked or out of room keeps the promises of store.h.
#include "kv/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "kv/open_to_read.h"

namespace tailrace::kv {
namespace {

namespace fs = std::filesystem;

class StoreTest : public testing::Test {
 protected:
  // A death test runs this process anew: the folder's name is handed down in the environment.
  void SetUp() override {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    const char* given = std::getenv("STORE_TEST_FOLDER");
    owner_ = given == nullptr;
    if (owner_) {
      std::string name = testing::TempDir() + "storeXXXXXX";
      folder_ = mkdtemp(name.data());
      setenv("STORE_TEST_FOLDER", folder_.c_str(), 1);
    } else {
      folder_ = given;
    }
  }
  void TearDown() override {
    if (!owner_) return;
    unsetenv("STORE_TEST_FOLDER");
    fs::remove_all(folder_);
  }
  std::unique_ptr<Store> open(Options options = {}) {
    auto store = Store::open(folder_, options);
    EXPECT_TRUE(store) << store.error().what;
    return store ? std::move(*store) : nullptr;
  }

  std::string folder_;
  bool owner_ = true;
};

void put(Store& store, std::string_view key, std::string_view value) {
  WriteBatch batch;
  batch.put(key, value);
  ASSERT_TRUE(store.write(batch));
}

std::map<std::string, std::string> everything(const Store& store) {
  std::map<std::string, std::string> rows;
  EXPECT_TRUE(store.scan("", "", [&](std::string_view key, std::string_view value) {
    rows.emplace(key, value);
    return true;
  }));
  return rows;
}

TEST_F(StoreTest, a_scan_back_gives_the_rows_of_a_scan_from_the_last_to_the_first) {
  auto store = open();
  for (int i = 0; i < 50; ++i) put(*store, "k" + std::to_string(i), "old");
  ASSERT_TRUE(store->checkpoint());
  for (int i = 25; i < 80; ++i) put(*store, "k" + std::to_string(i), "new");
  WriteBatch batch;
  batch.erase("k33");
  ASSERT_TRUE(store->write(batch));
  using Rows = std::vector<std::pair<std::string, std::string>>;
  const auto rows = [&](bool back, std::string_view begin, std::string_view end) {
    Rows found;
    const auto take = [&](std::string_view key, std::string_view value) {
      found.emplace_back(key, value);
      return true;
    };
    EXPECT_TRUE(back ? store->scan_back(begin, end, take) : store->scan(begin, end, take));
    if (back) std::ranges::reverse(found);
    return found;
  };
  EXPECT_EQ(rows(true, "", ""), rows(false, "", ""));
  EXPECT_EQ(rows(false, "k2", "k50").size(), 33U);
  EXPECT_EQ(rows(true, "k2", "k50"), rows(false, "k2", "k50"));
  std::string last;
  EXPECT_TRUE(store->scan_back("k2", "k50", [&](std::string_view key, auto) {
    last = key;
    return false;
  }));
  EXPECT_EQ(last, "k5");
}

[[noreturn]] void write_checkpoint_write_and_die(const std::string& folder) {
  auto store = Store::open(folder);
  for (int step = 0; step < 100; ++step) {
    put(**store, "key" + std::to_string(step), "before");
    if (step % 10 == 9 && !(*store)->checkpoint()) _exit(1);
  }
  for (int step = 0; step < 50; ++step) put(**store, "key" + std::to_string(step), "after");
  _exit(7);
}

TEST_F(StoreTest, a_killed_store_is_at_its_last_checkpoint) {
  EXPECT_EXIT(write_checkpoint_write_and_die(folder_), testing::ExitedWithCode(7), "");
  auto store = open();
  const auto rows = everything(*store);
  EXPECT_EQ(rows.size(), 100u);
  for (const auto& [key, value] : rows) EXPECT_EQ(value, "before") << key;
}

[[noreturn]] void write_past_a_begun_checkpoint_and_die(const std::string& folder) {
  auto store = Store::open(folder);
  put(**store, "a", "1");
  if (!(*store)->begin_checkpoint()) _exit(1);
  put(**store, "a", "2");
  put(**store, "b", "2");
  if (!(*store)->finish_checkpoint()) _exit(1);
  _exit((*store)->get("a")->value() == "2" ? 7 : 1);
}

TEST_F(StoreTest, writes_after_begin_checkpoint_are_not_in_it) {
  EXPECT_EXIT(write_past_a_begun_checkpoint_and_die(folder_), testing::ExitedWithCode(7), "");
  const auto rows = everything(*open());
  EXPECT_THAT(rows, testing::ElementsAre(testing::Pair("a", "1")));
}

TEST_F(StoreTest, a_held_checkpoint_is_durable_only_when_released) {
  {
    auto store = open();
    put(*store, "a", "1");
    ASSERT_TRUE(store->checkpoint());
    put(*store, "a", "2");
    ASSERT_TRUE(store->begin_held_checkpoint());
    put(*store, "b", "3");
    EXPECT_FALSE(store->checkpoint_done());
    EXPECT_EQ(store->get("a").value(), "2");
  }
  auto store = open();
  EXPECT_EQ(store->get("a").value(), "1");
  EXPECT_EQ(store->get("b").value(), std::nullopt);
  put(*store, "a", "4");
  ASSERT_TRUE(store->begin_held_checkpoint());
  store->release_checkpoint();
  ASSERT_TRUE(store->finish_checkpoint());
  store.reset();
  EXPECT_EQ(open()->get("a").value(), "4");
}

TEST_F(StoreTest, closing_without_a_checkpoint_forgets_what_came_after_the_last) {
  {
    auto store = open();
    put(*store, "kept", "1");
    ASSERT_TRUE(store->checkpoint());
    put(*store, "lost", "1");
  }
  EXPECT_THAT(everything(*open()), testing::ElementsAre(testing::Pair("kept", "1")));
}

TEST_F(StoreTest, memory_beyond_the_write_buffer_is_not_flushed_before_the_checkpoint) {
  const Options small{.write_buffer_bytes = 1 << 16};
  {
    auto store = open(small);
    const std::string value(1000, 'v');
    for (int row = 0; row < 1000; ++row) put(*store, std::to_string(row), value);
    EXPECT_TRUE(store->needs_checkpoint());
  }
  auto store = open(small);
  EXPECT_TRUE(everything(*store).empty());
  EXPECT_FALSE(store->needs_checkpoint());
}

TEST_F(StoreTest, a_second_owner_is_refused_and_the_first_is_named) {
  auto store = open();
  auto second = Store::open(folder_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kFailedPrecondition);
  EXPECT_THAT(second.error().what, testing::HasSubstr(std::to_string(getpid())));
  store.reset();
  EXPECT_TRUE(Store::open(folder_));
}

TEST_F(StoreTest, opened_to_read_it_is_the_last_checkpoint_and_no_file_changes) {
  EXPECT_EQ(open_to_read(folder_).error().code, Code::kNotFound);
  const auto put = [](Store& store, const char* value) {
    WriteBatch batch;
    batch.put("key", value);
    ASSERT_TRUE(store.write(batch));
  };
  {
    auto store = open();
    put(*store, "kept");
    ASSERT_TRUE(store->checkpoint());
    put(*store, "forgotten");
  }
  std::map<std::string, fs::file_time_type> before, after;
  for (const auto& file : fs::directory_iterator(folder_))
    before[file.path()] = file.last_write_time();
  {
    auto reader = open_to_read(folder_);
    ASSERT_TRUE(reader) << reader.error().what;
    EXPECT_EQ(**(*reader)->get("key"), "kept");
    WriteBatch batch;
    batch.put("key", "changed");
    EXPECT_EQ((*reader)->write(batch).error().code, Code::kFailedPrecondition);
  }
  for (const auto& file : fs::directory_iterator(folder_))
    after[file.path()] = file.last_write_time();
  EXPECT_EQ(before, after);
  auto owner = open();  // a reader keeps nobody out, nor does an owner
  EXPECT_EQ(**(*open_to_read(folder_))->get("key"), "kept");
}

TEST_F(StoreTest, it_behaves_like_a_map_through_checkpoints_and_compactions) {
  std::map<std::string, std::string> expected;
  std::mt19937 random(7);
  auto store = open();
  for (int step = 0; step < 200; ++step) {
    WriteBatch batch;
    for (int i = 0; i < 50; ++i) {
      const std::string key = std::to_string(random() % 3000);
      if (random() % 4 == 0) {
        batch.erase(key);
        expected.erase(key);
      } else {
        batch.put(key,
                  expected[key] = std::string(random() % 200, static_cast<char>('a' + step % 26)));
      }
    }
    if (step % 50 == 49) {
      batch.erase_range("7", "8");
      expected.erase(expected.lower_bound("7"), expected.lower_bound("8"));
    }
    ASSERT_TRUE(store->write(batch));
    if (step % 7 == 0) {
      ASSERT_TRUE(store->checkpoint());
    }
  }
  ASSERT_EQ(everything(*store), expected);
  ASSERT_TRUE(store->checkpoint());
  store.reset();
  store = open();
  ASSERT_EQ(everything(*store), expected);
  std::vector<std::string> keys;
  for (int key = 0; key < 3000; ++key) keys.push_back(std::to_string(key));
  const std::vector<std::string_view> asked(keys.begin(), keys.end());
  const auto found = store->get_many(asked);
  ASSERT_TRUE(found);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto at = expected.find(keys[i]);
    ASSERT_EQ((*found)[i].has_value(), at != expected.end());
    if (at != expected.end()) {
      EXPECT_EQ(*(*found)[i], at->second);
    }
  }
}

// Insert hints of RocksDB confuse the list of keys with that of erased ranges: with them this
// fails.
TEST_F(StoreTest, an_erased_range_does_not_disturb_keys_with_its_first_bytes) {
  std::map<std::string, std::string> expected;
  auto store = open();
  for (int step = 0; step < 40; ++step) {
    WriteBatch batch;
    for (int i = 0; i < 50; ++i) {
      const std::string key = "table" + std::to_string(step % 4) + std::to_string(i * 7 % 50);
      batch.put(key, expected[key] = std::to_string(step));
    }
    ASSERT_TRUE(store->write(batch));
    batch.clear();
    const std::string begin = "table" + std::to_string(step % 3), end = prefix_end(begin);
    batch.put(begin, "before the range is erased");
    batch.erase_range(begin, end);
    expected.erase(expected.lower_bound(begin), expected.lower_bound(end));
    ASSERT_TRUE(store->write(batch));
    ASSERT_EQ(everything(*store), expected);
  }
  ASSERT_TRUE(store->checkpoint());
  store.reset();
  EXPECT_EQ(everything(*open()), expected);
}

TEST_F(StoreTest, damaged_files_are_data_loss) {
  {
    auto store = open();
    WriteBatch batch;
    for (int row = 0; row < 10'000; ++row)
      batch.put("row" + std::to_string(row), std::to_string(row * row));
    ASSERT_TRUE(store->write(batch));
    ASSERT_TRUE(store->checkpoint());
  }
  for (const auto& entry : fs::directory_iterator(folder_)) {
    if (entry.path().extension() != ".sst") continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(20'000);
    file.write("damage", 6);
  }
  auto store = Store::open(folder_);
  const Status read = store ? (*store)->scan("", "", [](auto, auto) { return true; })
                            : std::unexpected(store.error());
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::kDataLoss);
}

/// A small file system of our own at `folder`; false where the kernel does not let us.
bool mount_small(const std::string& folder) {
  if (unshare(geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) != 0) return false;
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
  return mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=16m") == 0;
}

constexpr int kDone = 7;
constexpr int kNoMount = 8;

int fill_the_disk_and_make_room(const std::string& folder) {
  if (!mount_small(folder)) return kNoMount;
  const std::string ballast = folder + "/ballast";
  std::ofstream(ballast) << std::string(8 << 20, 'b');
  auto store = Store::open(folder + "/kv", {.write_buffer_bytes = 4 << 20});
  if (!store) return 1;
  std::mt19937 random(1);
  const auto fill = [&](int round) {
    for (int row = 0; row < 12'000; ++row) {
      std::string value(1000, ' ');
      for (char& c : value) c = static_cast<char>(random());
      WriteBatch batch;
      batch.put(std::to_string(round) + "/" + std::to_string(row), value);
      if (auto written = (*store)->write(batch); !written) return written;
    }
    return Status();
  };
  if (!fill(0)) return 2;
  const Status full = (*store)->checkpoint();
  if (full || full.error().code != Code::kResourceExhausted) return 3;
  if ((*store)->finish_checkpoint()) return 4;
  Status refused;
  for (int round = 1; refused && round < 4; ++round) refused = fill(round);
  if (refused || refused.error().code != Code::kResourceExhausted) return 9;
  fs::remove(ballast);
  Status done = (*store)->finish_checkpoint();
  for (int tries = 0; !done && tries < 1000; ++tries) {
    usleep(10'000);
    done = (*store)->finish_checkpoint();
  }
  if (!done) return 10;
  store->reset();
  store = Store::open(folder + "/kv");
  if (!store) return 11;
  std::int64_t rows = 0;
  if (!(*store)->scan("", "", [&](auto, auto) { return ++rows > 0; })) return 12;
  return rows == 12'000 ? kDone : 13;
}

TEST_F(StoreTest, a_full_disk_is_resource_exhausted_and_work_resumes_when_there_is_room) {
  const auto done_or_not_allowed = [](int status) {
    return WIFEXITED(status) && (WEXITSTATUS(status) == kDone || WEXITSTATUS(status) == kNoMount);
  };
  EXPECT_EXIT(_exit(fill_the_disk_and_make_room(folder_)), done_or_not_allowed, "");
}

TEST(PrefixEnd, it_is_the_first_key_after_the_prefix) {
  EXPECT_EQ(prefix_end("ab"), "ac");
  EXPECT_EQ(prefix_end(std::string("a\xFF\xFF")), "b");
  EXPECT_EQ(prefix_end("\xFF"), "");
}

}  // namespace
}  // namespace tailrace::kv
