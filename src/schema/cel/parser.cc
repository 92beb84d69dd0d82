// Lexer and recursive-descent parser of CEL, one token ahead.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "schema/cel/syntax.h"

namespace tailrace::schema::cel {
namespace {

struct Token {
  enum class Kind { kName, kLiteral, kSign, kEnd };
  Kind kind = Kind::kEnd;
  std::size_t at = 0, end = 0;
  std::string text = {};  ///< of a name or sign
  Value literal = {};
  bool quoted = false;      ///< a name between backticks: a field's only
  bool number = false;      ///< digits: a minus before them may be part of the literal
  std::string digits = {};  ///< of such, as written
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_name(char c) {
  return is_name_start(c) || is_digit(c);
}

int hex_of(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void append_utf8(std::string& out, std::uint32_t c) {
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((c >> shift) & 0x3F)); };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    tail(0);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    tail(6), tail(0);
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    tail(12), tail(6), tail(0);
  }
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::unexpected<Error> fail(std::size_t at, const std::string& what) const {
    return error(Code::kInvalidArgument, place_of(text_, at) + ": " + what);
  }

  Result<Token> next() {
    skip();
    Token token{.kind = Token::Kind::kEnd, .at = at_};
    if (at_ >= text_.size()) return token;
    const char c = text_[at_];
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
    if (const auto opened = string_prefix()) return string(opened->first, opened->second);
    if (c == '`') return quoted_name();
    if (is_name_start(c)) {
      while (at_ < text_.size() && is_name(text_[at_])) token.text += text_[at_++];
      return word(std::move(token));
    }
    token.kind = Token::Kind::kSign;
    constexpr std::array<std::string_view, 20> kSigns = {"&&", "||", "==", "!=", "<=", ">=", "<",
                                                         ">",  "+",  "-",  "*",  "/",  "%",  "!",
                                                         "?",  ":",  "(",  ")",  "[",  "]"};
    constexpr std::array<std::string_view, 4> kMore = {"{", "}", ".", ","};
    const auto take = [&](std::string_view sign) {
      if (!text_.substr(at_).starts_with(sign)) return false;
      token.text = sign;
      at_ += sign.size();
      return true;
    };
    for (const std::string_view sign : kSigns)
      if (take(sign)) return done(token);
    for (const std::string_view sign : kMore)
      if (take(sign)) return done(token);
    return fail(at_, fmt::format("`{}` is nothing CEL knows", c));
  }

 private:
  char peek(std::size_t ahead) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  Token done(Token token) const {
    token.end = at_;
    return token;
  }

  void skip() {
    while (at_ < text_.size()) {
      if (std::string_view(" \t\n\f\r").find(text_[at_]) != std::string_view::npos) {
        ++at_;
      } else if (text_.substr(at_).starts_with("//")) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else {
        return;
      }
    }
  }

  /// A field's name that is no word: `content-type`.
  Result<Token> quoted_name() {
    Token token{.kind = Token::Kind::kName, .at = at_};
    token.quoted = true;
    const std::size_t end = text_.find('`', at_ + 1);
    if (end == std::string_view::npos) return fail(at_, "the backtick is not closed");
    token.text = text_.substr(at_ + 1, end - at_ - 1);
    const auto fits = [](char c) {
      return is_name(c) || std::string_view("-./ ").find(c) != std::string_view::npos;
    };
    if (token.text.empty() || !std::ranges::all_of(token.text, fits))
      return fail(at_, "a name in backticks has letters, digits, _ - . / and blanks");
    at_ = end + 1;
    return done(std::move(token));
  }

  Token word(Token token) const {
    token.kind = Token::Kind::kLiteral;
    if (token.text == "true" || token.text == "false") {
      token.literal = Value(token.text == "true");
    } else if (token.text == "null") {
      token.literal = Value(Null{});
    } else {
      token.kind = token.text == "in" ? Token::Kind::kSign : Token::Kind::kName;
    }
    return done(std::move(token));
  }

