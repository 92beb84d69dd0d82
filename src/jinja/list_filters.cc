// Filters of lists and dicts that take each item as it is.
#include <algorithm>
#include <cmath>

#include "jinja/attribute_path.h"
#include "jinja/filters.h"
#include "jinja/methods.h"
#include "jinja/texts.h"

namespace tailrace::jinja {
namespace {

Result<std::vector<Value>> given(const Call& call, std::string_view name,
                                 std::initializer_list<Parameter> parameters) {
  return bind(name, call.arguments, call.named, parameters);
}

Result<Value> length_filter(const Call& call) {
  ASSIGN(const std::int64_t size, length(call.value));
  return Value(size);
}

Result<Value> list_filter(const Call& call) {
  ASSIGN(List items, iterate(call.value));
  return Value(std::move(items));
}

Value nothing(const char* what) {
  return Undefined{"", std::string("No ") + what + " item, sequence was empty."};
}

Result<Value> first(const Call& call) {
  if (const auto* lazy = call.value.as<Generator>()) {
    auto next = lazy->next();
    return next ? *next : nothing("first");
  }
  ASSIGN(const List items, iterate(call.value));
  return items.empty() ? nothing("first") : items.front();
}

Result<Value> last(const Call& call) {
  if (call.value.as<Generator>()) return type_error("'generator' object is not reversible");
  ASSIGN(const List items, iterate(call.value));
  return items.empty() ? nothing("last") : items.back();
}

Result<Value> random_item(const Call& call) {
  TRY(length(call.value));
  ASSIGN(const List items, iterate(call.value));
  if (items.empty()) return nothing("random");
  if (!budget() || !budget()->random)
    return raised("TemplateRuntimeError", "there is no source of random numbers here",
                  Code::kUnimplemented);
  const auto at = static_cast<std::size_t>(budget()->random() * static_cast<double>(items.size()));
  return items[std::min(at, items.size() - 1)];
}

Result<Value> reverse(const Call& call) {
  if (const auto* text = call.value.string()) {
    std::string out;
    auto all = characters(*text);
    for (auto it = all.rbegin(); it != all.rend(); ++it) out += *it;
    return call.value.is_markup() ? Value::markup(std::move(out)) : Value(std::move(out));
  }
  TRY(defined(call.value));
  auto items = iterate(call.value);
  if (!items && exception_class(items.error()) == "TypeError")
    return raised("FilterArgumentError", "argument must be iterable");
  TRY(items);
  std::ranges::reverse(*items);
  return generator(std::move(*items));
}

Result<Value> join_filter(const Call& call) {
  ASSIGN(const auto with, given(call, "do_join", {{"d", ""}, {"attribute", Value()}}));
  ASSIGN(const std::string separator, to_text(with[0]));
  ASSIGN(const List items, iterate(call.value));
  std::string out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    Value item = items[i];
    if (!with[1].is_none()) {
      ASSIGN(item, at_path(item, with[1], nullptr));
    }
    ASSIGN(const std::string part, to_text(item));
    if (i > 0) out += separator;
    out += part;
    TRY(spend_bytes(part.size() + separator.size()));
    if (budget() && out.size() > budget()->max_output) TRY(spend_bytes(out.size()));
  }
  return Value(std::move(out));
}

Result<Value> batch(const Call& call) {
  ASSIGN(const auto with, given(call, "do_batch", {"linecount", {"fill_with", Value()}}));
  ASSIGN(const List items, iterate(call.value));
  TRY(defined(with[0]));
  const std::int64_t count = with[0].index().value_or(0);
  List out, now;
  for (const Value& item : items) {
    if (static_cast<std::int64_t>(now.size()) == count) {
      out.emplace_back(std::move(now));
      now = List();
    }
    now.push_back(item);
  }
  if (!now.empty()) {
    if (!with[1].is_none() && static_cast<std::int64_t>(now.size()) < count) {
      TRY(spend_items(static_cast<std::size_t>(count)));
      now.resize(static_cast<std::size_t>(count), with[1]);
    }
    out.emplace_back(std::move(now));
  }
  return generator(std::move(out));
}

Result<Value> slice_filter(const Call& call) {
  ASSIGN(const auto with, given(call, "do_slice", {"slices", {"fill_with", Value()}}));
  ASSIGN(const List items, iterate(call.value));
  TRY(defined(with[0]));
  if (!with[0].index())
    return type_error("unsupported operand type(s) for //: 'int' and '" + with[0].type_name() +
                      "'");
  const std::int64_t slices = *with[0].index();
  if (slices == 0) return raised("ZeroDivisionError", "integer division or modulo by zero");
  if (slices < 0) return generator({});
  TRY(spend_items(static_cast<std::size_t>(slices)));
  const auto size = static_cast<std::int64_t>(items.size());
  const std::int64_t each = size / slices, longer = size % slices;
  List out;
  std::int64_t at = 0;
  for (std::int64_t i = 0; i < slices; ++i) {
    const std::int64_t end = at + each + (i < longer ? 1 : 0);
    List part(items.begin() + at, items.begin() + end);
    if (!with[1].is_none() && i >= longer) part.push_back(with[1]);
    out.emplace_back(std::move(part));
    at = end;
  }
  return generator(std::move(out));
}

Result<Value> items_filter(const Call& call) {
  if (call.value.is_undefined()) return generator({});
  if (!call.value.dict()) return type_error("Can only get item pairs from a mapping.");
  List out;
  for (const auto& [key, value] : call.value.dict()->items()) out.emplace_back(Tuple{{key, value}});
  return generator(std::move(out));
}

Result<Value> dictsort(const Call& call) {
  ASSIGN(const auto with, given(call, "do_dictsort",
                                {{"case_sensitive", false}, {"by", "key"}, {"reverse", false}}));
  TRY(defined(call.value));
  const std::string by = with[1].text();
  if (by != "key" && by != "value")
    return raised("FilterArgumentError", "You can only sort by either \"key\" or \"value\"");
  const auto* dict = call.value.dict();
  if (!dict)
    return raised("AttributeError",
                  "'" + call.value.type_name() + "' object has no attribute 'items'");
  List pairs;
  for (const auto& [key, value] : dict->items()) pairs.emplace_back(Tuple{{key, value}});
  const std::size_t place = by == "key" ? 0 : 1;
  ASSIGN(List made, sorted(
                        pairs,
                        [&](const Value& pair) -> Result<Value> {
                          const Value& part = pair.tuple()->items[place];
                          return with[0].truth() ? part : without_case(part);
                        },
                        with[2].truth()));
  return Value(std::move(made));
}

Result<Value> sum(const Call& call) {
  ASSIGN(const auto with, given(call, "do_sum", {{"attribute", Value()}, {"start", 0}}));
  ASSIGN(const List items, iterate(call.value));
  Value total = with[1];
  if (total.string()) return type_error("sum() can't sum strings [use ''.join(seq) instead]");
  // Python 3.11 adds floats one by one.
  for (Value item : items) {
    if (!with[0].is_none()) {
      ASSIGN(item, at_path(item, with[0], nullptr));
    }
    ASSIGN(total, operate(Operator::kAdd, total, item));
  }
  return total;
}

Result<Value> default_filter(const Call& call) {
  ASSIGN(const auto with, given(call, "do_default", {{"default_value", ""}, {"boolean", false}}));
  if (call.value.is_undefined()) return with[0];
  return with[1].truth() && !call.value.truth() ? with[0] : call.value;
}

Result<Value> attr(const Call& call) {
  ASSIGN(const auto with, given(call, "do_attr", {"name"}));
  TRY(defined(call.value));
  ASSIGN(const std::string name, to_text(with[0]));
  if (const auto* held = call.value.object()) return (*held)->checked_attribute(name);
  if (name.starts_with("__")) return get_attribute(call.value, name);
  if (auto found = own_attribute(call.value, name)) return *found;
  return Value(Undefined{
      name, "'" + call.value.type_name() + " object' has no attribute " + text_repr(name)});
}

// --- pprint --------------------------------------------------------------------------------------

/// Python's pprint, 80 columns wide, dicts sorted by their keys.
class Pretty {
 public:
  std::string out;

