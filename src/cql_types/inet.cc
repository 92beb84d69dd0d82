#include "cql_types/inet.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace tailrace::cql_types {
namespace {

constexpr std::string_view kMapped("\0\0\0\0\0\0\0\0\0\0\xFF\xFF", 12);

// One to four numbers; the last fills the bytes that are left.
std::optional<std::string> parse_v4(std::string_view text) {
  std::vector<std::uint64_t> numbers(1);
  bool digits = false;
  for (const char c : text) {
    if (c == '.') {
      if (!digits || numbers.size() == 4) return std::nullopt;
      numbers.push_back(0);
      digits = false;
    } else {
      if (c < '0' || c > '9') return std::nullopt;
      numbers.back() = numbers.back() * 10 + static_cast<std::uint64_t>(c - '0');
      digits = true;
      if (numbers.back() > 0xFFFFFFFF) return std::nullopt;
    }
  }
  if (!digits) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i + 1 < numbers.size(); ++i) {
    if (numbers[i] > 0xFF) return std::nullopt;
    bytes += static_cast<char>(numbers[i]);
  }
  const auto left = 4 - bytes.size();
  if (numbers.back() >> (8 * left) != 0) return std::nullopt;
  for (auto i = left; i-- > 0;) bytes += static_cast<char>(numbers.back() >> (8 * i));
  return bytes;
}

// Java takes any number of zeros before a group's digits; others take four digits.
std::string without_spare_zeros(std::string_view text) {
  std::string out;
  std::size_t group = 0;  // digits since the last colon
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto end = std::min(text.find(':', i), text.size());
    if (group == 0 && text[i] == '0' && end - i > 4 &&
        text.substr(i, end - i).find('.') == std::string_view::npos)
      continue;
    group = text[i] == ':' ? 0 : group + 1;
    out += text[i];
  }
  return out;
}

}  // namespace

std::optional<std::string> parse_inet(std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
    if (text.find(':') == std::string_view::npos) return std::nullopt;
  }
  if (text.size() > 255) return std::nullopt;
  if (text.find(':') == std::string_view::npos) return parse_v4(text);
  char bytes[16];
  if (inet_pton(AF_INET6, without_spare_zeros(text.substr(0, text.find('%'))).c_str(), bytes) != 1)
    return std::nullopt;
  const std::string_view all(bytes, sizeof bytes);
  return std::string(all.starts_with(kMapped) ? all.substr(12) : all);
}

std::string inet_text(std::string_view bytes) {
  if (bytes.size() == 16 && bytes.starts_with(kMapped)) bytes.remove_prefix(12);
  std::string text;
  const bool v6 = bytes.size() == 16;
  for (std::size_t i = 0; i < bytes.size(); i += v6 ? 2 : 1) {
    const unsigned first = static_cast<unsigned char>(bytes[i]);
    if (i != 0) text += v6 ? ':' : '.';
    text += v6 ? fmt::format("{:x}", first << 8 | static_cast<unsigned char>(bytes[i + 1]))
               : std::to_string(first);
  }
  return text;
}

}  // namespace tailrace::cql_types