  Result<Token> number() {
    Token token{.kind = Token::Kind::kLiteral, .at = at_};
    token.number = true;
    const std::size_t start = at_;
    const bool hex = text_[at_] == '0' && (peek(1) == 'x' || peek(1) == 'X');
    if (hex) {
      at_ += 2;
      while (at_ < text_.size() && hex_of(text_[at_]) >= 0) ++at_;
    } else {
      digits();
    }
    bool whole = true;
    if (!hex && peek(0) == '.' && is_digit(peek(1))) {
      whole = false;
      ++at_;
      digits();
    }
    const std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 2 : 1;
    if (!hex && (peek(0) == 'e' || peek(0) == 'E') && is_digit(peek(sign))) {
      whole = false;
      at_ += sign;
      digits();
    }
    token.digits = text_.substr(start, at_ - start);
    const bool is_unsigned = whole && (peek(0) == 'u' || peek(0) == 'U');
    if (is_unsigned) ++at_;
    if (is_name(peek(0))) return fail(start, "a number runs into a name");
    ASSIGN(token.literal, number_of(token.digits, whole, is_unsigned, start));
    return done(std::move(token));
  }

  void digits() {
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
  }

  Result<Value> number_of(const std::string& digits, bool whole, bool is_unsigned,
                          std::size_t start) {
    if (!whole) {
      double number = 0;
      const std::string with_zero = digits.starts_with('.') ? "0" + digits : digits;
      const auto [end, code] =
          std::from_chars(with_zero.data(), with_zero.data() + with_zero.size(), number);
      (void)end;
      if (code == std::errc::result_out_of_range) number = std::strtod(with_zero.c_str(), nullptr);
      return Value(number);
    }
    const int base = digits.starts_with("0x") || digits.starts_with("0X") ? 16 : 10;
    const char* from = digits.data() + (base == 16 ? 2 : 0);
    const char* to = digits.data() + digits.size();
    std::uint64_t number = 0;
    const auto [end, code] = std::from_chars(from, to, number, base);
    if (code != std::errc() || end != to)
      return fail(start, digits + " is no whole number of 64 bits");
    if (is_unsigned) return Value(number);
    // 2^63 is an int only behind a minus: the parser sees to that.
    if (number > std::uint64_t{1} << 63) return fail(start, digits + " is no int of 64 bits");
    return Value(static_cast<std::int64_t>(number));
  }

  /// Letters before a quote, and how many: r, b, rb, br …
  std::optional<std::pair<bool, bool>> string_prefix() {
    bool raw = false, bytes = false;
    std::size_t ahead = 0;
    for (; ahead < 2; ++ahead) {
      const char c = peek(ahead);
      if ((c == 'r' || c == 'R') && !raw)
        raw = true;
      else if ((c == 'b' || c == 'B') && !bytes && !raw)
        bytes = true;
      else
        break;
    }
    if (peek(ahead) != '"' && peek(ahead) != '\'') return std::nullopt;
    start_ = at_;
    at_ += ahead;
    return std::pair(raw, bytes);
  }

  Result<Token> string(bool raw, bool bytes) {
    Token token{.kind = Token::Kind::kLiteral, .at = start_};
    const std::string one(1, text_[at_]);
    const bool triple = text_.substr(at_).starts_with(one + one + one);
    const std::string quote = triple ? one + one + one : one;
    at_ += quote.size();
    std::string out;
    while (!text_.substr(at_).starts_with(quote)) {
      if (at_ >= text_.size() || (!triple && (text_[at_] == '\n' || text_[at_] == '\r')))
        return fail(start_, "the quote is not closed");
      if (raw || text_[at_] != '\\')
        out += text_[at_++];
      else
        TRY(escape(out, bytes));
    }
    at_ += quote.size();
    if (bytes)
      token.literal = Value(Bytes{std::move(out)});
    else
      token.literal = Value(std::move(out));
    return done(std::move(token));
  }

