// Whether a text is a regular expression, as java.util.regex reads one: the registry compiles every
// pattern with it. Names of properties and groups are not looked up.
#include <algorithm>
#include <cctype>
#include <optional>
#include <set>
#include <string_view>

#include "schema/json_schema/pattern.h"

namespace tailrace::schema::json_schema {
namespace {

// Groups and classes in one another.
constexpr int kMaxNesting = 500;
constexpr std::string_view kEscapes = "abcdefhknprstuvwxzABDGHNPQRSVWXZ0123456789";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

class Syntax {
 public:
  explicit Syntax(std::string_view text) : text_(text) {}

  /// What is wrong, or nothing.
  std::string_view check() {
    alternatives(0);
    if (!fault_.empty()) return fault_;
    return at_ < text_.size() ? "a ) without a (" : "";
  }

 private:
  bool more() const { return at_ < text_.size() && fault_.empty(); }
  bool next_is(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool take(char c) {
    if (!next_is(c)) return false;
    ++at_;
    return true;
  }
  void wrong(std::string_view what) {
    if (fault_.empty()) fault_ = what;
  }

  void alternatives(int depth) {
    if (depth > kMaxNesting) return wrong("groups nested too deep");
    while (more() && !next_is(')')) {
      if (take('|')) continue;
      item(depth);
    }
  }

  void item(int depth) {
    const char c = text_[at_++];
    switch (c) {
      case '*':
      case '+':
      case '?':
        return wrong("nothing stands before a repeat");
      case '{':
        // A counted repeat of nothing is none.
        if (at_ >= text_.size() || !is_digit(text_[at_])) return wrong("a repeat without a number");
        --at_;
        break;
      case '(':
        group(depth);
        break;
      case '[':
        one_class(depth + 1);
        break;
      case '\\':
        escape();
        break;
      default:
        break;
    }
    if (fault_.empty() && !flags_only_) repeat();
    flags_only_ = false;
  }

  void group(int depth) {
    if (take('?') && !group_kind()) return wrong("an unknown kind of group");
    if (flags_only_) return;
    alternatives(depth + 1);
    if (!take(')')) wrong("a ( without a )");
  }

  // What stands after "(?".
  bool group_kind() {
    if (take(':') || take('=') || take('!') || take('>')) return true;
    if (take('<')) {
      if (take('=') || take('!')) return true;
      if (at_ >= text_.size() || !std::isalpha(static_cast<unsigned char>(text_[at_])))
        return false;
      const std::size_t from = at_;
      while (more() && std::isalnum(static_cast<unsigned char>(text_[at_]))) ++at_;
      return names_.insert(text_.substr(from, at_ - from)).second && take('>');
    }
    while (more() && std::string_view("idmsuxU-").find(text_[at_]) != std::string_view::npos) ++at_;
    if (take(':')) return true;
    flags_only_ = take(')');
    return flags_only_;
  }

  void repeat() {
    if (take('{')) {
      counted();
    } else if (!take('*') && !take('+') && !take('?')) {
      return;
    }
    if (!take('?')) take('+');
  }

  void counted() {
    const auto least = count();
    if (!least) return wrong("a repeat without a number");
    std::optional<std::int64_t> most = least;
    if (take(',') && !next_is('}')) most = count();
    if (!most || *most < *least) return wrong("a repeat of a wrong range");
    if (!take('}')) wrong("a { without a }");
  }

  std::optional<std::int64_t> count() {
    std::int64_t made = 0;
    const std::size_t from = at_;
    for (; at_ < text_.size() && is_digit(text_[at_]); ++at_) {
      made = made * 10 + (text_[at_] - '0');
      if (made > INT32_MAX) return std::nullopt;
    }
    if (at_ == from) return std::nullopt;
    return made;
  }

  void one_class(int depth) {
    if (depth > kMaxNesting) return wrong("classes nested too deep");
    take('^');
    bool first = true;
    while (true) {
      if (at_ >= text_.size()) return wrong("a [ without a ]");
      if (!first && take(']')) return;
      if (take('[')) {
        one_class(depth + 1);
      } else if (text_.substr(at_).starts_with("&&")) {
        at_ += 2;
        while (take('&')) {
        }
        if (next_is(']')) first = false;
        continue;
      } else {
        range();
      }
      if (!fault_.empty()) return;
      first = false;
    }
  }

  // One character of a class, or two with what lies between.
  void range() {
    const auto low = character();
    if (!low || !next_is('-') || at_ + 1 >= text_.size()) return;
    const char after = text_[at_ + 1];
    if (after == ']' || after == '[') return;
    ++at_;
    const auto high = character();
    if (!fault_.empty()) return;
    if (!high || *high < *low) wrong("a range of characters that ends before it begins");
  }

  /// Its code, when it is one character.
  std::optional<std::uint32_t> character() {
    const auto lead = static_cast<unsigned char>(text_[at_++]);
    if (lead == '\\') return escape();
    if (lead < 0x80) return lead;
    std::uint32_t code = lead;
    while (at_ < text_.size() && (static_cast<unsigned char>(text_[at_]) & 0xC0) == 0x80)
      code = (code << 8) | static_cast<unsigned char>(text_[at_++]);
    return code;
  }

  std::optional<std::uint32_t> escape() {
    if (at_ >= text_.size()) {
      wrong("a backslash at the end");
      return std::nullopt;
    }
    const char c = text_[at_++];
    if (static_cast<unsigned char>(c) >= 0x80 || !std::isalnum(static_cast<unsigned char>(c)))
      return static_cast<unsigned char>(c);
    if (kEscapes.find(c) == std::string_view::npos) {
      wrong("an unknown escape");
      return std::nullopt;
    }
    switch (c) {
      case 'u':
        return hex(4);
      case 'x':
        if (take('{')) return braced(true);
        return hex(2);
      case 'p':
      case 'P':
        if (take('{')) return braced(false);
        if (at_ >= text_.size()) wrong("a property without a name");
        ++at_;
        return std::nullopt;
      case 'k':
        named_group();
        return std::nullopt;
      case 'c':
        if (at_ >= text_.size()) {
          wrong("a control character without a letter");
          return std::nullopt;
        }
        return static_cast<std::uint32_t>(text_[at_++]) ^ 64;
      case '0':
        return octal();
      case 'Q':
        at_ = std::min(text_.find("\\E", at_), text_.size() - 2) + 2;
        return std::nullopt;
      default:
        return known(c);
    }
  }

  void named_group() {
    if (!take('<')) return wrong("a group without a name");
    const std::size_t from = at_;
    while (more() && !next_is('>')) ++at_;
    if (!names_.contains(text_.substr(from, at_ - from)) || !take('>'))
      wrong("a group that is not there");
  }

  static std::optional<std::uint32_t> known(char c) {
    switch (c) {
      case 'a':
        return 7;
      case 'e':
        return 27;
      case 'f':
        return 12;
      case 'n':
        return 10;
      case 'r':
        return 13;
      case 't':
        return 9;
      default:
        return std::nullopt;
    }
  }

  std::optional<std::uint32_t> octal() {
    if (at_ >= text_.size() || text_[at_] < '0' || text_[at_] > '7') {
      wrong("an octal number without digits");
      return std::nullopt;
    }
    std::uint32_t made = 0;
    for (int i = 0; i < 3 && at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '7'; ++i) {
      if (made * 8 > 255) break;
      made = made * 8 + static_cast<std::uint32_t>(text_[at_++] - '0');
    }
    return made;
  }

  std::optional<std::uint32_t> hex(std::size_t count) {
    std::uint32_t made = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (at_ >= text_.size() || !std::isxdigit(static_cast<unsigned char>(text_[at_]))) {
        wrong("a character without its hexadecimal number");
        return std::nullopt;
      }
      const char c = text_[at_++];
      made = made * 16 + static_cast<std::uint32_t>(is_digit(c) ? c - '0' : (c | 32) - 'a' + 10);
    }
    return made;
  }

  std::optional<std::uint32_t> braced(bool is_number) {
    const auto end = text_.find('}', at_);
    if (end == std::string_view::npos || end == at_) {
      wrong("a { without a }");
      return std::nullopt;
    }
    const std::size_t count = end - at_;
    if (!is_number) {
      at_ = end + 1;
      return std::nullopt;
    }
    const auto made = hex(std::min<std::size_t>(count, 6));
    if (!take('}')) wrong("a { without a }");
    return made;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string_view fault_;
  std::set<std::string_view> names_;  ///< of groups
  bool flags_only_ = false;
};

}  // namespace

Status check_pattern(std::string_view text) {
  const auto fault = Syntax(text).check();
  if (fault.empty()) return {};
  return error(Code::kInvalidArgument, "'" + std::string(text.substr(0, 100)) +
                                           "' is no regular expression: " + std::string(fault));
}

}  // namespace tailrace::schema::json_schema
