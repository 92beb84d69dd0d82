// The parser's cursor, its errors, and its public doors.
#include "sql/parser.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "sql/sql.h"

namespace tailrace::sql {

std::string lower(std::string_view word) {
  std::string made(word);
  for (char& c : made) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return made;
}

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return std::tolower(static_cast<unsigned char>(x)) ==
                  std::tolower(static_cast<unsigned char>(y));
         });
}

bool Parser::is_words(std::initializer_list<std::string_view> words) const {
  std::size_t ahead = 0;
  return std::all_of(words.begin(), words.end(), [&](auto word) { return is_word(word, ahead++); });
}

bool Parser::take_word(std::string_view word) {
  if (!is_word(word)) return false;
  ++at_;
  return true;
}

bool Parser::take_words(std::initializer_list<std::string_view> words) {
  if (!is_words(words)) return false;
  at_ += words.size();
  return true;
}

bool Parser::take_symbol(std::string_view symbol) {
  if (!is_symbol(symbol)) return false;
  ++at_;
  return true;
}

Status Parser::need_word(std::string_view word) {
  if (!take_word(word)) return expected(word);
  return {};
}

Status Parser::need_symbol(std::string_view symbol) {
  if (!take_symbol(symbol)) return expected("'" + std::string(symbol) + "'");
  return {};
}

Result<std::string> Parser::need_identifier(std::string_view what) {
  if (peek().kind != Token::Kind::kWord && peek().kind != Token::Kind::kQuoted)
    return expected(what);
  return tokens_[at_++].text;
}

Result<std::string> Parser::need_string(std::string_view what) {
  if (peek().kind != Token::Kind::kString) return expected(what);
  std::string joined;
  while (peek().kind == Token::Kind::kString) joined += tokens_[at_++].text;  // 'a' 'b' is 'ab'
  return joined;
}

Result<std::int64_t> Parser::need_integer(std::string_view what) {
  std::int64_t value = 0;
  const Token& token = peek();
  if (token.kind != Token::Kind::kInteger || !(token.suffix.empty() || token.suffix == "L"))
    return expected(what);
  const auto read =
      std::from_chars(token.text.data(), token.text.data() + token.text.size(), value);
  if (read.ec != std::errc{})
    return fail_at(token.span.begin, "The number " + token.text + " is too large.");
  ++at_;
  return value;
}

Result<Name> Parser::need_name(std::string_view what) {
  Name name;
  const std::size_t start = begin();
  do {
    ASSIGN(auto part, need_identifier(what));
    name.parts.push_back(std::move(part));
  } while (take_symbol("."));
  name.span = since(start);
  return name;
}

Result<std::vector<std::string>> Parser::identifier_list() {
  std::vector<std::string> names;
  TRY(need_symbol("("));
  do {
    ASSIGN(auto name, need_identifier("a column name"));
    names.push_back(std::move(name));
  } while (take_symbol(","));
  TRY(need_symbol(")"));
  return names;
}

std::unexpected<Error> Parser::fail_at(std::size_t offset, const std::string& what) const {
  return error(Code::kInvalidArgument, source_->place(offset) + ": [PARSE_SYNTAX_ERROR] " + what);
}

std::unexpected<Error> Parser::expected(std::string_view what) const {
  const Token& token = peek();
  const std::string near = token.kind == Token::Kind::kEnd
                               ? "end of input"
                               : "'" + std::string(source_->slice(token.span)) + "'";
  return fail_at(token.span.begin,
                 "Syntax error at or near " + near + ": expected " + std::string(what) + ".");
}

std::unexpected<Error> Parser::unsupported(std::size_t offset, std::string_view what) const {
  return error(Code::kUnimplemented,
               "not supported yet: " + std::string(what) + " at " + source_->place(offset));
}

Result<std::vector<Statement>> Parser::pipeline() {
  std::vector<Statement> statements;
  while (true) {
    while (take_symbol(";")) {
    }
    if (peek().kind == Token::Kind::kEnd) return statements;
    ASSIGN(auto made, statement());
    statements.push_back(std::move(made));
    if (peek().kind != Token::Kind::kEnd && !is_symbol(";"))
      return expected("';' or the end of the statement");
  }
}

Result<ExpressionPtr> Parser::lone_expression() {
  ASSIGN(auto made, expression());
  if (peek().kind != Token::Kind::kEnd) return expected("the end of the expression");
  return made;
}

namespace {
Result<Parser> open(std::string_view text, std::string file) {
  auto source = std::make_shared<const Source>(Source{std::move(file), std::string(text)});
  ASSIGN(auto tokens, lex(*source));
  return Parser(std::move(source), std::move(tokens));
}
}  // namespace

Result<std::vector<Statement>> parse_pipeline(std::string_view text, std::string file) {
  ASSIGN(auto parser, open(text, std::move(file)));
  return parser.pipeline();
}

Result<Statement> parse_query(std::string_view text, std::string file) {
  ASSIGN(auto parser, open(text, std::move(file)));
  return parser.shell_statement();
}

}  // namespace tailrace::sql
