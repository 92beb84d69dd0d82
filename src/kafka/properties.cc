#include "kafka/properties.h"

#include <algorithm>

namespace tailrace::kafka {
namespace {

/// Of a file of properties, a line that ends with a backslash which no other one hides.
bool goes_on(std::string_view line) {
  const auto last = line.find_last_not_of('\\');
  return (line.size() - (last == std::string_view::npos ? 0 : last + 1)) % 2 == 1;
}

/// A value of a file of properties: a backslash stands before what is meant as it is.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char c = text[++i];
    out += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c == 'f' ? '\f' : c;
  }
  return out;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\f");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\f") - first + 1);
}

std::vector<Property> parse_properties(std::string_view text) {
  std::vector<Property> all;
  int number = 0;
  const auto next_line = [&] {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    ++number;
    return trimmed(line);
  };
  while (!text.empty()) {
    std::string line(next_line());
    const int first = number;
    if (line.empty() || line[0] == '#' || line[0] == '!') continue;
    while (goes_on(line) && !text.empty()) {
      line.pop_back();
      line += next_line();
    }
    const std::string_view whole(line);
    const auto equals = whole.find_first_of("=:");
    const auto value = equals == std::string_view::npos ? "" : trimmed(whole.substr(equals + 1));
    all.push_back({std::string(trimmed(whole.substr(0, equals))), unescaped(value), first});
  }
  return all;
}

}  // namespace tailrace::kafka
