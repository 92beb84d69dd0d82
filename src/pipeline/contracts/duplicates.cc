#include "pipeline/contracts/duplicates.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

namespace tailrace::pipeline {
namespace {

constexpr std::uint64_t kAgain = 1;

}  // namespace

DuplicateCount::DuplicateCount(std::size_t memory_bytes)
    : capacity_(std::max<std::size_t>(memory_bytes, 1024) / sizeof(Seen)) {}

void DuplicateCount::add(std::string_view value) {
  const XXH128_hash_t hash = XXH3_128bits(value.data(), value.size());
  if (hash.high64 < from_ || hash.high64 > last_) return;
  if (seen_.size() == capacity_) make_room();
  if (hash.high64 <= last_) seen_.push_back({hash.high64, hash.low64 & ~kAgain});
}

void DuplicateCount::join() {
  std::ranges::sort(seen_, [](const Seen& a, const Seen& b) {
    return a.high != b.high ? a.high < b.high : a.low < b.low;
  });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    Seen* last = kept > 0 ? &seen_[kept - 1] : nullptr;
    if (last != nullptr && last->high == seen_[i].high &&
        (last->low | kAgain) == (seen_[i].low | kAgain))
      last->low |= kAgain;
    else
      seen_[kept++] = seen_[i];
  }
  seen_.resize(kept);
}

void DuplicateCount::make_room() {
  join();
  if (seen_.size() <= capacity_ / 2) return;
  // Hashes spread: no two values that matter share the first 64 bits at the bound.
  const std::uint64_t bound = seen_[seen_.size() / 2].high;
  if (bound > from_) {
    last_ = bound - 1;
    std::erase_if(seen_, [&](const Seen& one) { return one.high > last_; });
  }
}

bool DuplicateCount::again() {
  join();
  found_ += std::ranges::count_if(seen_, [](const Seen& one) { return (one.low & kAgain) != 0; });
  seen_.clear();
  if (last_ == UINT64_MAX) return false;
  from_ = last_ + 1;
  last_ = UINT64_MAX;
  return true;
}

}  // namespace tailrace::pipeline
