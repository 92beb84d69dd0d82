// Filters that choose, order and change items by a filter, a test or an attribute.
#include <algorithm>

#include "jinja/attribute_path.h"
#include "jinja/filters.h"
#include "jinja/texts.h"

namespace tailrace::jinja {

Result<Value> at_path(const Value& item, const Value& attribute, const Value* fallback) {
  if (attribute.is_none()) return item;
  Value now = item;
  List parts;
  if (const auto* path = attribute.string()) {
    const std::string dot = ".";
    for (const std::string& part : split(*path, &dot, -1, false)) {
      const bool number = !part.empty() && part.size() < 18 &&
                          part.find_first_not_of("0123456789") == std::string::npos;
      parts.push_back(number ? Value(std::int64_t{std::stoll(part)}) : Value(part));
    }
  } else {
    parts.push_back(attribute);
  }
  for (const Value& part : parts) {
    ASSIGN(now, get_item(now, part));
    if (fallback && now.is_undefined()) now = *fallback;
  }
  return now;
}

Value without_case(const Value& value) {
  return value.string() ? Value(lower(*value.string())) : value;
}

namespace {

using Named = Object::Named;

Result<std::vector<Value>> given(const Call& call, std::string_view name,
                                 std::initializer_list<Parameter> parameters) {
  return bind(name, call.arguments, call.named, parameters);
}

/// Of what is false Jinja's map and select make nothing, even where it is not iterable.
Result<List> truthy_items(const Value& value) {
  ASSIGN(const bool truth, to_truth(value));
  if (!truth) return List();
  return iterate(value);
}

/// The function of `map`: a filter by name, or an attribute.
Result<Value> map(const Call& call) {
  if (call.arguments.empty() && !call.named.empty()) {
    Value attribute, fallback;
    bool has_fallback = false;
    for (const auto& [key, value] : call.named) {
      if (key == "attribute") {
        attribute = value;
      } else if (key == "default") {
        fallback = value;
        has_fallback = !value.is_none();
      } else {
        return raised("FilterArgumentError", "Unexpected keyword argument " + text_repr(key));
      }
    }
    ASSIGN(List items, truthy_items(call.value));
    for (Value& item : items) {
      ASSIGN(item, at_path(item, attribute, has_fallback ? &fallback : nullptr));
    }
    return generator(std::move(items));
  }
  ASSIGN(List items, truthy_items(call.value));
  if (call.arguments.empty())
    return raised("FilterArgumentError", "map requires a filter argument");
  ASSIGN(const std::string name, to_text(call.arguments[0]));
  const List rest(call.arguments.begin() + 1, call.arguments.end());
  for (Value& item : items) {
    ASSIGN(item, apply_filter(name, Call{item, rest, call.named}));
  }
  return generator(std::move(items));
}

/// select, reject, selectattr, rejectattr.
template <bool kKeep, bool kAttribute>
Result<Value> choose(const Call& call) {
  ASSIGN(const List items, truthy_items(call.value));
  std::size_t used = 0;
  Value attribute;
  if (kAttribute) {
    if (call.arguments.empty())
      return raised("FilterArgumentError", "Missing parameter for attribute name");
    attribute = call.arguments[0];
    used = 1;
  }
  std::string test;
  if (call.arguments.size() > used) {
    ASSIGN(test, to_text(call.arguments[used]));
    ++used;
  }
  const List rest(call.arguments.begin() + static_cast<std::ptrdiff_t>(used), call.arguments.end());
  List out;
  for (const Value& item : items) {
    Value asked = item;
    if (kAttribute) {
      ASSIGN(asked, at_path(item, attribute, nullptr));
    }
    bool holds = false;
    if (test.empty()) {
      ASSIGN(holds, to_truth(asked));
    } else {
      ASSIGN(holds, apply_test(test, Call{asked, rest, call.named}));
    }
    if (holds == kKeep) out.push_back(item);
  }
  return generator(std::move(out));
}

Result<Value> sort(const Call& call) {
  ASSIGN(const auto with,
         given(call, "do_sort",
               {{"reverse", false}, {"case_sensitive", false}, {"attribute", Value()}}));
  ASSIGN(const List items, iterate(call.value));
  List paths = {with[2]};
  if (const auto* several = with[2].string()) {
    const std::string comma = ",";
    paths.clear();
    for (auto& path : split(*several, &comma, -1, false)) paths.emplace_back(std::move(path));
  }
  const auto key = [&](const Value& item) -> Result<Value> {
    List keys;
    for (const Value& path : paths) {
      ASSIGN(const Value part, at_path(item, path, nullptr));
      keys.push_back(with[1].truth() ? part : without_case(part));
    }
    if (!with[2].string()) return keys[0];
    return Value(std::move(keys));
  };
  ASSIGN(List made, sorted(items, key, with[0].truth()));
  return Value(std::move(made));
}

Result<Value> unique(const Call& call) {
  ASSIGN(const auto with,
         given(call, "do_unique", {{"case_sensitive", false}, {"attribute", Value()}}));
  ASSIGN(const List items, iterate(call.value));
  Dict seen;
  List out;
  for (const Value& item : items) {
    ASSIGN(Value key, at_path(item, with[1], nullptr));
    if (!with[0].truth()) key = without_case(key);
    TRY(defined(key));
    if (!key.hashable()) return type_error("unhashable type: '" + key.type_name() + "'");
    if (seen.find(key)) continue;
    seen.set(std::move(key), Value());
    out.push_back(item);
  }
  return generator(std::move(out));
}

template <Comparison kBetter>
Result<Value> best(const Call& call) {
  ASSIGN(const auto with,
         given(call, "do_min", {{"case_sensitive", false}, {"attribute", Value()}}));
  ASSIGN(const List items, iterate(call.value));
  if (items.empty()) return Value(Undefined{"", "No aggregated item, sequence was empty."});
  const auto key = [&](const Value& item) -> Result<Value> {
    ASSIGN(const Value part, at_path(item, with[1], nullptr));
    return with[0].truth() ? part : without_case(part);
  };
  Value chosen = items[0];
  ASSIGN(Value chosen_key, key(chosen));
  for (std::size_t i = 1; i < items.size(); ++i) {
    ASSIGN(Value now, key(items[i]));
    ASSIGN(const bool better, compare(kBetter, now, chosen_key));
    if (better) chosen = items[i], chosen_key = std::move(now);
  }
  return chosen;
}

/// What groupby gives: a named tuple (grouper, list).
class Group final : public Object {
 public:
  Group(Value grouper, List items) : pair_{std::move(grouper), Value(std::move(items))} {}
  std::string type_name() const override { return "_GroupTuple"; }
  std::string text() const override { return Value(Tuple{pair_}).repr(); }
  Value attribute(std::string_view name) const override {
    if (name == "grouper") return pair_[0];
    if (name == "list") return pair_[1];
    return Undefined{std::string(name),
                     "'jinja2.filters._GroupTuple object' has no attribute " + text_repr(name)};
  }
  Result<Value> item(const Value& key) const override {
    return subscript(Value(Tuple{pair_}), key);
  }
  std::optional<List> elements() const override { return pair_; }
  std::optional<std::int64_t> length() const override { return 2; }

