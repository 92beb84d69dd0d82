#include "doctor/python_tokens.h"

#include <array>
#include <cctype>

namespace tailrace::doctor {
namespace {

bool is_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || (c & 0x80) != 0;
}

class Lexer {
 public:
  Lexer(std::string_view text, int line) : text_(text), line_(line) {}

  std::vector<Token> all() {
    while (at_ < text_.size()) step();
    if (!tokens_.empty() && tokens_.back().kind != Token::Kind::kNewline)
      add(Token::Kind::kNewline, "");
    for (; indents_.size() > 1; indents_.pop_back()) add(Token::Kind::kDedent, "");
    add(Token::Kind::kEnd, "");
    return std::move(tokens_);
  }

 private:
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  void add(Token::Kind kind, std::string text, int line = 0) {
    tokens_.push_back({kind, std::move(text), line == 0 ? line_ : line});
  }

  void step() {
    if (line_start_ && depth_ == 0) indent();
    const char c = peek();
    if (at_ >= text_.size()) return;
    if (c == '#') {
      while (at_ < text_.size() && peek() != '\n') ++at_;
    } else if (c == '\n') {
      if (depth_ == 0 && !tokens_.empty() && tokens_.back().kind != Token::Kind::kNewline &&
          tokens_.back().kind != Token::Kind::kIndent &&
          tokens_.back().kind != Token::Kind::kDedent)
        add(Token::Kind::kNewline, "");
      ++at_;
      ++line_;
      line_start_ = depth_ == 0;
    } else if (c == '\\' && (peek(1) == '\n' || (peek(1) == '\r' && peek(2) == '\n'))) {
      at_ += peek(1) == '\n' ? 2 : 3;
      ++line_;
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f') {
      ++at_;
    } else if (!text_literal()) {
      word_or_operator();
    }
  }

  /// At a line's start, outside brackets: blank lines and comments count for nothing.
  void indent() {
    line_start_ = false;
    std::size_t column = 0, at = at_;
    for (; at < text_.size() && (text_[at] == ' ' || text_[at] == '\t'); ++at)
      column = text_[at] == '\t' ? (column / 8 + 1) * 8 : column + 1;
    at_ = at;
    if (at >= text_.size() || text_[at] == '\n' || text_[at] == '#' || text_[at] == '\r') return;
    if (column > indents_.back()) {
      indents_.push_back(column);
      add(Token::Kind::kIndent, "");
    }
    while (column < indents_.back()) {
      indents_.pop_back();
      add(Token::Kind::kDedent, "");
    }
  }

  bool text_literal() {
    std::size_t quote = at_;
    bool raw = false, format = false;
    for (; quote < text_.size() && quote < at_ + 3; ++quote) {
      const char c = static_cast<char>(std::tolower(static_cast<unsigned char>(text_[quote])));
      if (c == '"' || c == '\'') break;
      if (c != 'r' && c != 'b' && c != 'f' && c != 'u' && c != 't') return false;
      raw = raw || c == 'r';
      format = format || c == 'f';
    }
    if (quote >= text_.size() || (text_[quote] != '"' && text_[quote] != '\'')) return false;
    const int line = line_;
    const char mark = text_[quote];
    const bool triple =
        quote + 2 < text_.size() && text_[quote + 1] == mark && text_[quote + 2] == mark;
    at_ = quote + (triple ? 3 : 1);
    std::string value;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (triple ? (c == mark && peek(1) == mark && peek(2) == mark) : c == mark) {
        at_ += triple ? 3 : 1;
        break;
      }
      if (c == '\n' && !triple) break;
      if (c == '\n') ++line_;
      if (c == '\\' && at_ + 1 < text_.size())
        escape(value, raw);
      else
        value += text_[at_++];
    }
    add(format ? Token::Kind::kFormat : Token::Kind::kText, value, line);
    return true;
  }

  void escape(std::string& value, bool raw) {
    const char next = text_[at_ + 1];
    at_ += 2;
    if (next == '\n') ++line_;
    if (raw) {
      value += '\\';
      value += next;
    } else if (next == 'n' || next == 't') {
      value += next == 'n' ? '\n' : '\t';
    } else if (next != '\n') {
      value += next;
    }
  }

  void word_or_operator() {
    const std::size_t from = at_;
    const char c = peek();
    if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
      while (at_ < text_.size() && (is_name(peek()) || peek() == '.')) ++at_;
      return add(Token::Kind::kNumber, std::string(text_.substr(from, at_ - from)));
    }
    if (is_name(c)) {
      while (at_ < text_.size() && is_name(peek())) ++at_;
      return add(Token::Kind::kName, std::string(text_.substr(from, at_ - from)));
    }
    static constexpr std::array<std::string_view, 22> kLong = {
        "**=", "//=", ">>=", "<<=", "...", "**", "//", ">>", "<<", "==", "!=",
        "<=",  ">=",  "->",  "+=",  "-=",  "*=", "/=", "%=", ":=", "|=", "&="};
    std::size_t size = 1;
    for (const std::string_view one : kLong)
      if (text_.substr(at_).starts_with(one)) {
        size = one.size();
        break;
      }
    if (c == '(' || c == '[' || c == '{') ++depth_;
    if ((c == ')' || c == ']' || c == '}') && depth_ > 0) --depth_;
    at_ += size;
    add(Token::Kind::kOperator, std::string(text_.substr(from, size)));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int line_;
  int depth_ = 0;
  bool line_start_ = true;
  std::vector<std::size_t> indents_ = {0};
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> python_tokens(std::string_view text, int line) {
  return Lexer(text, line).all();
}

}  // namespace tailrace::doctor
