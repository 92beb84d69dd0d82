#include "jinja/python.h"

#include <algorithm>

#include "jinja/filters.h"
#include "jinja/texts.h"
#include "jinja/times.h"

namespace tailrace::jinja {
namespace {

thread_local Budget* spending = nullptr;

constexpr std::size_t kBytesAStep = 16;

}  // namespace

// --- failures ------------------------------------------------------------------------------------

std::unexpected<Error> raised(std::string_view python_class, std::string what, Code code) {
  return error(code, std::string(python_class) + ": " + std::move(what));
}

std::unexpected<Error> type_error(std::string what) {
  return raised("TypeError", std::move(what));
}

std::unexpected<Error> value_error(std::string what) {
  return raised("ValueError", std::move(what));
}

std::unexpected<Error> undefined_error(std::string what) {
  return raised("UndefinedError", std::move(what), Code::kNotFound);
}

std::string_view exception_class(const Error& error) {
  return std::string_view(error.what).substr(0, error.what.find(':'));
}

// --- limits --------------------------------------------------------------------------------------

Budget* budget() {
  return spending;
}

Spending::Spending(Budget& budget) : before_(spending) {
  spending = &budget;
}

Spending::~Spending() {
  spending = before_;
}

Status spend(std::int64_t steps) {
  if (!spending) return {};
  spending->steps_left -= steps;
  if (spending->steps_left < 0)
    return raised("ResourceError", "the template takes too many steps", Code::kResourceExhausted);
  return {};
}

Status spend_bytes(std::size_t bytes) {
  if (!spending) return {};
  if (bytes > spending->max_output)
    return raised("ResourceError",
                  "a text of " + std::to_string(bytes) + " bytes; at most " +
                      std::to_string(spending->max_output) + " are allowed",
                  Code::kResourceExhausted);
  return spend(static_cast<std::int64_t>(1 + bytes / kBytesAStep));
}

Status spend_items(std::size_t count) {
  if (!spending) return {};
  if (count > spending->max_output)
    return raised("ResourceError", "a list of " + std::to_string(count) + " items",
                  Code::kResourceExhausted);
  return spend(static_cast<std::int64_t>(1 + count));
}

Status spend_product(std::int64_t count, std::size_t bytes) {
  std::size_t total = 0;
  if (count <= 0 || bytes == 0) return {};
  if (__builtin_mul_overflow(static_cast<std::size_t>(count), bytes, &total))
    total = ~std::size_t{};
  return spend_bytes(total);
}

// --- built-in functions --------------------------------------------------------------------------

Status defined(const Value& value) {
  const Undefined* undefined = value.undefined();
  if (!undefined) return {};
  if (undefined->unsafe_access)
    return raised("SecurityError", undefined->sentence(), Code::kPermissionDenied);
  return undefined_error(undefined->sentence());
}

namespace {

bool strict() {
  return !spending || spending->strict_undefined;
}

/// Undefined under the lenient rule, which prints as nothing and is false.
Status lenient(const Value& value) {
  const Undefined* undefined = value.undefined();
  const bool fails = undefined && (undefined->unsafe_access || (strict() && !undefined->lenient));
  return fails ? defined(value) : Status{};
}

}  // namespace

Result<std::string> to_text(const Value& value) {
  TRY(lenient(value));
  std::string text = value.text();
  TRY(spend_bytes(text.size()));
  return text;
}

Result<bool> to_truth(const Value& value) {
  TRY(lenient(value));
  return value.truth();
}

bool iterable(const Value& value) {
  if (value.string() || value.list() || value.tuple() || value.dict() || value.is_undefined())
    return true;
  const auto* held = value.object();
  return held &&
         ((*held)->mapping() || (*held)->length() || dynamic_cast<const Generator*>(held->get()));
}

Result<List> iterate(const Value& value) {
  TRY(lenient(value));
  if (const auto* items = value.list()) {
    TRY(spend_items(items->size()));
    return *items;
  }
  if (const auto* items = value.tuple()) {
    TRY(spend_items(items->items.size()));
    return items->items;
  }
  List out;
  if (value.is_undefined()) return out;
  if (const auto* items = value.dict()) {
    TRY(spend_items(items->size()));
    for (const auto& [key, held] : items->items()) out.push_back(key);
    return out;
  }
  if (const auto* text = value.string()) {
    TRY(spend_items(character_count(*text)));
    for (const auto character : characters(*text)) out.emplace_back(character);
    return out;
  }
  if (const auto* held = value.object()) {
    if (const auto size = (*held)->length())
      TRY(spend_items(static_cast<std::size_t>(std::max<std::int64_t>(*size, 0))));
    if (auto items = (*held)->elements()) {
      TRY(spend_items(items->size()));
      return std::move(*items);
    }
  }
  return type_error("'" + value.type_name() + "' object is not iterable");
}

Result<std::int64_t> length(const Value& value) {
  TRY(lenient(value));
  if (value.is_undefined()) return 0;
  if (const auto* items = value.list()) return static_cast<std::int64_t>(items->size());
  if (const auto* items = value.tuple()) return static_cast<std::int64_t>(items->items.size());
  if (const auto* items = value.dict()) return static_cast<std::int64_t>(items->size());
  if (const auto* text = value.string()) return static_cast<std::int64_t>(character_count(*text));
  if (const auto* held = value.object())
    if (const auto size = (*held)->length()) return *size;
  return type_error("object of type '" + value.type_name() + "' has no len()");
}

Result<bool> contains(const Value& container, const Value& element) {
  TRY(lenient(container));
  if (const auto* text = container.string()) {
    if (!element.string())
      return type_error("'in <string>' requires string as left operand, not " +
                        element.type_name());
    return text->find(*element.string()) != std::string::npos;
  }
  if (const auto* items = container.dict()) {
    TRY(defined(element));
    if (!element.hashable()) return type_error("unhashable type: '" + element.type_name() + "'");
    return items->find(element) != nullptr;
  }
  if (!iterable(container)) {
    if (const auto* held = container.object(); held && (*held)->elements()) {
      // Iterable by its elements alone.
    } else {
      return type_error("argument of type '" + container.type_name() + "' is not iterable");
    }
  }
  ASSIGN(const List items, iterate(container));
  for (const Value& item : items) {
    if (strict()) {
      TRY(defined(item));
      TRY(defined(element));
    }
    if (item == element) return true;
  }
  return false;
}

Result<Value> call(const Value& function, const List& arguments, const Object::Named& named) {
  TRY(defined(function));
  TRY(spend(1));
  if (const auto* held = function.object()) return (*held)->call(arguments, named);
  return type_error("'" + function.type_name() + "' object is not callable");
}

Result<std::vector<Value>> bind(std::string_view function, const List& arguments,
                                const Object::Named& named,
                                std::initializer_list<Parameter> parameters) {
  const std::string name = std::string(function) + "()";
  std::vector<std::optional<Value>> slots(parameters.size());
  if (arguments.size() > parameters.size())
    return type_error(name + " takes " +
                      (parameters.size() == 0
                           ? "no arguments"
                           : "at most " + std::to_string(parameters.size()) + " arguments") +
                      " (" + std::to_string(arguments.size()) + " given)");
  for (std::size_t i = 0; i < arguments.size(); ++i) slots[i] = arguments[i];
  for (const auto& [key, value] : named) {
    const auto* found = std::ranges::find(parameters, std::string_view(key), &Parameter::name);
    if (found == parameters.end())
      return type_error(name + " got an unexpected keyword argument '" + key + "'");
    auto& slot = slots[static_cast<std::size_t>(found - parameters.begin())];
    if (slot) return type_error(name + " got multiple values for argument '" + key + "'");
    slot = value;
  }
  std::vector<Value> out;
  out.reserve(slots.size());
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const Parameter& parameter = *(parameters.begin() + i);
    if (!slots[i] && !parameter.fallback)
      return type_error(name + " missing 1 required positional argument: '" +
                        std::string(parameter.name) + "'");
    out.push_back(slots[i] ? std::move(*slots[i]) : *parameter.fallback);
  }
  return out;
}

