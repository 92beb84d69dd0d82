// Jinja's tests: `is defined`, `is even` and all others.
#include <array>

#include "jinja/filters.h"
#include "jinja/texts.h"
#include "jinja/times.h"

namespace tailrace::jinja {
namespace {

Result<std::vector<Value>> given(const Call& call, std::string_view name,
                                 std::initializer_list<Parameter> parameters) {
  return bind(name, call.arguments, call.named, parameters);
}

template <Comparison kOp>
Result<bool> compares(const Call& call) {
  ASSIGN(const auto other, given(call, "test", {"other"}));
  return compare(kOp, call.value, other[0]);
}

Result<bool> remainder_is(const Value& value, const Value& divisor, std::int64_t wanted) {
  ASSIGN(const Value rest, operate(Operator::kMod, value, divisor));
  return compare(Comparison::kEq, rest, Value(wanted));
}

Result<bool> divisible(const Call& call) {
  ASSIGN(const auto other, given(call, "test_divisibleby", {"num"}));
  return remainder_is(call.value, other[0], 0);
}

Result<bool> same_as(const Call& call) {
  ASSIGN(const auto other, given(call, "test_sameas", {"other"}));
  return call.value.same(other[0]);
}

Result<bool> is_in(const Call& call) {
  ASSIGN(const auto other, given(call, "test_in", {"seq"}));
  return contains(other[0], call.value);
}

Result<bool> is_sequence(const Call& call) {
  const Value& value = call.value;
  if (value.is_undefined() && budget() && !budget()->strict_undefined) return false;
  return value.string() || value.list() || value.tuple() || value.dict() ||
         value.as<Range>() != nullptr ||
         (value.object() && (*value.object())->length().has_value() &&
          (*value.object())->mapping());
}

Result<bool> is_cased(const Call& call, bool upper) {
  ASSIGN(const std::string text, to_text(call.value));
  bool some = false;
  for (const auto c : characters(text)) {
    if (is(upper ? CharacterKind::kLower : CharacterKind::kUpper, c)) return false;
    some |= is(upper ? CharacterKind::kUpper : CharacterKind::kLower, c);
  }
  return some;
}

Result<bool> is_callable(const Call& call) {
  const auto* held = call.value.object();
  return call.value.is_undefined() || (held && (*held)->callable());
}

Result<bool> is_mapping(const Call& call) {
  const auto* held = call.value.object();
  return call.value.dict() || (held && (*held)->mapping());
}

Result<bool> is_iterable(const Call& call) {
  if (call.value.is_undefined()) {
    if (!budget() || budget()->strict_undefined) TRY(defined(call.value));
    return true;
  }
  return iterable(call.value);
}

Result<bool> named_filter(const Call& call) {
  TRY(defined(call.value));
  return call.value.string() && find_filter(*call.value.string());
}

Result<bool> named_test(const Call& call) {
  TRY(defined(call.value));
  return call.value.string() && find_test(*call.value.string());
}

constexpr NamedTest kTests[] = {
    {"boolean", [](const Call& c) -> Result<bool> { return c.value.boolean() != nullptr; }},
    {"callable", is_callable},
    {"defined", [](const Call& c) -> Result<bool> { return !c.value.is_undefined(); }},
    {"divisibleby", divisible},
    {"eq", compares<Comparison::kEq>},
    {"==", compares<Comparison::kEq>},
    {"equalto", compares<Comparison::kEq>},
    {"escaped", [](const Call& c) -> Result<bool> { return c.value.is_markup(); }},
    {"even", [](const Call& c) { return remainder_is(c.value, Value(2), 0); }},
    {"false",
     [](const Call& c) -> Result<bool> { return c.value.boolean() && !*c.value.boolean(); }},
    {"filter", named_filter},
    {"float", [](const Call& c) -> Result<bool> { return c.value.real() != nullptr; }},
    {"ge", compares<Comparison::kGe>},
    {">=", compares<Comparison::kGe>},
    {"greaterthan", compares<Comparison::kGt>},
    {"gt", compares<Comparison::kGt>},
    {">", compares<Comparison::kGt>},
    {"in", is_in},
    {"integer", [](const Call& c) -> Result<bool> { return c.value.integer() != nullptr; }},
    {"iterable", is_iterable},
    {"le", compares<Comparison::kLe>},
    {"<=", compares<Comparison::kLe>},
    {"lessthan", compares<Comparison::kLt>},
    {"lower", [](const Call& c) { return is_cased(c, false); }},
    {"lt", compares<Comparison::kLt>},
    {"<", compares<Comparison::kLt>},
    {"mapping", is_mapping},
    {"ne", compares<Comparison::kNe>},
    {"!=", compares<Comparison::kNe>},
    {"none", [](const Call& c) -> Result<bool> { return c.value.is_none(); }},
    {"number", [](const Call& c) -> Result<bool> { return c.value.number().has_value(); }},
    {"odd", [](const Call& c) { return remainder_is(c.value, Value(2), 1); }},
    {"sameas", same_as},
    {"sequence", is_sequence},
    {"string", [](const Call& c) -> Result<bool> { return c.value.string() != nullptr; }},
    {"test", named_test},
    {"true", [](const Call& c) -> Result<bool> { return c.value.boolean() && *c.value.boolean(); }},
    {"undefined", [](const Call& c) -> Result<bool> { return c.value.is_undefined(); }},
    {"upper", [](const Call& c) { return is_cased(c, true); }},
};

}  // namespace

Test find_test(std::string_view name) {
  for (const NamedTest& each : kTests)
    if (each.name == name) return each.test;
  return nullptr;
}

}  // namespace tailrace::jinja
