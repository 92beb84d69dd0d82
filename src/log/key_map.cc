#include "log/key_map.h"

#include <xxhash.h>

#include <algorithm>

#include "base/check.h"

namespace tailrace::log {

static_assert(192 >= XXH3_SECRET_SIZE_MIN);

KeyMap::KeyMap(std::uint64_t keys, std::uint64_t most_bytes, rt::Random& random) {
  for (auto& byte : secret_) byte = static_cast<char>(random.next());
  constexpr std::uint64_t kFewest = 16;
  const std::uint64_t wanted = std::min(keys, most_bytes / sizeof(Slot)) * 4 / 3;
  slots_ = std::clamp(wanted, kFewest, std::max(kFewest, most_bytes / sizeof(Slot)));
  most_ = slots_ * 9 / 10;
  // Zeroed pages that are never touched take no memory.
  table_.reset(static_cast<Slot*>(std::calloc(slots_, sizeof(Slot))));
  CHECK(table_ != nullptr);
}

std::uint64_t KeyMap::first_place(const Digest& key) const {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<Wide>(key.high) * slots_) >> 64);
}

KeyMap::Digest KeyMap::digest(std::string_view key) const {
  const auto hash = XXH3_128bits_withSecret(key.data(), key.size(), secret_.data(), secret_.size());
  const Digest digest{hash.high64, hash.low64};
  __builtin_prefetch(table_.get() + first_place(digest));
  return digest;
}

KeyMap::Slot& KeyMap::slot_of(const Digest& key) const {
  auto at = first_place(key);
  while (true) {
    Slot& slot = table_.get()[at];
    const bool here = slot.key.high == key.high && slot.key.low == key.low;
    if (slot.offset_plus_one == 0 || here) return slot;
    if (++at == slots_) at = 0;
  }
}

bool KeyMap::put(const Digest& key, Offset offset) {
  Slot& slot = slot_of(key);
  if (slot.offset_plus_one == 0) {
    if (size_ >= most_) return false;
    ++size_;
    slot.key = key;
  }
  slot.offset_plus_one = offset.value + 1;
  return true;
}

}  // namespace tailrace::log
