// Primaries: literals, names, calls, CASE, CAST, parentheses; and what follows them: .field, [i],
// ::type.
#include "engine/expr.h"
#include "sql/parser.h"

namespace tailrace::sql {
namespace {

constexpr int kOperand = 6;  ///< binary operators above the predicates and comparisons

}  // namespace

Result<ExpressionPtr> Parser::primary() {
  const std::size_t start = begin();
  bool taken = false;
  ASSIGN(auto value, literal(taken));
  if (!taken) {
    ASSIGN(value, special_call(taken));
  }
  if (taken) return postfix(std::move(value));
  if (is_symbol("(")) {
    ASSIGN(value, parenthesised());
  } else if (is_symbol("*")) {
    ++at_;
    Expression star;
    star.kind = Expression::Kind::kStar;
    if (is_word("EXCEPT") && is_symbol("(", 1)) {
      ++at_;
      ASSIGN(star.star_except, identifier_list());
    }
    star.span = since(start);
    return made(std::move(star));
  } else if (peek().kind == Token::Kind::kQuoted ||
             (peek().kind == Token::Kind::kWord &&
              (!is_reserved_word(peek()) || is_symbol("(", 1)))) {
    ASSIGN(value, name_or_call());
    if (value->kind == Expression::Kind::kStar) return value;
  } else if (is_symbol(":") || is_symbol("?")) {
    return unsupported(start, "a parameter marker");
  } else {
    return expected("an expression");
  }
  return postfix(std::move(value));
}

Result<ExpressionPtr> Parser::postfix(ExpressionPtr base) {
  const std::size_t start = base->span.begin;
  while (true) {
    Expression node;
    node.args = {base};
    if (take_symbol("[")) {
      node.kind = Expression::Kind::kSubscript;
      ASSIGN(auto index, expression());
      TRY(need_symbol("]"));
      node.args.push_back(std::move(index));
    } else if (take_symbol("::")) {
      node.kind = Expression::Kind::kCast;
      ASSIGN(node.type, type());
    } else if (is_symbol(".") && is_symbol("*", 1)) {
      at_ += 2;
      node.kind = Expression::Kind::kStar;
    } else if (take_symbol(".")) {
      node.kind = Expression::Kind::kField;
      ASSIGN(node.name, need_identifier("a field's name"));
    } else if (is_symbol("->")) {
      return unsupported(begin(), "a lambda");
    } else {
      return base;
    }
    node.span = since(start);
    const bool star = node.kind == Expression::Kind::kStar;
    ASSIGN(base, made(std::move(node)));
    if (star) return base;
  }
}

Result<ExpressionPtr> Parser::name_or_call() {
  const std::size_t start = begin();
  Expression node;
  node.kind = Expression::Kind::kName;
  do {
    if (!node.parts.empty() && take_symbol("*")) {
      node.kind = Expression::Kind::kStar;
      break;
    }
    ASSIGN(auto part, need_identifier("a name"));
    node.parts.push_back(std::move(part));
  } while (take_symbol("."));
  if (node.kind == Expression::Kind::kName && is_symbol("(")) {
    if (node.parts.size() > 1) return unsupported(start, "a function of a database");
    return function_call(start, lower(node.parts[0]));
  }
  if (node.kind == Expression::Kind::kStar && is_word("EXCEPT") && is_symbol("(", 1)) {
    ++at_;
    ASSIGN(node.star_except, identifier_list());
  }
  node.span = since(start);
  return made(std::move(node));
}

namespace {

// The functions whose first argument may be a bare unit: timestampadd(HOUR, 1, t).
bool takes_unit(std::string_view function) {
  return function == "timestampadd" || function == "dateadd" || function == "date_add" ||
         function == "timestampdiff" || function == "datediff" || function == "date_diff";
}

}  // namespace

bool Parser::is_lambda() const {
  const auto name = [&](std::size_t at) {
    return peek(at).kind == Token::Kind::kWord || peek(at).kind == Token::Kind::kQuoted;
  };
  if (name(0) && is_symbol("->", 1)) return true;
  if (!is_symbol("(")) return false;
  for (std::size_t at = 1; name(at); at += 2) {
    if (is_symbol(")", at + 1)) return is_symbol("->", at + 2);
    if (!is_symbol(",", at + 1)) return false;
  }
  return false;
}

Result<ExpressionPtr> Parser::lambda() {
  const std::size_t start = begin();
  Expression node;
  node.kind = Expression::Kind::kLambda;
  if (is_symbol("(")) {
    ASSIGN(node.parts, identifier_list());
  } else {
    ASSIGN(auto name, need_identifier("a variable"));
    node.parts.push_back(std::move(name));
  }
  TRY(need_symbol("->"));
  ASSIGN(auto body, expression());
  node.args.push_back(std::move(body));
  node.span = since(start);
  return made(std::move(node));
}

Result<ExpressionPtr> Parser::argument(const std::string& function, bool first) {
  if (is_lambda()) return lambda();
  const bool unit =
      first && takes_unit(function) && peek().kind == Token::Kind::kWord && is_symbol(",", 1);
  if (!unit) return expression();
  // A column's name with a comma behind it is a unit only when two more arguments follow.
  const std::size_t start = begin();
  const std::size_t mark = at_;
  const std::string name = tokens_[at_++].text;
  int depth = 0;
  int commas = 0;
  for (std::size_t at = at_; at < tokens_.size() && depth >= 0; ++at) {
    const Token& token = tokens_[at];
    if (token.is_symbol("(") || token.is_symbol("[")) ++depth;
    if (token.is_symbol(")") || token.is_symbol("]")) --depth;
    if (token.is_symbol(",") && depth == 0) ++commas;
  }
  if (commas == 2) return made_literal(start, std::make_shared<arrow::StringScalar>(name));
  at_ = mark;
  return expression();
}

Result<ExpressionPtr> Parser::function_call(std::size_t start, std::string name) {
  Expression node;
  node.kind = Expression::Kind::kCall;
  node.name = std::move(name);
  TRY(need_symbol("("));
  if (take_word("DISTINCT"))
    node.distinct = true;
  else if (is_word("ALL") && !is_symbol(")", 1))
    take_word("ALL");
  if (!is_symbol(")")) {
    do {
      ASSIGN(auto arg, argument(node.name, node.args.empty()));
      if (is_symbol("=>")) return unsupported(begin(), "a named argument");
      node.args.push_back(std::move(arg));
    } while (take_symbol(","));
  }
  TRY(need_symbol(")"));
  if (node.args.size() == 3 && takes_unit(node.name))
    node.name = node.name.ends_with("diff") ? "timestampdiff" : "timestampadd";
  if (is_words({"WITHIN", "GROUP"})) return unsupported(begin(), "WITHIN GROUP");
  if ((is_word("IGNORE") || is_word("RESPECT")) && is_word("NULLS", 1))
    return unsupported(begin(), "IGNORE NULLS");
  if (is_word("FILTER") && is_symbol("(", 1)) {
    at_ += 2;
    TRY(need_word("WHERE"));
    ASSIGN(node.filter, expression());
    TRY(need_symbol(")"));
  }
  if (take_word("OVER")) {
    ASSIGN(node.over, window_spec());
  }
  node.span = since(start);
  return made(std::move(node));
}

Result<std::shared_ptr<WindowSpec>> Parser::window_spec() {
  auto spec = std::make_shared<WindowSpec>();
  if (!is_symbol("(")) return unsupported(begin(), "a named window");
  ++at_;
  if (take_words({"PARTITION", "BY"}) || take_words({"DISTRIBUTE", "BY"})) {
    do {
      ASSIGN(auto expr, expression());
      spec->partition.push_back(std::move(expr));
    } while (take_symbol(","));
  }
  if (take_words({"ORDER", "BY"}) || take_words({"SORT", "BY"})) {
    do {
      ASSIGN(auto item, order_item());
      spec->order.push_back(std::move(item));
    } while (take_symbol(","));
  }
  if (is_word("ROWS") || is_word("RANGE")) return unsupported(begin(), "a window frame");
  TRY(need_symbol(")"));
  return spec;
}

Result<ExpressionPtr> Parser::parenthesised() {
  const std::size_t start = begin();
  TRY(need_symbol("("));
  if (is_word("SELECT") || is_word("WITH")) return unsupported(begin(), "a scalar subquery");
  std::vector<ExpressionPtr> items;
  do {
    ASSIGN(auto item, expression());
    items.push_back(std::move(item));
  } while (take_symbol(","));
  TRY(need_symbol(")"));
  if (items.size() == 1) return std::move(items[0]);
  return call(start, "struct", std::move(items));
}

Result<ExpressionPtr> Parser::case_expression() {
  const std::size_t start = begin();
  TRY(need_word("CASE"));
  ExpressionPtr operand;
  if (!is_word("WHEN")) {
    ASSIGN(operand, expression());
  }
  Expression node;
  node.kind = Expression::Kind::kCase;
  if (!is_word("WHEN")) return expected("WHEN");
  while (take_word("WHEN")) {
    ASSIGN(auto when, expression());
    if (operand) {
      ASSIGN(when, call(when->span.begin, "=", {operand, when}));
    }
    TRY(need_word("THEN"));
    ASSIGN(auto then, expression());
    node.args.push_back(std::move(when));
    node.args.push_back(std::move(then));
  }
  if (take_word("ELSE")) {
    ASSIGN(auto otherwise, expression());
    node.args.push_back(std::move(otherwise));
  }
  TRY(need_word("END"));
  node.span = since(start);
  return made(std::move(node));
}

Result<ExpressionPtr> Parser::cast(bool try_cast) {
  const std::size_t start = begin();
  at_ += 2;
  Expression node;
  node.kind = Expression::Kind::kCast;
  node.try_cast = try_cast;
  ASSIGN(auto value, expression());
  node.args.push_back(std::move(value));
  TRY(need_word("AS"));
  ASSIGN(node.type, type());
  TRY(need_symbol(")"));
  node.span = since(start);
  return made(std::move(node));
}

// What looks like a call and is none: CASE, CAST, EXTRACT(f FROM x), the words without parentheses.
Result<ExpressionPtr> Parser::special_call(bool& taken) {
  const std::size_t start = begin();
  taken = true;
  if (is_word("CASE")) return case_expression();
  if (is_word("CAST") && is_symbol("(", 1)) return cast(false);
  if (is_word("TRY_CAST") && is_symbol("(", 1)) return cast(true);
  if (is_word("EXISTS") && is_symbol("(", 1) && (is_word("SELECT", 2) || is_word("WITH", 2)))
    return unsupported(start, "EXISTS (SELECT …)");
  if ((is_word("CURRENT_TIMESTAMP") || is_word("CURRENT_DATE")) && !is_symbol("(", 1)) {
    auto name = lower(tokens_[at_++].text);
    return call(start, std::move(name), {});
  }
  if (is_word("EXTRACT") && is_symbol("(", 1) && is_word("FROM", 3)) {
    at_ += 2;
    Expression field;
    field.literal = std::make_shared<arrow::StringScalar>(tokens_[at_++].text);
    ASSIGN(auto which, made(std::move(field)));
    ++at_;
    ASSIGN(auto from, expression());
    TRY(need_symbol(")"));
    return call(start, "extract", {std::move(which), std::move(from)});
  }
  return keyword_call(taken);
}

// TRIM(BOTH x FROM y), SUBSTRING(x FROM a FOR n), OVERLAY(x PLACING y FROM a FOR n),
// POSITION(a IN b): calls with words between their arguments.
Result<ExpressionPtr> Parser::keyword_call(bool& taken) {
  const std::size_t start = begin();
  const bool known = is_word("TRIM") || is_word("SUBSTRING") || is_word("SUBSTR") ||
                     is_word("OVERLAY") || is_word("POSITION");
  taken = known && is_symbol("(", 1);
  if (!taken) return ExpressionPtr{};
  Nesting nesting(nesting_);
  if (nesting_ > kMaxNesting) return fail_at(start, "The expression is nested too deeply.");
  std::string name = lower(peek().text);
  at_ += 2;
  if (name == "trim") return trim_call(start);
  std::vector<ExpressionPtr> args;
  const auto next = [&]() -> Status {
    // An operand, not an expression: IN of POSITION(a IN b) is no predicate.
    ASSIGN(auto arg, name == "position" && args.empty() ? binary(kOperand) : expression());
    args.push_back(std::move(arg));
    return {};
  };
  if (!is_symbol(")")) TRY(next());
  if (name == "position" && take_word("IN")) {
    name = "locate";
    TRY(next());
  } else if ((name == "overlay" && take_word("PLACING")) || is_word("FROM")) {
    if (name == "overlay") TRY(next());
    TRY(need_word("FROM"));
    TRY(next());
    if (take_word("FOR")) TRY(next());
  } else {
    while (take_symbol(",")) TRY(next());
  }
  TRY(need_symbol(")"));
  return call(start, std::move(name), std::move(args));
}

// After "TRIM(": [BOTH | LEADING | TRAILING] [characters] FROM text, or arguments.
Result<ExpressionPtr> Parser::trim_call(std::size_t start) {
  std::string name = is_word("LEADING") ? "ltrim" : is_word("TRAILING") ? "rtrim" : "trim";
  const bool side = name != "trim" || is_word("BOTH");
  if (side && !is_symbol(",", 1) && !is_symbol(")", 1)) ++at_;
  std::vector<ExpressionPtr> args;
  const bool only_text = take_word("FROM");
  if (!is_symbol(")")) {
    do {
      ASSIGN(auto arg, expression());
      args.push_back(std::move(arg));
    } while (take_symbol(",") || (!only_text && args.size() == 1 && take_word("FROM")));
  }
  TRY(need_symbol(")"));
  return call(start, std::move(name), std::move(args));
}

Result<Type> Parser::type() {
  const std::size_t start = begin();
  TRY(skip_type());
  const auto text = source_->slice(since(start));
  auto parsed = engine::parse_ddl_type("t " + std::string(text));
  if (!parsed)
    return fail_at(start,
                   "Syntax error at or near '" + std::string(text) + "': " + parsed.error().what);
  if ((*parsed)->id() != arrow::Type::STRUCT || (*parsed)->num_fields() != 1) {
    return fail_at(start,
                   "Syntax error at or near '" + std::string(text) + "': expected a data type.");
  }
  return (*parsed)->field(0)->type();
}

// The extent of a type: a word, (n, m) or <…> with anything balanced inside.
Status Parser::skip_type() {
  ASSIGN(const auto word, need_identifier("a data type"));
  if (take_symbol("(")) {
    do {
      ASSIGN([[maybe_unused]] const auto n, need_integer("a number"));
    } while (take_symbol(","));
    TRY(need_symbol(")"));
  }
  if (!is_symbol("<")) return {};
  int depth = 0;
  do {
    if (is_symbol("<")) ++depth;
    if (is_symbol(">")) --depth;
    if (depth > kMaxNesting || peek().kind == Token::Kind::kEnd || is_symbol(";"))
      return expected("'>'");
    ++at_;
  } while (depth > 0);
  return {};
}

}  // namespace tailrace::sql
