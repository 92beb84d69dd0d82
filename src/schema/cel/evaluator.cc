// Walks a tree: errors are values until something is asked of them, as && and || ask for nothing
// that they do not need.
#include <fmt/format.h>

#include "schema/cel/program.h"

namespace tailrace::schema::cel {
namespace {

class Evaluator {
 public:
  Evaluator(std::string_view text, std::span<const Binding> bindings, Patterns& patterns)
      : text_(text), names_(bindings.begin(), bindings.end()), patterns_(patterns) {}

  Result<Value> value(const Node& node) {
    if (++steps_ > kMaxSteps)
      return error(Code::kResourceExhausted, fmt::format("more than {} steps", kMaxSteps));
    switch (node.kind) {
      case Node::Kind::kLiteral:
        return node.literal;
      case Node::Kind::kName:
        return name(node);
      case Node::Kind::kSelect:
        return select(node);
      case Node::Kind::kHas:
        return has(node);
      case Node::Kind::kCall:
        return call(node);
      case Node::Kind::kList:
        return list(node);
      case Node::Kind::kMap:
        return map(node);
      case Node::Kind::kComprehension:
        return comprehension(node);
    }
    return fail(node, "nothing");
  }

 private:
  std::unexpected<Error> fail(const Node& node, const std::string& what) const {
    return error(Code::kInvalidArgument, place_of(text_, node.at) + ": " + what);
  }
  static bool is_stop(const Result<Value>& value) {
    return !value && value.error().code == Code::kResourceExhausted;
  }

  Result<Value> name(const Node& node) const {
    for (auto at = names_.rbegin(); at != names_.rend(); ++at)
      if (at->name == node.name) return *at->value;
    constexpr std::string_view kTypes[] = {"bool",  "int",  "uint", "double",    "string",
                                           "bytes", "list", "map",  "null_type", "type"};
    for (const std::string_view type : kTypes)
      if (node.name == type) return Value(TypeName{node.name});
    return fail(node, fmt::format("`{}` has no value", node.name));
  }

  /// The field of a record or map; null pointer when it is not there.
  static const Value* field_of(const Value& value, const std::string& name) {
    if (const Record* record = value.record())
      for (const auto& [field, there] : record->fields)
        if (field == name) return &there;
    if (const Map* map = value.map())
      for (const auto& [key, there] : *map)
        if (const auto* text = key.get<std::string>(); text && *text == name) return &there;
    return nullptr;
  }

  Result<Value> select(const Node& node) {
    ASSIGN(const Value of, value(*node.args[0]));
    if (const Value* field = field_of(of, node.name)) return *field;
    if (of.record() || of.map()) return fail(node, fmt::format("there is no `{}`", node.name));
    return fail(node, fmt::format("{} has no fields", of.type_name()));
  }

  Result<Value> has(const Node& node) {
    ASSIGN(const Value of, value(*node.args[0]));
    if (!of.record() && !of.map())
      return fail(node, fmt::format("{} has no fields", of.type_name()));
    const Value* field = field_of(of, node.name);
    return Value(field != nullptr && !(of.record() && field->is_null()));
  }

  Result<Value> call(const Node& node) {
    if (node.name == "&&" || node.name == "||") return logic(node, node.name == "||");
    if (node.name == "?:") {
      ASSIGN(const Value condition, value(*node.args[0]));
      const bool* chosen = condition.get<bool>();
      if (!chosen) return fail(node, "no such overload: the condition is " + condition.type_name());
      return value(*node.args[*chosen ? 1 : 2]);
    }
    std::vector<Value> args;
    args.reserve(node.args.size());
    for (const NodePtr& arg : node.args) {
      ASSIGN(args.emplace_back(), value(*arg));
    }
    auto result = apply(node.name, args, patterns_);
    if (!result && result.error().code == Code::kInvalidArgument)
      return fail(node, result.error().what);
    return result;
  }

