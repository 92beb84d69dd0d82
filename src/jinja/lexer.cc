#include "jinja/lexer.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "jinja/texts.h"

namespace tailrace::jinja {
namespace {

using Kind = Token::Kind;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// Jinja's normalisation: every line break is one \n, and the last one is dropped.
std::string normalised(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') {
      out += source[i];
      continue;
    }
    out += '\n';
    if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
  }
  if (out.ends_with('\n')) out.pop_back();
  return out;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(normalised(source)) {}

  Result<Tokens> run() {
    while (at_ < source_.size()) TRY(text());
    push(Kind::kEnd, "");
    return std::move(out_);
  }

 private:
  void push(Kind kind, std::string text, Value value = {}) {
    out_.list.push_back({kind, line_, std::move(text), std::move(value)});
  }

  std::string_view rest() const { return std::string_view(source_).substr(at_); }

  void advance(std::size_t bytes) {
    line_ += static_cast<int>(std::count(source_.begin() + static_cast<std::ptrdiff_t>(at_),
                                         source_.begin() + static_cast<std::ptrdiff_t>(at_ + bytes),
                                         '\n'));
    at_ += bytes;
  }

  void skip_space() {
    std::size_t n = 0;
    while (at_ + n < source_.size() && is_space(source_[at_ + n])) ++n;
    advance(n);
  }

  /// What stands before the next tag, then the tag.
  Status text() {
    std::size_t begin = at_;
    for (;; ++begin) {
      begin = source_.find('{', begin);
      if (begin == std::string::npos || begin + 1 >= source_.size()) {
        push(Kind::kText, std::string(rest()));
        advance(source_.size() - at_);
        return {};
      }
      const char kind = source_[begin + 1];
      if (kind == '{' || kind == '%' || kind == '#') break;
    }
    out_.tags = true;
    std::string before(source_.substr(at_, begin - at_));
    const char sign = begin + 2 < source_.size() ? source_[begin + 2] : '\0';
    if (sign == '-')
      while (!before.empty() && is_space(before.back())) before.pop_back();
    if (!before.empty()) push(Kind::kText, std::move(before));
    advance(begin - at_);
    const char kind = source_[begin + 1];
    if (kind == '#') return comment();
    if (kind == '%' && is_raw()) return raw();
    const bool block = kind == '%';
    push(block ? Kind::kBlockBegin : Kind::kVariableBegin, block ? "{%" : "{{");
    advance(sign == '-' || (sign == '+') ? 3 : 2);
    return inside(block);
  }

  Status comment() {
    const int line = line_;
    std::size_t end = source_.find("#}", at_ + 2);
    if (end == std::string::npos && at_ + 2 == source_.size()) {
      advance(2);
      return {};
    }
    if (end == std::string::npos) return syntax_error("Missing end of comment tag", line);
    const bool signed_begin = at_ + 2 < end && (source_[at_ + 2] == '-' || source_[at_ + 2] == '+');
    const bool strip = end > at_ + (signed_begin ? 3 : 2) && source_[end - 1] == '-';
    advance(end + 2 - at_);
    if (strip) skip_space();
    return {};
  }

  /// `{%- raw -%}`; the match is remembered in raw_end_.
  bool is_raw() {
    std::size_t i = at_ + 2;
    if (i < source_.size() && (source_[i] == '-' || source_[i] == '+')) ++i;
    while (i < source_.size() && is_space(source_[i])) ++i;
    if (!std::string_view(source_).substr(i).starts_with("raw")) return false;
    i += 3;
    while (i < source_.size() && is_space(source_[i])) ++i;
    raw_strip_ = i < source_.size() && source_[i] == '-';
    if (raw_strip_) ++i;
    raw_end_ = i + 2;
    return std::string_view(source_).substr(i).starts_with("%}");
  }

