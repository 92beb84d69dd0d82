// Methods of lists, tuples, dicts and numbers.
#include <algorithm>
#include <bit>
#include <cmath>

#include "jinja/methods.h"
#include "jinja/texts.h"

namespace tailrace::jinja {
namespace {

using Named = Object::Named;
using Method = Result<Value> (*)(const Value& self, const List& arguments, const Named& named);

struct NamedMethod {
  std::string_view name;
  Method method;
};

std::optional<Value> bound(std::span<const NamedMethod> methods, const Value& value,
                           std::string_view name) {
  for (const NamedMethod& each : methods)
    if (each.name == name)
      return function(std::string(name), [value, each](const List& arguments, const Named& named) {
        return each.method(value, arguments, named);
      });
  return std::nullopt;
}

std::unexpected<Error> not_ours(const Value& value) {
  return raised("TypeError",
                "this " + value.type_name() +
                    " was given to the template and cannot be changed by it: copy it first, with "
                    "`| list` or dict()",
                Code::kFailedPrecondition);
}

/// The value itself, or something in it, is `container`.
bool holds(const Value& value, const Value& container, int depth) {
  if (value.same(container)) return true;
  if (depth > 100 || !spend(1 + length(value).value_or(0))) return true;
  if (const auto* items = value.list())
    return std::ranges::any_of(*items,
                               [&](const Value& v) { return holds(v, container, depth + 1); });
  if (const auto* items = value.tuple())
    return std::ranges::any_of(items->items,
                               [&](const Value& v) { return holds(v, container, depth + 1); });
  if (const auto* items = value.dict())
    return std::ranges::any_of(items->items(), [&](const auto& entry) {
      return holds(entry.second, container, depth + 1);
    });
  return false;
}

Status may_hold(const Value& container, const Value& value) {
  const bool nested = value.list() || value.tuple() || value.dict();
  if (nested && holds(value, container, 0))
    return raised("RecursionError", "a " + container.type_name() + " that holds itself",
                  Code::kFailedPrecondition);
  return {};
}

Result<List*> changeable(const Value& self) {
  if (List* items = self.changeable_list()) return items;
  return not_ours(self);
}

Result<Dict*> changeable_entries(const Value& self) {
  if (Dict* entries = self.changeable_dict()) return entries;
  return not_ours(self);
}

// --- lists ---------------------------------------------------------------------------------------

Result<Value> append(const Value& self, const List& arguments, const Named& named) {
  ASSIGN(auto given, bind("list.append", arguments, named, {"object"}));
  TRY(append_to(self, std::move(given[0])));
  return Value();
}

Result<Value> extend(const Value& self, const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("list.extend", arguments, named, {"iterable"}));
  ASSIGN(const List items, iterate(given[0]));
  for (const Value& item : items) TRY(append_to(self, item));
  return Value();
}

Result<Value> insert(const Value& self, const List& arguments, const Named& named) {
  ASSIGN(auto given, bind("insert", arguments, named, {"index", "object"}));
  ASSIGN(List * items, changeable(self));
  TRY(may_hold(self, given[1]));
  TRY(spend_items(1 + items->size() / 16));
  const auto size = static_cast<std::int64_t>(items->size());
  std::int64_t at = given[0].index().value_or(0);
  if (at < 0) at += size;
  items->insert(items->begin() + std::clamp<std::int64_t>(at, 0, size), std::move(given[1]));
  return Value();
}

Result<Value> pop(const Value& self, const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("pop", arguments, named, {{"index", -1}}));
  ASSIGN(List * items, changeable(self));
  if (items->empty()) return raised("IndexError", "pop from empty list");
  std::int64_t at = given[0].index().value_or(-1);
  if (at < 0) at += static_cast<std::int64_t>(items->size());
  if (at < 0 || at >= static_cast<std::int64_t>(items->size()))
    return raised("IndexError", "pop index out of range");
  Value taken = (*items)[static_cast<std::size_t>(at)];
  items->erase(items->begin() + at);
  return taken;
}

Result<Value> remove(const Value& self, const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("remove", arguments, named, {"value"}));
  ASSIGN(List * items, changeable(self));
  const auto found = std::ranges::find(*items, given[0]);
  if (found == items->end()) return value_error("list.remove(x): x not in list");
  items->erase(found);
  return Value();
}

