#include "lambda/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace tailrace::lambda {
namespace {

constexpr int kDeepest = 128;
constexpr std::size_t kWrong = std::string_view::npos;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

std::size_t blanks(std::string_view text, std::size_t at) {
  while (at < text.size() &&
         (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t'))
    ++at;
  return at;
}

bool digit(std::string_view text, std::size_t at) {
  return at < text.size() && text[at] >= '0' && text[at] <= '9';
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Checks values from front to back; says where the text ceased to be JSON.
class Checker {
 public:
  explicit Checker(std::string_view text) : text_(text) {}

  /// The place behind the value that begins at `at`, or kWrong.
  std::size_t value(std::size_t at, int depth) {
    if (at >= text_.size() || depth > kDeepest) return wrong(at);
    switch (text_[at]) {
      case '{':
        return object(at, depth);
      case '[':
        return array(at, depth);
      case '"':
        return string(at);
      case 't':
        return word(at, "true");
      case 'f':
        return word(at, "false");
      case 'n':
        return word(at, "null");
      default:
        return number(at);
    }
  }
  std::size_t failed_at() const { return failed_at_; }

 private:
  std::size_t wrong(std::size_t at) {
    failed_at_ = std::min(at, text_.size());
    return kWrong;
  }
  std::size_t word(std::size_t at, std::string_view word) {
    return text_.substr(at, word.size()) == word ? at + word.size() : wrong(at);
  }
  std::size_t number(std::size_t at) {
    const std::size_t begin = at;
    if (text_[at] == '-') ++at;
    if (!digit(text_, at)) return wrong(begin);
    if (text_[at] == '0')
      ++at;
    else
      while (digit(text_, at)) ++at;
    if (at < text_.size() && text_[at] == '.') {
      if (!digit(text_, ++at)) return wrong(at);
      while (digit(text_, at)) ++at;
    }
    if (at < text_.size() && (text_[at] == 'e' || text_[at] == 'E')) {
      ++at;
      if (at < text_.size() && (text_[at] == '+' || text_[at] == '-')) ++at;
      if (!digit(text_, at)) return wrong(at);
      while (digit(text_, at)) ++at;
    }
    return at;
  }
  std::size_t string(std::size_t at) {
    for (++at; at < text_.size(); ++at) {
      const char c = text_[at];
      if (c == '"') return at + 1;
      if (static_cast<unsigned char>(c) < 0x20) return wrong(at);
      if (c != '\\') continue;
      if (++at >= text_.size()) return wrong(at);
      if (text_[at] == 'u') {
        for (int i = 0; i < 4; ++i)
          if (++at >= text_.size() || hex_digit(text_[at]) < 0) return wrong(at);
      } else if (std::string_view("\"\\/bfnrt").find(text_[at]) == std::string_view::npos) {
        return wrong(at);
      }
    }
    return wrong(at);
  }
  std::size_t array(std::size_t at, int depth) {
    at = blanks(text_, at + 1);
    if (at < text_.size() && text_[at] == ']') return at + 1;
    while (true) {
      at = value(at, depth + 1);
      if (at == kWrong) return kWrong;
      at = blanks(text_, at);
      if (at < text_.size() && text_[at] == ']') return at + 1;
      if (at >= text_.size() || text_[at] != ',') return wrong(at);
      at = blanks(text_, at + 1);
    }
  }
  std::size_t object(std::size_t at, int depth) {
    at = blanks(text_, at + 1);
    if (at < text_.size() && text_[at] == '}') return at + 1;
    while (true) {
      if (at >= text_.size() || text_[at] != '"') return wrong(at);
      at = string(at);
      if (at == kWrong) return kWrong;
      at = blanks(text_, at);
      if (at >= text_.size() || text_[at] != ':') return wrong(at);
      at = value(blanks(text_, at + 1), depth + 1);
      if (at == kWrong) return kWrong;
      at = blanks(text_, at);
      if (at < text_.size() && text_[at] == '}') return at + 1;
      if (at >= text_.size() || text_[at] != ',') return wrong(at);
      at = blanks(text_, at + 1);
    }
  }

  std::string_view text_;
  std::size_t failed_at_ = 0;
};

/// The place behind a string of checked text.
std::size_t skip_string(std::string_view text, std::size_t at) {
  for (++at; text[at] != '"'; ++at)
    if (text[at] == '\\') ++at;
  return at + 1;
}

/// The place behind a value of checked text.
std::size_t skip(std::string_view text, std::size_t at) {
  if (text[at] == '"') return skip_string(text, at);
  if (text[at] != '{' && text[at] != '[')
    return std::min(text.find_first_of(" \n\r\t,]}", at), text.size());
  int depth = 0;
  while (true) {
    const char c = text[at];
    if (c == '"') {
      at = skip_string(text, at);
      continue;
    }
    ++at;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return at;
  }
}

void append_utf8(std::string& out, unsigned code) {
  const auto add = [&out](unsigned byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    add(code);
  } else if (code < 0x800) {
    add(0xC0 | code >> 6), add(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    add(0xE0 | code >> 12), add(0x80 | (code >> 6 & 0x3F)), add(0x80 | (code & 0x3F));
  } else {
    add(0xF0 | code >> 18), add(0x80 | (code >> 12 & 0x3F));
    add(0x80 | (code >> 6 & 0x3F)), add(0x80 | (code & 0x3F));
  }
}

unsigned four_digits(std::string_view text) {
  unsigned code = 0;
  for (int i = 0; i < 4; ++i) code = code << 4 | static_cast<unsigned>(hex_digit(text[i]));
  return code;
}

/// What stands behind \u at `at`; returns the place behind it.
std::size_t append_escaped(std::string& out, std::string_view text, std::size_t at) {
  constexpr unsigned kHigh = 0xD800, kLow = 0xDC00, kEnd = 0xE000;
  const unsigned code = four_digits(text.substr(at));
  at += 4;
  if (code < kHigh || code >= kEnd) {
    append_utf8(out, code);
    return at;
  }
  const bool paired = code < kLow && text.substr(at, 2) == "\\u";
  const unsigned low = paired ? four_digits(text.substr(at + 2)) : 0;
  if (low < kLow || low >= kEnd) {
    out += kReplacement;
    return at;
  }
  append_utf8(out, 0x10000 + ((code - kHigh) << 10) + (low - kLow));
  return at + 6;
}

/// The text between the quotes of a checked string.
std::string resolved(std::string_view quoted) {
  const std::string_view text = quoted.substr(1, quoted.size() - 2);
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t next = std::min(text.find('\\', at), text.size());
    out += text.substr(at, next - at);
    if (next == text.size()) break;
    constexpr std::string_view kLetters = "bfnrt", kBytes = "\b\f\n\r\t";
    const char c = text[next + 1];
    at = next + 2;
    if (c == 'u') {
      at = append_escaped(out, text, at);
      continue;
    }
    const std::size_t letter = kLetters.find(c);
    out += letter == std::string_view::npos ? c : kBytes[letter];
  }
  return out;
}

/// Bytes of the UTF-8 character at `at`; 0 when there is none.
std::size_t character_size(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
  };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first < 0xE0) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first < 0xF0) {
    if (!follows(1) || !follows(2)) return 0;
    const unsigned code = (first & 0xF) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    return code < 0x800 || (code >= 0xD800 && code < 0xE000) ? 0 : 3;
  }
  if (first >= 0xF0 && first < 0xF5) {
    if (!follows(1) || !follows(2) || !follows(3)) return 0;
    const unsigned code = (first & 7) << 18 | (byte(1) & 0x3F) << 12;
    return code < 0x10000 || code >= 0x110000 ? 0 : 4;
  }
  return 0;
}

template <typename Take>  // Take(name's quoted text, value)
void each_member(std::string_view text, const Take& take) {
  std::size_t at = blanks(text, 1);
  while (text[at] != '}') {
    const std::size_t name_end = skip_string(text, at);
    const std::string_view name = text.substr(at, name_end - at);
    at = blanks(text, blanks(text, name_end) + 1);  // the colon
    const std::size_t end = skip(text, at);
    take(name, text.substr(at, end - at));
    at = blanks(text, end);
    if (text[at] == ',') at = blanks(text, at + 1);
  }
}

}  // namespace

