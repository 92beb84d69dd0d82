// A Bloom filter that grows: which keys may be in the store though not in memory. Never wrong when
// it says no.
#pragma once

#include <cstdint>
#include <vector>

namespace tailrace::engine {

/// Layers of blocks of 64 bits × 8; each layer twice the last, about 12 bits a key, one cache line
/// a probe and layer.
class KeyFilter {
 public:
  void add(std::uint64_t hash) {
    if (layers_.empty() || layers_.back().keys == layers_.back().capacity) grow();
    Layer& layer = layers_.back();
    std::uint64_t* block = block_of(layer, hash);
    for (int i = 0; i < kProbes; ++i) block[i] |= bit(hash, i);
    ++layer.keys;
  }
  bool may_contain(std::uint64_t hash) const {
    for (const Layer& layer : layers_) {
      if (hit(layer, hash)) return true;
    }
    return false;
  }
  std::size_t size_bytes() const {
    std::size_t size = 0;
    for (const Layer& layer : layers_) size += layer.words.size() * sizeof(std::uint64_t);
    return size;
  }

 private:
  static constexpr int kProbes = 8;  // one bit in each word of a cache line
  static constexpr std::uint64_t kFirstKeys = 1 << 14;
  struct Layer {
    std::vector<std::uint64_t> words;
    std::uint64_t blocks, keys, capacity;
  };
  static std::uint64_t bit(std::uint64_t hash, int probe) {
    static constexpr std::uint32_t kSalts[kProbes] = {0x47b6137bU, 0x44974d91U, 0x8824ad5bU,
                                                      0xa2b7289dU, 0x705495c7U, 0x2df1424bU,
                                                      0x9efc4947U, 0x5c6bfb31U};
    return std::uint64_t{1} << ((static_cast<std::uint32_t>(hash) * kSalts[probe]) >> 26);
  }
  static std::uint64_t block_index(const Layer& layer, std::uint64_t hash) {
    return ((hash >> 32) * layer.blocks) >> 32;
  }
  static std::uint64_t* block_of(Layer& layer, std::uint64_t hash) {
    return layer.words.data() + block_index(layer, hash) * kProbes;
  }
  static bool hit(const Layer& layer, std::uint64_t hash) {
    const std::uint64_t* block = layer.words.data() + block_index(layer, hash) * kProbes;
    for (int i = 0; i < kProbes; ++i) {
      if ((block[i] & bit(hash, i)) == 0) return false;
    }
    return true;
  }
  void grow() {
    const std::uint64_t keys = layers_.empty() ? kFirstKeys : layers_.back().capacity * 2;
    const std::uint64_t blocks = keys * 12 / (kProbes * 64) + 1;
    layers_.push_back({std::vector<std::uint64_t>(blocks * kProbes), blocks, 0, keys});
  }

  std::vector<Layer> layers_;
};

}  // namespace tailrace::engine
