#include "cql_syntax/parser.h"

#include <algorithm>
#include <utility>

#include "cql_syntax/snippet.h"

namespace tailrace::cql_syntax {

Parser::Parser(std::string_view text, const Limits& limits)
    : text_(text), limits_(limits), tokens_(cut(text)) {}

Result<Statement> Parser::parse() {
  Statement made;
  statement(made);
  while (accept(Kind::kSemicolon)) {
  }
  match(Kind::kEnd);
  if (error_) return std::unexpected(std::move(*error_));
  if (tokens_.refusal) return error(Code::kInvalidArgument, *tokens_.refusal);
  made.markers = std::move(markers_);
  return made;
}

const Token& Parser::token(std::size_t k) const {
  return tokens_.all[tokens_.words[std::min(at_ + k, tokens_.words.size()) - 1]];
}

Kind Parser::la(std::size_t k) {
  if (failed_) return Kind::kAbsent;
  fetched_ = std::max(fetched_, std::min(at_ + k, tokens_.words.size()) - 1);
  return token(k).kind;
}

bool Parser::accept(Kind kind) {
  if (la() != kind) return false;
  if (at_ + 1 < tokens_.words.size()) ++at_;
  la();  // the token that follows is read at once, as Cassandra's stream does
  return true;
}

bool Parser::match(Kind kind) {
  if (accept(kind)) return true;
  mismatched(expected_name(kind));
  return false;
}

bool Parser::match(std::initializer_list<Kind> kinds) {
  return std::ranges::all_of(kinds, [this](Kind kind) { return match(kind); });
}

std::string Parser::match_text(Kind kind) {
  std::string text = la() == kind ? token().text : std::string();
  match(kind);
  return text;
}

// The lexer stops at what it cannot read; whoever has read the end has been told that before.
bool Parser::lexer_was_first() const {
  return tokens_.refusal && fetched_ + 1 == tokens_.words.size();
}

void Parser::refuse(Code code, std::string sentence) {
  failed_ = true;
  if (attempts_ > 0 && code == Code::kInvalidArgument) return;
  if (error_) return;
  error_ = Error{code, lexer_was_first() ? *tokens_.refusal : std::move(sentence)};
}

// What the grammar allows and the statement may not say: told before any later syntax error.
void Parser::semantic(std::string sentence) {
  if (failed_ || error_) return;
  if (attempts_ > 0) {
    if (!told_in_attempt_) told_in_attempt_ = std::move(sentence);
    return;
  }
  error_ =
      Error{Code::kInvalidArgument, lexer_was_first() ? *tokens_.refusal : std::move(sentence)};
}

std::string Parser::shown(const Token& token) const {
  if (token.kind == Kind::kEnd) return "'<EOF>'";
  std::string text = "'";
  for (const char c : token.text) {
    switch (c) {
      case '\n':
        text += "\\n";
        break;
      case '\t':
        text += "\\t";
        break;
      case '\r':
        text += "\\r";
        break;
      default:
        text += c;
    }
  }
  return text + "'";
}

std::string Parser::with_snippet(std::size_t k, std::string sentence) const {
  const Position& at = token(k).at;
  return "line " + std::to_string(at.line) + ":" + std::to_string(at.column) + " " + sentence +
         snippet(text_, tokens_, tokens_.words[at_], tokens_.words[fetched_]);
}

void Parser::no_alternative(std::size_t k) {
  if (failed_) return;
  la(k);
  refuse(Code::kInvalidArgument,
         with_snippet(k, "no viable alternative at input " + shown(token(k))));
}

void Parser::mismatched(std::string_view expected) {
  if (failed_) return;
  refuse(Code::kInvalidArgument, with_snippet(1, "mismatched input " + shown(token()) +
                                                     " expecting " + std::string(expected)));
}

void Parser::mismatched_set() {
  mismatched("set null");
}

bool Parser::enter() {
  ++depth_;
  ++terms_;
  if (depth_ > limits_.depth) {
    refuse(Code::kResourceExhausted,
           "line " + std::to_string(token().at.line) + ":" + std::to_string(token().at.column) +
               " the statement is nested deeper than " + std::to_string(limits_.depth) +
               " levels; split it, or bind the nested value to a marker");
  } else if (terms_ > limits_.terms) {
    refuse(Code::kResourceExhausted, "the statement has more than " +
                                         std::to_string(limits_.terms) +
                                         " terms; split it into several statements");
  }
  return !failed_;
}

// Runs a rule that may turn out wrong; if it does, everything but what was looked at is as before.
bool Parser::attempt(const std::function<void()>& rule) {
  const Mark mark{at_, markers_.size()};
  const std::optional<std::string> told_before = told_in_attempt_;
  ++attempts_;
  rule();
  --attempts_;
  if (!failed_) {
    if (attempts_ == 0 && told_in_attempt_)
      semantic(*std::exchange(told_in_attempt_, std::nullopt));
    return true;
  }
  told_in_attempt_ = told_before;
  if (error_ && error_->code == Code::kResourceExhausted) return false;
  back_to(mark);
  return false;
}

void Parser::back_to(const Mark& mark) {
  at_ = mark.at;
  markers_.resize(mark.markers);
  failed_ = false;
}

Result<Statement> parse(std::string_view text, const Limits& limits) {
  if (text.size() > limits.bytes) {
    return error(Code::kResourceExhausted, "the statement has " + std::to_string(text.size()) +
                                               " bytes, more than the limit of " +
                                               std::to_string(limits.bytes) + "; split it");
  }
  return Parser(text, limits).parse();
}

}  // namespace tailrace::cql_syntax
