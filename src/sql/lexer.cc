// The lexer: Spark's rules for literals, escapes, comments and quoted identifiers.
#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>

#include "sql/tokens.h"

namespace tailrace::sql {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_word_start(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_word_part(char c) {
  return is_word_start(c) || is_digit(c);
}

void append_utf8(std::string& out, std::uint32_t point) {
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0 | (point >> 6));
    out += static_cast<char>(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    out += static_cast<char>(0xE0 | (point >> 12));
    out += static_cast<char>(0x80 | ((point >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (point & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (point >> 18));
    out += static_cast<char>(0x80 | ((point >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((point >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (point & 0x3F));
  }
}

class Lexer {
 public:
  explicit Lexer(const Source& source) : source_(source), text_(source.text) {}

  Result<std::vector<Token>> run() {
    while (true) {
      TRY(skip_blanks());
      if (at_ >= text_.size()) break;
      Token token;
      token.span.begin = at_;
      TRY(next(token));
      token.span.end = at_;
      tokens_.push_back(std::move(token));
    }
    Token end;
    end.span = {text_.size(), text_.size()};
    tokens_.push_back(std::move(end));
    return std::move(tokens_);
  }

 private:
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  std::unexpected<Error> fail(std::size_t where, const std::string& what) const {
    return error(Code::kInvalidArgument, source_.place(where) + ": [PARSE_SYNTAX_ERROR] " + what);
  }

  Status skip_blanks() {
    while (at_ < text_.size()) {
      if (std::isspace(static_cast<unsigned char>(peek()))) {
        ++at_;
      } else if (text_.substr(at_, 3) == "\xEF\xBB\xBF") {
        at_ += 3;
      } else if (peek() == '-' && peek(1) == '-') {
        while (at_ < text_.size() && peek() != '\n') ++at_;
      } else if (peek() == '/' && peek(1) == '*') {
        TRY(skip_comment());
      } else {
        break;
      }
    }
    return {};
  }

  Status skip_comment() {
    const std::size_t begin = at_;
    int depth = 0;
    do {
      if (at_ >= text_.size())
        return fail(begin, "A comment that begins with /* is not closed by */.");
      if (peek() == '/' && peek(1) == '*') {
        ++depth;
        at_ += 2;
      } else if (peek() == '*' && peek(1) == '/') {
        --depth;
        at_ += 2;
      } else {
        ++at_;
      }
    } while (depth > 0);
    return {};
  }

  Status next(Token& token) {
    const char c = peek();
    if (c == '\'' || c == '"') return read_string(token, false);
    if ((c == 'r' || c == 'R') && (peek(1) == '\'' || peek(1) == '"')) {
      ++at_;
      return read_string(token, true);
    }
    if (c == '`') return read_quoted(token);
    if (is_digit(c) || (c == '.' && is_digit(peek(1)) && !after_name())) return read_number(token);
    if (is_word_start(c)) {
      token.kind = Token::Kind::kWord;
      const std::size_t begin = at_;
      while (is_word_part(peek())) ++at_;
      token.text = text_.substr(begin, at_ - begin);
      return {};
    }
    return read_symbol(token);
  }

  // `a.1` does not occur, but `t.5x` would be a field: a point right after a name is never the
  // start of a number.
  bool after_name() const {
    return !tokens_.empty() && tokens_.back().span.end == at_ &&
           (tokens_.back().kind == Token::Kind::kWord ||
            tokens_.back().kind == Token::Kind::kQuoted);
  }

  Status read_string(Token& token, bool raw) {
    const std::size_t begin = at_;
    const char quote = text_[at_++];
    token.kind = Token::Kind::kString;
    while (true) {
      if (at_ >= text_.size()) return fail(begin, "A string literal is not closed.");
      const char c = text_[at_++];
      if (c == quote) {
        if (peek() != quote) return {};
        token.text += quote;  // '' is one quote
        ++at_;
      } else if (c == '\\' && !raw && at_ < text_.size()) {
        read_escape(token.text);
      } else {
        token.text += c;
      }
    }
  }

  bool read_hex(std::size_t digits, std::uint32_t& value) {
    value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      const char c = peek(i);
      if (!std::isxdigit(static_cast<unsigned char>(c))) return false;
      value =
          value * 16 + static_cast<std::uint32_t>(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    at_ += digits;
    return true;
  }

  // ParserUtils.unescapeSQLString: \uXXXX, \UXXXXXXXX, octal \ooo, \0 \b \n \r \t \Z \% \_, else
  // the character itself.
  void read_escape(std::string& out) {
    const char c = text_[at_++];
    std::uint32_t point = 0;
    if (c == 'u' && read_hex(4, point)) return append_utf8(out, point);
    if (c == 'U' && read_hex(8, point) && point <= 0x10FFFF) return append_utf8(out, point);
    if (c >= '0' && c <= '1' && peek() >= '0' && peek() <= '7' && peek(1) >= '0' &&
        peek(1) <= '7') {
      point = static_cast<std::uint32_t>((c - '0') * 64 + (peek() - '0') * 8 + (peek(1) - '0'));
      at_ += 2;
      return append_utf8(out, point);
    }
    switch (c) {
      case '0':
        out += '\0';
        break;
      case 'b':
        out += '\b';
        break;
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 't':
        out += '\t';
        break;
      case 'Z':
        out += '\x1A';
        break;
      case '%':
        out += "\\%";
        break;
      case '_':
        out += "\\_";
        break;
      default:
        out += c;
    }
  }

  Status read_quoted(Token& token) {
    const std::size_t begin = at_++;
    token.kind = Token::Kind::kQuoted;
    while (true) {
      if (at_ >= text_.size()) return fail(begin, "A quoted identifier is not closed by `.");
      const char c = text_[at_++];
      if (c != '`') {
        token.text += c;
      } else if (peek() == '`') {
        token.text += '`';
        ++at_;
      } else {
        break;
      }
    }
    if (token.text.empty()) return fail(begin, "A quoted identifier must not be empty.");
    return {};
  }

  Status read_number(Token& token) {
    const std::size_t begin = at_;
    token.kind = Token::Kind::kInteger;
    while (is_digit(peek())) ++at_;
    if (peek() == '.') {
      token.kind = Token::Kind::kNumber;
      ++at_;
      while (is_digit(peek())) ++at_;
    }
    const std::size_t sign = (peek(1) == '+' || peek(1) == '-') ? 2 : 1;
    if ((peek() == 'e' || peek() == 'E') && is_digit(peek(sign))) {
      token.kind = Token::Kind::kNumber;
      token.exponent = true;
      at_ += sign;
      while (is_digit(peek())) ++at_;
    }
    token.text = text_.substr(begin, at_ - begin);
    const std::size_t suffix = at_;
    while (is_word_part(peek()))
      token.suffix += static_cast<char>(std::toupper(static_cast<unsigned char>(text_[at_++])));
    static constexpr std::array kSuffixes = {"", "L", "S", "Y", "F", "D", "BD"};
    if (std::find(kSuffixes.begin(), kSuffixes.end(), token.suffix) == kSuffixes.end()) {
      return fail(suffix, "Syntax error at or near '" + token.suffix + "' after the number " +
                              token.text +
                              "; a name that begins with a digit must be in backquotes.");
    }
    return {};
  }

  Status read_symbol(Token& token) {
    static constexpr std::array<std::string_view, 14> kLong = {
        "<=>", "<=", ">=", "<>", "!=", "==", "||", "::", "->", "=>", "|>", "/*", "*/", "<<"};
    token.kind = Token::Kind::kSymbol;
    for (const auto symbol : kLong) {
      if (text_.substr(at_, symbol.size()) == symbol) {
        token.text = symbol;
        at_ += symbol.size();
        return {};
      }
    }
    static constexpr std::string_view kShort = "()[],.;*+-/%<>=!&|^~:?@{}";
    if (kShort.find(peek()) == std::string_view::npos) {
      return fail(at_, std::string("Syntax error at or near '") + peek() +
                           "': the character is not part of SQL.");
    }
    token.text = std::string(1, text_[at_++]);
    return {};
  }

  const Source& source_;
  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

bool Token::is_word(std::string_view upper_word) const {
  return kind == Kind::kWord && text.size() == upper_word.size() &&
         std::equal(text.begin(), text.end(), upper_word.begin(), [](char a, char b) {
           return std::toupper(static_cast<unsigned char>(a)) == b;
         });
}

Result<std::vector<Token>> lex(const Source& source) {
  return Lexer(source).run();
}

}  // namespace tailrace::sql
