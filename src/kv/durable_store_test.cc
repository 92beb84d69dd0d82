// What a store does while merges do not keep up with what is flushed.
#include "kv/durable_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <latch>

#include "base/check.h"

namespace tailrace::kv {
namespace {

/// Merges that begin and do not go on until they may.
class HeldMerges final : public CompactionRules {
 public:
  std::unique_ptr<CompactionPass> begin(const About&) override {
    ++begun;
    may_go_on.wait();
    return nullptr;
  }
  std::atomic<int> begun = 0;
  std::latch may_go_on{1};
};

class DurableStoreTest : public ::testing::Test {
 protected:
  DurableStoreTest() {
    std::string name = (std::filesystem::temp_directory_path() / "tailrace-store-XXXXXX").string();
    CHECK(::mkdtemp(name.data()));
    folder_ = name;
  }
  ~DurableStoreTest() override {
    merges_->may_go_on.count_down();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::string folder_;
  std::shared_ptr<HeldMerges> merges_ = std::make_shared<HeldMerges>();
  std::unique_ptr<DurableStore> store_;
};

TEST_F(DurableStoreTest, writes_go_on_while_a_merge_takes_its_time) {
  constexpr std::size_t kBuffer = 64 << 10;
  constexpr int kFlushes = 40;
  DurableOptions options;
  options.write_buffer_bytes = kBuffer;
  options.compaction = merges_;
  auto opened = DurableStore::open(folder_, options);
  ASSERT_TRUE(opened.has_value()) << opened.error().what;
  store_ = std::move(*opened);
  const std::string value(kBuffer / 4, 'v');
  int key = 0;
  for (int i = 0; i < kFlushes * 4; ++i) {
    WriteBatch batch;
    batch.put("key" + std::to_string(100'000 + key++), value);
    ASSERT_TRUE(store_->write(batch).has_value());
  }
  EXPECT_GT(merges_->begun, 0) << "no merge was held: this shows nothing";
  EXPECT_TRUE(store_->flush().has_value()) << "it waits for the merge";
  std::string read;
  EXPECT_TRUE(store_->get("key100000", read, nullptr).value());
  EXPECT_EQ(read, value);
}

}  // namespace
}  // namespace tailrace::kv