  Status raw() {
    const int line = line_;
    advance(raw_end_ - at_);
    if (raw_strip_) skip_space();
    for (std::size_t begin = at_; (begin = source_.find("{%", begin)) != std::string::npos;
         ++begin) {
      std::size_t i = begin + 2;
      const bool strip = i < source_.size() && source_[i] == '-';
      if (i < source_.size() && (source_[i] == '-' || source_[i] == '+')) ++i;
      while (i < source_.size() && is_space(source_[i])) ++i;
      if (!std::string_view(source_).substr(i).starts_with("endraw")) continue;
      i += 6;
      while (i < source_.size() && is_space(source_[i])) ++i;
      const bool strip_after = i < source_.size() && source_[i] == '-';
      if (i < source_.size() && (source_[i] == '-' || source_[i] == '+')) ++i;
      if (!std::string_view(source_).substr(i).starts_with("%}")) continue;
      std::string body = source_.substr(at_, begin - at_);
      if (strip)
        while (!body.empty() && is_space(body.back())) body.pop_back();
      if (!body.empty()) push(Kind::kText, std::move(body));
      advance(i + 2 - at_);
      if (strip_after) skip_space();
      return {};
    }
    // Jinja finds nothing missing where nothing follows.
    if (at_ == source_.size()) return {};
    return syntax_error("Missing end of raw directive", line);
  }

  /// The tokens of one tag, up to and with its end.
  Status inside(bool block) {
    const std::string_view end = block ? "%}" : "}}";
    std::string open;  // the brackets that are not closed yet
    while (true) {
      skip_space();
      if (at_ >= source_.size()) {
        push(Kind::kEnd, "");
        return {};
      }
      if (open.empty()) {
        const bool minus = rest().starts_with('-') && rest().substr(1).starts_with(end);
        const bool plus = block && rest().starts_with('+') && rest().substr(1).starts_with(end);
        if (minus || plus || rest().starts_with(end)) {
          push(block ? Kind::kBlockEnd : Kind::kVariableEnd, std::string(end));
          advance(end.size() + (minus || plus ? 1 : 0));
          if (minus) skip_space();
          return {};
        }
      }
      TRY(token(open));
    }
  }

  Status token(std::string& open) {
    const char c = source_[at_];
    if (is_digit(c) && number()) return {};
    if (begins_name(c)) return name();
    if (c == '"' || c == '\'') return string();
    return operation(open);
  }

  Status name() {
    std::size_t n = 0;
    while (at_ + n < source_.size() &&
           (begins_name(source_[at_ + n]) || is_digit(source_[at_ + n])))
      ++n;
    push(Kind::kName, source_.substr(at_, n));
    advance(n);
    return {};
  }

  Status string() {
    const char quote = source_[at_];
    std::size_t end = at_ + 1;
    while (end < source_.size() && source_[end] != quote) end += source_[end] == '\\' ? 2 : 1;
    if (end >= source_.size())
      return syntax_error("unexpected char " + text_repr_of(quote) + " at " +
                              std::to_string(character_count(source_.substr(0, at_))),
                          line_);
    ASSIGN(std::string value, unescaped(source_.substr(at_ + 1, end - at_ - 1), line_));
    push(Kind::kString, std::move(value));
    advance(end + 1 - at_);
    return {};
  }

  static std::string text_repr_of(char c) { return c == '\'' ? "\"'\"" : "'\"'"; }

  /// Digits with single underscores between them, from `from`; the place after them.
  std::size_t digits(std::size_t from, auto accepts) const {
    std::size_t i = from;
    while (i < source_.size()) {
      if (accepts(source_[i])) {
        ++i;
      } else if (source_[i] == '_' && i > from && i + 1 < source_.size() &&
                 accepts(source_[i + 1])) {
        ++i;
      } else {
        break;
      }
    }
    return i;
  }

  bool number() {
    if (based()) return true;
    const std::size_t whole = digits(at_, is_digit);
    std::size_t end = whole;
    const bool after_dot = at_ > 0 && source_[at_ - 1] == '.';
    if (!after_dot) {
      if (end + 1 < source_.size() && source_[end] == '.' && is_digit(source_[end + 1]))
        end = digits(end + 1, is_digit);
      if (end < source_.size() && (source_[end] == 'e' || source_[end] == 'E')) {
        std::size_t i = end + 1;
        if (i < source_.size() && (source_[i] == '+' || source_[i] == '-')) ++i;
        if (i < source_.size() && is_digit(source_[i])) end = digits(i, is_digit);
      }
    }
    std::string text = source_.substr(at_, end - at_);
    std::erase(text, '_');
    if (end > whole) {
      push(Kind::kFloat, text, Value(parse_double(text)));
      advance(end - at_);
      return true;
    }
    // A zero that begins a longer number is a number of its own.
    std::size_t n = whole - at_;
    if (text.front() == '0') {
      n = 0;
      while (at_ + n < whole && (source_[at_ + n] == '0' || source_[at_ + n] == '_')) ++n;
      text = "0";
    }
    push_integer(text, 10);
    advance(n);
    return true;
  }

