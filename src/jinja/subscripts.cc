// `value.name`, `value[key]` and slices.
#include <algorithm>
#include <array>

#include "jinja/methods.h"
#include "jinja/python.h"
#include "jinja/texts.h"
#include "jinja/times.h"

namespace tailrace::jinja {
namespace {

/// jinja2.utils.object_type_repr.
std::string described(const Value& value) {
  if (value.is_none()) return "None";
  const std::string type = value.type_name();
  if (value.moment()) return "pendulum.datetime.DateTime object";
  if (value.delta()) return "datetime.timedelta object";
  if (value.is_markup()) return "markupsafe.Markup object";
  return type + " object";
}

Value undefined_attribute(const Value& value, std::string_view name) {
  return Undefined{std::string(name),
                   text_repr(described(value)) + " has no attribute " + text_repr(name)};
}

Value undefined_item(const Value& value, const Value& key) {
  if (const auto* name = key.string()) return undefined_attribute(value, *name);
  return Undefined{key.text(), described(value) + " has no element " + key.repr()};
}

bool is_unsafe(std::string_view name) {
  constexpr std::array<std::string_view, 24> kInternal = {
      "__class__",        "__doc__",   "__init__",   "__dict__",      "__module__",  "__mro__",
      "__subclasses__",   "__bases__", "__base__",   "__globals__",   "__code__",    "__call__",
      "__getattribute__", "__new__",   "__reduce__", "__reduce_ex__", "__repr__",    "__str__",
      "__hash__",         "__eq__",    "__sizeof__", "__dir__",       "__setattr__", "__format__"};
  return (std::ranges::find(kInternal, name) != std::end(kInternal));
}

Value unsafe(const Value& value, std::string_view name) {
  return Undefined{std::string(name),
                   "access to attribute " + text_repr(name) + " of " +
                       text_repr(value.type_name()) + " object is unsafe.",
                   true};
}

Result<std::size_t> place(const Value& key, std::size_t size, const char* type) {
  const auto index = key.index();
  if (!index)
    return type_error(std::string(type) + " indices must be integers or slices, not " +
                      key.type_name());
  const std::int64_t at = *index < 0 ? *index + static_cast<std::int64_t>(size) : *index;
  if (at < 0 || at >= static_cast<std::int64_t>(size))
    return raised("IndexError", std::string(type) + " index out of range", Code::kNotFound);
  return static_cast<std::size_t>(at);
}

}  // namespace

Result<Value> subscript(const Value& value, const Value& key) {
  TRY(defined(value));
  if (const auto* items = value.list()) {
    ASSIGN(const std::size_t at, place(key, items->size(), "list"));
    return (*items)[at];
  }
  if (const auto* items = value.tuple()) {
    ASSIGN(const std::size_t at, place(key, items->items.size(), "tuple"));
    return items->items[at];
  }
  if (const auto* items = value.dict()) {
    if (!key.hashable()) return type_error("unhashable type: '" + key.type_name() + "'");
    if (const Value* found = items->find(key)) return *found;
    return raised("KeyError", key.repr(), Code::kNotFound);
  }
  if (const auto* text = value.string()) {
    const std::size_t size = character_count(*text);
    ASSIGN(const std::size_t at, place(key, size, "string"));
    const std::string_view character = substring(*text, at, at + 1);
    return value.is_markup() ? Value::markup(std::string(character)) : Value(character);
  }
  if (const auto* held = value.object()) return (*held)->item(key);
  return type_error("'" + value.type_name() + "' object is not subscriptable");
}

Result<Value> slice(const Value& value, const Slice& slice) {
  TRY(defined(value));
  if (!value.list() && !value.tuple() && !value.string() && !value.as<Range>()) {
    if (value.dict()) return type_error("unhashable type: 'slice'");
    return type_error("'" + value.type_name() + "' object is not subscriptable");
  }
  const auto* range = value.as<Range>();
  ASSIGN(const List items, range ? Result<List>(List()) : iterate(value));
  const auto size = range ? range->count() : static_cast<std::int64_t>(items.size());
  const std::int64_t step = slice.step.value_or(1);
  if (step == 0) return value_error("slice step cannot be zero");
  const auto clamp = [&](std::optional<std::int64_t> at, std::int64_t fallback) {
    if (!at) return fallback;
    const std::int64_t from = *at < 0 ? *at + size : *at;
    return std::clamp<std::int64_t>(from, step < 0 ? -1 : 0, step < 0 ? size - 1 : size);
  };
  const std::int64_t start = clamp(slice.start, step < 0 ? size - 1 : 0);
  const std::int64_t stop = clamp(slice.stop, step < 0 ? -1 : size);
  if (range)
    return Value(std::shared_ptr<const Object>(std::make_shared<Range>(
        range->start + start * range->step, range->start + stop * range->step,
        range->step * std::clamp<std::int64_t>(step, -200000, 200000))));
  const std::int64_t stride = std::clamp<std::int64_t>(step, -size - 1, size + 1);
  List out;
  for (std::int64_t i = start; stride > 0 ? i < stop : i > stop; i += stride)
    out.push_back(items[static_cast<std::size_t>(i)]);
  if (value.string()) {
    std::string text;
    for (const Value& part : out) text += *part.string();
    return value.is_markup() ? Value::markup(std::move(text)) : Value(std::move(text));
  }
  if (value.tuple()) return Value(Tuple{std::move(out)});
  return Value(std::move(out));
}

std::optional<Value> own_attribute(const Value& value, std::string_view name) {
  if (value.string()) return string_attribute(value, name);
  if (value.list() || value.tuple()) return list_attribute(value, name);
  if (value.dict()) return dict_attribute(value, name);
  if (value.number()) return number_attribute(value, name);
  if (const auto time = time_value(value)) {
    if (time->pendulum) {
      if (auto found = pendulum_attribute(*time, name)) return found;
    }
    return time_attribute(*time, name);
  }
  if (const auto* delta = value.delta()) return delta_attribute(*delta, name);
  return std::nullopt;
}

namespace {

/// getattr(); none where Python raises AttributeError.
Result<std::optional<Value>> attribute_of(const Value& value, std::string_view name) {
  if (name.starts_with("__")) {
    if (is_unsafe(name)) return unsafe(value, name);
    return std::nullopt;
  }
  if (const auto* held = value.object(); held && !time_value(value)) {
    ASSIGN(Value found, (*held)->checked_attribute(name));
    if (found.is_undefined()) return std::nullopt;
    return found;
  }
  return own_attribute(value, name);
}

bool is_lookup_failure(const Error& error) {
  const std::string_view kind = exception_class(error);
  return kind == "KeyError" || kind == "IndexError" || kind == "TypeError";
}

}  // namespace

Result<Value> get_attribute(const Value& value, std::string_view name) {
  TRY(defined(value));
  TRY(spend(1));
  ASSIGN(auto found, attribute_of(value, name));
  if (found) return *found;
  auto item = subscript(value, Value(name));
  if (item) return item;
  if (!is_lookup_failure(item.error())) return item;
  return undefined_attribute(value, name);
}

Result<Value> get_item(const Value& value, const Value& key) {
  TRY(defined(value));
  TRY(defined(key));
  TRY(spend(1));
  auto item = subscript(value, key);
  if (item || !is_lookup_failure(item.error())) return item;
  if (key.string()) {
    ASSIGN(auto found, attribute_of(value, *key.string()));
    if (found) return *found;
  }
  return undefined_item(value, key);
}

}  // namespace tailrace::jinja
