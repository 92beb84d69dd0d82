#include "log/key_map.h"

#include <algorithm>

#include "base/check.h"

namespace tailrace::log {

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

KeyMap::Slot& KeyMap::slot_of(std::string_view key, XXH128_hash_t& digest) const {
  digest = XXH3_128bits_withSecret(key.data(), key.size(), secret_.data(), secret_.size());
  __extension__ using Wide = unsigned __int128;
  auto at = static_cast<std::uint64_t>((static_cast<Wide>(digest.high64) * slots_) >> 64);
  while (true) {
    Slot& slot = table_.get()[at];
    const bool here = slot.high == digest.high64 && slot.low == digest.low64;
    if (slot.offset_plus_one == 0 || here) return slot;
    if (++at == slots_) at = 0;
  }
}

bool KeyMap::put(std::string_view key, Offset offset) {
  XXH128_hash_t digest;
  Slot& slot = slot_of(key, digest);
  if (slot.offset_plus_one == 0) {
    if (size_ >= most_) return false;
    ++size_;
    slot.high = digest.high64;
    slot.low = digest.low64;
  }
  slot.offset_plus_one = offset.value + 1;
  return true;
}

Offset KeyMap::find(std::string_view key) const {
  XXH128_hash_t digest;
  return Offset(slot_of(key, digest).offset_plus_one - 1);
}

}  // namespace tailrace::log
