// An entry's memory: for each level, the highest first, how the next entry's key begins and the
// next entry; then the older entry of the key (memtable_index.h); the entry. Until it is inserted,
// the older entry's place holds its height.
//
// How a key begins decides most comparisons without a look at the entry it is of, which is seldom
// in the processor's cache. It is for the one thread that inserts: readers could see the beginning
// of one key beside another's entry.
#include "kv/ordered_memtable.h"

#include <algorithm>

#include "base/bytes.h"
#include "kv/memtable_index.h"

namespace tailrace::kv {
namespace {

constexpr int kMostLevels = 14;
/// One entry in so many is on the next level too.
constexpr std::uint32_t kBranching = 4;

using Next = std::atomic<char*>;

/// The entry after `entry` on a level.
Next& next_of(char* entry, int level) {
  return *reinterpret_cast<Next*>(entry - (2 * static_cast<std::ptrdiff_t>(level) + 2) *
                                              static_cast<std::ptrdiff_t>(sizeof(Next)));
}

using Front = std::uint64_t;
static_assert(sizeof(Front) == sizeof(Next));

/// The front of that entry's key.
Front& next_front(char* entry, int level) {
  return *reinterpret_cast<Front*>(entry - (2 * static_cast<std::ptrdiff_t>(level) + 3) *
                                               static_cast<std::ptrdiff_t>(sizeof(Front)));
}

/// Ordered as the keys are, but for those that begin alike.
Front front_of(std::string_view user) {
  if (user.size() >= sizeof(Front)) return load_be<Front>(user.data());
  std::array<char, sizeof(Front)> padded{};
  std::ranges::copy(user, padded.begin());
  return load_be<Front>(padded.data());
}

class SkipList {
 public:
  SkipList() {
    head_ = reinterpret_cast<char*>(head_memory_.data() + head_memory_.size());
    for (int level = 0; level < kMostLevels; ++level) ::new (&next_of(head_, level)) Next(nullptr);
  }

  int random_height() {
    int height = 1;
    while (height < kMostLevels && next_random() % kBranching == 0) ++height;
    return height;
  }

  void insert(char* entry, int height) {
    const InternalKey key = key_of(entry);
    const Front front = front_of(key.user);
    std::array<char*, kMostLevels> before_it;
    char* at = head_;
    int level = std::max(height, levels_.load(std::memory_order_relaxed)) - 1;
    for (; level >= 0; --level) {
      while (char* next = next_of(at, level).load(std::memory_order_relaxed)) {
        const Front of_next = next_front(at, level);
        if (of_next > front || (of_next == front && !(key_of(next) < key))) break;
        at = next;
      }
      before_it[static_cast<std::size_t>(level)] = at;
    }
    if (height > levels_.load(std::memory_order_relaxed))
      levels_.store(height, std::memory_order_relaxed);
    for (level = 0; level < height; ++level) {
      char* previous = before_it[static_cast<std::size_t>(level)];
      ::new (&next_of(entry, level)) Next(next_of(previous, level).load(std::memory_order_relaxed));
      next_front(entry, level) = next_front(previous, level);
      next_front(previous, level) = front;
      next_of(previous, level).store(entry, std::memory_order_release);
    }
  }

  char* first() const { return next_of(head_, 0).load(std::memory_order_acquire); }
  static char* after(char* entry) { return next_of(entry, 0).load(std::memory_order_acquire); }
  /// The first entry that is not before the key; null: none.
  char* not_before(const InternalKey& key) const { return after(last_before(key)); }
  /// The last entry before the key; null: none.
  char* before_key(const InternalKey& key) const {
    char* found = last_before(key);
    return found == head_ ? nullptr : found;
  }
  char* last() const {
    char* at = head_;
    for (int level = levels_.load(std::memory_order_relaxed) - 1; level >= 0; --level)
      while (char* next = next_of(at, level).load(std::memory_order_acquire)) at = next;
    return at == head_ ? nullptr : at;
  }
  /// About how many entries are before the key, from the levels it passes on its way.
  std::uint64_t about_before(const InternalKey& key) const {
    std::uint64_t count = 0;
    char* at = head_;
    for (int level = levels_.load(std::memory_order_relaxed) - 1; level >= 0; --level) {
      count *= kBranching;
      while (char* next = next_of(at, level).load(std::memory_order_acquire)) {
        if (!(key_of(next) < key)) break;
        at = next;
        ++count;
      }
    }
    return count;
  }