  void write(const Value& value, std::size_t indent, std::size_t allowance, int depth) {
    if (!spend(1)) return;
    const std::string flat = sorted_repr(value, 0);
    if (flat.size() + indent + allowance <= 80 || depth > 50) {
      out += flat;
    } else if (value.list()) {
      items(*value.list(), "[", "]", indent, allowance, depth);
    } else if (value.tuple()) {
      const bool one = value.tuple()->items.size() == 1;
      items(value.tuple()->items, "(", one ? ",)" : ")", indent, allowance, depth);
    } else if (value.dict()) {
      entries(*value.dict(), indent, allowance, depth);
    } else {
      out += flat;
    }
  }

 private:
  static std::vector<std::pair<Value, Value>> in_order(const Dict& dict) {
    auto entries = dict.items();
    std::ranges::stable_sort(entries, [](const auto& a, const auto& b) {
      const auto less = compare(Comparison::kLt, a.first, b.first);
      return less ? *less : a.first.type_name() < b.first.type_name();
    });
    return entries;
  }

  static std::string joined(const List& list, int depth) {
    std::string text;
    for (const Value& value : list) text += (text.empty() ? "" : ", ") + sorted_repr(value, depth);
    return text;
  }

  static std::string sorted_repr(const Value& value, int depth) {
    if (depth > 50 || !spend(1)) return "...";
    if (const auto* list = value.list()) return "[" + joined(*list, depth + 1) + "]";
    if (const auto* tuple = value.tuple())
      return "(" + joined(tuple->items, depth + 1) + (tuple->items.size() == 1 ? ",)" : ")");
    const auto* dict = value.dict();
    if (!dict) return value.repr();
    std::string text;
    for (const auto& [key, held] : in_order(*dict))
      text += (text.empty() ? "" : ", ") + sorted_repr(key, depth + 1) + ": " +
              sorted_repr(held, depth + 1);
    return "{" + text + "}";
  }

