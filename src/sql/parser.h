// A recursive-descent parser over the lexer's tokens. One class; its members are in files by what
// they parse: parser_statement.cc, parser_query.cc, parser_relation.cc, parser_expression.cc,
// parser_primary.cc, parser_literal.cc.
//
// Depth is bounded: kMaxNesting levels of recursion, kMaxDepth levels of tree, so no input
// overflows the stack.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "sql/ast.h"
#include "sql/tokens.h"

namespace tailrace::sql {

inline constexpr int kMaxNesting = 250;
inline constexpr int kMaxDepth = 1000;

/// `word` in lower case (ASCII).
std::string lower(std::string_view word);
bool same_name(std::string_view a, std::string_view b);  ///< identifiers compare without case

/// A word that begins a clause or an operator, so that it is no alias.
bool is_clause_word(const Token& token);
/// A word that is no column's name unless it is quoted.
bool is_reserved_word(const Token& token);

class Parser {
 public:
  Parser(SourcePtr source, std::vector<Token> tokens)
      : source_(std::move(source)), tokens_(std::move(tokens)) {}

  Result<std::vector<Statement>> pipeline();
  Result<Statement> shell_statement();
  Result<ExpressionPtr> lone_expression();

 private:
  // The cursor.
  const Token& peek(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  bool is_word(std::string_view word, std::size_t ahead = 0) const {
    return peek(ahead).is_word(word);
  }
  bool is_symbol(std::string_view symbol, std::size_t ahead = 0) const {
    return peek(ahead).is_symbol(symbol);
  }
  bool is_words(std::initializer_list<std::string_view> words) const;
  bool take_word(std::string_view word);
  bool take_words(std::initializer_list<std::string_view> words);
  bool take_symbol(std::string_view symbol);
  Status need_word(std::string_view word);
  Status need_symbol(std::string_view symbol);
  Result<std::string> need_identifier(std::string_view what);
  Result<std::string> need_string(std::string_view what);
  Result<std::int64_t> need_integer(std::string_view what);
  Result<Name> need_name(std::string_view what);
  Result<std::vector<std::string>> identifier_list();  ///< ( a, b )
  std::size_t begin() const { return peek().span.begin; }
  std::size_t end_of_last() const { return at_ == 0 ? 0 : tokens_[at_ - 1].span.end; }
  Span since(std::size_t start) const { return {start, end_of_last()}; }

  // Errors.
  std::unexpected<Error> fail_at(std::size_t offset, const std::string& what) const;
  std::unexpected<Error> expected(std::string_view what) const;
  std::unexpected<Error> unsupported(std::size_t offset, std::string_view what) const;

  // parser_statement.cc
  Result<Statement> statement();
  Status create(Statement& made);
  Status create_dataset(Statement& made);
  Status create_view(Statement& made);
  Status create_flow(Statement& made);
  Status create_options(Statement& made);
  Status dataset_option(Statement& made, bool& taken);
  Status elements(Statement& made);
  Result<ExpectationClause> expectation();
  Result<ColumnDefinition> column_definition();
  Status set(Statement& made);
  Status properties(std::map<std::string, std::string>& made);

  // parser_query.cc
  Result<QueryPtr> query();
  Result<std::shared_ptr<Query>> query_term();
  Result<std::shared_ptr<const Select>> select();
  Status select_list(Select& made);
  Status order_and_limit(Query& made);
  Result<OrderItem> order_item();
  Result<std::vector<Cte>> ctes();

  // parser_relation.cc
  Result<RelationPtr> relation();
  Result<std::shared_ptr<Relation>> relation_primary();
  Result<bool> join_type(Relation::Join& join);
  Status join_condition(Relation& made);
  Status relation_suffix(Relation& made);
  Result<WatermarkClause> watermark();
  Result<LateralView> lateral_view();

  // parser_expression.cc: precedence climbing
  Result<ExpressionPtr> expression();
  Result<ExpressionPtr> binary(int min_precedence);
  Result<ExpressionPtr> unary();
  Result<ExpressionPtr> predicate(ExpressionPtr left, bool& taken);
  Result<ExpressionPtr> in_list(ExpressionPtr left);
  Result<ExpressionPtr> like(ExpressionPtr left, std::string name);
  Result<ExpressionPtr> like_list(ExpressionPtr left, const std::string& name, bool negated);
  std::string_view shift_operator() const;  ///< << >> >>> at the cursor, or empty
  Result<ExpressionPtr> is_predicate(ExpressionPtr left);
  Result<ExpressionPtr> call(std::size_t start, std::string name, std::vector<ExpressionPtr> args);
  Result<ExpressionPtr> made(Expression node);

  // parser_primary.cc
  Result<ExpressionPtr> primary();
  Result<ExpressionPtr> postfix(ExpressionPtr base);
  Result<ExpressionPtr> name_or_call();
  Result<ExpressionPtr> function_call(std::size_t start, std::string name);
  Result<ExpressionPtr> argument(const std::string& function, bool first);
  bool is_lambda() const;
  Result<ExpressionPtr> lambda();
  Result<std::shared_ptr<WindowSpec>> window_spec();
  Result<ExpressionPtr> parenthesised();
  Result<ExpressionPtr> case_expression();
  Result<ExpressionPtr> cast(bool try_cast);
  Result<ExpressionPtr> special_call(bool& taken);
  Result<ExpressionPtr> keyword_call(bool& taken);  ///< SUBSTRING(a FROM 1), POSITION(a IN b) …
  Result<ExpressionPtr> trim_call(std::size_t start);
  Result<Type> type();
  Status skip_type();

  // parser_literal.cc
  Result<ExpressionPtr> literal(bool& taken);
  Result<ExpressionPtr> number(const Token& token, bool negative);
  Result<ExpressionPtr> interval();
  Result<std::int64_t> interval_us(Span& span);  ///< for DELAY OF INTERVAL …
  Result<ExpressionPtr> made_literal(std::size_t start, std::shared_ptr<arrow::Scalar> value);

  struct Nesting {
    explicit Nesting(int& count) : count_(count) { ++count_; }
    ~Nesting() { --count_; }
    int& count_;
  };

  SourcePtr source_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int nesting_ = 0;
};

}  // namespace tailrace::sql
