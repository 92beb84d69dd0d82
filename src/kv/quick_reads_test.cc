// What is not in memory is refused to who may not wait, and given to who waits.
#include "kv/quick_reads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <semaphore>
#include <thread>
#include <vector>

#include "base/check.h"
#include "kv/disk_reads.h"
#include "kv/durable_store.h"
#include "kv/testing/page_cache.h"

namespace tailrace::kv {
namespace {

class QuickReadsTest : public ::testing::Test {
 protected:
  QuickReadsTest() {
    std::string name = (std::filesystem::temp_directory_path() / "tailrace-quick-XXXXXX").string();
    CHECK(::mkdtemp(name.data()));
    folder_ = name;
    open();
    for (int i = 0; i < kKeys; ++i) {
      WriteBatch batch;
      batch.put(key(i), text(i));
      EXPECT_TRUE(store_->write(batch).has_value());
    }
    EXPECT_TRUE(store_->sync().has_value());
    open();
  }
  ~QuickReadsTest() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  void open(std::size_t cache_bytes = DurableOptions().block_cache_bytes) {
    store_.reset();
    DurableOptions options;
    options.block_cache_bytes = cache_bytes;
    auto opened = DurableStore::open(folder_, options);
    ASSERT_TRUE(opened.has_value()) << opened.error().what;
    store_ = std::move(*opened);
  }
  static std::string key(int i) { return "key" + std::to_string(100'000 + i); }
  static std::string text(int i) { return std::string(1000, 'v') + std::to_string(i); }

  struct Read {
    Result<bool> found = false;
    std::string value;
    std::size_t pieces = 0;  ///< that came from the disk
  };
  /// As who serves many reads a key: tries, has brought what it lacks, tries again in that thread.
  Read bring(DiskReads& disk, const std::string& key) {
    Read read;
    Pieces pieces;
    std::binary_semaphore done(0);
    std::function<void()> try_it = [&] {
      {
        const QuickReads quick(pieces);
        read.found = store_->get(key, read.value, nullptr);
        if (!quick.refused()) return done.release();
      }
      if (!pieces.wanted || pieces.arrived.size() > 8) return done.release();
      disk.bring(pieces, try_it);
    };
    try_it();
    done.acquire();
    read.pieces = pieces.arrived.size();
    return read;
  }

  static constexpr int kKeys = 1000;
  std::string folder_;
  std::unique_ptr<DurableStore> store_;
};

TEST_F(QuickReadsTest, what_is_on_the_disk_is_refused_and_then_there_for_who_waits) {
  if (!forget_tables(folder_)) GTEST_SKIP() << "all files are in memory here";
  std::string value;
  Pieces pieces;
  {
    const QuickReads quick(pieces);
    const auto got = store_->get(key(7), value, nullptr);
    EXPECT_TRUE(quick.refused());
    ASSERT_FALSE(got.has_value());
    EXPECT_EQ(got.error().code, Code::kUnavailable);
  }
  const auto waited = store_->get(key(7), value, nullptr);
  ASSERT_TRUE(waited.has_value()) << waited.error().what;
  EXPECT_TRUE(*waited);
  EXPECT_EQ(value, text(7));
  const QuickReads quick(pieces);
  EXPECT_TRUE(store_->get(key(7), value, nullptr).value());
  EXPECT_FALSE(quick.refused());
}

TEST_F(QuickReadsTest, a_cursor_that_may_not_wait_ends_and_says_so) {
  if (!forget_tables(folder_)) GTEST_SKIP() << "all files are in memory here";
  const auto count = [this] {
    int keys = 0;
    const auto at = store_->cursor(key(0), key(kKeys), false, nullptr);
    for (at->seek(key(0)); at->valid(); at->next()) ++keys;
    return std::pair(keys, at->status().has_value());
  };
  {
    Pieces pieces;
    const QuickReads quick(pieces);
    const auto [keys, whole] = count();
    EXPECT_LT(keys, kKeys);
    EXPECT_FALSE(whole);
    EXPECT_TRUE(quick.refused());
  }
  EXPECT_EQ(count(), std::pair(kKeys, true));
}

TEST_F(QuickReadsTest, pieces_from_the_disk_give_every_key_in_a_few_tries) {
  open(1);  // RocksDB's own cache keeps nothing
  if (!forget_tables(folder_)) GTEST_SKIP() << "all files are in memory here";
  DiskReads disk(2);
  std::size_t brought = 0;
  for (int i = 0; i < kKeys; ++i) {
    const Read read = bring(disk, key(i));
    ASSERT_TRUE(read.found.has_value() && *read.found) << key(i);
    ASSERT_EQ(read.value, text(i));
    brought += read.pieces;
    ASSERT_FALSE(bring(disk, key(i) + "?").found.value());
  }
  EXPECT_GT(brought, 0U);
}

TEST_F(QuickReadsTest, many_requests_are_brought_at_a_time) {
  open(1);
  if (!forget_tables(folder_)) GTEST_SKIP() << "all files are in memory here";
  std::atomic<int> right{0};
  {
    std::atomic<int> together{0};
    DiskReads disk(2, [&](const std::function<void()>& work) {
      ++together;
      work();
    });
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread)
      threads.emplace_back([&, thread] {
        for (int i = thread; i < kKeys; i += 4) {
          const Read read = bring(disk, key(i));
          if (read.found && *read.found && read.value == text(i)) ++right;
        }
      });
    for (auto& thread : threads) thread.join();
    EXPECT_GT(together, 0);
  }
  EXPECT_EQ(right, kKeys);
}

TEST_F(QuickReadsTest, what_is_read_often_comes_into_the_page_cache) {
  open(1);
  if (!forget_tables(folder_)) GTEST_SKIP() << "all files are in memory here";
  DiskReads disk(1);
  int reads = 1;
  for (; bring(disk, key(500)).pieces > 0; ++reads) ASSERT_LT(reads, 1000);
  EXPECT_GT(reads, 1);
}

TEST_F(QuickReadsTest, what_was_not_read_is_left_to_who_waits) {
  DiskReads disk(1);
  Pieces pieces;
  int ran = 0;
  disk.bring(pieces, [&] { ++ran; });  // nothing is wanted
  EXPECT_EQ(ran, 1);
  const auto file = DirectFile::open((folder_ + "/CURRENT").c_str());
  if (!file) GTEST_SKIP() << "all files are in memory here";
  pieces.wanted.emplace(Piece{file, 1 << 20, kPage});  // behind its end
  std::binary_semaphore done(0);
  disk.bring(pieces, [&] { done.release(); });
  done.acquire();
  EXPECT_TRUE(pieces.arrived.empty());
  EXPECT_FALSE(pieces.wanted.has_value());
}

}  // namespace
}  // namespace tailrace::kv
