// Base64 of RFC 4648 §4: the usual alphabet, padded.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tailrace {

std::string encode_base64(std::string_view bytes);

/// Padding may be missing, line ends are skipped; nothing when another character is not of the
/// alphabet.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace tailrace
