// A skip list of keys, each with its entries behind it, the newest first: a change of a key that is
// there needs no way through the list. The key's first entry stands in the list for all of them; as
// the oldest it is also the last behind itself.
//
// An entry's memory: for each level, the highest first, how the next key begins and its first
// entry; the key's newest entry, or in all but the first entry the first one; the older entry of
// the key (memtable_index.h); the entry. Until it is inserted, the older entry's place holds its
// height.
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

using Link = std::atomic<char*>;

Link& word_before(char* entry, int words) {
  return *reinterpret_cast<Link*>(entry - static_cast<std::ptrdiff_t>(words) *
                                              static_cast<std::ptrdiff_t>(sizeof(Link)));
}

constexpr int words_of(int height) {
  return 2 * height + 2;
}

/// Of a key's first entry: its newest. Of the others: the first.
Link& newest_or_first(char* entry) {
  return word_before(entry, 2);
}

/// The first entry of the key after that of the first entry `first` on a level.
Link& next_of(char* first, int level) {
  return word_before(first, words_of(level) + 1);
}

using Front = std::uint64_t;
static_assert(sizeof(Front) == sizeof(Link));

/// The front of that entry's key.
Front& next_front(char* first, int level) {
  return reinterpret_cast<Front&>(word_before(first, words_of(level) + 2));
}

/// Ordered as the keys are, but for those that begin alike.
Front front_of(std::string_view user) {
  if (user.size() >= sizeof(Front)) return load_be<Front>(user.data());
  std::array<char, sizeof(Front)> padded{};
  std::ranges::copy(user, padded.begin());
  return load_be<Front>(padded.data());
}

char* newest(char* first) {
  return newest_or_first(first).load(std::memory_order_acquire);
}

class SkipList {
 public:
  SkipList() {
    head_ = reinterpret_cast<char*>(head_memory_.data() + head_memory_.size());
    for (int level = 0; level < kMostLevels; ++level) ::new (&next_of(head_, level)) Link(nullptr);
  }

  int random_height() {
    int height = 1;
    while (height < kMostLevels && next_random() % kBranching == 0) ++height;
    return height;
  }

  /// The first entry of a key.
  void insert(char* entry, int height) {
    ::new (&newest_or_first(entry)) Link(entry);
    const std::string_view user = key_of(entry).user;
    const Front front = front_of(user);
    std::array<char*, kMostLevels> before_it;
    char* at = head_;
    int level = std::max(height, levels_.load(std::memory_order_relaxed)) - 1;
    for (; level >= 0; --level) {
      while (char* next = next_of(at, level).load(std::memory_order_relaxed)) {
        const Front of_next = next_front(at, level);
        if (of_next > front || (of_next == front && key_of(next).user >= user)) break;
        at = next;
      }
      before_it[static_cast<std::size_t>(level)] = at;
    }
    if (height > levels_.load(std::memory_order_relaxed))
      levels_.store(height, std::memory_order_relaxed);
    for (level = 0; level < height; ++level) {
      char* previous = before_it[static_cast<std::size_t>(level)];
      ::new (&next_of(entry, level)) Link(next_of(previous, level).load(std::memory_order_relaxed));
      next_front(entry, level) = next_front(previous, level);
      next_front(previous, level) = front;
      next_of(previous, level).store(entry, std::memory_order_release);
    }
  }
  /// One more entry of the key whose newest was `before`.
  static void insert_newer(char* entry, char* before) {
    char* first = older(before) ? newest_or_first(before).load(std::memory_order_relaxed) : before;
    ::new (&newest_or_first(entry)) Link(first);
    newest_or_first(first).store(entry, std::memory_order_release);
  }

  // First entries of keys; null: there is none.
  char* first() const { return after(head_); }
  static char* after(char* first) { return next_of(first, 0).load(std::memory_order_acquire); }
  char* not_before(std::string_view user) const { return after(last_before(user)); }
  char* before(std::string_view user) const {
    char* found = last_before(user);
    return found == head_ ? nullptr : found;
  }
  char* last() const {
    char* at = head_;
    for (int level = levels_.load(std::memory_order_relaxed) - 1; level >= 0; --level)
      while (char* next = next_of(at, level).load(std::memory_order_acquire)) at = next;
    return at == head_ ? nullptr : at;
  }
  /// About how many keys are before this one, from the levels it passes on its way.
  std::uint64_t about_before(std::string_view user) const {
    std::uint64_t count = 0;
    char* at = head_;
    for (int level = levels_.load(std::memory_order_relaxed) - 1; level >= 0; --level) {
      count *= kBranching;
      while (char* next = next_of(at, level).load(std::memory_order_acquire)) {
        if (key_of(next).user >= user) break;
        at = next;
        ++count;
      }
    }
    return count;
  }

