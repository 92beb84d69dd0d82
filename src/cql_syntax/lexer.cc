#include "cql_syntax/lexer.h"

#include <algorithm>

namespace tailrace::cql_syntax {
namespace {

bool is_digit(int c) {
  return c >= '0' && c <= '9';
}
bool is_letter(int c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
int lower(int c) {
  return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}
bool is_hex(int c) {
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f');
}
bool is_word(int c) {
  return is_digit(c) || is_letter(c) || c == '_';
}
bool is_space(int c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

constexpr int kNoChar = -1;
constexpr std::size_t kUuidParts[] = {8, 4, 4, 4, 12};

std::string small(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(lower(c));
  return result;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Tokens cut() {
    while (at_ < text_.size() && !tokens_.refusal) next();
    Token end;
    end.kind = Kind::kEnd;
    end.at.offset = text_.size();
    tokens_.words.push_back(tokens_.all.size());
    tokens_.all.push_back(std::move(end));
    return std::move(tokens_);
  }

 private:
  int peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? static_cast<unsigned char>(text_[at_ + ahead]) : kNoChar;
  }

  void step() {
    const unsigned char c = static_cast<unsigned char>(text_[at_++]);
    if (c == '\n') {
      ++line_;
      column_ = 0;
    } else if ((c & 0xC0) != 0x80) {
      column_ += c >= 0xF0 ? 2 : 1;  // a character beyond 16 bits is two units
    }
  }
  void step(std::size_t count) {
    for (; count > 0; --count) step();
  }

  // The character here as a sentence shows it.
  std::string shown() const {
    switch (peek()) {
      case kNoChar:
        return "'<EOF>'";
      case '\n':
        return "'\\n'";
      case '\t':
        return "'\\t'";
      case '\r':
        return "'\\r'";
      default:
        break;
    }
    return "'" + std::string(text_.substr(at_, character_size())) + "'";
  }

  std::size_t character_size() const {
    std::size_t size = 1;
    while (peek(size) != kNoChar && (peek(size) & 0xC0) == 0x80) ++size;
    return size;
  }

  std::string where() const {
    return "line " + std::to_string(line_) + ":" + std::to_string(column_) + " ";
  }
  void refuse(std::string sentence) {
    if (!tokens_.refusal) tokens_.refusal = std::move(sentence);
  }
  void no_alternative() { refuse(where() + "no viable alternative at character " + shown()); }
  void mismatched(std::string_view expected) {
    refuse(where() + "mismatched character " + shown() + " expecting " + std::string(expected));
  }
  void no_digits() {
    refuse(where() + "required (...)+ loop did not match anything at character " + shown());
  }

  void emit(Kind kind, std::string text) {
    if (tokens_.refusal) return;
    Token token;
    token.kind = kind;
    token.at = start_;
    token.text = std::move(text);
    token.size = at_ - start_.offset;
    if (kind != Kind::kSpace) tokens_.words.push_back(tokens_.all.size());
    tokens_.all.push_back(std::move(token));
  }
  void emit(Kind kind) {
    emit(kind, std::string(text_.substr(start_.offset, at_ - start_.offset)));
  }
  void emit_sign(Kind kind, std::size_t size) {
    step(size);
    emit(kind);
  }

  void next() {
    start_ = {at_, line_, column_};
    const int c = peek();
    if (is_space(c)) {
      while (is_space(peek())) step();
      return emit(Kind::kSpace);
    }
    if (is_digit(c)) return digits_first();
    if (is_letter(c)) return letter_first();
    switch (c) {
      case '\'':
        return quoted('\'', "'''", Kind::kString);
      case '"':
        if (peek(1) == '"' && peek(2) != '"') return emit_sign(Kind::kEmptyQuotedName, 2);
        if (peek(1) == kNoChar) {
          step();
          return no_alternative();
        }
        return quoted('"', "'\"'", Kind::kQuotedName);
      case '$':
        return dollars();
      case '-':
        return minus();
      case '/':
        return slash();
      default:
        return sign(c);
    }
  }

  void sign(int c) {
    const bool equal = peek(1) == '=';
    switch (c) {
      case '?':
        return emit_sign(Kind::kMark, 1);
      case '%':
        return emit_sign(Kind::kPercent, 1);
      case '(':
        return emit_sign(Kind::kOpen, 1);
      case ')':
        return emit_sign(Kind::kClose, 1);
      case '*':
        return emit_sign(Kind::kStar, 1);
      case ',':
        return emit_sign(Kind::kComma, 1);
      case ':':
        return emit_sign(Kind::kColon, 1);
      case ';':
        return emit_sign(Kind::kSemicolon, 1);
      case '=':
        return emit_sign(Kind::kEqual, 1);
      case '[':
        return emit_sign(Kind::kOpenSquare, 1);
      case ']':
        return emit_sign(Kind::kCloseSquare, 1);
      case '{':
        return emit_sign(Kind::kOpenBrace, 1);
      case '}':
        return emit_sign(Kind::kCloseBrace, 1);
      case '+':
        return equal ? emit_sign(Kind::kPlusEqual, 2) : emit_sign(Kind::kPlus, 1);
      case '<':
        return equal ? emit_sign(Kind::kLessEqual, 2) : emit_sign(Kind::kLess, 1);
      case '>':
        return equal ? emit_sign(Kind::kMoreEqual, 2) : emit_sign(Kind::kMore, 1);
      case '.':
        return peek(1) == '.' ? emit_sign(Kind::kRange, 2) : emit_sign(Kind::kDot, 1);
      case '!':
        if (equal) return emit_sign(Kind::kNotEqual, 2);
        step();
        return mismatched("'='");
      default:
        return no_alternative();
    }
  }

  // '…' or "…", a doubled quote standing for one.
  void quoted(char quote, std::string_view expected, Kind kind) {
    std::string text;
    step();
    while (true) {
      if (peek() == kNoChar) return mismatched(expected);
      const char c = text_[at_];
      step();
      if (c == quote) {
        if (peek() != quote) return emit(kind, std::move(text));
        step();
      }
      text += c;
    }
  }

  void dollars() {
    step();
    if (peek() != '$') return mismatched("'$'");
    step();
    const std::size_t end = text_.find("$$", at_);
    const std::size_t from = at_;
    if (end == std::string_view::npos) {
      // The last character should have been a `$`, and one more should follow.
      while (at_ < text_.size() && text_.size() - at_ > character_size()) step(character_size());
      if (peek() == '$') step();
      return mismatched("'$'");
    }
    step(end - at_);
    std::string text(text_.substr(from, end - from));
    step(2);
    emit(Kind::kString, std::move(text));
  }

  void line_comment() {
    while (peek() != '\n' && peek() != '\r') {
      if (peek() == kNoChar) return mismatched("set null");
      step();
    }
    step();
    emit(Kind::kSpace);
  }

  void slash() {
    if (peek(1) == '/') return line_comment();
    if (peek(1) != '*') return emit_sign(Kind::kSlash, 1);
    step(2);
    while (!(peek() == '*' && peek(1) == '/')) {
      if (peek() == kNoChar) return mismatched("'*'");
      const bool half_an_end = peek() == '*' && peek(1) == kNoChar;
      step();
      if (half_an_end) return mismatched("'/'");
    }
    step(2);
    emit(Kind::kSpace);
  }

  void minus() {
    const int c = peek(1);
    if (c == '-') return line_comment();
    if (c == '=') return emit_sign(Kind::kMinusEqual, 2);
    if (is_digit(c)) {
      step();
      return number();
    }
    if (lower(c) == 'n') return fixed_word("nan", Kind::kNegativeNan);
    if (lower(c) == 'i') return fixed_word("infinity", Kind::kNegativeInfinity);
    if (c == 'P') {
      step();
      return negative_iso_duration();
    }
    emit_sign(Kind::kMinus, 1);
  }

  void fixed_word(std::string_view word, Kind kind) {
    step();
    for (const char c : word) {
      if (lower(peek()) != c) return mismatched("set null");
      step();
    }
    emit(kind);
  }

  // A UUID's first part and its hyphen. Where a digit comes first, a hexadecimal digit that could
  // be of no number and of no duration is enough: what follows is then wrong as a UUID.
  bool begins_uuid() const {
    if (is_digit(peek())) return digits_begin_uuid();
    std::size_t i = 0;
    while (i < kUuidParts[0] && is_hex(peek(i))) ++i;
    return i == kUuidParts[0] && peek(i) == '-';
  }

  bool digits_begin_uuid() const {
    // What the characters so far may be besides a UUID's: 12, 12e, 12e3, 12d, 12d3.
    enum class SoFar { kInteger, kE, kExponent, kDays, kMoreOfDuration };
    SoFar so_far = SoFar::kInteger;
    for (std::size_t i = 0; i < kUuidParts[0]; ++i) {
      const int c = lower(peek(i));
      const bool after_count = so_far == SoFar::kInteger || so_far == SoFar::kMoreOfDuration;
      if (is_digit(c)) {
        if (so_far == SoFar::kE) so_far = SoFar::kExponent;
        if (so_far == SoFar::kDays) so_far = SoFar::kMoreOfDuration;
      } else if (!is_hex(c)) {
        return false;
      } else if (c == 'e' && so_far == SoFar::kInteger) {
        so_far = SoFar::kE;
      } else if (c == 'd' && after_count) {
        so_far = SoFar::kDays;
      } else {
        return true;
      }
    }
    if (peek(kUuidParts[0]) != '-') return false;
    return so_far != SoFar::kE || second_part_begins_no_exponent(kUuidParts[0] + 1);
  }

  // After `1234567e-`
  bool second_part_begins_no_exponent(std::size_t ahead) const {
    const std::size_t end = ahead + kUuidParts[1];
    while (ahead < end && is_digit(peek(ahead))) ++ahead;
    return ahead < end ? is_hex(peek(ahead)) : peek(ahead) == '-';
  }

  void uuid() {
    for (std::size_t part = 0; part < std::size(kUuidParts); ++part) {
      if (part > 0) {
        if (peek() != '-') return mismatched("'-'");
        step();
      }
      for (std::size_t i = 0; i < kUuidParts[part]; ++i) {
        if (!is_hex(peek())) return mismatched("set null");
        step();
      }
    }
    emit(Kind::kUuidLiteral);
  }

  void digits_first() {
    if (peek() == '0' && lower(peek(1)) == 'x') {
      step(2);
      while (is_hex(peek())) step();
      return emit(Kind::kHex);
    }
    if (begins_uuid()) return uuid();
    number();
  }

  void number() {
    while (is_digit(peek())) step();
    if (peek() == '.') {
      if (peek(1) == '.' && peek(2) != '.') return emit(Kind::kInteger);
      step();
      while (is_digit(peek())) step();
      if (lower(peek()) != 'e') return emit(Kind::kFloatLiteral);
      return exponent(false);
    }
    const bool may_be_uuid = text_[start_.offset] != '-' && at_ - start_.offset < kUuidParts[0];
    if (lower(peek()) == 'e') return exponent(may_be_uuid);
    if (unit_size() == 0 && !half_a_unit()) return emit(Kind::kInteger);
    duration();
  }

  // As long as the characters may begin a UUID the choice of the token itself is still open: up to
  // the sign or the first digit, and behind a `-` that may be the UUID's.
  void exponent(bool open) {
    step();
    if (peek() == '+' || peek() == '-') {
      open = open && peek() == '-' && at_ - start_.offset == kUuidParts[0];
      step();
    }
    if (!is_digit(peek())) return open ? no_alternative() : no_digits();
    while (is_digit(peek())) step();
    emit(Kind::kFloatLiteral);
  }

  std::size_t unit_size() const {
    const int c = lower(peek());
    const int after = lower(peek(1));
    if (c == 'm') return after == 'o' || after == 's' ? 2 : 1;
    if (c == 'y' || c == 'w' || c == 'd' || c == 'h' || c == 's') return 1;
    if (c == 'u' || c == 'n') return after == 's' ? 2 : 0;
    if (c == 0xC2 && after == 0xB5) return lower(peek(2)) == 's' ? 3 : 0;
    return 0;
  }
  bool half_a_unit() const {
    const int c = lower(peek());
    return c == 'u' || c == 'n' || (c == 0xC2 && peek(1) == 0xB5);
  }

  void duration() {
    do {
      while (is_digit(peek())) step();
      const std::size_t size = unit_size();
      if (size == 0) {
        if (!half_a_unit()) return no_alternative();
        step(peek() == 0xC2 ? 2 : 1);
        return mismatched("set null");
      }
      step(size);
    } while (is_digit(peek()));
    emit(Kind::kDurationLiteral);
  }

  // How many bytes from `ahead` are digits and one of the designators in order; each at most once.
  std::size_t iso_parts(std::size_t ahead, std::string_view designators) const {
    std::size_t end = ahead;
    for (const char designator : designators) {
      std::size_t i = end;
      while (is_digit(peek(i))) ++i;
      if (i > end && peek(i) == designator) end = i + 1;
    }
    return end;
  }

  // The length of an ISO 8601 duration that begins with P here, 0 if none does.
  std::size_t iso_duration_size() const {
    std::size_t end = iso_parts(1, "YMD");
    if (end == 1) {
      end = iso_parts(1, "W");
      if (end > 1) return end;
    }
    if (peek(end) == 'T') {
      const std::size_t time = iso_parts(end + 1, "HMS");
      if (time > end + 1) return time;
    }
    return end > 1 ? end : 0;
  }

  // PYYYY-MM-DDThh:mm:ss, once its first `-` has been seen.
  bool begins_alternative_iso() const {
    return peek() == 'P' && is_digit(peek(1)) && is_digit(peek(2)) && is_digit(peek(3)) &&
           is_digit(peek(4)) && peek(5) == '-';
  }
  void alternative_iso() {
    constexpr std::string_view kShape = "PYYYY-MM-DDThh:mm:ss";
    for (const char c : kShape) {
      const bool digit = c == 'Y' || c == 'M' || c == 'D' || c == 'h' || c == 'm' || c == 's';
      if (digit && !is_digit(peek())) return mismatched("set null");
      if (!digit && peek() != c) return mismatched("'" + std::string(1, c) + "'");
      step();
    }
    emit(Kind::kDurationLiteral);
  }

  void negative_iso_duration() {
    if (begins_alternative_iso()) return alternative_iso();
    const std::size_t size = iso_duration_size();
    if (size > 0) {
      step(size);
      return emit(Kind::kDurationLiteral);
    }
    step();
    if (peek() == 'T') step();
    while (is_digit(peek())) step();
    no_alternative();
  }

  void letter_first() {
    if (begins_uuid()) return uuid();
    if (begins_alternative_iso()) return alternative_iso();
    std::size_t size = 0;
    while (is_word(peek(size))) ++size;
    if (peek() == 'P' && iso_duration_size() >= size) {
      step(iso_duration_size());
      return emit(Kind::kDurationLiteral);
    }
    if (text_.substr(at_, 5) == "expr(") return emit_sign(Kind::kExpr, 5);
    const std::string word = small(text_.substr(at_, size));
    step(size);
    emit(word == "true" || word == "false" ? Kind::kBooleanLiteral : keyword(word));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
  int column_ = 0;
  Position start_;
  Tokens tokens_;
};

}  // namespace

Tokens cut(std::string_view text) {
  return Lexer(text).cut();
}

}  // namespace tailrace::cql_syntax
