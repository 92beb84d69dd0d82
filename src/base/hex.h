// Bytes as hexadecimal digits.
#pragma once

#include <string>
#include <string_view>

namespace tailrace {

/// Two small digits a byte: "00ff".
std::string encode_hex(std::string_view bytes);

}  // namespace tailrace