Result<Value> clear_list(const Value& self, const List&, const Named&) {
  ASSIGN(List * items, changeable(self));
  items->clear();
  return Value();
}

Result<Value> reverse_list(const Value& self, const List&, const Named&) {
  ASSIGN(List * items, changeable(self));
  std::ranges::reverse(*items);
  return Value();
}

Result<Value> sort_list(const Value& self, const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("sort", arguments, named, {{"key", Value()}, {"reverse", false}}));
  ASSIGN(List * items, changeable(self));
  const Value key = given[0];
  ASSIGN(List made, sorted(
                        *items,
                        [&](const Value& value) -> Result<Value> {
                          if (key.is_none()) return value;
                          return call(key, {value}, {});
                        },
                        given[1].truth()));
  *items = std::move(made);
  return Value();
}

const List& items_of(const Value& self) {
  return self.list() ? *self.list() : self.tuple()->items;
}

Result<Value> index_of(const Value& self, const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("index", arguments, named, {"value", {"start", 0}}));
  const List& items = items_of(self);
  TRY(spend_items(items.size()));
  std::int64_t from = given[1].index().value_or(0);
  if (from < 0) from = std::max<std::int64_t>(0, from + static_cast<std::int64_t>(items.size()));
  for (std::size_t i = static_cast<std::size_t>(from); i < items.size(); ++i) {
    ASSIGN(const bool same, compare(Comparison::kEq, items[i], given[0]));
    if (same) return Value(static_cast<std::int64_t>(i));
  }
  return value_error(self.list() ? given[0].repr() + " is not in list"
                                 : "tuple.index(x): x not in tuple");
}

Result<Value> count_of(const Value& self, const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("count", arguments, named, {"value"}));
  TRY(spend_items(items_of(self).size()));
  return Value(static_cast<std::int64_t>(std::ranges::count(items_of(self), given[0])));
}

Result<Value> copy(const Value& self, const List&, const Named&) {
  if (self.dict()) return Value(*self.dict());
  TRY(spend_items(items_of(self).size()));
  return Value(items_of(self));
}

constexpr NamedMethod kTupleMethods[] = {{"index", index_of}, {"count", count_of}};

constexpr NamedMethod kListMethods[] = {
    {"append", append}, {"extend", extend},    {"insert", insert},        {"pop", pop},
    {"remove", remove}, {"clear", clear_list}, {"reverse", reverse_list}, {"sort", sort_list},
    {"copy", copy},     {"index", index_of},   {"count", count_of},
};

// --- dicts ---------------------------------------------------------------------------------------

Value view(std::string name, List items) {
  return Value(
      std::shared_ptr<const Object>(std::make_shared<View>(std::move(name), std::move(items))));
}

Result<Value> keys(const Value& self, const List&, const Named&) {
  List out;
  for (const auto& [key, value] : self.dict()->items()) out.push_back(key);
  TRY(spend_items(out.size()));
  return view("dict_keys", std::move(out));
}

Result<Value> values(const Value& self, const List&, const Named&) {
  List out;
  for (const auto& [key, value] : self.dict()->items()) out.push_back(value);
  TRY(spend_items(out.size()));
  return view("dict_values", std::move(out));
}

Result<Value> entries(const Value& self, const List&, const Named&) {
  List out;
  for (const auto& [key, value] : self.dict()->items()) out.emplace_back(Tuple{{key, value}});
  TRY(spend_items(out.size()));
  return view("dict_items", std::move(out));
}

Result<Value> get(const Value& self, const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("get", arguments, named, {"key", {"default", Value()}}));
  TRY(defined(given[0]));
  if (!given[0].hashable()) return type_error("unhashable type: '" + given[0].type_name() + "'");
  const Value* found = self.dict()->find(given[0]);
  return found ? *found : given[1];
}

Result<Value> pop_entry(const Value& self, const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("pop", arguments, named, {"key", {"default", Undefined{"pop"}}}));
  ASSIGN(Dict * dict, changeable_entries(self));
  const Value* found = dict->find(given[0]);
  if (!found && given[1].is_undefined())
    return raised("KeyError", given[0].repr(), Code::kNotFound);
  Value taken = found ? *found : given[1];
  dict->erase(given[0]);
  return taken;
}