  Status escape(std::string& out, bool bytes) {
    const std::size_t start = at_;
    const char c = peek(1);
    at_ += 2;
    constexpr std::string_view kLetters = "abfnrtv\\?\"'`", kMeant = "\a\b\f\n\r\t\v\\?\"'`";
    if (const auto found = kLetters.find(c); c != '\0' && found != std::string_view::npos) {
      out += kMeant[found];
      return {};
    }
    std::uint32_t code = 0;
    std::size_t count = c == 'x' || c == 'X' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (count > 0 && !(bytes && count > 2)) {
      for (; count > 0; --count, ++at_) {
        const int digit = hex_of(peek(0));
        if (digit < 0) return fail(start, "the escape has too few digits");
        code = code * 16 + static_cast<std::uint32_t>(digit);
      }
    } else if (c >= '0' && c <= '3') {
      code = static_cast<std::uint32_t>(c - '0');
      for (int i = 0; i < 2; ++i, ++at_) {
        if (peek(0) < '0' || peek(0) > '7') return fail(start, "an octal escape has three digits");
        code = code * 8 + static_cast<std::uint32_t>(peek(0) - '0');
      }
    } else {
      return fail(start, "there is no such escape");
    }
    if (bytes) {
      out += static_cast<char>(code);
      return {};
    }
    if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
      return fail(start, "the escape is no character");
    append_utf8(out, code);
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0, start_ = 0;
};

constexpr std::array<std::string_view, 17> kReserved = {
    "as",  "break", "const",   "continue",  "else",   "for", "function", "if",   "import",
    "let", "loop",  "package", "namespace", "return", "var", "void",     "while"};

class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) {}

  Result<NodePtr> whole() {
    TRY(advance());
    ASSIGN(NodePtr node, expression());
    if (token_.kind != Token::Kind::kEnd) return unexpected_token("the end");
    return node;
  }

 private:
  using Parse = Result<NodePtr> (Parser::*)();

  Status advance() {
    ASSIGN(token_, lexer_.next());
    return {};
  }
  bool is(std::string_view sign) const {
    return token_.kind == Token::Kind::kSign && token_.text == sign;
  }
  Status need(std::string_view sign) {
    if (!is(sign)) return unexpected_token(fmt::format("`{}`", sign));
    return advance();
  }
  std::unexpected<Error> unexpected_token(std::string_view wanted) const {
    const std::string found = token_.kind == Token::Kind::kEnd       ? "the end"
                              : token_.kind == Token::Kind::kLiteral ? "a literal"
                                                                     : "`" + token_.text + "`";
    return lexer_.fail(token_.at, fmt::format("{} is expected here, not {}", wanted, found));
  }

  Result<NodePtr> make(Node node) {
    if (++nodes_ > kMaxNodes)
      return lexer_.fail(node.at, fmt::format("more than {} parts", kMaxNodes));
    return std::make_unique<Node>(std::move(node));
  }
  Result<NodePtr> call(std::size_t at, std::string name, NodePtr a, NodePtr b = nullptr) {
    Node node{.kind = Node::Kind::kCall, .at = at, .name = std::move(name)};
    node.args.push_back(std::move(a));
    if (b) node.args.push_back(std::move(b));
    return make(std::move(node));
  }

  /// Levels of what is in one another, counted while they are read.
  struct Level {
    explicit Level(int& depth) : depth(depth) { ++depth; }
    ~Level() { --depth; }
    int& depth;
  };

  Result<NodePtr> expression() {
    const Level level(depth_);
    if (depth_ > kMaxDepth)
      return lexer_.fail(token_.at, fmt::format("deeper than {} levels", kMaxDepth));
    ASSIGN(NodePtr condition, either());
    if (!is("?")) return condition;
    Node node{.kind = Node::Kind::kCall, .at = token_.at, .name = "?:"};
    TRY(advance());
    node.args.push_back(std::move(condition));
    ASSIGN(node.args.emplace_back(), either());
    TRY(need(":"));
    ASSIGN(node.args.emplace_back(), expression());
    return make(std::move(node));
  }

