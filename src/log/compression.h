// The compressions a record batch may have, in the framings Kafka uses: gzip members, snappy as
// xerial frames (raw
// snappy is read too), lz4 frames, zstd frames. Output is bounded, so a bomb is refused before it
// grows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tailrace::log {

/// The values of bits 0–2 of a batch's attributes.
enum class Compression : std::uint8_t { kNone = 0, kGzip = 1, kSnappy = 2, kLz4 = 3, kZstd = 4 };

/// Kafka's words: none (also uncompressed), gzip, snappy, lz4, zstd.
Result<Compression> parse_compression(std::string_view name);
std::string_view compression_name(Compression compression);

/// Appends the compressed form of `input` to `out`. kNone copies.
Status compress(Compression compression, std::string_view input, std::string& out);

/// Replaces `out` by the plain form; kResourceExhausted beyond `limit` bytes, kDataLoss when
/// malformed.
Status decompress(Compression compression, std::string_view input, std::size_t limit,
                  std::string& out);

}  // namespace tailrace::log
