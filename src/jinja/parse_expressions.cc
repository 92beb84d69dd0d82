// Expressions: the part of the parser below a statement.
#include <algorithm>
#include <array>

#include "jinja/filters.h"
#include "jinja/parser.h"

namespace tailrace::jinja {
namespace {

using Type = Token::Kind;

constexpr int kDeepest = 200;

}  // namespace

void Parser::hang(Expr& parent, ExprPtr child) const {
  if (child) parent.depth = std::max(parent.depth, child->depth + 1);
  parent.parts.push_back(std::move(child));
}

/// No tree may be so deep that walking it is dangerous.
Status Parser::shallow(const Expr& node) const {
  if (node.depth > kDeepest) return fail("the expression is nested too deep");
  return {};
}

Result<ExprPtr> Parser::joined(ExprPtr node, ExprPtr left, ExprPtr right) const {
  hang(*node, std::move(left));
  hang(*node, std::move(right));
  TRY(shallow(*node));
  return node;
}

Result<ExprPtr> Parser::expression(bool with_choice) {
  if (++depth_ > kDeepest) return fail("the expression is nested too deep");
  auto made = with_choice ? choice() : either();
  --depth_;
  return made;
}

Result<ExprPtr> Parser::choice() {
  const std::size_t known = unknown_.size();
  ASSIGN(auto left, either());
  while (skip_name("if")) {
    unknown_.erase(unknown_.begin() + static_cast<std::ptrdiff_t>(known), unknown_.end());
    ++soft_;
    auto node = make(Kind::kChoice);
    ASSIGN(auto condition, either());
    ExprPtr other;
    if (skip_name("else")) {
      if (++depth_ > kDeepest) return fail("the expression is nested too deep");
      ASSIGN(other, choice());
      --depth_;
    }
    hang(*node, std::move(condition));
    hang(*node, std::move(left));
    hang(*node, std::move(other));
    TRY(shallow(*node));
    left = std::move(node);
    --soft_;
  }
  return left;
}

Result<ExprPtr> Parser::either() {
  ASSIGN(auto left, both());
  while (is_name("or")) {
    auto node = make(Kind::kOr);
    take();
    ASSIGN(auto right, both());
    ASSIGN(left, joined(std::move(node), std::move(left), std::move(right)));
  }
  return left;
}

Result<ExprPtr> Parser::both() {
  ASSIGN(auto left, inverted());
  while (is_name("and")) {
    auto node = make(Kind::kAnd);
    take();
    ASSIGN(auto right, inverted());
    ASSIGN(left, joined(std::move(node), std::move(left), std::move(right)));
  }
  return left;
}

Result<ExprPtr> Parser::inverted() {
  if (!is_name("not")) return comparison();
  auto node = make(Kind::kNot);
  take();
  if (++depth_ > kDeepest) return fail("the expression is nested too deep");
  ASSIGN(auto inner, inverted());
  --depth_;
  hang(*node, std::move(inner));
  return node;
}

Result<ExprPtr> Parser::comparison() {
  constexpr std::array<std::string_view, 6> kOperators = {"==", "!=", "<", "<=", ">", ">="};
  ASSIGN(auto first, sum());
  auto node = make(Kind::kCompare);
  while (true) {
    std::string name;
    if (now().kind == Type::kOperator &&
        std::ranges::find(kOperators, now().text) != std::end(kOperators)) {
      name = take().text;
    } else if (skip_name("in")) {
      name = "in";
    } else if (is_name("not") && ahead().kind == Type::kName && ahead().text == "in") {
      take();
      take();
      name = "not in";
    } else {
      break;
    }
    ASSIGN(auto operand, sum());
    node->names.push_back(std::move(name));
    hang(*node, std::move(operand));
  }
  if (node->names.empty()) return first;
  node->depth = std::max(node->depth, first->depth + 1);
  node->parts.insert(node->parts.begin(), std::move(first));
  return node;
}

Result<ExprPtr> Parser::sum() {
  ASSIGN(auto left, concatenation());
  while (is_operator("+") || is_operator("-")) {
    auto node = make(Kind::kBinary);
    node->name = take().text;
    ASSIGN(auto right, concatenation());
    ASSIGN(left, joined(std::move(node), std::move(left), std::move(right)));
  }
  return left;
}

Result<ExprPtr> Parser::concatenation() {
  ASSIGN(auto first, product());
  if (!is_operator("~")) return first;
  auto node = make(Kind::kConcat);
  hang(*node, std::move(first));
  while (skip_operator("~")) {
    ASSIGN(auto next, product());
    hang(*node, std::move(next));
  }
  return node;
}

Result<ExprPtr> Parser::product() {
  ASSIGN(auto left, power());
  while (is_operator("*") || is_operator("/") || is_operator("//") || is_operator("%")) {
    auto node = make(Kind::kBinary);
    node->name = take().text;
    ASSIGN(auto right, power());
    ASSIGN(left, joined(std::move(node), std::move(left), std::move(right)));
  }
  return left;
}

Result<ExprPtr> Parser::power() {
  ASSIGN(auto left, unary());
  while (is_operator("**")) {
    auto node = make(Kind::kBinary);
    node->name = take().text;
    ASSIGN(auto right, unary());
    ASSIGN(left, joined(std::move(node), std::move(left), std::move(right)));
  }
  return left;
}

Result<ExprPtr> Parser::unary(bool with_filter) {
  ExprPtr node;
  if (is_operator("-") || is_operator("+")) {
    node = make(is_operator("-") ? Kind::kNegative : Kind::kPositive);
    take();
    if (++depth_ > kDeepest) return fail("the expression is nested too deep");
    ASSIGN(auto inner, unary(false));
    --depth_;
    hang(*node, std::move(inner));
  } else {
    ASSIGN(node, primary());
  }
  ASSIGN(node, postfix(std::move(node)));
  if (with_filter) return filter_expression(std::move(node));
  return node;
}

Result<ExprPtr> Parser::primary() {
  const Token token = now();
  auto node = make(Kind::kConst);
  if (token.kind == Type::kName) {
    take();
    if (token.text == "true" || token.text == "True") {
      node->constant = Value(true);
    } else if (token.text == "false" || token.text == "False") {
      node->constant = Value(false);
    } else if (token.text != "none" && token.text != "None") {
      node->kind = Kind::kName;
      node->name = token.text;
      for (Stmt* macro : macros_) {
        macro->uses_caller |= token.text == "caller";
        macro->uses_varargs |= token.text == "varargs";
        macro->uses_kwargs |= token.text == "kwargs";
      }
    }
    return node;
  }
  if (token.kind == Type::kString) {
    std::string text;
    while (now().kind == Type::kString) text += take().text;
    node->constant = Value(std::move(text));
    return node;
  }
  if (token.kind == Type::kInteger || token.kind == Type::kFloat) {
    if (token.value.is_none())
      return error(Code::kOutOfRange, "OverflowError: " + token.text +
                                          " is more than 64 bits hold (line " +
                                          std::to_string(token.line) + ")");
    node->constant = take().value;
    return node;
  }
  if (is_operator("(")) {
    take();
    ASSIGN(node, tuple(false, true, {}, true));
    TRY(expect_operator(")"));
    return node;
  }
  if (is_operator("[")) return list();
  if (is_operator("{")) return dict();
  return fail("unexpected " + Value(describe(token)).repr());
}

Result<ExprPtr> Parser::tuple(bool simplified, bool with_choice,
                              std::initializer_list<std::string_view> ends, bool parentheses) {
  auto node = make(Kind::kTuple);
  bool is_tuple = false;
  const auto at_end = [&] {
    if (now().kind == Type::kVariableEnd || now().kind == Type::kBlockEnd || is_operator(")"))
      return true;
    return std::ranges::any_of(ends, [&](std::string_view end) { return is_name(end); });
  };
  while (true) {
    if (!node->parts.empty()) TRY(expect_operator(","));
    if (at_end()) break;
    ExprPtr part;
    if (simplified) {
      ASSIGN(part, primary());
    } else {
      ASSIGN(part, expression(with_choice));
    }
    hang(*node, std::move(part));
    if (!is_operator(",")) break;
    is_tuple = true;
  }
  if (is_tuple) return node;
  if (!node->parts.empty()) {
    ExprPtr only = std::move(node->parts.front());
    return only;
  }
  if (!parentheses) return fail("Expected an expression, got " + Value(describe(now())).repr());
  return node;
}

Result<ExprPtr> Parser::list() {
  auto node = make(Kind::kList);
  TRY(expect_operator("["));
  while (!is_operator("]")) {
    if (!node->parts.empty()) TRY(expect_operator(","));
    if (is_operator("]")) break;
    ASSIGN(auto part, expression());
    hang(*node, std::move(part));
  }
  TRY(expect_operator("]"));
  return node;
}

Result<ExprPtr> Parser::dict() {
  auto node = make(Kind::kDict);
  TRY(expect_operator("{"));
  while (!is_operator("}")) {
    if (!node->parts.empty()) TRY(expect_operator(","));
    if (is_operator("}")) break;
    ASSIGN(auto key, expression());
    TRY(expect_operator(":"));
    ASSIGN(auto value, expression());
    hang(*node, std::move(key));
    hang(*node, std::move(value));
  }
  TRY(expect_operator("}"));
  return node;
}

/// Each further part hangs the tree one deeper.
Result<ExprPtr> Parser::postfix(ExprPtr node) {
  while (true) {
    TRY(shallow(*node));
    if (is_operator(".") || is_operator("[")) {
      ASSIGN(node, subscript(std::move(node)));
    } else if (is_operator("(")) {
      ASSIGN(node, call(std::move(node)));
    } else {
      return node;
    }
  }
}

Result<ExprPtr> Parser::filter_expression(ExprPtr node) {
  while (true) {
    TRY(shallow(*node));
    if (is_operator("|")) {
      ASSIGN(node, filter(std::move(node), false));
    } else if (is_name("is")) {
      ASSIGN(node, test(std::move(node)));
    } else if (is_operator("(")) {
      ASSIGN(node, call(std::move(node)));
    } else {
      return node;
    }
  }
}

Result<ExprPtr> Parser::filter(ExprPtr node, bool start_inline) {
  while (is_operator("|") || start_inline) {
    if (!start_inline) take();
    if (node) TRY(shallow(*node));
    auto made = make(Kind::kFilter);
    ASSIGN(made->name, expect_name());
    while (skip_operator(".")) {
      ASSIGN(const std::string more, expect_name());
      made->name += "." + more;
    }
    if (soft_ == 0 && !find_filter(made->name))
      unknown_.push_back(Error{Code::kInvalidArgument, "TemplateAssertionError: No filter named '" +
                                                           made->name + "'. (line " +
                                                           std::to_string(made->line) + ")"});
    hang(*made, std::move(node));
    if (is_operator("(")) TRY(arguments(*made));
    node = std::move(made);
    start_inline = false;
  }
  return node;
}

Result<ExprPtr> Parser::test(ExprPtr node) {
  take();
  const bool negated = skip_name("not");
  auto made = make(Kind::kTest);
  ASSIGN(made->name, expect_name());
  while (skip_operator(".")) {
    ASSIGN(const std::string more, expect_name());
    made->name += "." + more;
  }
  hang(*made, std::move(node));
  const bool bracket = is_operator("[") || is_operator("{");
  if (is_operator("(")) {
    TRY(arguments(*made));
  } else if ((bracket || now().kind == Type::kName || now().kind == Type::kString ||
              now().kind == Type::kInteger || now().kind == Type::kFloat) &&
             !is_name("else") && !is_name("or") && !is_name("and")) {
    if (is_name("is")) return fail("You cannot chain multiple tests with is");
    ASSIGN(auto argument, primary());
    ASSIGN(argument, postfix(std::move(argument)));
    hang(*made, std::move(argument));
  }
  if (soft_ == 0 && !find_test(made->name))
    unknown_.push_back(Error{Code::kInvalidArgument, "TemplateAssertionError: No test named '" +
                                                         made->name + "'. (line " +
                                                         std::to_string(made->line) + ")"});
  if (!negated) return made;
  auto inverse = make(Kind::kNot);
  hang(*inverse, std::move(made));
  return inverse;
}

Result<ExprPtr> Parser::subscript(ExprPtr node) {
  const Token begin = take();
  if (begin.text == ".") {
    const Token name = take();
    if (name.kind == Type::kName) {
      constexpr std::array<std::string_view, 12> kChanging = {
          "append", "extend",     "insert", "pop",     "remove", "clear",
          "update", "setdefault", "sort",   "reverse", "popitem"};
      changes_ |= (std::ranges::find(kChanging, name.text) != std::end(kChanging));
      auto made = make(Kind::kAttribute);
      made->name = name.text;
      hang(*made, std::move(node));
      return made;
    }
    if (name.kind != Type::kInteger || name.value.is_none())
      return fail("expected name or number", name.line);
    auto made = make(Kind::kItem);
    auto key = make(Kind::kConst);
    key->constant = name.value;
    hang(*made, std::move(node));
    hang(*made, std::move(key));
    return made;
  }
  std::vector<ExprPtr> keys;
  while (!is_operator("]")) {
    if (!keys.empty()) TRY(expect_operator(","));
    ASSIGN(auto key, subscribed());
    keys.push_back(std::move(key));
  }
  TRY(expect_operator("]"));
  auto made = make(Kind::kItem);
  ExprPtr key;
  if (keys.size() == 1) {
    key = std::move(keys.front());
  } else {
    key = make(Kind::kTuple);
    for (auto& part : keys) hang(*key, std::move(part));
  }
  hang(*made, std::move(node));
  hang(*made, std::move(key));
  return made;
}

Result<ExprPtr> Parser::subscribed() {
  auto node = make(Kind::kSlice);
  node->parts.resize(3);
  std::size_t place = 0;
  if (!is_operator(":")) {
    ASSIGN(node->parts[0], expression());
    if (!is_operator(":")) return std::move(node->parts[0]);
  }
  while (skip_operator(":")) {
    if (++place > 2) return fail("expected token ']', got ':'");
    if (is_operator(":") || is_operator("]") || is_operator(",")) continue;
    ASSIGN(node->parts[place], expression());
  }
  for (const auto& part : node->parts)
    if (part) node->depth = std::max(node->depth, part->depth + 1);
  return node;
}

Status Parser::arguments(Expr& into) {
  const int line = now().line;
  TRY(expect_operator("("));
  bool first = true;
  const std::string what = "invalid syntax for function call expression";
  while (!is_operator(")")) {
    if (!first) {
      TRY(expect_operator(","));
      if (is_operator(")")) break;
    }
    first = false;
    if (skip_operator("*")) {
      if (into.star || into.star_star) return fail(what, line);
      ASSIGN(into.star, expression());
      into.depth = std::max(into.depth, into.star->depth + 1);
    } else if (skip_operator("**")) {
      if (into.star_star) return fail(what, line);
      ASSIGN(into.star_star, expression());
      into.depth = std::max(into.depth, into.star_star->depth + 1);
    } else if (now().kind == Type::kName && ahead().kind == Type::kOperator &&
               ahead().text == "=") {
      if (into.star_star) return fail(what, line);
      std::string name = take().text;
      take();
      ASSIGN(auto value, expression());
      into.depth = std::max(into.depth, value->depth + 1);
      into.keywords.emplace_back(std::move(name), std::move(value));
    } else {
      if (into.star || into.star_star || !into.keywords.empty()) return fail(what, line);
      ASSIGN(auto value, expression());
      hang(into, std::move(value));
    }
  }
  return expect_operator(")");
}

Result<ExprPtr> Parser::call(ExprPtr node) {
  auto made = make(Kind::kCall);
  hang(*made, std::move(node));
  TRY(arguments(*made));
  return made;
}

}  // namespace tailrace::jinja