Result<Value> popitem(const Value& self, const List&, const Named&) {
  ASSIGN(Dict * dict, changeable_entries(self));
  if (dict->size() == 0)
    return raised("KeyError", "'popitem(): dictionary is empty'", Code::kNotFound);
  const auto last = dict->items().back();
  dict->erase(last.first);
  return Value(Tuple{{last.first, last.second}});
}

Result<Value> setdefault(const Value& self, const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("setdefault", arguments, named, {"key", {"default", Value()}}));
  if (const Value* found = self.dict()->find(given[0])) return *found;
  TRY(set_in(self, given[0], given[1]));
  return given[1];
}

Result<Value> update(const Value& self, const List& arguments, const Named& named) {
  if (arguments.size() > 1)
    return type_error("update expected at most 1 argument, got " +
                      std::to_string(arguments.size()));
  if (!arguments.empty()) {
    if (const Dict* more = arguments[0].dict()) {
      const Dict copied = *more;
      for (const auto& [key, value] : copied.items()) TRY(set_in(self, key, value));
    } else {
      ASSIGN(const List pairs, iterate(arguments[0]));
      for (const Value& pair : pairs) {
        ASSIGN(const List parts, iterate(pair));
        if (parts.size() != 2)
          return value_error("dictionary update sequence element #0 has length " +
                             std::to_string(parts.size()) + "; 2 is required");
        TRY(set_in(self, parts[0], parts[1]));
      }
    }
  }
  for (const auto& [key, value] : named) TRY(set_in(self, Value(key), value));
  return Value();
}

Result<Value> clear_dict(const Value& self, const List&, const Named&) {
  ASSIGN(Dict * dict, changeable_entries(self));
  *dict = Dict();
  return Value();
}

constexpr NamedMethod kDictMethods[] = {
    {"keys", keys},     {"values", values},    {"items", entries},
    {"get", get},       {"pop", pop_entry},    {"setdefault", setdefault},
    {"update", update}, {"clear", clear_dict}, {"popitem", popitem},
    {"copy", copy},
};

// --- numbers -------------------------------------------------------------------------------------

Result<Value> is_integer(const Value& self, const List&, const Named&) {
  const double number = *self.number();
  return Value(std::floor(number) == number && std::isfinite(number));
}

Result<Value> bit_length(const Value& self, const List&, const Named&) {
  const std::int64_t number = self.index().value_or(0);
  const auto size =
      number < 0 ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
  return Value(static_cast<std::int64_t>(std::bit_width(size)));
}

constexpr NamedMethod kIntegerMethods[] = {{"bit_length", bit_length}};
constexpr NamedMethod kRealMethods[] = {{"is_integer", is_integer}};

}  // namespace

Status append_to(const Value& list, Value value) {
  ASSIGN(List * items, changeable(list));
  TRY(may_hold(list, value));
  TRY(spend(1));
  if (budget() && items->size() >= budget()->max_output) return spend_items(items->size() + 1);
  items->push_back(std::move(value));
  return {};
}

Status set_in(const Value& dict, Value key, Value value) {
  ASSIGN(Dict * entries, changeable_entries(dict));
  TRY(defined(key));
  if (!key.hashable()) return type_error("unhashable type: '" + key.type_name() + "'");
  TRY(may_hold(dict, value));
  TRY(spend(1));
  entries->set(std::move(key), std::move(value));
  return {};
}

std::optional<Value> list_attribute(const Value& value, std::string_view name) {
  if (value.list()) return bound(kListMethods, value, name);
  return bound(kTupleMethods, value, name);
}

std::optional<Value> dict_attribute(const Value& value, std::string_view name) {
  return bound(kDictMethods, value, name);
}

std::optional<Value> number_attribute(const Value& value, std::string_view name) {
  if (name == "real") return value.boolean() ? Value(*value.index()) : value;
  if (name == "imag") return value.real() ? Value(0.0) : Value(0);
  if (value.real()) return bound(kRealMethods, value, name);
  if (name == "numerator") return Value(*value.index());
  if (name == "denominator") return Value(1);
  return bound(kIntegerMethods, value, name);
}

Value View::attribute(std::string_view name) const {
  return Undefined{std::string(name), "'" + name_ + " object' has no attribute " + text_repr(name)};
}

Result<Value> View::item(const Value&) const {
  return type_error("'" + name_ + "' object is not subscriptable");
}

}  // namespace tailrace::jinja
