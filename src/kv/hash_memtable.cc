#include "kv/hash_memtable.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "kv/memtable_index.h"

namespace tailrace::kv {
namespace {

/// Entries in the order in which they came. Readers may read up to size() while one thread appends.
class Arrivals {
 public:
  Arrivals() = default;
  ~Arrivals() {
    for (auto& block : blocks_) delete[] block.load();
  }
  Arrivals(const Arrivals&) = delete;
  Arrivals& operator=(const Arrivals&) = delete;

  void push_back(const char* entry) {
    const std::size_t at = size_.load(std::memory_order_relaxed);
    const auto [block, offset] = place(at);
    const char** entries = blocks_[block].load(std::memory_order_relaxed);
    if (!entries) {
      entries = new const char*[kFirst << block];
      blocks_[block].store(entries, std::memory_order_relaxed);
    }
    entries[offset] = entry;
    size_.store(at + 1, std::memory_order_release);
  }
  std::size_t size() const { return size_.load(std::memory_order_acquire); }
  const char* operator[](std::size_t at) const {
    const auto [block, offset] = place(at);
    return blocks_[block].load(std::memory_order_relaxed)[offset];
  }

 private:
  static constexpr std::size_t kFirst = 256;
  struct Place {
    std::size_t block;
    std::size_t offset;
  };
  /// Each block is twice as long as the one before.
  static Place place(std::size_t at) {
    const auto block = static_cast<std::size_t>(std::bit_width(at / kFirst + 1)) - 1;
    return {block, at - ((kFirst << block) - kFirst)};
  }

  std::array<std::atomic<const char**>, 40> blocks_{};
  std::atomic<std::size_t> size_ = 0;
};

using Entries = std::vector<const char*>;

/// Sorts by merging the ascending stretches that are there already.
void merge_stretches(Entries& entries) {
  std::vector<std::size_t> ends;  // of the stretches
  for (std::size_t at = 1; at < entries.size(); ++at)
    if (before(entries[at], entries[at - 1])) ends.push_back(at);
  ends.push_back(entries.size());
  Entries merged(ends.size() > 1 ? entries.size() : 0);
  while (ends.size() > 1) {
    std::vector<std::size_t> longer;
    for (std::size_t i = 0, begin = 0; i < ends.size(); i += 2) {
      const std::size_t middle = ends[i];
      const std::size_t end = i + 1 < ends.size() ? ends[i + 1] : middle;
      std::merge(entries.data() + begin, entries.data() + middle, entries.data() + middle,
                 entries.data() + end, merged.data() + begin, before);
      longer.push_back(end);
      begin = end;
    }
    entries.swap(merged);
    ends.swap(longer);
  }
}

/// All entries in order, as of one moment.
class SortedIterator final : public PlacedIterator<SortedIterator> {
 public:
  explicit SortedIterator(std::shared_ptr<const Entries> entries)
      : entries_(std::move(entries)), at_(entries_->size()) {}

  bool Valid() const override { return at_ < entries_->size(); }
  const char* key() const override { return (*entries_)[at_]; }
  void Next() override { ++at_; }
  void Prev() override { at_ = at_ == 0 ? entries_->size() : at_ - 1; }
  void Seek(const rocksdb::Slice& key, const char*) override {
    at_ = lower_bound(*entries_, InternalKey(key.ToStringView()));
  }
  void SeekForPrev(const rocksdb::Slice& key, const char*) override {
    const Entries& entries = *entries_;
    const InternalKey wanted(key.ToStringView());
    at_ = lower_bound(entries, wanted);
    if (!Valid() || wanted < key_of(entries[at_])) Prev();
  }
  void SeekToFirst() override { at_ = 0; }
  void SeekToLast() override {
    at_ = 0;
    Prev();
    if (!entries_->empty()) --at_;
  }

  static std::size_t lower_bound(const Entries& entries, const InternalKey& key) {
    const auto found = std::ranges::partition_point(
        entries, [&](const char* entry) { return key_of(entry) < key; });
    return static_cast<std::size_t>(found - entries.begin());
  }

 private:
  std::shared_ptr<const Entries> entries_;
  std::size_t at_;
};

class HashMemtable final : public rocksdb::MemTableRep {
 public:
  explicit HashMemtable(rocksdb::Allocator* allocator) : MemTableRep(allocator) {}

  rocksdb::KeyHandle Allocate(std::size_t length, char** entry) override {
    char* memory = nullptr;
    MemTableRep::Allocate(sizeof(const char*) + length, &memory);
    *entry = memory + sizeof(const char*);
    return *entry;
  }
  void Insert(rocksdb::KeyHandle handle) override {
    auto* entry = static_cast<char*>(handle);
    index_.add(entry);
    arrivals_.push_back(entry);
  }
  bool Contains(const char* entry) const override { return index_.contains(entry); }
  std::uint64_t ApproximateNumEntries(const rocksdb::Slice& begin,
                                      const rocksdb::Slice& end) override {
    const auto entries = sorted();
    const std::size_t first =
        SortedIterator::lower_bound(*entries, InternalKey(begin.ToStringView()));
    const std::size_t last = SortedIterator::lower_bound(*entries, InternalKey(end.ToStringView()));
    return last > first ? last - first : 0;
  }
  std::size_t ApproximateMemoryUsage() override {
    return index_.size_bytes() + arrivals_.size() * 2 * sizeof(const char*);
  }
  Iterator* GetIterator(rocksdb::Arena* arena) override {
    return arena ? SortedIterator::without_delete(sorted()) : new SortedIterator(sorted());
  }
  Iterator* GetDynamicPrefixIterator(rocksdb::Arena* arena) override {
    return arena ? GetIterator(arena) : KeyIterator::in_this_thread(index_);
  }

 private:
  std::shared_ptr<const Entries> sorted() {
    const std::lock_guard lock(mutex_);
    const std::size_t count = arrivals_.size();
    if (count == sorted_->size()) return sorted_;
    Entries recent;
    recent.reserve(count - sorted_->size());
    for (std::size_t at = sorted_->size(); at < count; ++at) recent.push_back(arrivals_[at]);
    merge_stretches(recent);
    auto all = std::make_shared<Entries>(count);
    std::ranges::merge(*sorted_, recent, all->begin(), before);
    sorted_ = std::move(all);
    return sorted_;
  }

  Arrivals arrivals_;
  KeyIndex index_;
  std::mutex mutex_;  // of sorted_
  std::shared_ptr<const Entries> sorted_ = std::make_shared<const Entries>();
};

class HashMemtableFactory final : public rocksdb::MemTableRepFactory {
 public:
  const char* Name() const override { return "TailraceHashMemtable"; }
  rocksdb::MemTableRep* CreateMemTableRep(const rocksdb::MemTableRep::KeyComparator&,
                                          rocksdb::Allocator* allocator,
                                          const rocksdb::SliceTransform*,
                                          rocksdb::Logger*) override {
    return new HashMemtable(allocator);
  }
};

}  // namespace

std::shared_ptr<rocksdb::MemTableRepFactory> hash_memtable() {
  return std::make_shared<HashMemtableFactory>();
}

}  // namespace tailrace::kv
