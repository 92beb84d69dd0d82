// A line of a conversation with a state machine, cut into words and name=value pairs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace tailrace::conversations {

inline std::vector<std::string> split(std::string_view text, char by) {
  std::vector<std::string> parts;
  std::string part;
  std::istringstream in{std::string(text)};
  while (std::getline(in, part, by)) parts.push_back(part);
  return parts;
}

class Line {
 public:
  explicit Line(const std::string& text) {
    for (const auto& word : split(text, ' ')) {
      if (word.empty()) continue;
      const auto equals = word.find('=');
      if (equals == std::string::npos)
        words_.push_back(word);
      else
        values_[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }
  std::string word(std::size_t i) const { return i < words_.size() ? words_[i] : ""; }
  bool says(const std::string& word) const { return std::ranges::count(words_, word) > 0; }
  bool has(const std::string& name) const { return values_.contains(name); }
  std::string text(const std::string& name, const std::string& otherwise = "") const {
    return has(name) ? values_.at(name) : otherwise;
  }
  std::optional<std::string> maybe(const std::string& name) const {
    return has(name) ? std::optional(values_.at(name)) : std::nullopt;
  }
  std::int64_t number(const std::string& name, std::int64_t otherwise) const {
    return has(name) ? std::stoll(values_.at(name)) : otherwise;
  }
  std::vector<std::string> list(const std::string& name) const { return split(text(name), ','); }

 private:
  std::vector<std::string> words_;
  std::map<std::string, std::string> values_;
};

}  // namespace tailrace::conversations
