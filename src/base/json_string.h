// Texts of any bytes as JSON strings and as UTF-8, for rooms below those that have a JSON library.
#pragma once

#include <string>
#include <string_view>

namespace tailrace {

/// With its quotes. What is not UTF-8 becomes U+FFFD.
void append_json_string(std::string_view text, std::string& out);
std::string json_string(std::string_view text);

/// The text; each byte that is not UTF-8 as U+FFFD.
std::string as_utf8(std::string_view text);

}  // namespace tailrace
