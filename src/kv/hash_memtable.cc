#include "kv/hash_memtable.h"

#include <rocksdb/memtablerep.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <new>
#include <string_view>
#include <vector>

#include "base/check.h"

namespace tailrace::kv {
namespace {

/// Ends every internal key: the sequence number and the kind of the change, as one little-endian
/// number.
constexpr std::size_t kTagBytes = sizeof(std::uint64_t);

/// A change as RocksDB lays it out ("internal key"): ordered by its user key, the newest of a key
/// first.
struct InternalKey {
  std::string_view user;
  std::uint64_t tag;

  explicit InternalKey(std::string_view bytes) : user(bytes.substr(0, bytes.size() - kTagBytes)) {
    std::memcpy(&tag, user.data() + user.size(), kTagBytes);
  }
  bool operator<(const InternalKey& other) const {
    const int order = user.compare(other.user);
    return order != 0 ? order < 0 : tag > other.tag;
  }
};

/// An entry is the length of its internal key as a varint32, the internal key, and the value
/// (MemTable::Add).
InternalKey key_of(const char* entry) {
  std::uint32_t length = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(*entry++);
    length |= std::uint32_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) break;
  }
  return InternalKey({entry, length});
}

bool before(const char* a, const char* b) {
  return key_of(a) < key_of(b);
}

/// The entry of the same user key that came before is named in front of each entry.
const char* older(const char* entry) {
  const char* found = nullptr;
  std::memcpy(&found, entry - sizeof found, sizeof found);
  return found;
}
void set_older(char* entry, const char* than) {
  std::memcpy(entry - sizeof than, &than, sizeof than);
}

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

/// The newest entry of each user key, by its hash: linear probing, at most half full. A slot holds
/// the address of an entry in its low 48 bits, and 16 bits of the hash above.
class Slots {
 public:
  explicit Slots(std::size_t count)
      : mask_(count - 1), slots_(std::make_unique<std::atomic<std::uint64_t>[]>(count)) {}
  std::size_t count() const { return mask_ + 1; }

  static std::uint64_t hash_of(std::string_view user) {
    return XXH3_64bits(user.data(), user.size());
  }

  const char* find(std::string_view user, std::uint64_t hash) const {
    return entry_in(slots_[slot_of(user, hash)].load(std::memory_order_acquire));
  }
  /// Puts the entry in the place of the one with the same user key, in front of it; true when there
  /// was none.
  bool put(char* entry, std::string_view user, std::uint64_t hash) {
    std::atomic<std::uint64_t>& slot = slots_[slot_of(user, hash)];
    const char* replaced = entry_in(slot.load(std::memory_order_relaxed));
    set_older(entry, replaced);
    slot.store(packed(entry, hash), std::memory_order_release);
    return !replaced;
  }
  /// For entries whose user keys are not there yet.
  void move_here(const char* entry, std::uint64_t hash) {
    std::size_t at = hash & mask_;
    while (slots_[at].load(std::memory_order_relaxed) != 0) at = (at + 1) & mask_;
    slots_[at].store(packed(entry, hash), std::memory_order_relaxed);
  }
  template <typename Visit>
  void each(const Visit& visit) const {
    for (std::size_t at = 0; at <= mask_; ++at)
      if (const char* entry = entry_in(slots_[at].load(std::memory_order_relaxed))) visit(entry);
  }

 private:
  static constexpr int kAddressBits = 48;
  static constexpr std::uint64_t kAddress = (std::uint64_t{1} << kAddressBits) - 1;

  static std::uint64_t packed(const char* entry, std::uint64_t hash) {
    const auto address = reinterpret_cast<std::uintptr_t>(entry);
    DCHECK(address <= kAddress);
    return address | (hash & ~kAddress);
  }
  static const char* entry_in(std::uint64_t slot) {
    return reinterpret_cast<const char*>(static_cast<std::uintptr_t>(slot & kAddress));
  }
  /// The slot of the user key, or the empty one where it belongs.
  std::size_t slot_of(std::string_view user, std::uint64_t hash) const {
    std::size_t at = hash & mask_;
    while (true) {
      const std::uint64_t slot = slots_[at].load(std::memory_order_acquire);
      if (slot == 0) return at;
      if ((slot & ~kAddress) == (hash & ~kAddress) && key_of(entry_in(slot)).user == user)
        return at;
      at = (at + 1) & mask_;
    }
  }

  std::size_t mask_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> slots_;
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
class SortedIterator final : public rocksdb::MemTableRep::Iterator {
 public:
  explicit SortedIterator(std::shared_ptr<const Entries> entries)
      : entries_(std::move(entries)), at_(entries_->size()) {}
  ~SortedIterator() override;

  /// For a caller that calls the destructor only, for it thinks the iterator is in its arena (whose
  /// type is RocksDB's own). The thread that destroys it is the next to use its memory.
  static SortedIterator* without_delete(std::shared_ptr<const Entries> entries);

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
  struct Place;
  static thread_local std::vector<std::unique_ptr<Place>> spare_places;

