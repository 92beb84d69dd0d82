// PointTrace: a hash table of slots in an arena.
#include <algorithm>

#include "base/check.h"
#include "columns/byte_order.h"
#include "engine/trace.h"

namespace tailrace::engine {

PointTrace::Slot* PointTrace::make_slot(std::string_view key) {
  auto* slot = new (arena_.allocate(sizeof(Slot))) Slot{};
  slot->key_data = arena_.copy(key).data();
  slot->key_size = static_cast<std::uint32_t>(key.size());
  return slot;
}

Status PointTrace::open(std::span<const std::string_view> keys,
                        std::span<const std::uint64_t> hashes, std::vector<Slot*>& slots) {
  constexpr std::size_t kAhead = 8;  // probes in flight hide the table's cache misses
  slots.resize(keys.size());
  std::vector<Slot*> missing;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (i + kAhead < keys.size()) slots_.prefetch(Probe{keys[i + kAhead], hashes[i + kAhead]});
    bool added = false;
    auto at = slots_.lazy_emplace(Probe{keys[i], hashes[i]}, [&](const auto& construct) {
      added = true;
      construct(Entry{make_slot(keys[i]), hashes[i]});
    });
    slots[i] = at->slot;
    if (!added || complete_) continue;
    if (!knows_store_ || forgotten_.may_contain(hashes[i])) missing.push_back(at->slot);
  }
  if (!missing.empty()) return fetch(missing);
  return {};
}

Status PointTrace::fetch(std::span<Slot*> missing) {
  std::sort(missing.begin(), missing.end(),
            [](const Slot* a, const Slot* b) { return a->key() < b->key(); });
  ASSIGN(auto values, read(missing));
  for (std::size_t i = 0; i < missing.size(); ++i) {
    if (!values[i]) continue;
    set_value(*missing[i], *values[i]);
    missing[i]->present = true;
  }
  return {};
}

Result<std::vector<std::optional<std::string>>> PointTrace::read(
    std::span<Slot* const> sorted) const {
  std::vector<std::string_view> keys;
  keys.reserve(sorted.size());
  if (read_) {
    for (const Slot* slot : sorted) keys.push_back(slot->key());
    return read_(keys);
  }
  std::vector<std::string> names;
  names.reserve(sorted.size());
  for (const Slot* slot : sorted)
    keys.push_back(names.emplace_back(home_.prefix + std::string(slot->key())));
  return home_.store->get_many(keys);
}

void PointTrace::set_value(Slot& slot, std::string_view value) {
  if (value.size() > slot.capacity) {
    slot.capacity = static_cast<std::uint32_t>((value.size() + 7) & ~std::size_t{7});
    slot.value_data = arena_.allocate(slot.capacity);
  }
  std::memcpy(slot.value_data, value.data(), value.size());
  slot.value_size = static_cast<std::uint32_t>(value.size());
}

void PointTrace::mark(Slot& slot) {
  if (slot.dirty) return;
  slot.dirty = true;
  dirty_.push_back(&slot);
}

void PointTrace::put(Slot& slot, std::string_view value) {
  set_value(slot, value);
  slot.present = true;
  mark(slot);
}

void PointTrace::erase(Slot& slot) {
  if (!slot.present) return;
  slot.present = false;
  mark(slot);
}

void PointTrace::save(kv::BulkWriter& writer) {
  if (read_) {
    for (Slot* slot : dirty_) slot->dirty = false;
    dirty_.clear();
    return;
  }
  sort_by_bytes(dirty_, [](const Slot* slot) { return slot->key(); });
  std::string name = home_.prefix;
  for (Slot* slot : dirty_) {
    name.resize(home_.prefix.size());
    name += slot->key();
    if (slot->present) {
      writer.put(name, slot->value());
    } else {
      writer.erase(name);
    }
    slot->dirty = false;
  }
  dirty_.clear();
}

void PointTrace::evict() {
  CHECK(dirty_.empty());
  for (const Entry& entry : slots_) {
    if (knows_store_ && entry.slot->present) forgotten_.add(entry.hash);
  }
  slots_ = {};
  arena_ = {};
  complete_ = false;
}

std::size_t PointTrace::size_bytes() const {
  return arena_.size_bytes() + slots_.capacity() * (sizeof(Entry) + 1) + forgotten_.size_bytes();
}

}  // namespace tailrace::engine