  /// Terms joined by one of `signs`, left to right. A long row is as deep as it is long.
  Result<NodePtr> row(Parse term, std::initializer_list<std::string_view> signs) {
    ASSIGN(NodePtr left, (this->*term)());
    for (int length = 1;; ++length) {
      std::string_view found;
      for (const std::string_view sign : signs)
        if (is(sign)) found = sign;
      if (found.empty()) return left;
      if (length > kMaxRow)
        return lexer_.fail(token_.at, fmt::format("more than {} terms in a row", kMaxRow));
      const std::size_t at = token_.at;
      TRY(advance());
      ASSIGN(NodePtr right, (this->*term)());
      ASSIGN(left, call(at, std::string(found), std::move(left), std::move(right)));
    }
  }
  Result<NodePtr> either() { return row(&Parser::both, {"||"}); }
  Result<NodePtr> both() { return row(&Parser::relation, {"&&"}); }
  Result<NodePtr> relation() { return row(&Parser::sum, {"<", "<=", ">=", ">", "==", "!=", "in"}); }
  Result<NodePtr> sum() { return row(&Parser::product, {"+", "-"}); }
  Result<NodePtr> product() { return row(&Parser::unary, {"*", "/", "%"}); }

  Result<NodePtr> unary() {
    const Level level(depth_);
    if (depth_ > kMaxDepth)
      return lexer_.fail(token_.at, fmt::format("deeper than {} levels", kMaxDepth));
    const std::size_t at = token_.at;
    if (is("!")) {
      TRY(advance());
      ASSIGN(NodePtr inner, unary());
      return call(at, "!", std::move(inner));
    }
    if (!is("-")) return member();
    TRY(advance());
    if (token_.number && token_.kind == Token::Kind::kLiteral) return negative();
    ASSIGN(NodePtr inner, unary());
    return call(at, "-", std::move(inner));
  }

  /// A number behind a minus: one literal, so that the smallest int can be written.
  Result<NodePtr> negative() {
    if (const auto* whole = token_.literal.get<std::int64_t>())
      token_.literal =
          Value(static_cast<std::int64_t>(std::uint64_t{0} - static_cast<std::uint64_t>(*whole)));
    else if (const double* number = token_.literal.get<double>())
      token_.literal = Value(-*number);
    else
      return lexer_.fail(token_.at, "a uint has no minus");
    negated_ = true;
    return member();
  }

  Result<NodePtr> member() {
    ASSIGN(NodePtr node, primary());
    for (int length = 0;; ++length) {
      if (!is(".") && !is("[")) return node;
      if (length > kMaxDepth)
        return lexer_.fail(token_.at, fmt::format("more than {} fields in a row", kMaxDepth));
      const std::size_t at = token_.at;
      if (is("[")) {
        TRY(advance());
        ASSIGN(NodePtr index, expression());
        TRY(need("]"));
        ASSIGN(node, call(at, "[]", std::move(node), std::move(index)));
        continue;
      }
      TRY(advance());
      if (token_.kind != Token::Kind::kName) return unexpected_token("a field's name");
      const std::string name = token_.text;
      const std::size_t name_at = token_.at;
      const bool quoted = token_.quoted;
      TRY(advance());
      if (is("(") && !quoted) {
        ASSIGN(node, method(std::move(node), name, name_at));
        continue;
      }
      Node select{.kind = Node::Kind::kSelect, .at = name_at, .name = name};
      select.args.push_back(std::move(node));
      ASSIGN(node, make(std::move(select)));
    }
  }

  Result<std::vector<NodePtr>> arguments(std::string_view close) {
    std::vector<NodePtr> args;
    while (!is(close)) {
      ASSIGN(args.emplace_back(), expression());
      if (is(close)) break;
      TRY(need(","));
      if (is(close) && close == ")") return unexpected_token("an argument");
    }
    TRY(need(close));
    return args;
  }