  std::shared_ptr<const Entries> entries_;
  std::size_t at_;
  Place* place_ = nullptr;
};

struct SortedIterator::Place {
  alignas(SortedIterator) std::array<std::byte, sizeof(SortedIterator)> bytes;
};
thread_local std::vector<std::unique_ptr<SortedIterator::Place>> SortedIterator::spare_places;

SortedIterator::~SortedIterator() {
  if (place_) spare_places.emplace_back(place_);
}

SortedIterator* SortedIterator::without_delete(std::shared_ptr<const Entries> entries) {
  if (spare_places.empty()) spare_places.push_back(std::make_unique<Place>());
  Place* place = spare_places.back().release();
  spare_places.pop_back();
  auto* made = ::new (place->bytes.data()) SortedIterator(std::move(entries));
  made->place_ = place;
  return made;
}

class HashMemtable;

/// The entries of one user key, the newest first, for MemTableRep::Get. It seeks once and then only
/// goes on.
class KeyIterator final : public rocksdb::MemTableRep::Iterator {
 public:
  explicit KeyIterator(const HashMemtable& table) : table_(table) {}
  bool Valid() const override { return entry_ != nullptr; }
  const char* key() const override { return entry_; }
  void Next() override { entry_ = older(entry_); }
  void Seek(const rocksdb::Slice& key, const char*) override;
  void Prev() override { entry_ = nullptr; }
  void SeekForPrev(const rocksdb::Slice&, const char*) override { entry_ = nullptr; }
  void SeekToFirst() override { entry_ = nullptr; }
  void SeekToLast() override { entry_ = nullptr; }

  /// RocksDB 7.8's MemTableRep::Get never deletes its iterator, later versions do. Each thread has
  /// one place for it, so that neither matters.
  static KeyIterator* in_this_thread(const HashMemtable& table) {
    alignas(KeyIterator) thread_local std::array<std::byte, sizeof(KeyIterator)> place;
    return ::new (place.data()) KeyIterator(table);
  }
  static void operator delete(void*) {}

 private:
  const HashMemtable& table_;
  const char* entry_ = nullptr;
};

class HashMemtable final : public rocksdb::MemTableRep {
 public:
  explicit HashMemtable(rocksdb::Allocator* allocator) : MemTableRep(allocator) {
    grow(kFirstSlots);
  }

  rocksdb::KeyHandle Allocate(std::size_t length, char** entry) override {
    char* memory = nullptr;
    MemTableRep::Allocate(sizeof(const char*) + length, &memory);
    *entry = memory + sizeof(const char*);
    return *entry;
  }
  void Insert(rocksdb::KeyHandle handle) override {
    auto* entry = static_cast<char*>(handle);
    const std::string_view user = key_of(entry).user;
    if (2 * (keys_ + 1) > slots_.load(std::memory_order_relaxed)->count()) grow(4 * (keys_ + 1));
    if (slots_.load(std::memory_order_relaxed)->put(entry, user, Slots::hash_of(user))) ++keys_;
    arrivals_.push_back(entry);
  }
  bool Contains(const char* entry) const override {
    const InternalKey key = key_of(entry);
    const char* found = newest(key);
    return found && !(key < key_of(found));
  }
  std::uint64_t ApproximateNumEntries(const rocksdb::Slice& begin,
                                      const rocksdb::Slice& end) override {
    const auto entries = sorted();
    const std::size_t first =
        SortedIterator::lower_bound(*entries, InternalKey(begin.ToStringView()));
    const std::size_t last = SortedIterator::lower_bound(*entries, InternalKey(end.ToStringView()));
    return last > first ? last - first : 0;
  }
  std::size_t ApproximateMemoryUsage() override {
    return slot_bytes_.load(std::memory_order_relaxed) + arrivals_.size() * 2 * sizeof(const char*);
  }
  Iterator* GetIterator(rocksdb::Arena* arena) override {
    return arena ? SortedIterator::without_delete(sorted()) : new SortedIterator(sorted());
  }
  Iterator* GetDynamicPrefixIterator(rocksdb::Arena* arena) override {
    return arena ? GetIterator(arena) : KeyIterator::in_this_thread(*this);
  }

  /// The newest entry of the user key that is not newer than the key.
  const char* newest(const InternalKey& key) const {
    const Slots& slots = *slots_.load(std::memory_order_acquire);
    const char* entry = slots.find(key.user, Slots::hash_of(key.user));
    while (entry && key_of(entry).tag > key.tag) entry = older(entry);
    return entry;
  }

 private:
  static constexpr std::size_t kFirstSlots = 256;

  void grow(std::size_t at_least) {
    auto larger = std::make_unique<Slots>(std::bit_ceil(at_least));
    if (!all_slots_.empty())
      all_slots_.back()->each(
          [&](const char* entry) { larger->move_here(entry, Slots::hash_of(key_of(entry).user)); });
    slot_bytes_ += larger->count() * sizeof(std::uint64_t);
    slots_.store(larger.get(), std::memory_order_release);
    all_slots_.push_back(std::move(larger));
  }

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
  std::size_t keys_ = 0;  // different ones
  std::atomic<Slots*> slots_ = nullptr;
  std::vector<std::unique_ptr<Slots>> all_slots_;  // readers may still be in the smaller ones
  std::atomic<std::size_t> slot_bytes_ = 0;
  std::mutex mutex_;  // of sorted_
  std::shared_ptr<const Entries> sorted_ = std::make_shared<const Entries>();
};

void KeyIterator::Seek(const rocksdb::Slice& key, const char*) {
  entry_ = table_.newest(InternalKey(key.ToStringView()));
}

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
