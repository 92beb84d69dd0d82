// The grammar of Jinja 3.1: tokens to the syntax tree.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "jinja/lexer.h"
#include "jinja/syntax.h"

namespace tailrace::jinja {

class Parser {
 public:
  explicit Parser(Tokens tokens) : tokens_(std::move(tokens)) {}
  Result<Template::Node> run();

 private:
  using Kind = Expr::Kind;

  // --- tokens (parser.cc)
  const Token& now() const { return tokens_.list[at_]; }
  const Token& ahead() const { return tokens_.list[at_ + 1 < tokens_.list.size() ? at_ + 1 : at_]; }
  Token take();
  bool is_operator(std::string_view text) const;
  bool is_name(std::string_view text) const;
  bool skip_operator(std::string_view text);
  bool skip_name(std::string_view text);
  Status expect_operator(std::string_view text);
  Result<std::string> expect_name();
  std::unexpected<Error> fail(std::string what) const { return syntax_error(what, now().line); }
  std::unexpected<Error> fail(std::string what, int line) const { return syntax_error(what, line); }
  ExprPtr make(Kind kind) const;

  // --- statements (parser.cc)
  Result<Block> body(std::initializer_list<std::string_view> ends);
  Status statement(Block& into);
  Status end_of_tag();
  Result<std::unique_ptr<Stmt>> for_statement();
  Result<std::unique_ptr<Stmt>> if_statement();
  Result<std::unique_ptr<Stmt>> macro();
  Result<std::unique_ptr<Stmt>> call_block();
  Result<std::unique_ptr<Stmt>> filter_block();
  Result<std::unique_ptr<Stmt>> set_statement();
  Result<std::unique_ptr<Stmt>> with_statement();
  Result<std::unique_ptr<Stmt>> block_statement();
  Result<std::unique_ptr<Stmt>> include_statement();
  Status print_statement(Block& into);
  Status signature(Stmt& into);
  std::unexpected<Error> unknown_tag(const std::string& name, int line);

  // --- expressions (parse_expressions.cc)
  void hang(Expr& parent, ExprPtr child) const;
  Status shallow(const Expr& node) const;
  Result<ExprPtr> joined(ExprPtr node, ExprPtr left, ExprPtr right) const;
  Result<ExprPtr> expression(bool choice = true);
  Result<ExprPtr> choice();
  Result<ExprPtr> either();
  Result<ExprPtr> both();
  Result<ExprPtr> inverted();
  Result<ExprPtr> comparison();
  Result<ExprPtr> sum();
  Result<ExprPtr> concatenation();
  Result<ExprPtr> product();
  Result<ExprPtr> power();
  Result<ExprPtr> unary(bool with_filter = true);
  Result<ExprPtr> primary();
  Result<ExprPtr> tuple(bool simplified, bool choice, std::initializer_list<std::string_view> ends,
                        bool parentheses);
  Result<ExprPtr> list();
  Result<ExprPtr> dict();
  Result<ExprPtr> postfix(ExprPtr node);
  Result<ExprPtr> filter_expression(ExprPtr node);
  Result<ExprPtr> filter(ExprPtr node, bool start_inline);
  Result<ExprPtr> test(ExprPtr node);
  Result<ExprPtr> subscript(ExprPtr node);
  Result<ExprPtr> subscribed();
  Status arguments(Expr& into);
  Result<ExprPtr> call(ExprPtr node);
  Result<ExprPtr> target(bool with_tuple, std::initializer_list<std::string_view> ends,
                         bool with_namespace);
  Status can_assign(const Expr& node) const;

  Tokens tokens_;
  std::size_t at_ = 0;
  std::vector<std::string> open_tags_;
  std::vector<std::string> ends_;  ///< tags that would end the open ones, for messages
  int depth_ = 0;
  int soft_ = 0;  ///< inside an if: unknown filters and tests fail when they are reached
  bool changes_ = false;
  std::vector<Error> unknown_;  ///< filters and tests of no known name, where that is an error
  std::vector<Stmt*> macros_;   ///< open macros, whose special names are looked for
};

}  // namespace tailrace::jinja