  /// `decides` ends it, whichever side it comes from; what is wrong counts only when it does not.
  Result<Value> logic(const Node& node, bool decides) {
    const auto side = [&](const Node& of) -> Result<Value> {
      auto one = value(of);
      if (one && !one->get<bool>()) return fail(node, "no such overload: " + one->type_name());
      return one;
    };
    const auto left = side(*node.args[0]);
    if (is_stop(left) || (left && *left->get<bool>() == decides)) return left;
    auto right = side(*node.args[1]);
    if (is_stop(right) || (right && *right->get<bool>() == decides)) return right;
    return left ? right : left;
  }

  Result<Value> list(const Node& node) {
    List made;
    for (const NodePtr& arg : node.args) {
      ASSIGN(made.emplace_back(), value(*arg));
    }
    return Value::list(std::move(made));
  }

  Result<Value> map(const Node& node) {
    Map made;
    for (std::size_t i = 0; i < node.args.size(); i += 2) {
      ASSIGN(Value key, value(*node.args[i]));
      ASSIGN(Value item, value(*node.args[i + 1]));
      const bool fits = key.get<bool>() || key.get<std::int64_t>() || key.get<std::uint64_t>() ||
                        key.get<std::string>();
      if (!fits) return fail(*node.args[i], key.type_name() + " cannot be a key");
      for (const auto& [other, there] : made)
        if (equal(other, key)) return fail(*node.args[i], "the key is here twice");
      made.emplace_back(std::move(key), std::move(item));
    }
    return Value::map(std::move(made));
  }

  Result<Value> comprehension(const Node& node) {
    ASSIGN(const Value range, value(*node.args[0]));
    std::vector<const Value*> items;
    if (const List* list = range.list())
      for (const Value& item : *list) items.push_back(&item);
    else if (const Map* map = range.map())
      for (const auto& [key, there] : *map) items.push_back(&key);
    else
      return fail(node, fmt::format("{} has no items", range.type_name()));
    names_.push_back({node.variable, nullptr});
    auto result = node.name == "all"          ? any(node, items, false)
                  : node.name == "exists"     ? any(node, items, true)
                  : node.name == "exists_one" ? one(node, items)
                                              : chosen(node, items);
    names_.pop_back();
    return result;
  }

  Result<Value> of_item(const Node& node, const Value& item, std::size_t part) {
    names_.back().value = &item;
    // A comprehension inside pushes names of its own, and takes them away again.
    return value(*node.args[part]);
  }
  Result<Value> condition(const Node& node, const Value& item) {
    auto holds = of_item(node, item, 1);
    if (holds && !holds->get<bool>())
      return fail(node, "no such overload: the condition is " + holds->type_name());
    return holds;
  }

  Result<Value> any(const Node& node, const std::vector<const Value*>& items, bool decides) {
    Result<Value> so_far = Value(!decides);
    for (const Value* item : items) {
      auto holds = condition(node, *item);
      if (is_stop(holds) || (holds && *holds->get<bool>() == decides)) return holds;
      if (!holds && so_far) so_far = std::move(holds);
    }
    return so_far;
  }

  Result<Value> one(const Node& node, const std::vector<const Value*>& items) {
    std::size_t count = 0;
    for (const Value* item : items) {
      ASSIGN(const Value holds, condition(node, *item));
      count += *holds.get<bool>() ? 1 : 0;
    }
    return Value(count == 1);
  }

  /// filter(x, condition), map(x, value), map(x, condition, value)
  Result<Value> chosen(const Node& node, const std::vector<const Value*>& items) {
    List made;
    const bool filter = node.name == "filter", conditional = filter || node.args.size() == 3;
    for (const Value* item : items) {
      if (conditional) {
        ASSIGN(const Value holds, condition(node, *item));
        if (!*holds.get<bool>()) continue;
      }
      if (filter) {
        made.push_back(*item);
        continue;
      }
      ASSIGN(made.emplace_back(), of_item(node, *item, node.args.size() - 1));
    }
    return Value::list(std::move(made));
  }

  std::string_view text_;
  std::vector<Binding> names_;
  Patterns& patterns_;
  std::int64_t steps_ = 0;
};

}  // namespace

Result<Value> Program::evaluate(std::span<const Binding> bindings) {
  return Evaluator(text_, bindings, patterns_).value(*root_);
}

}  // namespace tailrace::schema::cel