Result<Json> Json::parse(std::string_view text) {
  Checker checker(text);
  const std::size_t begin = blanks(text, 0);
  const std::size_t end = checker.value(begin, 1);
  if (end == kWrong)
    return error(Code::kInvalidArgument, fmt::format("not JSON at byte {}", checker.failed_at()));
  if (const std::size_t rest = blanks(text, end); rest != text.size())
    return error(Code::kInvalidArgument, fmt::format("not JSON at byte {}", rest));
  return Json(text.substr(begin, end - begin));
}

std::optional<Json> Json::find(std::string_view name) const {
  if (!is_object()) return std::nullopt;
  std::optional<Json> found;
  each_member(text_, [&](std::string_view quoted, std::string_view value) {
    const bool plain = quoted.find('\\') == std::string_view::npos;
    if (plain ? quoted.substr(1, quoted.size() - 2) == name : resolved(quoted) == name)
      found = Json(value);
  });
  return found;
}

std::optional<Json> Json::follow(std::initializer_list<std::string_view> names) const {
  std::optional<Json> at = *this;
  for (const std::string_view name : names) {
    at = at->find(name);
    if (!at) return std::nullopt;
  }
  return at;
}

std::vector<Json> Json::items() const {
  std::vector<Json> all;
  if (!is_array()) return all;
  std::size_t at = blanks(text_, 1);
  while (text_[at] != ']') {
    const std::size_t end = skip(text_, at);
    all.push_back(Json(text_.substr(at, end - at)));
    at = blanks(text_, end);
    if (text_[at] == ',') at = blanks(text_, at + 1);
  }
  return all;
}

