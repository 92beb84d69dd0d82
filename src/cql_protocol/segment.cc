#include "cql_protocol/segment.h"

#include <isa-l/crc.h>
#include <lz4.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace tailrace::cql_protocol {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::uint32_t kCrc24Start = 0x875060, kCrc24Polynomial = 0x1974F0B;
constexpr std::string_view kCrc32Prefix("\xFA\x2D\x55\xCA", 4);
constexpr std::uint64_t kLengthMask = (1 << 17) - 1;
constexpr std::size_t kTailBytes = 4;

/// The remainder of each byte at the front of a 24-bit register.
constexpr auto kCrc24Table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte << 16;
    for (int bit = 0; bit < 8; ++bit) {
      crc <<= 1;
      if ((crc & 0x1000000) != 0) crc ^= kCrc24Polynomial;
    }
    table[byte] = crc & 0xFFFFFF;
  }
  return table;
}();

std::uint64_t load_little(const char* from, std::size_t bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, from, bytes);
  return value;
}

std::uint32_t crc32_of(const char* bytes, std::size_t size) {
  static const std::uint32_t kStart = crc32_gzip_refl(
      0, reinterpret_cast<const unsigned char*>(kCrc32Prefix.data()), kCrc32Prefix.size());
  return crc32_gzip_refl(kStart, reinterpret_cast<const unsigned char*>(bytes), size);
}

std::size_t head_size(bool lz4) {
  return lz4 ? 8 : 6;
}

void put_head(char* to, bool lz4, std::size_t length, std::size_t plain_length,
              bool self_contained) {
  const std::size_t size = head_size(lz4), checked = size - 3;
  std::uint64_t bits = length;
  if (lz4) bits |= std::uint64_t{plain_length} << 17;
  if (self_contained) bits |= std::uint64_t{1} << (lz4 ? 34 : 17);
  std::memcpy(to, &bits, checked);
  const std::uint32_t check = crc24({to, checked});
  std::memcpy(to + checked, &check, 3);
}

/// A stretch of a message, in two pieces.
struct Payload {
  std::string_view first, second;
  std::size_t size() const { return first.size() + second.size(); }
};

/// Writes LZ4's form of a payload to `to`, which has room for it, and gives its length; 0: it is no
/// shorter.
std::size_t compressed_to(char* to, std::size_t room, const Payload& payload) {
  std::string joined;
  std::string_view plain = payload.first.empty() ? payload.second : payload.first;
  if (!payload.first.empty() && !payload.second.empty()) {
    joined.reserve(payload.size());
    joined.append(payload.first).append(payload.second);
    plain = joined;
  }
  const int size = LZ4_compress_default(plain.data(), to, static_cast<int>(plain.size()),
                                        static_cast<int>(room));
  const auto length = static_cast<std::size_t>(std::max(size, 0));
  return length < plain.size() ? length : 0;
}

void append_segment(std::string& out, const Payload& payload, bool lz4, bool self_contained) {
  const std::size_t begin = out.size(), head = head_size(lz4);
  const auto bound = static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(kMostPayload)));
  out.resize(begin + head + (lz4 ? bound : payload.size()));
  char* to = out.data() + begin + head;
  std::size_t length = lz4 ? compressed_to(to, bound, payload) : 0;
  const std::size_t plain_length = length > 0 ? payload.size() : 0;
  if (length == 0) {
    payload.first.copy(to, payload.first.size());
    payload.second.copy(to + payload.first.size(), payload.second.size());
    length = payload.size();
  }
  out.resize(begin + head + length);
  put_head(out.data() + begin, lz4, length, plain_length, self_contained);
  const std::uint32_t check = crc32_of(out.data() + begin + head, length);
  out.append(reinterpret_cast<const char*>(&check), kTailBytes);
}

}  // namespace

std::uint32_t crc24(std::string_view bytes) {
  std::uint32_t crc = kCrc24Start;
  for (const char byte : bytes) {
    crc = (crc << 8 & 0xFFFFFF) ^ kCrc24Table[(crc >> 16) ^ static_cast<unsigned char>(byte)];
  }
  return crc;
}

std::uint32_t crc32(std::string_view bytes) {
  return crc32_of(bytes.data(), bytes.size());
}

std::size_t SegmentReader::length(std::string_view bytes) const {
  const std::size_t head = head_bytes(), checked = head - 3;
  if (bytes.size() < head) return 0;
  if (load_little(bytes.data() + checked, 3) != crc24(bytes.substr(0, checked))) return head;
  return head + (load_little(bytes.data(), checked) & kLengthMask) + kTailBytes;
}

Result<Segment> SegmentReader::read(std::string_view bytes, std::optional<BadCheck>& bad) {
  const std::size_t head = head_bytes(), checked = head - 3;
  const auto head_check = static_cast<std::uint32_t>(load_little(bytes.data() + checked, 3));
  if (const auto computed = crc24(bytes.substr(0, checked)); head_check != computed) {
    bad = BadCheck{true, head_check, computed};
    return Segment{};
  }
  const std::uint64_t bits = load_little(bytes.data(), checked);
  const auto payload = bytes.substr(head, bits & kLengthMask);
  const auto payload_check =
      static_cast<std::uint32_t>(load_little(bytes.data() + head + payload.size(), kTailBytes));
  if (const auto computed = crc32(payload); payload_check != computed) {
    bad = BadCheck{false, payload_check, computed};
    return Segment{};
  }
  const bool self_contained = (bits >> (lz4_ ? 34 : 17) & 1) != 0;
  const auto plain_length = lz4_ ? static_cast<std::size_t>(bits >> 17 & kLengthMask) : 0;
  if (plain_length == 0) return Segment{self_contained, payload};
  plain_.resize(plain_length);
  const int got =
      LZ4_decompress_safe(payload.data(), plain_.data(), static_cast<int>(payload.size()),
                          static_cast<int>(plain_length));
  if (got != static_cast<int>(plain_length)) {
    return error(Code::kDataLoss, "a segment's payload is not what LZ4 made");
  }
  return Segment{self_contained, plain_};
}

void append_segments(std::string& out, std::string_view message, std::string_view behind,
                     bool lz4) {
  Payload left{message, behind};
  if (left.size() <= kMostPayload) return append_segment(out, left, lz4, true);
  while (left.size() > 0) {
    const auto first = left.first.substr(0, kMostPayload);
    const auto second = left.second.substr(0, kMostPayload - first.size());
    append_segment(out, {first, second}, lz4, false);
    left.first.remove_prefix(first.size());
    left.second.remove_prefix(second.size());
  }
}

}  // namespace tailrace::cql_protocol
