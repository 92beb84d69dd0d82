// Names compare without case, as Spark's do.
#pragma once

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>

namespace tailrace::pipeline {

inline std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

inline bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

}  // namespace tailrace::pipeline
