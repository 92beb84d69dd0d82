// Segments of version 5: what messages travel in after STARTUP (§2.2 of its specification).
//
//   segment    := head payload crc32:u32
//   head       := length:17 self_contained:1 0:6 crc24:24                          6 bytes, plain
//               | length:17 plain_length:17 self_contained:1 0:5 crc24:24          8 bytes, LZ4
//
// All little-endian. A self-contained segment holds whole messages, others are parts of one
// message. With LZ4 a plain_length of 0 means that the payload is not compressed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tailrace::cql_protocol {

constexpr std::size_t kMostPayload = (1 << 17) - 1;

/// 24 bits, over the first bytes of a segment's head; 32 bits, over its payload.
std::uint32_t crc24(std::string_view bytes);
std::uint32_t crc32(std::string_view bytes);

struct Segment {
  bool self_contained = true;
  std::string_view payload;
};

/// A check that does not add up: nothing behind it can be read.
struct BadCheck {
  bool in_head = false;
  std::uint32_t read = 0, computed = 0;
};

class SegmentReader {
 public:
  explicit SegmentReader(bool lz4) : lz4_(lz4) {}

  /// The whole length of the segment at the front of `bytes`, or 0 when it takes more of them to
  /// tell. A head that is damaged counts as long as itself; read() tells what is wrong.
  std::size_t length(std::string_view bytes) const;
  /// `bytes` are as many as length() says. The payload lies in `bytes`, or until the next call in
  /// this reader. kDataLoss for a payload that LZ4 cannot take apart.
  Result<Segment> read(std::string_view bytes, std::optional<BadCheck>& bad);

 private:
  std::size_t head_bytes() const { return lz4_ ? 8 : 6; }

  bool lz4_;
  std::string plain_;
};

/// Appends one message, which is `message` and what lies `behind` it, in as many segments as it
/// takes: one, self-contained, where it fits.
void append_segments(std::string& out, std::string_view message, std::string_view behind, bool lz4);

}  // namespace tailrace::cql_protocol
