// Compressed bodies of versions 3 and 4 (§5): LZ4 with the plain length before it as u32, or
// Snappy. Version 5 compresses segments instead (segment.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tailrace::cql_protocol {

enum class Compression : std::uint8_t { kNone, kLz4, kSnappy };

/// By STARTUP's name, in any case; nullopt: none of that name.
std::optional<Compression> compression_of(std::string_view name);

/// Appends the compressed body.
void compress(Compression how, std::string_view body, std::string& out);
/// Into `out`, which is cleared. kInvalidArgument for what is not compressed so, and for more than
/// `most` bytes, before memory is taken for them.
Status decompress(Compression how, std::string_view body, std::size_t most, std::string& out);

}  // namespace tailrace::cql_protocol
