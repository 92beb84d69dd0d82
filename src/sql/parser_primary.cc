// Primaries: literals, names, calls, CASE, CAST, parentheses; and what follows them: .field, [i],
// ::type.
#include "engine/expr.h"
#include "sql/parser.h"

namespace tailrace::sql {

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
      ASSIGN(auto arg, expression());
      if (is_symbol("=>")) return unsupported(begin(), "a named argument");
      node.args.push_back(std::move(arg));
    } while (take_symbol(","));
  }
  TRY(need_symbol(")"));
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
  if (is_word("EXISTS") && is_symbol("(", 1)) return unsupported(start, "EXISTS (…)");
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
    return call(start, "date_part", {std::move(which), std::move(from)});
  }
  const bool keyword_argument =
      (is_word("POSITION") || is_word("TRIM") || is_word("SUBSTRING") || is_word("OVERLAY"));
  if (keyword_argument && is_symbol("(", 1) &&
      (is_word("BOTH", 2) || is_word("LEADING", 2) || is_word("TRAILING", 2))) {
    return unsupported(start, peek().text + " with keywords");
  }
  taken = false;
  return ExpressionPtr{};
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
