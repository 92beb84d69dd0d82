// Where text is no UTF-8: strict, as Java's decoder has it (no surrogates, nothing overlong).
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace tailrace::cql_protocol {

/// The first byte that does not belong, and how many bytes go with it.
struct Malformed {
  std::size_t at = 0, length = 1;
};

std::optional<Malformed> malformed_utf8(std::string_view text);

/// The longest beginning of `text` with at most `most` bytes that does not end within a character.
std::string_view whole_characters(std::string_view text, std::size_t most);

}  // namespace tailrace::cql_protocol