 private:
  List pair_;
};

Result<Value> groupby(const Call& call) {
  ASSIGN(const auto with,
         given(call, "do_groupby", {"attribute", {"default", Value()}, {"case_sensitive", false}}));
  ASSIGN(const List items, iterate(call.value));
  const Value* fallback = with[1].is_none() ? nullptr : &with[1];
  const auto key = [&](const Value& item) -> Result<Value> {
    ASSIGN(const Value part, at_path(item, with[0], fallback));
    return with[2].truth() ? part : without_case(part);
  };
  ASSIGN(const List in_order, sorted(items, key, false));
  List out, now;
  Value present;
  const auto close = [&]() -> Status {
    if (now.empty()) return {};
    ASSIGN(Value grouper, at_path(now[0], with[0], fallback));
    out.emplace_back(std::shared_ptr<const Object>(
        std::make_shared<Group>(with[2].truth() ? present : std::move(grouper), std::move(now))));
    now = List();
    return {};
  };
  for (const Value& item : in_order) {
    ASSIGN(Value mine, key(item));
    if (!now.empty()) {
      ASSIGN(const bool same, compare(Comparison::kEq, mine, present));
      if (!same) TRY(close());
    }
    present = std::move(mine);
    now.push_back(item);
  }
  TRY(close());
  return Value(std::move(out));
}

constexpr NamedFilter kFilters[] = {
    {"map", map},
    {"select", choose<true, false>},
    {"reject", choose<false, false>},
    {"selectattr", choose<true, true>},
    {"rejectattr", choose<false, true>},
    {"sort", sort},
    {"unique", unique},
    {"min", best<Comparison::kLt>},
    {"max", best<Comparison::kGt>},
    {"groupby", groupby},
};

}  // namespace

std::span<const NamedFilter> selecting_filters() {
  return kFilters;
}

}  // namespace tailrace::jinja
