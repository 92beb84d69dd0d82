#include "jinja/renderer.h"

#include <algorithm>

#include "jinja/filters.h"
#include "jinja/loop.h"
#include "jinja/methods.h"
#include "jinja/texts.h"

namespace tailrace::jinja {
namespace {

constexpr std::ptrdiff_t kMostStack = 2 << 20;

std::unexpected<Error> at_line(Error error, int line, const std::string& name) {
  if (error.what.find(" (line ") != std::string::npos) return std::unexpected(std::move(error));
  error.what += " (line " + std::to_string(line) + ")";
  return std::unexpected(of_file(std::move(error), name));
}

/// The first of some templates that there is, and its name.
Result<std::pair<std::string, std::string>> load_one(const Value& wanted) {
  TRY(defined(wanted));
  const auto& load = budget()->load;
  if (!load)
    return error(Code::kUnimplemented,
                 "TypeError: no loader for this environment specified: {% include %} is for "
                 "templates of tasks");
  if (wanted.string() != nullptr) {
    ASSIGN(auto text, load(*wanted.string()));
    return std::pair{*wanted.string(), std::move(text)};
  }
  ASSIGN(const List names, iterate(wanted));
  std::string all;
  for (const Value& name : names) {
    TRY(defined(name));
    auto text = load(name.text());
    if (text) return std::pair{name.text(), std::move(*text)};
    if (text.error().code != Code::kNotFound) return std::unexpected(text.error());
    all += (all.empty() ? "" : ", ") + name.text();
  }
  if (names.empty())
    return raised("TemplatesNotFound", "Tried to select from an empty list of templates.",
                  Code::kNotFound);
  return raised("TemplatesNotFound", "none of the templates given were found: " + all,
                Code::kNotFound);
}

FramePtr inner(const FramePtr& frame) {
  return std::make_shared<Frame>(Frame{frame, {}});
}

/// A chain of filters whose innermost takes what a filter block gave.
bool takes_block(const Expr& expr) {
  const Expr* now = &expr;
  while (now && now->kind == Expr::Kind::kFilter) now = now->parts[0].get();
  return now == nullptr;
}

/// Lists and dicts from outside as this rendering's own, so that the template may change them.
Value own_copy(const Value& value, int depth = 0) {
  if (depth > 50) return value;
  if (const auto* items = value.list()) {
    List out;
    for (const Value& item : *items) out.push_back(own_copy(item, depth + 1));
    return Value(std::move(out));
  }
  if (const auto* items = value.dict()) {
    Dict out;
    for (const auto& [key, item] : items->items()) out.set(key, own_copy(item, depth + 1));
    return Value(std::move(out));
  }
  return value;
}

}  // namespace

// --- frames and outputs --------------------------------------------------------------------------

const Value* Frame::find(std::string_view name) const {
  for (const Frame* frame = this; frame; frame = frame->parent.get())
    for (const auto& [held, value] : frame->names)
      if (held == name) return &value;
  return nullptr;
}

void Frame::set(std::string_view name, Value value) {
  for (auto& [held, present] : names)
    if (held == name) {
      present = std::move(value);
      return;
    }
  names.emplace_back(name, std::move(value));
}

Status Output::put(const Value& value, bool is_constant) {
  if (native && !is_constant) {
    pieces.push_back(value);
    constant = false;
    return {};
  }
  ASSIGN(const std::string part, to_text(value));
  TRY(spend(1));
  if (native) {
    if (constant) {
      pieces.back() = Value(*pieces.back().string() + part);
    } else {
      pieces.emplace_back(part);
    }
    constant = true;
    return {};
  }
  if (const Budget* now = budget(); now && text.size() + part.size() > now->max_output)
    return spend_bytes(text.size() + part.size());
  text += part;
  return {};
}

Result<Value> Output::finish() {
  if (!native) return Value(std::move(text));
  if (pieces.empty()) return Value();
  std::string raw;
  if (pieces.size() == 1 && !pieces[0].string()) {
    if (pieces[0].is_undefined()) TRY(defined(pieces[0]));
    return pieces[0];
  }
  for (const Value& piece : pieces) {
    ASSIGN(const std::string part, to_text(piece));
    raw += part;
    TRY(spend_bytes(raw.size() / 16));
    if (budget() && raw.size() > budget()->max_output) TRY(spend_bytes(raw.size()));
  }
  if (auto literal = parse_literal(raw)) return std::move(*literal);
  if (pieces.size() == 1) return pieces[0];
  return Value(std::move(raw));
}

// --- statements ----------------------------------------------------------------------------------

Renderer::Renderer(const Template::Node& root, const Scope& scope, bool native,
                   const Renderer* within)
    : root_(root),
      scope_(scope),
      native_(native),
      top_(std::make_shared<Frame>()),
      stack_(within != nullptr ? within->stack_
                               : static_cast<const char*>(__builtin_frame_address(0))) {}

Renderer::~Renderer() {
  // A macro holds the frame that holds it.
  for (const FramePtr& frame : held_) frame->names.clear();
}

Status Renderer::deeper() const {
  const auto* here = static_cast<const char*>(__builtin_frame_address(0));
  if (stack_ - here > kMostStack)
    return raised("RecursionError", "maximum recursion depth exceeded", Code::kResourceExhausted);
  return {};
}

Result<Value> Renderer::run() {
  Output out = output();
  TRY(block(root_.body, top_, out));
  return out.finish();
}

Status Renderer::block(const Block& block, const FramePtr& frame, Output& out) {
  TRY(deeper());
  for (const auto& each : block) {
    TRY(spend(1));
    auto done = statement(*each, frame, out);
    if (!done) return at_line(std::move(done.error()), each->line, root_.name);
  }
  return {};
}

Status Renderer::statement(const Stmt& stmt, const FramePtr& frame, Output& out) {
  using Which = Stmt::Kind;
  switch (stmt.kind) {
    case Which::kText:
      return out.put(Value(stmt.text), true);
    case Which::kOutput: {
      ASSIGN(const Value value, eval(*stmt.value, frame));
      return out.put(value, stmt.value->kind == Kind::kConst);
    }
    case Which::kFor: {
      ASSIGN(const Value iterable, eval(*stmt.value, frame));
      return loop(stmt, iterable, frame, 0, out);
    }
    case Which::kIf:
      return conditional(stmt, frame, out);
    case Which::kMacro:
      frame->set(stmt.name, macro(stmt, frame));
      return {};
    case Which::kCallBlock:
      return call_block(stmt, frame, out);
    case Which::kFilterBlock:
      return filter_block(stmt, frame, out);
    case Which::kSet: {
      ASSIGN(Value value, eval(*stmt.value, frame));
      return assign(*stmt.target, std::move(value), frame);
    }
    case Which::kSetBlock:
      return set_block(stmt, frame);
    case Which::kWith:
      return with(stmt, frame, out);
    case Which::kDo:
      TRY(eval(*stmt.value, frame));
      return {};
    case Which::kBlock:
      return block(stmt.body, inner(stmt.scoped ? frame : top_), out);
    case Which::kInclude:
      return include(stmt, frame, out);
  }
  return {};
}

Status Renderer::conditional(const Stmt& stmt, const FramePtr& frame, Output& out) {
  const Stmt* now = &stmt;
  while (true) {
    ASSIGN(const Value condition, eval(*now->condition, frame));
    ASSIGN(const bool truth, to_truth(condition));
    if (truth) return block(now->body, frame, out);
    if (now->other.size() != 1 || now->other[0]->kind != Stmt::Kind::kIf)
      return block(now->other, frame, out);
    now = now->other[0].get();
    TRY(spend(1));
  }
}

Status Renderer::call_block(const Stmt& stmt, const FramePtr& frame, Output& out) {
  const Expr& called = *stmt.value;
  ASSIGN(const Value function, eval(*called.parts[0], frame));
  ASSIGN(Given arguments, given(called, frame));
  arguments.named.emplace_back("caller", macro(stmt, frame));
  ASSIGN(const Value made, call(function, arguments.arguments, arguments.named));
  return out.put(made, false);
}

Status Renderer::filter_block(const Stmt& stmt, const FramePtr& frame, Output& out) {
  Output inside = output();
  const FramePtr within = inner(frame);
  TRY(block(stmt.body, within, inside));
  ASSIGN(Value value, inside.finish());
  ASSIGN(const Value made, filtered(*stmt.value, std::move(value), within));
  return out.put(made, false);
}

Status Renderer::set_block(const Stmt& stmt, const FramePtr& frame) {
  Output inside = output();
  const FramePtr within = inner(frame);
  TRY(block(stmt.body, within, inside));
  ASSIGN(Value value, inside.finish());
  if (stmt.value) {
    ASSIGN(value, filtered(*stmt.value, std::move(value), within));
  }
  return assign(*stmt.target, std::move(value), frame);
}

Status Renderer::with(const Stmt& stmt, const FramePtr& frame, Output& out) {
  const FramePtr within = inner(frame);
  std::vector<Value> values;
  for (const auto& value : stmt.values) {
    ASSIGN(Value made, eval(*value, frame));
    values.push_back(std::move(made));
  }
  for (std::size_t i = 0; i < values.size(); ++i)
    TRY(assign(*stmt.targets[i], std::move(values[i]), within));
  return block(stmt.body, within, out);
}

Status Renderer::include(const Stmt& stmt, const FramePtr& frame, Output& out) {
  TRY(deeper());
  ASSIGN(const Value wanted, eval(*stmt.value, frame));
  const auto loaded = load_one(wanted);
  if (!loaded && stmt.ignore_missing && loaded.error().code == Code::kNotFound &&
      loaded.error().what.starts_with("Template"))
    return {};
  if (!loaded) return std::unexpected(loaded.error());
  TRY(spend_bytes(loaded->second.size()));
  ASSIGN(const auto root, parse_node(loaded->second, loaded->first));
  const Scope names = [&](std::string_view asked) -> Value {
    if (!stmt.with_context) return Value(Undefined{std::string(asked)});
    auto found = name(std::string(asked), frame);
    return found ? std::move(*found) : Value(Undefined{std::string(asked)});
  };
  Renderer inside(root, names, native_, this);
  return inside.block(root.body, inside.top_, out);
}

Status Renderer::assign(const Expr& target, Value value, const FramePtr& frame) {
  if (target.kind == Kind::kName) {
    frame->set(target.name, std::move(value));
    return {};
  }
  if (target.kind == Kind::kNamespace) {
    ASSIGN(const Value held, name(target.name, frame));
    const auto* space = held.as<Namespace>();
    if (!space)
      return raised("TemplateRuntimeError", "cannot assign attribute on non-namespace object");
    space->attributes.set(Value(target.text), std::move(value));
    return {};
  }
  ASSIGN(const List parts, iterate(value));
  if (parts.size() != target.parts.size())
    return value_error(
        parts.size() > target.parts.size()
            ? "too many values to unpack (expected " + std::to_string(target.parts.size()) + ")"
            : "not enough values to unpack (expected " + std::to_string(target.parts.size()) +
                  ", got " + std::to_string(parts.size()) + ")");
  for (std::size_t i = 0; i < parts.size(); ++i) TRY(assign(*target.parts[i], parts[i], frame));
  return {};
}

Status Renderer::loop(const Stmt& stmt, const Value& iterable, const FramePtr& frame, int depth,
                      Output& out) {
  TRY(deeper());
  ASSIGN(List items, iterate(iterable));
  if (stmt.condition) {
    List kept;
    for (Value& item : items) {
      const FramePtr within = inner(frame);
      TRY(assign(*stmt.target, item, within));
      ASSIGN(const Value condition, eval(*stmt.condition, within));
      ASSIGN(const bool truth, to_truth(condition));
      if (truth) kept.push_back(std::move(item));
    }
    items = std::move(kept);
  }
  if (items.empty()) return block(stmt.other, inner(frame), out);
  const auto state = std::make_shared<Loop>(std::move(items), depth);
  if (stmt.recursive)
    state->recursion = [this, &stmt, frame, depth,
                        alive = alive_](const Value& more) -> Result<Value> {
      if (alive.expired()) return type_error("the loop is over");
      Output inside = output();
      TRY(loop(stmt, more, frame, depth + 1, inside));
      return inside.finish();
    };
  const Value shown{std::shared_ptr<const Object>(state)};
  for (; state->index < state->items.size(); ++state->index) {
    const FramePtr within = inner(frame);
    within->set("loop", shown);
    TRY(assign(*stmt.target, state->items[state->index], within));
    TRY(block(stmt.body, within, out));
  }
  state->recursion = nullptr;
  return {};
}

Value Renderer::macro(const Stmt& stmt, const FramePtr& frame) {
  held_.push_back(frame);
  return Value(std::shared_ptr<const Object>(std::make_shared<Macro>(*this, stmt, frame)));
}

// --- expressions ---------------------------------------------------------------------------------

Result<Value> Renderer::eval(const Expr& expr, const FramePtr& frame) {
  TRY(spend(1));
  TRY(deeper());
  switch (expr.kind) {
    case Kind::kConst:
      return expr.constant;
    case Kind::kName:
    case Kind::kNamespace:
      return name(expr.name, frame);
    case Kind::kTuple:
    case Kind::kList:
    case Kind::kDict:
      return collection(expr, frame);
    case Kind::kAttribute: {
      ASSIGN(const Value value, eval(*expr.parts[0], frame));
      return get_attribute(value, expr.name);
    }
    case Kind::kItem:
      return item(expr, frame);
    case Kind::kSlice:
      return raised("TemplateRuntimeError", "a slice outside of a subscript");
    case Kind::kCall: {
      ASSIGN(const Value function, eval(*expr.parts[0], frame));
      ASSIGN(const Given arguments, given(expr, frame));
      return call(function, arguments.arguments, arguments.named);
    }
    case Kind::kFilter: {
      Value value;
      if (expr.parts[0]) {
        ASSIGN(value, eval(*expr.parts[0], frame));
      }
      return filtered(expr, std::move(value), frame);
    }
    case Kind::kTest: {
      ASSIGN(const Value value, eval(*expr.parts[0], frame));
      ASSIGN(const Given arguments, given(expr, frame));
      ASSIGN(const bool made,
             apply_test(expr.name, Call{value, arguments.arguments, arguments.named}));
      return Value(made);
    }
    case Kind::kNot: {
      ASSIGN(const Value value, eval(*expr.parts[0], frame));
      ASSIGN(const bool truth, to_truth(value));
      return Value(!truth);
    }
    case Kind::kNegative: {
      ASSIGN(const Value value, eval(*expr.parts[0], frame));
      return negate(value);
    }
    case Kind::kPositive: {
      ASSIGN(const Value value, eval(*expr.parts[0], frame));
      return unary_plus(value);
    }
    case Kind::kAnd:
    case Kind::kOr:
      return logic(expr, frame);
    case Kind::kBinary:
      return binary(expr, frame);
    case Kind::kConcat:
      return concatenation(expr, frame);
    case Kind::kCompare:
      return comparison(expr, frame);
    case Kind::kChoice:
      return choice(expr, frame);
  }
  return Value();
}

Result<Value> Renderer::name(const std::string& name, const FramePtr& frame) {
  if (const Value* found = frame->find(name)) return *found;
  if (const auto known = context_.find(name); known != context_.end()) return known->second;
  Value value = scope_(name);
  if (value.is_undefined()) {
    if (auto global = find_global(name)) value = std::move(*global);
  } else if (root_.changes) {
    value = own_copy(value);
  }
  context_.emplace(name, value);
  return value;
}

Result<Value> Renderer::collection(const Expr& expr, const FramePtr& frame) {
  List parts;
  for (const auto& part : expr.parts) {
    ASSIGN(Value value, eval(*part, frame));
    parts.push_back(std::move(value));
  }
  if (expr.kind == Kind::kList) return Value(std::move(parts));
  if (expr.kind == Kind::kTuple) return Value(Tuple{std::move(parts)});
  Dict out;
  for (std::size_t i = 0; i + 1 < parts.size(); i += 2) {
    TRY(defined(parts[i]));
    if (!parts[i].hashable()) return type_error("unhashable type: '" + parts[i].type_name() + "'");
    out.set(std::move(parts[i]), std::move(parts[i + 1]));
  }
  return Value(std::move(out));
}

Result<Value> Renderer::item(const Expr& expr, const FramePtr& frame) {
  ASSIGN(const Value value, eval(*expr.parts[0], frame));
  const Expr& key = *expr.parts[1];
  if (key.kind != Kind::kSlice) {
    ASSIGN(const Value made, eval(key, frame));
    return get_item(value, made);
  }
  Slice range;
  std::optional<std::int64_t>* const places[] = {&range.start, &range.stop, &range.step};
  for (std::size_t i = 0; i < 3; ++i) {
    if (!key.parts[i]) continue;
    ASSIGN(const Value made, eval(*key.parts[i], frame));
    if (made.is_none()) continue;
    TRY(defined(made));
    if (!made.index())
      return type_error("slice indices must be integers or None or have an __index__ method");
    *places[i] = *made.index();
  }
  TRY(defined(value));
  return slice(value, range);
}

Result<Value> Renderer::binary(const Expr& expr, const FramePtr& frame) {
  ASSIGN(const Value left, eval(*expr.parts[0], frame));
  ASSIGN(const Value right, eval(*expr.parts[1], frame));
  constexpr std::pair<std::string_view, Operator> kOperators[] = {
      {"+", Operator::kAdd},  {"-", Operator::kSub},       {"*", Operator::kMul},
      {"/", Operator::kDiv},  {"//", Operator::kFloorDiv}, {"%", Operator::kMod},
      {"**", Operator::kPow},
  };
  for (const auto& [sign, op] : kOperators)
    if (sign == expr.name) return operate(op, left, right);
  return raised("TemplateRuntimeError", "unknown operator " + expr.name);
}

Result<Value> Renderer::concatenation(const Expr& expr, const FramePtr& frame) {
  List values;
  for (const auto& part : expr.parts) {
    ASSIGN(Value value, eval(*part, frame));
    values.push_back(std::move(value));
  }
  std::string out;
  for (const Value& value : values) {
    ASSIGN(const std::string text, to_text(value));
    TRY(spend_bytes(out.size() + text.size()));
    out += text;
  }
  return Value(std::move(out));
}

Result<Value> Renderer::comparison(const Expr& expr, const FramePtr& frame) {
  constexpr std::pair<std::string_view, Comparison> kComparisons[] = {
      {"==", Comparison::kEq}, {"!=", Comparison::kNe}, {"<", Comparison::kLt},
      {"<=", Comparison::kLe}, {">", Comparison::kGt},  {">=", Comparison::kGe},
  };
  ASSIGN(Value left, eval(*expr.parts[0], frame));
  for (std::size_t i = 0; i < expr.names.size(); ++i) {
    ASSIGN(Value right, eval(*expr.parts[i + 1], frame));
    bool holds = false;
    if (expr.names[i] == "in" || expr.names[i] == "not in") {
      ASSIGN(holds, contains(right, left));
      holds = holds == (expr.names[i] == "in");
    } else {
      const auto* found = std::ranges::find(kComparisons, std::string_view(expr.names[i]),
                                            &std::pair<std::string_view, Comparison>::first);
      ASSIGN(holds, compare(found->second, left, right));
    }
    if (!holds) return Value(false);
    left = std::move(right);
  }
  return Value(true);
}

Result<Value> Renderer::logic(const Expr& expr, const FramePtr& frame) {
  ASSIGN(Value left, eval(*expr.parts[0], frame));
  ASSIGN(const bool truth, to_truth(left));
  if (truth == (expr.kind == Kind::kOr)) return left;
  return eval(*expr.parts[1], frame);
}

Result<Value> Renderer::choice(const Expr& expr, const FramePtr& frame) {
  ASSIGN(const Value condition, eval(*expr.parts[0], frame));
  ASSIGN(const bool truth, to_truth(condition));
  if (truth) return eval(*expr.parts[1], frame);
  if (expr.parts[2]) return eval(*expr.parts[2], frame);
  return Value(Undefined{"",
                         "the inline if-expression on line " + std::to_string(expr.line) +
                             " evaluated to false and no else section was defined.",
                         false, true});
}

Result<Renderer::Given> Renderer::given(const Expr& expr, const FramePtr& frame) {
  Given out;
  for (std::size_t i = 1; i < expr.parts.size(); ++i) {
    ASSIGN(Value value, eval(*expr.parts[i], frame));
    out.arguments.push_back(std::move(value));
  }
  for (const auto& [key, part] : expr.keywords) {
    ASSIGN(Value value, eval(*part, frame));
    out.named.emplace_back(key, std::move(value));
  }
  if (expr.star) {
    ASSIGN(const Value star, eval(*expr.star, frame));
    ASSIGN(const List more, iterate(star));
    out.arguments.insert(out.arguments.end(), more.begin(), more.end());
  }
  if (!expr.star_star) return out;
  ASSIGN(const Value star, eval(*expr.star_star, frame));
  TRY(defined(star));
  if (!star.dict())
    return type_error("argument after ** must be a mapping, not " + star.type_name());
  for (const auto& [key, value] : star.dict()->items()) {
    if (!key.string()) return type_error("keywords must be strings");
    out.named.emplace_back(*key.string(), value);
  }
  return out;
}

Result<Value> Renderer::filtered(const Expr& expr, Value value, const FramePtr& frame) {
  if (expr.parts[0] && takes_block(*expr.parts[0])) {
    ASSIGN(value, filtered(*expr.parts[0], std::move(value), frame));
  }
  ASSIGN(const Given arguments, given(expr, frame));
  return apply_filter(expr.name, Call{value, arguments.arguments, arguments.named});
}

}  // namespace tailrace::jinja
