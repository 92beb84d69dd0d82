// A small deterministic generator: the same seed gives the same numbers on every machine.
#pragma once

#include <cstdint>

namespace tailrace::rt {

/// xoshiro256** (Blackman, Vigna 2018), seeded by splitmix64. Not for secrets.
class Random {
 public:
  explicit Random(std::uint64_t seed);

  /// 64 uniform bits.
  std::uint64_t next();
  /// Uniform in [0, bound); bound > 0. (Lemire's multiply; bias below 2^-64 · bound.)
  std::uint64_t below(std::uint64_t bound);
  /// Uniform in [low, high], both inclusive.
  std::int64_t between(std::int64_t low, std::int64_t high);
  /// Uniform in [0, 1).
  double unit();
  /// True once in `n` calls on average.
  bool one_in(std::uint64_t n) { return below(n) == 0; }

  // What std::shuffle and the standard distributions ask of a generator.
  using result_type = std::uint64_t;
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return UINT64_MAX; }
  result_type operator()() { return next(); }

 private:
  std::uint64_t state_[4];
};

/// One step of splitmix64: turns a counter into well-mixed bits and moves it on.
inline std::uint64_t splitmix64(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/// A seed that differs from run to run, from the operating system.
std::uint64_t system_seed();

}  // namespace tailrace::rt
