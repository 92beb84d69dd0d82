// What this room's memtables share: RocksDB's entries taken apart, an index of the newest entry of
// each key by its hash, and iterators for RocksDB's arenas.
#pragma once

#include <rocksdb/memtablerep.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"

namespace tailrace::kv {

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
inline InternalKey key_of(const char* entry) {
  std::uint32_t length = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(*entry++);
    length |= std::uint32_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) break;
  }
  return InternalKey({entry, length});
}

inline bool before(const char* a, const char* b) {
  return key_of(a) < key_of(b);
}

/// The entry of the same user key that came before is named in front of each entry.
inline const char* older(const char* entry) {
  const char* found = nullptr;
  std::memcpy(&found, entry - sizeof found, sizeof found);
  return found;
}
inline void set_older(char* entry, const char* than) {
  std::memcpy(entry - sizeof than, &than, sizeof than);
}

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
  /// Puts the entry in the place of the one with the same user key, in front of it, and returns
  /// that one; null when there was none.
  char* put(char* entry, std::string_view user, std::uint64_t hash) {
    std::atomic<std::uint64_t>& slot = slots_[slot_of(user, hash)];
    char* replaced = entry_in(slot.load(std::memory_order_relaxed));
    set_older(entry, replaced);
    slot.store(packed(entry, hash), std::memory_order_release);
    return replaced;
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
  static char* entry_in(std::uint64_t slot) {
    return reinterpret_cast<char*>(static_cast<std::uintptr_t>(slot & kAddress));
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

/// The newest entry of each key, and by it the older ones. One thread adds, any looks up meanwhile.
class KeyIndex {
 public:
  KeyIndex() { grow(kFirstSlots); }

  /// Returns the entry that was the newest of its key; null: the key is new.
  char* add(char* entry) {
    const std::string_view user = key_of(entry).user;
    if (2 * (keys_ + 1) > slots_.load(std::memory_order_relaxed)->count()) grow(4 * (keys_ + 1));
    char* before = slots_.load(std::memory_order_relaxed)->put(entry, user, Slots::hash_of(user));
    if (!before) ++keys_;
    return before;
  }
  /// The newest entry of the user key that is not newer than the key.
  const char* newest(const InternalKey& key) const {
    const Slots& slots = *slots_.load(std::memory_order_acquire);
    const char* entry = slots.find(key.user, Slots::hash_of(key.user));
    while (entry && key_of(entry).tag > key.tag) entry = older(entry);
    return entry;
  }
  bool contains(const char* entry) const {
    const InternalKey key = key_of(entry);
    const char* found = newest(key);
    return found && !(key < key_of(found));
  }
  std::size_t size_bytes() const { return slot_bytes_.load(std::memory_order_relaxed); }

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

  std::size_t keys_ = 0;  // different ones
  std::atomic<Slots*> slots_ = nullptr;
  std::vector<std::unique_ptr<Slots>> all_slots_;  // readers may still be in the smaller ones
  std::atomic<std::size_t> slot_bytes_ = 0;
};

/// The entries of one user key, the newest first, for MemTableRep::Get. It seeks once and then only
/// goes on.
class KeyIterator final : public rocksdb::MemTableRep::Iterator {
 public:
  explicit KeyIterator(const KeyIndex& index) : index_(index) {}
  bool Valid() const override { return entry_ != nullptr; }
  const char* key() const override { return entry_; }
  void Next() override { entry_ = older(entry_); }
  void Seek(const rocksdb::Slice& key, const char*) override {
    entry_ = index_.newest(InternalKey(key.ToStringView()));
  }
  void Prev() override { entry_ = nullptr; }
  void SeekForPrev(const rocksdb::Slice&, const char*) override { entry_ = nullptr; }
  void SeekToFirst() override { entry_ = nullptr; }
  void SeekToLast() override { entry_ = nullptr; }

  /// RocksDB 7.8's MemTableRep::Get never deletes its iterator, later versions do. Each thread has
  /// one place for it, so that neither matters.
  static KeyIterator* in_this_thread(const KeyIndex& index) {
    alignas(KeyIterator) thread_local std::array<std::byte, sizeof(KeyIterator)> place;
    return ::new (place.data()) KeyIterator(index);
  }
  static void operator delete(void*) {}

 private:
  const KeyIndex& index_;
  const char* entry_ = nullptr;
};

/// Of an iterator for a caller that calls the destructor only, for it thinks the iterator is in its
/// arena (whose type is RocksDB's own). The thread that destroys it is the next to use its memory.
template <typename Derived>
class PlacedIterator : public rocksdb::MemTableRep::Iterator {
 public:
  PlacedIterator() = default;
  ~PlacedIterator() override {
    if (place_) spare().emplace_back(place_);
  }
  PlacedIterator(const PlacedIterator&) = delete;
  PlacedIterator& operator=(const PlacedIterator&) = delete;

  template <typename... Arguments>
  static Derived* without_delete(Arguments&&... arguments) {
    auto& places = spare();
    if (places.empty()) places.emplace_back(static_cast<char*>(::operator new(sizeof(Derived))));
    char* place = places.back().release();
    places.pop_back();
    auto* made = ::new (static_cast<void*>(place)) Derived(std::forward<Arguments>(arguments)...);
    made->place_ = place;
    return made;
  }

 private:
  struct Free {
    void operator()(char* place) const { ::operator delete(place); }
  };
  static std::vector<std::unique_ptr<char, Free>>& spare() {
    thread_local std::vector<std::unique_ptr<char, Free>> places;
    return places;
  }
  char* place_ = nullptr;
};

}  // namespace tailrace::kv
