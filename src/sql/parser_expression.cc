// Expressions by precedence climbing, in Spark's order: OR, AND, NOT, predicates (BETWEEN, IN,
// LIKE, IS), comparison,
// |, ^, &, << >> >>>, + - ||, * / % DIV, unary, then postfix and primaries.
#include <array>

#include "sql/parser.h"

namespace tailrace::sql {
namespace {

struct Operator {
  std::string_view token;
  int precedence;
  std::string_view call;  ///< the engine's name
};

constexpr int kOr = 1, kAnd = 2, kNot = 3, kPredicate = 4, kComparison = 5, kShift = 9;
constexpr std::array<Operator, 22> kOperators = {{
    {"OR", kOr, "or"},
    {"AND", kAnd, "and"},
    {"=", kComparison, "="},
    {"==", kComparison, "="},
    {"<=>", kComparison, "<=>"},
    {"<>", kComparison, "!="},
    {"!=", kComparison, "!="},
    {"<", kComparison, "<"},
    {"<=", kComparison, "<="},
    {">", kComparison, ">"},
    {">=", kComparison, ">="},
    {"|", 6, "|"},
    {"^", 7, "^"},
    {"&", 8, "&"},
    {"||", 10, "concat"},
    {"+", 10, "+"},
    {"-", 10, "-"},
    {"*", 11, "*"},
    {"/", 11, "/"},
    {"%", 11, "%"},
    {"DIV", 11, "div"},
    {"->", 0, ""},
}};

const Operator* find_operator(const Token& token) {
  for (const auto& op : kOperators) {
    if (token.is_symbol(op.token) || token.is_word(op.token))
      return op.precedence > 0 ? &op : nullptr;
  }
  return nullptr;
}

}  // namespace

Result<ExpressionPtr> Parser::made(Expression node) {
  for (const auto& arg : node.args) node.depth = std::max(node.depth, arg->depth + 1);
  if (node.depth > kMaxDepth)
    return fail_at(node.span.begin, "The expression is nested too deeply.");
  return std::make_shared<const Expression>(std::move(node));
}

Result<ExpressionPtr> Parser::call(std::size_t start, std::string name,
                                   std::vector<ExpressionPtr> args) {
  Expression node;
  node.kind = Expression::Kind::kCall;
  node.name = std::move(name);
  node.args = std::move(args);
  node.span = since(start);
  return made(std::move(node));
}

Result<ExpressionPtr> Parser::expression() {
  Nesting nesting(nesting_);
  if (nesting_ > kMaxNesting) return fail_at(begin(), "The expression is nested too deeply.");
  return binary(kOr);
}

Result<ExpressionPtr> Parser::binary(int min_precedence) {
  const std::size_t start = begin();
  ExpressionPtr left;
  if ((is_word("NOT") || is_symbol("!")) && min_precedence <= kNot) {
    Nesting nesting(nesting_);
    if (nesting_ > kMaxNesting) return fail_at(start, "The expression is nested too deeply.");
    ++at_;
    ASSIGN(auto operand, binary(kNot));
    ASSIGN(left, call(start, "not", {std::move(operand)}));
  } else {
    ASSIGN(left, unary());
  }
  while (true) {
    if (min_precedence <= kPredicate) {
      bool taken = false;
      ASSIGN(left, predicate(std::move(left), taken));
      if (taken) continue;
    }
    if (const auto shift = shift_operator(); !shift.empty()) {
      if (min_precedence > kShift) return left;
      at_ += shift == "<<" ? 1 : shift.size();
      ASSIGN(auto by, binary(kShift + 1));
      ASSIGN(left, call(start, std::string(shift), {std::move(left), std::move(by)}));
      continue;
    }
    const Operator* op = find_operator(peek());
    if (!op || op->precedence < min_precedence) return left;
    ++at_;
    ASSIGN(auto right, binary(op->precedence + 1));
    std::vector<ExpressionPtr> args{std::move(left), std::move(right)};
    if (op->call == "!=") {
      ASSIGN(auto equal, call(start, "=", std::move(args)));
      ASSIGN(left, call(start, "not", {std::move(equal)}));
    } else {
      ASSIGN(left, call(start, std::string(op->call), std::move(args)));
    }
  }
}

// The lexer gives > one by one, since ARRAY<ARRAY<INT>> ends with two.
std::string_view Parser::shift_operator() const {
  const auto touching = [&](std::string_view sign, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      if (!is_symbol(sign, i)) return false;
      if (i > 0 && peek(i).span.begin != peek(i - 1).span.end) return false;
    }
    return true;
  };
  if (touching(">", 3)) return ">>>";
  if (touching(">", 2)) return ">>";
  return is_symbol("<<") ? "<<" : std::string_view();
}

