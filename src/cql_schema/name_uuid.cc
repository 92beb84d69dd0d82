#include "cql_schema/name_uuid.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace tailrace::cql_schema {
namespace {

using State = std::array<std::uint32_t, 4>;

// RFC 1321 §3.4: the constants are |sin(i + 1)| × 2^32.
const std::array<std::uint32_t, 64>& sines() {
  static const auto kSines = [] {
    std::array<std::uint32_t, 64> made{};
    for (std::size_t i = 0; i < made.size(); ++i)
      made[i] =
          static_cast<std::uint32_t>(std::fabs(std::sin(static_cast<double>(i + 1))) * 0x1p32);
    return made;
  }();
  return kSines;
}

constexpr int kShifts[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

std::uint32_t mixed(std::size_t round, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  if (round == 0) return (b & c) | (~b & d);
  if (round == 1) return (b & d) | (c & ~d);
  if (round == 2) return b ^ c ^ d;
  return c ^ (b | ~d);
}

void add_block(State& state, const char* block) {
  std::array<std::uint32_t, 16> words{};
  std::memcpy(words.data(), block, 64);  // little-endian, as the machines this runs on
  static_assert(std::endian::native == std::endian::little);
  auto [a, b, c, d] = state;
  constexpr std::size_t kSteps[4][2] = {{1, 0}, {5, 1}, {3, 5}, {7, 0}};
  for (std::size_t i = 0; i < 64; ++i) {
    const std::size_t round = i / 16;
    const auto word = words[(kSteps[round][0] * i + kSteps[round][1]) % 16];
    const auto sum = a + mixed(round, b, c, d) + sines()[i] + word;
    a = d;
    d = c;
    c = b;
    b += std::rotl(sum, kShifts[round][i % 4]);
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
}

std::string md5(std::string_view bytes) {
  State state = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476};
  std::size_t at = 0;
  for (; at + 64 <= bytes.size(); at += 64) add_block(state, bytes.data() + at);
  std::string tail(bytes.substr(at));
  tail += static_cast<char>(0x80);
  tail.resize(tail.size() <= 56 ? 56 : 120, 0);
  const std::uint64_t bits = std::uint64_t{bytes.size()} * 8;
  tail.append(reinterpret_cast<const char*>(&bits), sizeof bits);
  for (std::size_t i = 0; i < tail.size(); i += 64) add_block(state, tail.data() + i);
  return {reinterpret_cast<const char*>(state.data()), 16};
}

}  // namespace

std::string name_uuid(std::string_view bytes) {
  std::string uuid = md5(bytes);
  uuid[6] = static_cast<char>((static_cast<unsigned char>(uuid[6]) & 0x0F) | 0x30);
  uuid[8] = static_cast<char>((static_cast<unsigned char>(uuid[8]) & 0x3F) | 0x80);
  return uuid;
}

}  // namespace tailrace::cql_schema