 private:
  char* last_before(std::string_view user) const {
    char* at = head_;
    char* seen = nullptr;  // known not to be before the key
    for (int level = levels_.load(std::memory_order_relaxed) - 1; level >= 0; --level) {
      while (char* next = next_of(at, level).load(std::memory_order_acquire)) {
        if (next == seen || key_of(next).user >= user) {
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

  alignas(Link) std::array<std::byte, words_of(kMostLevels) * sizeof(Link)> head_memory_{};
  char* head_;
  std::atomic<int> levels_ = 1;
  std::uint32_t random_ = 2463534242;
};

/// Over entries in order: `first_` is the first entry of the key that it is at.
class OrderedIterator final : public PlacedIterator<OrderedIterator> {
 public:
  explicit OrderedIterator(const SkipList& list) : list_(list) {}
  bool Valid() const override { return entry_ != nullptr; }
  const char* key() const override { return entry_; }
  void Next() override {
    if (const char* next = older(entry_)) {
      entry_ = next;
    } else {
      to_newest(SkipList::after(first_));
    }
  }
  void Prev() override {
    if (entry_ != newest(first_)) return to_newer();
    to_oldest(list_.before(key_of(first_).user));
  }
  void Seek(const rocksdb::Slice& key, const char*) override {
    const InternalKey wanted(key.ToStringView());
    char* found = list_.not_before(wanted.user);
    if (found && key_of(found).user == wanted.user && key_of(found).tag > wanted.tag)
      found = SkipList::after(found);
    to_newest(found);
    if (!found || key_of(found).user != wanted.user) return;
    while (key_of(entry_).tag > wanted.tag) entry_ = older(entry_);
  }
  void SeekForPrev(const rocksdb::Slice& key, const char*) override {
    const InternalKey wanted(key.ToStringView());
    to_newest(list_.not_before(wanted.user));
    if (!entry_ || key_of(entry_).user != wanted.user || key_of(entry_).tag < wanted.tag)
      return to_oldest(list_.before(wanted.user));
    for (const char* next = older(entry_); next && key_of(next).tag >= wanted.tag;
         next = older(next))
      entry_ = next;
  }
  void SeekToFirst() override { to_newest(list_.first()); }
  void SeekToLast() override { to_oldest(list_.last()); }

 private:
  void to_newest(char* first) {
    first_ = first;
    entry_ = first ? newest(first) : nullptr;
  }
  void to_oldest(char* first) {
    first_ = first;
    entry_ = first;
  }
  /// Entries know the older one only: who goes back through those of a key notes them once.
  void to_newer() {
    if (noted_.size() < 2 || noted_.back() != entry_) {
      noted_.clear();
      for (const char* entry = newest(first_); entry != entry_; entry = older(entry))
        noted_.push_back(entry);
      noted_.push_back(entry_);
    }
    noted_.pop_back();
    entry_ = noted_.back();
  }

  const SkipList& list_;
  char* first_ = nullptr;
  const char* entry_ = nullptr;
  std::vector<const char*> noted_;  // of the key, from its newest entry to `entry_`
};

class OrderedMemtable final : public rocksdb::MemTableRep {
 public:
  explicit OrderedMemtable(rocksdb::Allocator* allocator) : MemTableRep(allocator) {}

  rocksdb::KeyHandle Allocate(std::size_t length, char** entry) override {
    const auto height = static_cast<std::uint64_t>(list_.random_height());
    const auto links = static_cast<std::size_t>(words_of(static_cast<int>(height))) * sizeof(Link);
    char* memory = nullptr;
    MemTableRep::Allocate(links + length + alignof(Link) - 1, &memory);
    const auto past = reinterpret_cast<std::uintptr_t>(memory) % alignof(Link);
    *entry = memory + (past == 0 ? 0 : alignof(Link) - past) + links;
    std::memcpy(*entry - sizeof height, &height, sizeof height);
    return *entry;
  }
  void Insert(rocksdb::KeyHandle handle) override {
    auto* entry = static_cast<char*>(handle);
    std::uint64_t height = 0;
    std::memcpy(&height, entry - sizeof height, sizeof height);
    if (char* before = index_.add(entry)) {
      SkipList::insert_newer(entry, before);
    } else {
      list_.insert(entry, static_cast<int>(height));
    }
  }
  bool Contains(const char* entry) const override { return index_.contains(entry); }
  std::uint64_t ApproximateNumEntries(const rocksdb::Slice& begin,
                                      const rocksdb::Slice& end) override {
    const std::uint64_t first = list_.about_before(InternalKey(begin.ToStringView()).user);
    const std::uint64_t last = list_.about_before(InternalKey(end.ToStringView()).user);
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