// --- functions, ranges, generators ---------------------------------------------------------------

Value function(std::string name, Body body) {
  return Value(
      std::shared_ptr<const Object>(std::make_shared<Function>(std::move(name), std::move(body))));
}

Value generator(List items) {
  return Value(std::shared_ptr<const Object>(std::make_shared<Generator>(std::move(items))));
}

namespace {

Value no_attribute(std::string_view type, std::string_view name) {
  return Undefined{std::string(name),
                   "'" + std::string(type) + " object' has no attribute " + text_repr(name)};
}

}  // namespace

Value Function::attribute(std::string_view name) const {
  if (name == "__name__") return Value(name_);
  return no_attribute(type_name(), name);
}

std::int64_t Range::count() const {
  if (step > 0 && start < stop) return 1 + (stop - 1 - start) / step;
  if (step < 0 && start > stop) return 1 + (start - 1 - stop) / -step;
  return 0;
}

std::string Range::text() const {
  std::string out = "range(" + std::to_string(start) + ", " + std::to_string(stop);
  return out + (step == 1 ? ")" : ", " + std::to_string(step) + ")");
}

Value Range::attribute(std::string_view name) const {
  if (name == "start") return start;
  if (name == "stop") return stop;
  if (name == "step") return step;
  if (name == "index" || name == "count") {
    const bool index = name == "index";
    return function(std::string(name),
                    [copy = *this, index](const List& given, const Named& named) -> Result<Value> {
                      ASSIGN(const auto with, bind("index", given, named, {"value"}));
                      const auto wanted = with[0].index();
                      const std::int64_t away = wanted ? (*wanted - copy.start) / copy.step : -1;
                      const bool inside = wanted && away >= 0 && away < copy.count() &&
                                          copy.start + away * copy.step == *wanted;
                      if (!index) return Value(inside ? 1 : 0);
                      if (inside) return Value(away);
                      return value_error(wanted ? with[0].repr() + " is not in range"
                                                : "sequence.index(x): x not in sequence");
                    });
  }
  return no_attribute("range", name);
}

Result<Value> Range::item(const Value& key) const {
  const auto index = key.index();
  if (!index) return type_error("range indices must be integers or slices, not " + key.type_name());
  const std::int64_t at = *index < 0 ? *index + count() : *index;
  if (at < 0 || at >= count()) return raised("IndexError", "range object index out of range");
  return Value(start + at * step);
}

std::optional<List> Range::elements() const {
  List out;
  for (std::int64_t i = 0; i < count(); ++i) out.emplace_back(start + i * step);
  return out;
}

bool Range::equals(const Object& other) const {
  const auto* range = dynamic_cast<const Range*>(&other);
  if (!range || range->count() != count()) return false;
  return count() == 0 || (start == range->start && (count() == 1 || step == range->step));
}

Value Generator::attribute(std::string_view name) const {
  return no_attribute("generator", name);
}

std::optional<List> Generator::elements() const {
  List rest(items_.begin() + static_cast<std::ptrdiff_t>(at_), items_.end());
  at_ = items_.size();
  return rest;
}

std::optional<Value> Generator::next() const {
  if (at_ == items_.size()) return std::nullopt;
  return items_[at_++];
}

}  // namespace tailrace::jinja