 private:
  char* last_before(const InternalKey& key) const {
    char* at = head_;
    char* seen = nullptr;  // known not to be before the key
    for (int level = levels_.load(std::memory_order_relaxed) - 1; level >= 0; --level) {
      while (char* next = next_of(at, level).load(std::memory_order_acquire)) {
        if (next == seen || !(key_of(next) < key)) {
          seen = next;
          break;
        }
        at = next;
      }
    }
    return at;
  }
  std::uint32_t next_random() {
    random_ ^= random_ << 13;
    random_ ^= random_ >> 17;
    random_ ^= random_ << 5;
    return random_;
  }

  alignas(Next) std::array<std::byte, (2 * kMostLevels + 1) * sizeof(Next)> head_memory_{};
  char* head_;
  std::atomic<int> levels_ = 1;
  std::uint32_t random_ = 2463534242;
};

class OrderedIterator final : public PlacedIterator<OrderedIterator> {
 public:
  explicit OrderedIterator(const SkipList& list) : list_(list) {}
  bool Valid() const override { return entry_ != nullptr; }
  const char* key() const override { return entry_; }
  void Next() override { entry_ = SkipList::after(entry_); }
  void Prev() override { entry_ = list_.before_key(key_of(entry_)); }
  void Seek(const rocksdb::Slice& key, const char*) override {
    entry_ = list_.not_before(InternalKey(key.ToStringView()));
  }
  void SeekForPrev(const rocksdb::Slice& key, const char*) override {
    const InternalKey wanted(key.ToStringView());
    entry_ = list_.not_before(wanted);
    if (entry_ && !(wanted < key_of(entry_))) return;
    entry_ = list_.before_key(wanted);
  }
  void SeekToFirst() override { entry_ = list_.first(); }
  void SeekToLast() override { entry_ = list_.last(); }

 private:
  const SkipList& list_;
  char* entry_ = nullptr;
};

class OrderedMemtable final : public rocksdb::MemTableRep {
 public:
  explicit OrderedMemtable(rocksdb::Allocator* allocator) : MemTableRep(allocator) {}

  rocksdb::KeyHandle Allocate(std::size_t length, char** entry) override {
    const auto height = static_cast<std::uint64_t>(list_.random_height());
    const std::size_t links = (2 * height + 1) * sizeof(Next);
    char* memory = nullptr;
    MemTableRep::Allocate(links + length + alignof(Next) - 1, &memory);
    const auto past = reinterpret_cast<std::uintptr_t>(memory) % alignof(Next);
    *entry = memory + (past == 0 ? 0 : alignof(Next) - past) + links;
    std::memcpy(*entry - sizeof height, &height, sizeof height);
    return *entry;
  }
  void Insert(rocksdb::KeyHandle handle) override {
    auto* entry = static_cast<char*>(handle);
    std::uint64_t height = 0;
    std::memcpy(&height, entry - sizeof height, sizeof height);
    index_.add(entry);
    list_.insert(entry, static_cast<int>(height));
  }
  bool Contains(const char* entry) const override { return index_.contains(entry); }
  std::uint64_t ApproximateNumEntries(const rocksdb::Slice& begin,
                                      const rocksdb::Slice& end) override {
    const std::uint64_t first = list_.about_before(InternalKey(begin.ToStringView()));
    const std::uint64_t last = list_.about_before(InternalKey(end.ToStringView()));
    return last > first ? last - first : 0;
  }
  std::size_t ApproximateMemoryUsage() override { return index_.size_bytes(); }
  Iterator* GetIterator(rocksdb::Arena* arena) override {
    return arena ? OrderedIterator::without_delete(list_) : new OrderedIterator(list_);
  }
  Iterator* GetDynamicPrefixIterator(rocksdb::Arena* arena) override {
    return arena ? GetIterator(arena) : KeyIterator::in_this_thread(index_);
  }

 private:
  KeyIndex index_;
  SkipList list_;
};

class OrderedMemtableFactory final : public rocksdb::MemTableRepFactory {
 public:
  const char* Name() const override { return "TailraceOrderedMemtable"; }
  rocksdb::MemTableRep* CreateMemTableRep(const rocksdb::MemTableRep::KeyComparator&,
                                          rocksdb::Allocator* allocator,
                                          const rocksdb::SliceTransform*,
                                          rocksdb::Logger*) override {
    return new OrderedMemtable(allocator);
  }
};

}  // namespace

std::shared_ptr<rocksdb::MemTableRepFactory> ordered_memtable() {
  return std::make_shared<OrderedMemtableFactory>();
}

}  // namespace tailrace::kv
