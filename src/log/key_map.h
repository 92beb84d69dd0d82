// The newest offset of each key that the cleaner has seen: open addressing over 16-byte digests, so
// memory is bounded whatever the keys are. The digest is keyed with random bytes of the map's own:
// nobody can make two keys that are taken for one.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "base/strong.h"
#include "rt/random.h"

namespace tailrace::log {

class KeyMap {
 public:
  /// Room for `keys`, but at most `most_bytes` of memory.
  KeyMap(std::uint64_t keys, std::uint64_t most_bytes, rt::Random& random);

  struct Digest {
    std::uint64_t high;
    std::uint64_t low;
  };
  /// The memory that put() and find() will look at is on its way then: digest several keys before
  /// the first of them is looked up.
  Digest digest(std::string_view key) const;

  /// False when the map is full and the key is not in it: nothing is changed then.
  bool put(const Digest& key, Offset offset);
  /// The offset put last, -1 when the key is unknown.
  Offset find(const Digest& key) const { return Offset(slot_of(key).offset_plus_one - 1); }
  std::uint64_t size() const { return size_; }

 private:
  struct Slot {
    Digest key;
    std::int64_t offset_plus_one;  // 0: nobody is here
  };
  struct Free {
    void operator()(Slot* slots) const { std::free(slots); }
  };
  std::uint64_t first_place(const Digest& key) const;
  Slot& slot_of(const Digest& key) const;

  std::array<char, 192> secret_;
  std::uint64_t slots_;
  std::uint64_t most_;
  std::uint64_t size_ = 0;
  std::unique_ptr<Slot, Free> table_;
};

}  // namespace tailrace::log