  void items(const List& list, const char* open, const std::string& close, std::size_t indent,
             std::size_t allowance, int depth) {
    out += open;
    for (std::size_t i = 0; i < list.size(); ++i) {
      const bool end = i + 1 == list.size();
      write(list[i], indent + 1, end ? allowance + close.size() : 1, depth + 1);
      if (!end) out += ",\n" + std::string(indent + 1, ' ');
    }
    out += close;
  }

  void entries(const Dict& dict, std::size_t indent, std::size_t allowance, int depth) {
    out += "{";
    const auto all = in_order(dict);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const bool end = i + 1 == all.size();
      const std::string key = sorted_repr(all[i].first, 0);
      out += key + ": ";
      write(all[i].second, indent + 1 + key.size() + 2, end ? allowance + 1 : 1, depth + 1);
      if (!end) out += ",\n" + std::string(indent + 1, ' ');
    }
    out += "}";
  }
};

Result<Value> pprint(const Call& call) {
  TRY(defined(call.value));
  Pretty pretty;
  pretty.write(call.value, 0, 0, 0);
  TRY(spend_bytes(pretty.out.size()));
  return Value(std::move(pretty.out));
}

constexpr NamedFilter kFilters[] = {
    {"length", length_filter},
    {"count", length_filter},
    {"list", list_filter},
    {"first", first},
    {"last", last},
    {"random", random_item},
    {"reverse", reverse},
    {"join", join_filter},
    {"batch", batch},
    {"slice", slice_filter},
    {"items", items_filter},
    {"dictsort", dictsort},
    {"sum", sum},
    {"default", default_filter},
    {"d", default_filter},
    {"attr", attr},
    {"pprint", pprint},
};

}  // namespace

std::span<const NamedFilter> list_filters() {
  return kFilters;
}

}  // namespace tailrace::jinja
