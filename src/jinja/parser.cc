#include "jinja/parser.h"

#include <algorithm>
#include <array>

#include "jinja/filters.h"

namespace tailrace::jinja {
namespace {

using Type = Token::Kind;

std::unique_ptr<Stmt> stmt(Stmt::Kind kind, int line) {
  auto made = std::make_unique<Stmt>();
  made->kind = kind;
  made->line = line;
  return made;
}

}  // namespace

// --- tokens --------------------------------------------------------------------------------------

Token Parser::take() {
  Token taken = tokens_.list[at_];
  if (at_ + 1 < tokens_.list.size()) ++at_;
  return taken;
}

bool Parser::is_operator(std::string_view text) const {
  return now().kind == Type::kOperator && now().text == text;
}

bool Parser::is_name(std::string_view text) const {
  return now().kind == Type::kName && now().text == text;
}

bool Parser::skip_operator(std::string_view text) {
  if (!is_operator(text)) return false;
  take();
  return true;
}

bool Parser::skip_name(std::string_view text) {
  if (!is_name(text)) return false;
  take();
  return true;
}

Status Parser::expect_operator(std::string_view text) {
  if (skip_operator(text)) return {};
  if (now().kind == Type::kEnd)
    return fail("unexpected end of template, expected '" + std::string(text) + "'.");
  return fail("expected token '" + std::string(text) + "', got " + Value(describe(now())).repr());
}

Result<std::string> Parser::expect_name() {
  if (now().kind == Type::kName) return take().text;
  if (now().kind == Type::kEnd) return fail("unexpected end of template, expected 'name'.");
  return fail("expected token 'name', got " + Value(describe(now())).repr());
}

ExprPtr Parser::make(Kind kind) const {
  auto made = std::make_unique<Expr>();
  made->kind = kind;
  made->line = now().line;
  return made;
}

// --- statements ----------------------------------------------------------------------------------

Result<Template::Node> Parser::run() {
  Template::Node made;
  made.plain = !tokens_.tags;
  ASSIGN(made.body, body({}));
  if (!unknown_.empty()) return std::unexpected(unknown_.front());
  made.changes = changes_;
  return made;
}

std::unexpected<Error> Parser::unknown_tag(const std::string& name, int line) {
  constexpr std::array<std::string_view, 4> kOutside = {"extends", "import", "from", "autoescape"};
  if ((std::ranges::find(kOutside, name) != std::end(kOutside)))
    return error(Code::kUnimplemented,
                 "TemplateSyntaxError: {% " + name +
                     " %} is not supported here: write the text itself (line " +
                     std::to_string(line) + ")");
  std::string what = "Encountered unknown tag '" + name + "'.";
  std::vector<std::string> ends;
  if (!ends_.empty()) ends.push_back(ends_.back());
  if (!ends.empty()) {
    if ((std::ranges::find(ends_, name) != std::end(ends_)))
      what +=
          " You probably made a nesting mistake. Jinja is expecting this tag, but currently "
          "looking "
          "for " +
          ends.back() + ".";
    else
      what += " Jinja was looking for the following tags: " + ends.back() + ".";
  }
  if (!open_tags_.empty())
    what += " The innermost block that needs to be closed is '" + open_tags_.back() + "'.";
  return syntax_error(what, line);
}

/// Statements up to one of the tags in `ends`, whose name is the present token then; without ends
/// up to the end of the template.
Result<Block> Parser::body(std::initializer_list<std::string_view> ends) {
  Block out;
  if (++depth_ > 100) return fail("the template is nested too deep");
  while (now().kind != Type::kEnd) {
    if (now().kind == Type::kText) {
      auto node = stmt(Stmt::Kind::kText, now().line);
      node->text = take().text;
      out.push_back(std::move(node));
    } else if (now().kind == Type::kVariableBegin) {
      const int line = take().line;
      auto node = stmt(Stmt::Kind::kOutput, line);
      ASSIGN(node->value, tuple(false, true, {}, false));
      if (now().kind != Type::kVariableEnd) {
        if (now().kind == Type::kEnd)
          return fail("unexpected end of template, expected 'end of print statement'.");
        return fail("expected token 'end of print statement', got " +
                    Value(describe(now())).repr());
      }
      take();
      out.push_back(std::move(node));
    } else {
      take();
      for (const std::string_view end : ends)
        if (is_name(end)) {
          --depth_;
          return out;
        }
      TRY(statement(out));
      TRY(end_of_tag());
    }
  }
  --depth_;
  if (ends.size() != 0) {
    std::string wanted;
    for (const std::string_view end : ends)
      wanted += (wanted.empty() ? "'" : " or '") + std::string(end) + "'";
    return fail("Unexpected end of template. Jinja was looking for the following tags: " + wanted +
                ". The innermost block that needs to be closed is '" +
                (open_tags_.empty() ? std::string() : open_tags_.back()) + "'.");
  }
  return out;
}

Status Parser::end_of_tag() {
  if (now().kind == Type::kBlockEnd) {
    take();
    return {};
  }
  if (now().kind == Type::kEnd)
    return fail("unexpected end of template, expected 'end of statement block'.");
  return fail("expected token 'end of statement block', got " + Value(describe(now())).repr());
}

Status Parser::statement(Block& into) {
  if (now().kind != Type::kName) return fail("tag name expected");
  const std::string name = now().text;
  const int line = now().line;
  using Parse = Result<std::unique_ptr<Stmt>> (Parser::*)();
  constexpr std::pair<std::string_view, Parse> kStatements[] = {
      {"for", &Parser::for_statement},
      {"if", &Parser::if_statement},
      {"macro", &Parser::macro},
      {"call", &Parser::call_block},
      {"filter", &Parser::filter_block},
      {"set", &Parser::set_statement},
      {"with", &Parser::with_statement},
      {"block", &Parser::block_statement},
      {"include", &Parser::include_statement},
  };
  take();
  if (name == "print") return print_statement(into);
  if (name == "do") {
    auto node = stmt(Stmt::Kind::kDo, line);
    ASSIGN(node->value, tuple(false, true, {}, false));
    into.push_back(std::move(node));
    return {};
  }
  for (const auto& [word, parse] : kStatements) {
    if (name != word) continue;
    open_tags_.push_back(name);
    ASSIGN(auto node, (this->*parse)());
    open_tags_.pop_back();
    node->line = line;
    into.push_back(std::move(node));
    return {};
  }
  return unknown_tag(name, line);
}

Status Parser::print_statement(Block& into) {
  while (now().kind != Type::kBlockEnd) {
    auto node = stmt(Stmt::Kind::kOutput, now().line);
    if (now().kind == Type::kEnd) return fail("unexpected 'end of template'");
    ASSIGN(node->value, expression());
    into.push_back(std::move(node));
    if (now().kind != Type::kBlockEnd) TRY(expect_operator(","));
  }
  return {};
}

Result<std::unique_ptr<Stmt>> Parser::for_statement() {
  auto node = stmt(Stmt::Kind::kFor, now().line);
  ASSIGN(node->target, target(true, {"in"}, false));
  if (!skip_name("in")) return fail("expected token 'in', got " + Value(describe(now())).repr());
  ASSIGN(node->value, tuple(false, false, {"recursive"}, false));
  if (skip_name("if")) {
    ASSIGN(node->condition, expression());
  }
  node->recursive = skip_name("recursive");
  TRY(end_of_tag());
  ends_.push_back("'endfor' or 'else'");
  ASSIGN(node->body, body({"endfor", "else"}));
  if (take().text == "else") {
    TRY(end_of_tag());
    ends_.back() = "'endfor'";
    ASSIGN(node->other, body({"endfor"}));
    take();
  }
  ends_.pop_back();
  return node;
}

Result<std::unique_ptr<Stmt>> Parser::if_statement() {
  auto node = stmt(Stmt::Kind::kIf, now().line);
  ++soft_;
  ASSIGN(node->condition, tuple(false, false, {}, false));
  TRY(end_of_tag());
  ends_.push_back("'elif' or 'else' or 'endif'");
  ASSIGN(node->body, body({"elif", "else", "endif"}));
  const std::string end = take().text;
  ends_.pop_back();
  if (end == "elif") {
    if (++depth_ > 1000) return fail("the template is nested too deep");
    ASSIGN(auto nested, if_statement());
    node->other.push_back(std::move(nested));
    --depth_;
  } else if (end == "else") {
    TRY(end_of_tag());
    ends_.push_back("'endif'");
    ASSIGN(node->other, body({"endif"}));
    ends_.pop_back();
    take();
  }
  --soft_;
  return node;
}

Status Parser::signature(Stmt& into) {
  TRY(expect_operator("("));
  while (!is_operator(")")) {
    if (!into.parameters.empty()) TRY(expect_operator(","));
    MacroParameter parameter;
    ASSIGN(const auto name, target(false, {}, false));
    parameter.name = name->name;
    if (skip_operator("=")) {
      ASSIGN(parameter.fallback, expression());
    } else if (!into.parameters.empty() && into.parameters.back().fallback) {
      return fail("non-default argument follows default argument");
    }
    into.parameters.push_back(std::move(parameter));
  }
  return expect_operator(")");
}

Result<std::unique_ptr<Stmt>> Parser::macro() {
  auto node = stmt(Stmt::Kind::kMacro, now().line);
  ASSIGN(const auto name, target(false, {}, false));
  node->name = name->name;
  TRY(signature(*node));
  TRY(end_of_tag());
  macros_.push_back(node.get());
  ends_.push_back("'endmacro'");
  ASSIGN(node->body, body({"endmacro"}));
  ends_.pop_back();
  macros_.pop_back();
  take();
  return node;
}

Result<std::unique_ptr<Stmt>> Parser::call_block() {
  auto node = stmt(Stmt::Kind::kCallBlock, now().line);
  const int line = now().line;
  if (is_operator("(")) TRY(signature(*node));
  ASSIGN(node->value, expression());
  if (node->value->kind != Kind::kCall) return fail("expected call", line);
  TRY(end_of_tag());
  macros_.push_back(node.get());
  ends_.push_back("'endcall'");
  ASSIGN(node->body, body({"endcall"}));
  ends_.pop_back();
  macros_.pop_back();
  take();
  return node;
}

Result<std::unique_ptr<Stmt>> Parser::filter_block() {
  auto node = stmt(Stmt::Kind::kFilterBlock, now().line);
  ASSIGN(node->value, filter(nullptr, true));
  TRY(end_of_tag());
  ends_.push_back("'endfilter'");
  ASSIGN(node->body, body({"endfilter"}));
  ends_.pop_back();
  take();
  return node;
}

Result<std::unique_ptr<Stmt>> Parser::set_statement() {
  auto node = stmt(Stmt::Kind::kSet, now().line);
  ASSIGN(node->target, target(true, {}, true));
  if (skip_operator("=")) {
    ASSIGN(node->value, tuple(false, true, {}, false));
    return node;
  }
  node->kind = Stmt::Kind::kSetBlock;
  if (is_operator("|")) {
    ASSIGN(node->value, filter(nullptr, false));
  }
  TRY(end_of_tag());
  ends_.push_back("'endset'");
  ASSIGN(node->body, body({"endset"}));
  ends_.pop_back();
  take();
  return node;
}

Result<std::unique_ptr<Stmt>> Parser::with_statement() {
  auto node = stmt(Stmt::Kind::kWith, now().line);
  while (now().kind != Type::kBlockEnd) {
    if (!node->targets.empty()) TRY(expect_operator(","));
    ASSIGN(auto name, target(true, {}, false));
    TRY(expect_operator("="));
    ASSIGN(auto value, expression());
    node->targets.push_back(std::move(name));
    node->values.push_back(std::move(value));
  }
  TRY(end_of_tag());
  ends_.push_back("'endwith'");
  ASSIGN(node->body, body({"endwith"}));
  ends_.pop_back();
  take();
  return node;
}

Result<std::unique_ptr<Stmt>> Parser::block_statement() {
  auto node = stmt(Stmt::Kind::kBlock, now().line);
  ASSIGN(node->name, expect_name());
  node->scoped = skip_name("scoped");
  TRY(end_of_tag());
  ends_.push_back("'endblock'");
  ASSIGN(node->body, body({"endblock"}));
  ends_.pop_back();
  take();
  if (is_name(node->name)) take();
  return node;
}

Result<std::unique_ptr<Stmt>> Parser::include_statement() {
  auto node = stmt(Stmt::Kind::kInclude, now().line);
  ASSIGN(node->value, expression());
  const auto ahead_is = [&](std::string_view word) {
    return ahead().kind == Type::kName && ahead().text == word;
  };
  if (is_name("ignore") && ahead_is("missing")) {
    take();
    take();
    node->ignore_missing = true;
  }
  if ((is_name("with") || is_name("without")) && ahead_is("context")) {
    node->with_context = take().text == "with";
    take();
  }
  return node;
}

// --- targets of assignments ----------------------------------------------------------------------

Result<ExprPtr> Parser::target(bool with_tuple, std::initializer_list<std::string_view> ends,
                               bool with_namespace) {
  if (with_namespace && now().kind == Type::kName && ahead().kind == Type::kOperator &&
      ahead().text == ".") {
    auto node = make(Kind::kNamespace);
    node->name = take().text;
    take();
    ASSIGN(node->text, expect_name());
    return node;
  }
  if (!with_tuple) {
    auto node = make(Kind::kName);
    ASSIGN(node->name, expect_name());
    TRY(can_assign(*node));
    return node;
  }
  ASSIGN(auto node, tuple(true, true, ends, false));
  TRY(can_assign(*node));
  return node;
}

Status Parser::can_assign(const Expr& node) const {
  constexpr std::array<std::string_view, 9> kReserved = {"true",  "false", "none", "True",
                                                         "False", "None",  "loop"};
  if (node.kind == Kind::kName) {
    if (node.name != "loop" && (std::ranges::find(kReserved, node.name) != std::end(kReserved)))
      return fail("can't assign to 'const'");
    return {};
  }
  if (node.kind == Kind::kTuple) {
    for (const auto& part : node.parts) TRY(can_assign(*part));
    return {};
  }
  if (node.kind == Kind::kConst) return fail("can't assign to 'const'");
  const char* const name = node.kind == Kind::kAttribute ? "getattr"
                           : node.kind == Kind::kItem    ? "getitem"
                           : node.kind == Kind::kCall    ? "call"
                                                         : "expression";
  return fail(std::string("can't assign to '") + name + "'");
}

}  // namespace tailrace::jinja
