// What is not in memory is refused to who may not wait, and given to who waits.
#include "kv/quick_reads.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/check.h"
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
      batch.put(key(i), std::string(1000, 'v'));
      EXPECT_TRUE(store_->write(batch).has_value());
    }
    EXPECT_TRUE(store_->sync().has_value());
    store_.reset();
    open();
  }
  ~QuickReadsTest() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  void open() {
    auto opened = DurableStore::open(folder_, {});
    ASSERT_TRUE(opened.has_value()) << opened.error().what;
    store_ = std::move(*opened);
  }
  static std::string key(int i) { return "key" + std::to_string(100'000 + i); }

  static constexpr int kKeys = 1000;
  std::string folder_;
  std::unique_ptr<DurableStore> store_;
};

TEST_F(QuickReadsTest, what_is_on_the_disk_is_refused_and_then_there_for_who_waits) {
  if (!forget_tables(folder_)) GTEST_SKIP() << "all files are in memory here";
  std::string value;
  {
    const QuickReads quick;
    const auto got = store_->get(key(7), value, nullptr);
    EXPECT_TRUE(quick.refused());
    ASSERT_FALSE(got.has_value());
    EXPECT_EQ(got.error().code, Code::kUnavailable);
  }
  const auto waited = store_->get(key(7), value, nullptr);
  ASSERT_TRUE(waited.has_value()) << waited.error().what;
  EXPECT_TRUE(*waited);
  EXPECT_EQ(value, std::string(1000, 'v'));
  const QuickReads quick;
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
    const QuickReads quick;
    const auto [keys, whole] = count();
    EXPECT_LT(keys, kKeys);
    EXPECT_FALSE(whole);
    EXPECT_TRUE(quick.refused());
  }
  EXPECT_EQ(count(), std::pair(kKeys, true));
}

}  // namespace
}  // namespace tailrace::kv