  Result<NodePtr> method(NodePtr receiver, const std::string& name, std::size_t at) {
    TRY(need("("));
    ASSIGN(std::vector<NodePtr> args, arguments(")"));
    const bool two = name == "all" || name == "exists" || name == "exists_one" || name == "filter";
    if ((two && args.size() == 2) || (name == "map" && (args.size() == 2 || args.size() == 3))) {
      if (args[0]->kind != Node::Kind::kName)
        return lexer_.fail(args[0]->at, fmt::format("the first argument of {}() is a name", name));
      Node node{.kind = Node::Kind::kComprehension, .at = at, .name = name};
      node.variable = args[0]->name;
      node.args.push_back(std::move(receiver));
      for (std::size_t i = 1; i < args.size(); ++i) node.args.push_back(std::move(args[i]));
      return make(std::move(node));
    }
    Node node{.kind = Node::Kind::kCall, .at = at, .name = name};
    node.receiver = true;
    node.args.push_back(std::move(receiver));
    for (NodePtr& arg : args) node.args.push_back(std::move(arg));
    return make(std::move(node));
  }

  Result<NodePtr> primary() {
    const std::size_t at = token_.at;
    if (token_.kind == Token::Kind::kLiteral) return literal();
    if (is("(")) {
      TRY(advance());
      ASSIGN(NodePtr inner, expression());
      TRY(need(")"));
      return inner;
    }
    if (is("[")) {
      TRY(advance());
      Node node{.kind = Node::Kind::kList, .at = at};
      ASSIGN(node.args, arguments("]"));
      return make(std::move(node));
    }
    if (is("{")) return map_literal();
    if (is(".")) TRY(advance());
    if (token_.kind != Token::Kind::kName || token_.quoted)
      return unexpected_token("an expression");
    return named();
  }

  Result<NodePtr> literal() {
    const bool smallest = token_.literal.get<std::int64_t>() && !negated_ &&
                          *token_.literal.get<std::int64_t>() == INT64_MIN;
    negated_ = false;
    if (smallest) return lexer_.fail(token_.at, token_.digits + " is no int of 64 bits");
    Node node{.kind = Node::Kind::kLiteral, .at = token_.at};
    node.literal = token_.literal;
    TRY(advance());
    return make(std::move(node));
  }

  Result<NodePtr> map_literal() {
    Node node{.kind = Node::Kind::kMap, .at = token_.at};
    TRY(advance());
    while (!is("}")) {
      ASSIGN(node.args.emplace_back(), expression());
      TRY(need(":"));
      ASSIGN(node.args.emplace_back(), expression());
      if (is("}")) break;
      TRY(need(","));
    }
    TRY(need("}"));
    return make(std::move(node));
  }

  Result<NodePtr> named() {
    Node node{.kind = Node::Kind::kName, .at = token_.at, .name = token_.text};
    for (const std::string_view word : kReserved)
      if (node.name == word)
        return lexer_.fail(node.at, fmt::format("`{}` is a reserved word", word));
    TRY(advance());
    if (is("{")) return lexer_.fail(token_.at, "messages cannot be made here");
    if (!is("(")) return make(std::move(node));
    TRY(advance());
    ASSIGN(node.args, arguments(")"));
    node.kind = Node::Kind::kCall;
    if (node.name != "has") return make(std::move(node));
    if (node.args.size() != 1 || node.args[0]->kind != Node::Kind::kSelect)
      return lexer_.fail(node.at, "has() takes a field: has(message.name)");
    NodePtr field = std::move(node.args[0]);
    field->kind = Node::Kind::kHas;
    return field;
  }

  static constexpr int kMaxRow = 100;

  Lexer lexer_;
  Token token_;
  int depth_ = 0, nodes_ = 0;
  bool negated_ = false;
};

}  // namespace

std::string place_of(std::string_view text, std::size_t at) {
  std::size_t line = 1, begin = 0;
  for (std::size_t i = 0; i < std::min(at, text.size()); ++i)
    if (text[i] == '\n') ++line, begin = i + 1;
  return fmt::format("{}:{}", line, at - begin + 1);
}

Result<NodePtr> parse(std::string_view text) {
  if (text.size() > kMaxTextBytes)
    return error(Code::kInvalidArgument,
                 fmt::format("1:1: an expression of more than {} bytes", kMaxTextBytes));
  return Parser(text).whole();
}

}  // namespace tailrace::schema::cel
