// Text as a JSON string, for log lines and statistics.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace tailrace::lake {

/// `text` with quotes and escapes; it must be UTF-8.
inline std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
      out += escape;
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace tailrace::lake