std::vector<std::pair<std::string, Json>> Json::members() const {
  std::vector<std::pair<std::string, Json>> all;
  if (!is_object()) return all;
  each_member(text_, [&](std::string_view quoted, std::string_view value) {
    all.emplace_back(resolved(quoted), Json(value));
  });
  return all;
}

std::optional<std::string> Json::string() const {
  if (!is_string()) return std::nullopt;
  return resolved(text_);
}

std::optional<std::int64_t> Json::integer() const {
  std::int64_t value = 0;
  const char* end = text_.data() + text_.size();
  const auto [at, failed] = std::from_chars(text_.data(), end, value);
  if (failed != std::errc() || at != end) return std::nullopt;
  return value;
}

std::string Json::text() const {
  return is_string() ? resolved(text_) : std::string(text_);
}

std::string text_at(const Json& json, std::initializer_list<std::string_view> names) {
  const auto found = json.follow(names);
  return found ? found->string().value_or("") : "";
}

Result<std::vector<std::string>> parse_path(std::string_view path) {
  const auto bad = [&] {
    return error(Code::kInvalidArgument,
                 fmt::format("'{}' is no path: write $.name, $.name.name or $.list[0]", path));
  };
  if (!path.starts_with('$')) return bad();
  std::vector<std::string> steps;
  for (std::size_t at = 1; at < path.size();) {
    const bool name = path[at] == '.';
    if (!name && path[at] != '[') return bad();
    const std::size_t end =
        name ? std::min(path.find_first_of(".[", at + 1), path.size()) : path.find(']', at);
    if (end == std::string_view::npos) return bad();
    std::string step(path.substr(at + 1, end - at - 1));
    const bool number =
        !step.empty() && std::ranges::all_of(step, [](char c) { return c >= '0' && c <= '9'; });
    if (step.empty() || (!name && !number)) return bad();
    steps.push_back(name ? std::move(step) : "[" + step);
    at = name ? end : end + 1;
  }
  return steps;
}

std::optional<Json> at_path(const Json& json, const std::vector<std::string>& path) {
  std::optional<Json> at = json;
  for (const std::string& step : path) {
    if (!step.starts_with('[')) {
      at = at->find(step);
      if (!at) return std::nullopt;
      continue;
    }
    const auto items = at->items();
    std::size_t index = items.size();
    std::from_chars(step.data() + 1, step.data() + step.size(), index);
    if (index >= items.size()) return std::nullopt;
    at = items[index];
  }
  return at;
}

void append_string(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t at = 0; at < text.size();) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += text[at++];
    } else if (c < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
      ++at;
    } else if (const std::size_t size = character_size(text, at); size > 0) {
      out += text.substr(at, size);
      at += size;
    } else {
      out += kReplacement;
      ++at;
    }
  }
  out += '"';
}

}  // namespace tailrace::lambda
