#include "jinja/loop.h"

#include <algorithm>

#include "jinja/texts.h"

namespace tailrace::jinja {

std::string Loop::text() const {
  return "<LoopContext " + std::to_string(index + 1) + "/" + std::to_string(items.size()) + ">";
}

Value Loop::attribute(std::string_view name) const {
  const auto at = static_cast<std::int64_t>(index), size = static_cast<std::int64_t>(items.size());
  if (name == "index") return at + 1;
  if (name == "index0") return at;
  if (name == "revindex") return size - at;
  if (name == "revindex0") return size - at - 1;
  if (name == "first") return at == 0;
  if (name == "last") return at + 1 == size;
  if (name == "length") return size;
  if (name == "depth") return depth + 1;
  if (name == "depth0") return depth;
  if (name == "previtem")
    return index > 0 ? items[index - 1] : Value(Undefined{"previtem", "there is no previous item"});
  if (name == "nextitem")
    return index + 1 < items.size() ? items[index + 1]
                                    : Value(Undefined{"nextitem", "there is no next item"});
  if (name == "cycle")
    return function("cycle", [at = index](const List& given, const Named&) -> Result<Value> {
      if (given.empty()) return type_error("no items for cycling given");
      return given[at % given.size()];
    });
  if (name == "changed")
    return function("changed", [this](const List& given, const Named&) -> Result<Value> {
      const bool same = last_ && Value(*last_) == Value(given);
      if (!same) last_ = given;
      return Value(!same);
    });
  return Undefined{std::string(name),
                   "'jinja2.runtime.LoopContext object' has no attribute " + text_repr(name)};
}

Result<Value> Loop::call(const List& arguments, const Named& named) const {
  if (!recursion)
    return type_error("The loop must have the 'recursive' marker to be called recursively.");
  ASSIGN(const auto given, bind("loop", arguments, named, {"iterable"}));
  return recursion(given[0]);
}

// --- macros --------------------------------------------------------------------------------------

std::string Macro::called() const {
  return stmt_.kind == Stmt::Kind::kCallBlock ? "None" : text_repr(stmt_.name);
}

std::string Macro::text() const {
  return stmt_.kind == Stmt::Kind::kCallBlock ? "<Macro anonymous>" : "<Macro " + called() + ">";
}

Value Macro::attribute(std::string_view name) const {
  if (name == "name") return stmt_.kind == Stmt::Kind::kCallBlock ? Value() : Value(stmt_.name);
  if (name == "catch_varargs") return stmt_.uses_varargs;
  if (name == "catch_kwargs") return stmt_.uses_kwargs;
  if (name == "caller") return stmt_.uses_caller;
  if (name == "arguments") {
    List names;
    for (const MacroParameter& parameter : stmt_.parameters) names.emplace_back(parameter.name);
    return Tuple{std::move(names)};
  }
  return Undefined{std::string(name),
                   "'jinja2.runtime.Macro object' has no attribute " + text_repr(name)};
}

Result<FramePtr> Macro::bound(const List& arguments, const Named& named) const {
  const auto frame = std::make_shared<Frame>(Frame{frame_, {}});
  const std::size_t count = stmt_.parameters.size();
  std::vector<std::optional<Value>> slots(count);
  for (std::size_t i = 0; i < std::min(count, arguments.size()); ++i) slots[i] = arguments[i];
  Dict rest;
  std::optional<Value> caller;
  for (const auto& [key, value] : named) {
    const auto found = std::ranges::find(stmt_.parameters, key, &MacroParameter::name);
    if (found != stmt_.parameters.end()) {
      auto& slot = slots[static_cast<std::size_t>(found - stmt_.parameters.begin())];
      if (!slot) {
        slot = value;
        continue;
      }
    }
    if (key == "caller" && stmt_.uses_caller) {
      caller = value;
    } else if (stmt_.uses_kwargs) {
      rest.set(Value(key), value);
    } else if (key == "caller") {
      return type_error(
          "macro " + called() +
          " was invoked with two values for the special caller argument. This is most "
          "likely a bug.");
    } else {
      return type_error("macro " + called() + " takes no keyword argument " + text_repr(key));
    }
  }
  if (arguments.size() > count && !stmt_.uses_varargs)
    return type_error("macro " + called() + " takes not more than " + std::to_string(count) +
                      " argument(s)");
  for (std::size_t i = 0; i < count; ++i) {
    const MacroParameter& parameter = stmt_.parameters[i];
    if (!slots[i] && parameter.fallback) {
      ASSIGN(slots[i], renderer_.eval(*parameter.fallback, frame));
    }
    frame->set(parameter.name,
               slots[i] ? *slots[i]
                        : Value(Undefined{parameter.name, "parameter " + text_repr(parameter.name) +
                                                              " was not provided"}));
  }
  if (stmt_.uses_caller && !frame->find("caller"))
    frame->set("caller", caller.value_or(Undefined{"caller", "No caller defined"}));
  if (stmt_.uses_caller && caller) frame->set("caller", *caller);
  if (stmt_.uses_kwargs) frame->set("kwargs", Value(std::move(rest)));
  if (stmt_.uses_varargs) {
    List more;
    for (std::size_t i = count; i < arguments.size(); ++i) more.push_back(arguments[i]);
    frame->set("varargs", Value(Tuple{std::move(more)}));
  }
  return frame;
}

Result<Value> Macro::call(const List& arguments, const Named& named) const {
  if (alive_.expired()) return type_error("the template of macro " + called() + " is over");
  TRY(renderer_.deeper());
  ASSIGN(const FramePtr frame, bound(arguments, named));
  Output out = renderer_.output();
  TRY(renderer_.block(stmt_.body, frame, out));
  return out.finish();
}

}  // namespace tailrace::jinja