Result<ExpressionPtr> Parser::unary() {
  const std::size_t start = begin();
  if (!is_symbol("-") && !is_symbol("+") && !is_symbol("~")) return primary();
  Nesting nesting(nesting_);
  if (nesting_ > kMaxNesting) return fail_at(start, "The expression is nested too deeply.");
  const bool plus = is_symbol("+");
  const bool tilde = is_symbol("~");
  ++at_;
  const bool literal = peek().kind == Token::Kind::kInteger || peek().kind == Token::Kind::kNumber;
  if (literal && !tilde && !plus) {
    const Token token = tokens_[at_++];
    ASSIGN(auto value, number(token, true));
    return postfix(std::move(value));
  }
  ASSIGN(auto operand, unary());
  if (plus) return operand;
  return call(start, tilde ? "~" : "negative", {std::move(operand)});
}

Result<ExpressionPtr> Parser::predicate(ExpressionPtr left, bool& taken) {
  const std::size_t start = left->span.begin;
  taken = true;
  if (take_word("IS")) return is_predicate(std::move(left));
  const std::size_t mark = at_;
  const bool negated = take_word("NOT");
  ExpressionPtr test;
  if (take_word("BETWEEN")) {
    ASSIGN(auto low, binary(kComparison + 1));
    TRY(need_word("AND"));
    ASSIGN(auto high, binary(kComparison + 1));
    ASSIGN(auto above, call(start, ">=", {left, std::move(low)}));
    ASSIGN(auto below, call(start, "<=", {left, std::move(high)}));
    ASSIGN(test, call(start, "and", {std::move(above), std::move(below)}));
  } else if (is_word("IN") && is_symbol("(", 1)) {
    ASSIGN(test, in_list(std::move(left)));
  } else if (is_word("LIKE") || is_word("ILIKE")) {
    const std::string name = take_word("LIKE") ? "like" : "ilike";
    if (name == "ilike") ++at_;
    if ((is_word("ANY") || is_word("ALL") || is_word("SOME")) && is_symbol("(", 1))
      return like_list(std::move(left), name, negated);
    ASSIGN(test, like(std::move(left), name));
  } else if (take_word("RLIKE") || take_word("REGEXP")) {
    ASSIGN(test, like(std::move(left), "rlike"));
  } else {
    if (negated) return expected("BETWEEN, IN, LIKE, ILIKE or RLIKE");
    at_ = mark;
    taken = false;
    return left;
  }
  if (!negated) return test;
  return call(start, "not", {std::move(test)});
}

Result<ExpressionPtr> Parser::in_list(ExpressionPtr left) {
  const std::size_t start = left->span.begin;
  at_ += 2;
  if (is_word("SELECT") || is_word("WITH")) return unsupported(begin(), "IN (SELECT …)");
  std::vector<ExpressionPtr> args{std::move(left)};
  do {
    ASSIGN(auto item, expression());
    args.push_back(std::move(item));
  } while (take_symbol(","));
  TRY(need_symbol(")"));
  return call(start, "in", std::move(args));
}

Result<ExpressionPtr> Parser::like(ExpressionPtr left, std::string name) {
  const std::size_t start = left->span.begin;
  ASSIGN(auto pattern, binary(kComparison + 1));
  std::vector<ExpressionPtr> args{std::move(left), std::move(pattern)};
  if (name != "rlike" && take_word("ESCAPE")) {
    ASSIGN(auto escape, primary());
    args.push_back(std::move(escape));
  }
  return call(start, std::move(name), std::move(args));
}

// a LIKE ANY (x, y) is a LIKE x OR a LIKE y; ALL is AND; NOT goes to each.
Result<ExpressionPtr> Parser::like_list(ExpressionPtr left, const std::string& name, bool negated) {
  const std::size_t start = left->span.begin;
  const std::string connective = is_word("ALL") ? "and" : "or";
  at_ += 2;
  ExpressionPtr whole;
  do {
    ASSIGN(auto pattern, expression());
    ASSIGN(auto test, call(start, name, {left, std::move(pattern)}));
    if (negated) {
      ASSIGN(test, call(start, "not", {std::move(test)}));
    }
    if (!whole) {
      whole = std::move(test);
      continue;
    }
    ASSIGN(whole, call(start, connective, {std::move(whole), std::move(test)}));
  } while (take_symbol(","));
  TRY(need_symbol(")"));
  return whole;
}

Result<ExpressionPtr> Parser::is_predicate(ExpressionPtr left) {
  const std::size_t start = left->span.begin;
  const bool negated = take_word("NOT");
  if (take_word("NULL")) return call(start, negated ? "isnotnull" : "isnull", {std::move(left)});
  ExpressionPtr other;
  if (take_words({"DISTINCT", "FROM"})) {
    ASSIGN(other, binary(kComparison + 1));
    ASSIGN(auto same, call(start, "<=>", {std::move(left), std::move(other)}));
    if (negated) return same;
    return call(start, "not", {std::move(same)});
  }
  const std::size_t at = begin();
  if (take_word("UNKNOWN")) return call(start, negated ? "isnotnull" : "isnull", {std::move(left)});
  const bool truth = is_word("TRUE");
  if (!take_word("TRUE") && !take_word("FALSE"))
    return expected("NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM");
  ASSIGN(other, made_literal(at, std::make_shared<arrow::BooleanScalar>(truth)));
  ASSIGN(auto same, call(start, "<=>", {std::move(left), std::move(other)}));
  if (!negated) return same;
  return call(start, "not", {std::move(same)});
}

}  // namespace tailrace::sql
