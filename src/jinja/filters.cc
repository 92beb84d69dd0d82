#include "jinja/filters.h"

#include <algorithm>

#include "jinja/methods.h"
#include "jinja/texts.h"

namespace tailrace::jinja {
namespace {

__extension__ using Wide = __int128;

constexpr std::int64_t kMostOfRange = 100'000;  // jinja2.sandbox.MAX_RANGE

Result<Value> range_function(const List& arguments, const Object::Named&) {
  if (arguments.empty() || arguments.size() > 3)
    return type_error("range expected at least 1 argument, got " +
                      std::to_string(arguments.size()));
  std::vector<std::int64_t> numbers;
  for (const Value& value : arguments) {
    TRY(defined(value));
    if (!value.index())
      return type_error("'" + value.type_name() + "' object cannot be interpreted as an integer");
    numbers.push_back(*value.index());
  }
  const std::int64_t step = numbers.size() == 3 ? numbers[2] : 1;
  if (step == 0) return value_error("range() arg 3 must not be zero");
  const auto made = numbers.size() == 1 ? std::make_shared<Range>(0, numbers[0], 1)
                                        : std::make_shared<Range>(numbers[0], numbers[1], step);
  const Wide span = static_cast<Wide>(made->stop) - made->start;
  if ((step > 0 ? span / step : -span / (step == INT64_MIN ? step + 1 : step) * -1) >
          kMostOfRange &&
      (step > 0) == (span > 0))
    return raised("OverflowError",
                  "Range too big. The sandbox blocks ranges larger than MAX_RANGE (100000).",
                  Code::kResourceExhausted);
  return Value(std::shared_ptr<const Object>(made));
}

Result<Value> dict_function(const List& arguments, const Object::Named& named) {
  Value made{Dict()};
  ASSIGN(const Value method, get_attribute(made, "update"));
  TRY(call(method, arguments, named));
  return made;
}

Value no_attribute(std::string_view type, std::string_view name) {
  return Undefined{std::string(name), "'jinja2.utils." + std::string(type) +
                                          " object' has no attribute " + text_repr(name)};
}

class Cycler final : public Object {
 public:
  explicit Cycler(List items) : items_(std::move(items)) {}
  std::string type_name() const override { return "Cycler"; }
  std::string text() const override { return "<Cycler>"; }
  Value attribute(std::string_view name) const override {
    if (name == "current") return items_[at_];
    if (name == "pos") return static_cast<std::int64_t>(at_);
    // The function keeps what it needs alive by itself: a Cycler is never copied.
    if (name == "next")
      return function("next", [this](const List&, const Named&) -> Result<Value> {
        const Value now = items_[at_];
        at_ = (at_ + 1) % items_.size();
        return now;
      });
    if (name == "reset")
      return function("reset", [this](const List&, const Named&) -> Result<Value> {
        at_ = 0;
        return Value();
      });
    return no_attribute("Cycler", name);
  }

 private:
  List items_;
  mutable std::size_t at_ = 0;
};

class Joiner final : public Object {
 public:
  explicit Joiner(Value separator) : separator_(std::move(separator)) {}
  std::string type_name() const override { return "Joiner"; }
  std::string text() const override { return "<Joiner>"; }
  Value attribute(std::string_view name) const override { return no_attribute("Joiner", name); }
  Result<Value> call(const List&, const Named&) const override {
    if (used_) return separator_;
    used_ = true;
    return Value("");
  }
  bool callable() const override { return true; }

 private:
  Value separator_;
  mutable bool used_ = false;
};

Result<Value> cycler_function(const List& arguments, const Object::Named&) {
  if (arguments.empty()) return raised("RuntimeError", "at least one item has to be provided");
  return Value(std::shared_ptr<const Object>(std::make_shared<Cycler>(arguments)));
}

Result<Value> joiner_function(const List& arguments, const Object::Named& named) {
  ASSIGN(const auto given, bind("Joiner.__init__", arguments, named, {{"sep", ", "}}));
  return Value(std::shared_ptr<const Object>(std::make_shared<Joiner>(given[0])));
}

Result<Value> namespace_function(const List& arguments, const Object::Named& named) {
  ASSIGN(const Value made, dict_function(arguments, named));
  return Value(std::shared_ptr<const Object>(std::make_shared<Namespace>(*made.dict())));
}

Result<Value> lipsum_function(const List&, const Object::Named&) {
  return raised("TemplateRuntimeError", "lipsum() is not supported here", Code::kUnimplemented);
}

}  // namespace

Value Namespace::attribute(std::string_view name) const {
  if (const Value* found = attributes.find(name)) return *found;
  return no_attribute("Namespace", name);
}

std::optional<Value> find_global(std::string_view name) {
  constexpr std::pair<std::string_view, Result<Value> (*)(const List&, const Object::Named&)>
      kGlobals[] = {
          {"range", range_function},         {"dict", dict_function},
          {"cycler", cycler_function},       {"joiner", joiner_function},
          {"namespace", namespace_function}, {"lipsum", lipsum_function},
      };
  for (const auto& [known, body] : kGlobals)
    if (known == name) return function(std::string(name), body);
  return std::nullopt;
}

Filter find_filter(std::string_view name) {
  for (const auto filters : {text_filters(), number_filters(), list_filters(), selecting_filters(),
                             html_filters(), time_filters()})
    for (const NamedFilter& each : filters)
      if (each.name == name) return each.filter;
  return nullptr;
}

Result<Value> apply_filter(std::string_view name, const Call& call) {
  TRY(spend(1));
  if (const Filter filter = find_filter(name)) return filter(call);
  return raised("TemplateRuntimeError", "No filter named " + text_repr(name) + ".");
}

Result<bool> apply_test(std::string_view name, const Call& call) {
  TRY(spend(1));
  if (const Test test = find_test(name)) return test(call);
  return raised("TemplateRuntimeError", "No test named " + text_repr(name) + ".");
}

}  // namespace tailrace::jinja