  bool based() {
    if (source_[at_] != '0' || at_ + 2 >= source_.size()) return false;
    const char mark = static_cast<char>(source_[at_ + 1] | 0x20);
    const int base = mark == 'b' ? 2 : mark == 'o' ? 8 : mark == 'x' ? 16 : 0;
    if (base == 0) return false;
    const auto accepts = [base](char c) {
      const char low = static_cast<char>(c | 0x20);
      return (is_digit(c) && c - '0' < base) || (base == 16 && low >= 'a' && low <= 'f');
    };
    std::size_t from = at_ + 2;
    if (source_[from] == '_') ++from;
    const std::size_t end = digits(from, accepts);
    if (end == from) return false;
    std::string text = source_.substr(from, end - from);
    std::erase(text, '_');
    push_integer(text, base);
    advance(end - at_);
    return true;
  }

  /// A number that needs more than 64 bits has no value; the parser refuses it.
  void push_integer(const std::string& text, int base) {
    std::int64_t value = 0;
    const auto [last, failed] =
        std::from_chars(text.data(), text.data() + text.size(), value, base);
    push(Kind::kInteger, text, failed == std::errc{} ? Value(value) : Value());
  }

  Status operation(std::string& open) {
    constexpr std::array<std::string_view, 6> kTwo = {"//", "**", "==", "!=", ">=", "<="};
    const std::string_view here = rest();
    for (const std::string_view two : kTwo)
      if (here.starts_with(two)) {
        push(Kind::kOperator, std::string(two));
        advance(2);
        return {};
      }
    const char c = here.front();
    if (std::string_view("+-/*%~[](){}><=.:|,;").find(c) == std::string_view::npos)
      return syntax_error("unexpected char " + Value(std::string(first_character(here))).repr() +
                              " at " + std::to_string(character_count(source_.substr(0, at_))),
                          line_);
    if (c == '(') open += ')';
    if (c == '[') open += ']';
    if (c == '{') open += '}';
    if (c == ')' || c == ']' || c == '}') {
      if (open.empty()) return syntax_error("unexpected '" + std::string(1, c) + "'", line_);
      if (open.back() != c)
        return syntax_error(
            "unexpected '" + std::string(1, c) + "', expected '" + open.back() + "'", line_);
      open.pop_back();
    }
    push(Kind::kOperator, std::string(1, c));
    advance(1);
    return {};
  }

  std::string source_;
  std::size_t at_ = 0;
  int line_ = 1;
  Tokens out_;
  std::size_t raw_end_ = 0;
  bool raw_strip_ = false;
};

}  // namespace

std::unexpected<Error> syntax_error(std::string what, int line) {
  return error(Code::kInvalidArgument,
               "TemplateSyntaxError: " + std::move(what) + " (line " + std::to_string(line) + ")");
}

std::string describe(const Token& token) {
  switch (token.kind) {
    case Kind::kText:
      return "template data / text";
    case Kind::kVariableBegin:
      return "begin of print statement";
    case Kind::kVariableEnd:
      return "end of print statement";
    case Kind::kBlockBegin:
      return "begin of statement block";
    case Kind::kBlockEnd:
      return "end of statement block";
    case Kind::kEnd:
      return "end of template";
    case Kind::kString:
      return "string";
    case Kind::kInteger:
      return "integer";
    case Kind::kFloat:
      return "float";
    case Kind::kName:
    case Kind::kOperator:
      break;
  }
  return token.text;
}

Result<Tokens> tokenize(std::string_view source) {
  return Lexer(source).run();
}

}  // namespace tailrace::jinja
