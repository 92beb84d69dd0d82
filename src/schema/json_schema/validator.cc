#include "schema/json_schema/validator.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "schema/json_schema/decimal.h"
#include "schema/json_schema/equality.h"
#include "schema/json_schema/rules.h"
#include "schema/place.h"

namespace tailrace::schema::json_schema {
namespace {

namespace dom = simdjson::dom;
using Element = dom::element;

// Schemas that apply in one another, by way of `$ref` too.
constexpr int kMaxDepth = 500;
constexpr std::int64_t kMaxSteps = 3'000'000;
// Arrays of more items are looked through for two alike by their hashes.
constexpr std::size_t kFewItems = 16;

std::uint8_t type_of(const Element& value, bool whole_is_integer) {
  switch (value.type()) {
    case dom::element_type::NULL_VALUE:
      return kNullBit;
    case dom::element_type::BOOL:
      return kBooleanBit;
    case dom::element_type::INT64:
    case dom::element_type::UINT64:
      return kNumberBit | kIntegerBit;
    case dom::element_type::DOUBLE: {
      const double real = double(value);
      return whole_is_integer && std::trunc(real) == real ? kNumberBit | kIntegerBit : kNumberBit;
    }
    case dom::element_type::STRING:
      return kStringBit;
    case dom::element_type::ARRAY:
      return kArrayBit;
    case dom::element_type::OBJECT:
      return kObjectBit;
  }
  return 0;
}

std::int64_t characters(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; });
}

// One document against the rules.
class Check {
 public:
  explicit Check(const Rules& rules) : rules_(rules) {}

  std::optional<Violation> run(const Element& document) {
    if (passes(rules_.root(), document, Place(), Place())) return std::nullopt;
    return std::move(first_);
  }

 private:
  using Marks = std::vector<bool>;

  bool fail(const Place& at, const Place& schema, const char* keyword, std::string what) {
    if (trials_ > 0 || !first_.what.empty()) return false;
    const auto pointer = [](const Place& place) {
      std::string text = place.text();
      return text == "/" ? std::string() : text;
    };
    first_.instance = pointer(at);
    first_.keyword = *keyword ? pointer(Place(schema, keyword)) : pointer(schema);
    first_.what = std::move(what);
    return false;
  }

  // Whether a rule holds, where it does not matter why not.
  bool tries(const Rule& rule, const Element& value, const Place& at) {
    ++trials_;
    const bool made = passes(rule, value, at, at);
    --trials_;
    return made;
  }

  bool passes(const Rule& rule, const Element& value, const Place& at, const Place& schema) {
    if (++steps_ > kMaxSteps || depth_ >= kMaxDepth) {
      given_up_ = true;
      trials_ = 0;
      return fail(at, schema, "", "takes too many steps to check");
    }
    if (rule.nothing) return fail(at, schema, "", "may not be");
    ++depth_;
    const bool scoped = rules_.is_dynamic() && (scope_.empty() || scope_.back() != rule.base);
    if (scoped) scope_.push_back(rule.base);
    const bool made = passes_own(rule, value, at, schema) && !given_up_;
    if (scoped) scope_.pop_back();
    --depth_;
    return made;
  }

  bool passes_own(const Rule& rule, const Element& value, const Place& at, const Place& schema) {
    const std::uint8_t type = type_of(value, rule.whole_is_integer);
    if ((type & rule.types) == 0) return fail(at, schema, "type", "is of another type");
    if (rule.constant && !is_one_of(*rule.constant, value))
      return fail(at, schema, "const", "is another value");
    if (rule.choice && !is_one_of(*rule.choice, value))
      return fail(at, schema, "enum", "is none of the values");
    bool passed = true;
    if (rule.number && (type & kNumberBit) != 0)
      passed = numbers(*rule.number, value, at, schema);
    else if (rule.string && type == kStringBit)
      passed = strings(*rule.string, value, at, schema);
    else if (rule.array && type == kArrayBit)
      passed = arrays(*rule.array, dom::array(value), at, schema);
    else if (rule.object && type == kObjectBit)
      passed = objects(*rule.object, dom::object(value), value, at, schema);
    if (!passed) return false;
    if (rule.combined && !combinations(*rule.combined, value, at, schema)) return false;
    return !evaluates(rule) || unevaluated(rule, value, at, schema);
  }

  static bool is_one_of(const ValueRule& rule, const Element& value) {
    std::string_view text;
    if (!value.get(text)) return rule.texts.contains(text);
    return std::ranges::any_of(rule.values,
                               [&](const Json* one) { return are_equal(value, *one); });
  }

  bool numbers(const NumberRule& rule, const Element& value, const Place& at, const Place& schema) {
    if (rule.minimum && order(value, *rule.minimum) < 0)
      return fail(at, schema, "minimum", "is too small");
    if (rule.maximum && order(value, *rule.maximum) > 0)
      return fail(at, schema, "maximum", "is too large");
    if (rule.exclusive_minimum && order(value, *rule.exclusive_minimum) <= 0)
      return fail(at, schema, "exclusiveMinimum", "is too small");
    if (rule.exclusive_maximum && order(value, *rule.exclusive_maximum) >= 0)
      return fail(at, schema, "exclusiveMaximum", "is too large");
    if (rule.multiple_of && !is_multiple(value, *rule.multiple_of))
      return fail(at, schema, "multipleOf", "is no multiple");
    return true;
  }

  static bool is_multiple(const Element& value, const Json& divisor) {
    std::int64_t whole = 0;
    if (!value.get(whole)) {
      if (const auto* by = divisor.integer()) return *by == 0 || *by == -1 || whole % *by == 0;
      return is_multiple_of(whole, divisor);
    }
    std::uint64_t big = 0;
    if (!value.get(big)) return is_multiple_of(big, divisor);
    return is_multiple_of(double(value), divisor);
  }

  bool strings(const StringRule& rule, const Element& value, const Place& at, const Place& schema) {
    const std::string_view text = value.get_string().value_unsafe();
    // A character has one to four bytes.
    const auto bytes = static_cast<std::int64_t>(text.size());
    if (bytes > rule.max || bytes < 4 * rule.min) {
      const std::int64_t length = characters(text);
      if (length < rule.min) return fail(at, schema, "minLength", "is too short");
      if (length > rule.max) return fail(at, schema, "maxLength", "is too long");
    }
    if (rule.pattern && !rule.pattern->found_in(text))
      return fail(at, schema, "pattern", "does not match the pattern");
    if (rule.format && !has_format(*rule.format, text))
      return fail(at, schema, "format", "is no " + *rule.format);
    return true;
  }

  bool arrays(const ArrayRule& rule, const dom::array& items, const Place& at,
              const Place& schema) {
    std::size_t i = 0;
    std::int64_t contained = 0;
    for (const Element item : items) {
      const Place place(at, i);
      if (i < rule.prefix.size()) {
        const Place keyword(schema, rule.prefix_name);
        if (!passes(*rule.prefix[i], item, place, Place(keyword, i))) return false;
      } else if (rule.rest && !passes(*rule.rest, item, place, Place(schema, rule.rest_name))) {
        return false;
      }
      if (rule.contains && tries(*rule.contains, item, place)) ++contained;
      ++i;
    }
    const auto count = static_cast<std::int64_t>(i);
    if (count < rule.min) return fail(at, schema, "minItems", "has too few items");
    if (count > rule.max) return fail(at, schema, "maxItems", "has too many items");
    if (rule.contains && contained < rule.min_contains)
      return fail(at, schema, "contains", "has too few such items");
    if (rule.contains && contained > rule.max_contains)
      return fail(at, schema, "maxContains", "has too many such items");
    if (rule.unique && !are_unique(items, i))
      return fail(at, schema, "uniqueItems", "has two items alike");
    return true;
  }

  static bool are_unique(const dom::array& items, std::size_t count) {
    if (count <= kFewItems) {
      for (auto one = items.begin(); one != items.end(); ++one) {
        auto other = one;
        for (++other; other != items.end(); ++other)
          if (are_equal(*one, *other)) return false;
      }
      return true;
    }
    std::vector<std::pair<std::uint64_t, Element>> hashed;
    hashed.reserve(count);
    for (const Element item : items) hashed.emplace_back(hash_of(item), item);
    std::ranges::sort(hashed, {}, [](const auto& one) { return one.first; });
    for (std::size_t i = 0; i < hashed.size(); ++i)
      for (std::size_t k = i + 1; k < hashed.size() && hashed[k].first == hashed[i].first; ++k)
        if (are_equal(hashed[i].second, hashed[k].second)) return false;
    return true;
  }

  bool objects(const ObjectRule& rule, const dom::object& members, const Element& value,
               const Place& at, const Place& schema) {
    std::int64_t count = 0;
    std::uint64_t seen = 0;
    std::size_t hint = 0;
    for (const auto& [name, member] : members) {
      ++count;
      const Place place(at, name);
      const Property* property = rule.properties.find(name, hint);
      if (property && property->required >= 0 && property->required < 64)
        seen |= std::uint64_t{1} << property->required;
      if (!passes_member(rule, property, name, member, place, schema)) return false;
      if (rule.names && !passes_name(*rule.names, name, place, schema)) return false;
    }
    if (!has_required(rule, members, seen, at, schema)) return false;
    if (count < rule.min) return fail(at, schema, "minProperties", "has too few members");
    if (count > rule.max) return fail(at, schema, "maxProperties", "has too many members");
    return dependencies(rule, members, value, at, schema);
  }

  bool passes_member(const ObjectRule& rule, const Property* property, std::string_view name,
                     const Element& member, const Place& place, const Place& schema) {
    bool known = false;
    if (property && property->rule) {
      known = true;
      const Place keyword(schema, "properties");
      if (!passes(*property->rule, member, place, Place(keyword, name))) return false;
    }
    for (std::size_t i = 0; i < rule.patterns.size(); ++i) {
      const auto& [pattern, inside] = rule.patterns[i];
      if (!pattern->enforced() || !pattern->found_in(name)) continue;
      known = true;
      const Place keyword(schema, "patternProperties");
      if (!passes(*inside, member, place, Place(keyword, rule.pattern_texts[i]))) return false;
    }
    if (known || !rule.additional) return true;
    return passes(*rule.additional, member, place, Place(schema, "additionalProperties"));
  }

  // A name is a document of its own.
  bool passes_name(const Rule& rule, std::string_view name, const Place& place,
                   const Place& schema) {
    std::string text;
    append_json_text(text, name);
    dom::parser parser;
    const Element element = parser.parse(simdjson::padded_string(text)).value_unsafe();
    return passes(rule, element, place, Place(schema, "propertyNames"));
  }

  bool has_required(const ObjectRule& rule, const dom::object& members, std::uint64_t seen,
                    const Place& at, const Place& schema) {
    const std::size_t count = std::min<std::size_t>(rule.required.size(), 64);
    const std::uint64_t all = count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
    if ((seen & all) != all) {
      const auto missing = static_cast<std::size_t>(std::countr_one(seen));
      return fail(at, schema, "required", "lacks '" + rule.required[missing] + "'");
    }
    for (std::size_t i = 64; i < rule.required.size(); ++i)
      if (members.at_key(rule.required[i]).error())
        return fail(at, schema, "required", "lacks '" + rule.required[i] + "'");
    return true;
  }

  bool dependencies(const ObjectRule& rule, const dom::object& members, const Element& value,
                    const Place& at, const Place& schema) {
    for (const auto& [name, others] : rule.dependent_required) {
      if (members.at_key(name).error()) continue;
      for (const auto& other : others)
        if (members.at_key(other).error())
          return fail(at, Place(schema, rule.dependent_name), std::string(name).c_str(),
                      "lacks '" + other + "'");
    }
    for (const auto& [name, inside] : rule.dependent_schemas) {
      if (members.at_key(name).error()) continue;
      const Place keyword(schema, *rule.dependent_name == 'd' && rule.dependent_name[8] == 'R'
                                      ? "dependentSchemas"
                                      : rule.dependent_name);
      if (!passes(*inside, value, at, Place(keyword, name))) return false;
    }
    return true;
  }

  const Rule& outermost(const CombinedRule& rule) const {
    if (!rule.outer.empty())
      for (const std::string* base : scope_)
        if (const auto found = rule.outer.find(base); found != rule.outer.end())
          return *found->second;
    return *rule.dynamic;
  }

  bool combinations(const CombinedRule& rule, const Element& value, const Place& at,
                    const Place& schema) {
    if (rule.ref && !passes(*rule.ref, value, at, Place(schema, "$ref"))) return false;
    if (rule.dynamic && !passes(outermost(rule), value, at, Place(schema, rule.dynamic_name)))
      return false;
    for (std::size_t i = 0; i < rule.all.size(); ++i) {
      const Place keyword(schema, "allOf");
      if (!passes(*rule.all[i], value, at, Place(keyword, i))) return false;
    }
    if (!rule.any.empty() &&
        std::ranges::none_of(rule.any, [&](const Rule* one) { return tries(*one, value, at); }))
      return fail(at, schema, "anyOf", "is none of the alternatives");
    if (!rule.one.empty()) {
      const auto fitting =
          std::ranges::count_if(rule.one, [&](const Rule* one) { return tries(*one, value, at); });
      if (fitting != 1)
        return fail(at, schema, "oneOf",
                    fitting == 0 ? "is none of the alternatives" : "is more than one of them");
    }
    if (rule.never && tries(*rule.never, value, at))
      return fail(at, schema, "not", "is what it may not be");
    if (!rule.condition) return true;
    const bool holds = tries(*rule.condition, value, at);
    const Rule* next = holds ? rule.then : rule.otherwise;
    return !next || passes(*next, value, at, Place(schema, holds ? "then" : "else"));
  }

  // size() ends at 2^24.
  template <typename T>
  static std::size_t count_of(const T& all) {
    std::size_t count = 0;
    for (auto one = all.begin(); one != all.end(); ++one) ++count;
    return count;
  }

  static bool evaluates(const Rule& rule) {
    return (rule.object && rule.object->unevaluated) || (rule.array && rule.array->unevaluated);
  }

  bool unevaluated(const Rule& rule, const Element& value, const Place& at, const Place& schema) {
    if (value.is_object() && rule.object && rule.object->unevaluated) {
      const dom::object members(value);
      Marks marks(count_of(members));
      mark(rule, value, at, marks, true);
      std::size_t i = 0;
      for (const auto& [name, member] : members)
        if (!marks[i++] && !passes(*rule.object->unevaluated, member, Place(at, name),
                                   Place(schema, "unevaluatedProperties")))
          return false;
    }
    if (value.is_array() && rule.array && rule.array->unevaluated) {
      const dom::array items(value);
      Marks marks(count_of(items));
      mark(rule, value, at, marks, true);
      std::size_t i = 0;
      for (const Element item : items) {
        if (!marks[i] && !passes(*rule.array->unevaluated, item, Place(at, i),
                                 Place(schema, "unevaluatedItems")))
          return false;
        ++i;
      }
    }
    return true;
  }

  // Which members or items a rule that holds has looked at.
  void mark(const Rule& rule, const Element& value, const Place& at, Marks& marks, bool own) {
    if (++steps_ > kMaxSteps || depth_ >= kMaxDepth) return;
    ++depth_;
    const bool scoped = rules_.is_dynamic() && (scope_.empty() || scope_.back() != rule.base);
    if (scoped) scope_.push_back(rule.base);
    if (value.is_object() && rule.object) mark_members(*rule.object, value, marks, own);
    if (value.is_array() && rule.array) mark_items(*rule.array, value, at, marks, own);
    if (rule.combined) mark_combined(*rule.combined, value, at, marks);
    if (value.is_object() && rule.object)
      for (const auto& [name, inside] : rule.object->dependent_schemas)
        if (!dom::object(value).at_key(name).error()) mark(*inside, value, at, marks, false);
    if (scoped) scope_.pop_back();
    --depth_;
  }

  static void mark_members(const ObjectRule& rule, const Element& value, Marks& marks, bool own) {
    std::size_t i = 0;
    std::size_t hint = 0;
    const bool all = rule.additional || (rule.unevaluated && !own);
    for (const auto& [name, member] : dom::object(value)) {
      const Property* property = rule.properties.find(name, hint);
      if (all || (property && property->rule) ||
          std::ranges::any_of(rule.patterns, [&](const auto& one) {
            return one.first->enforced() && one.first->found_in(name);
          }))
        marks[i] = true;
      ++i;
    }
  }

  void mark_items(const ArrayRule& rule, const Element& value, const Place& at, Marks& marks,
                  bool own) {
    std::size_t i = 0;
    const bool all = rule.rest || (rule.unevaluated && !own);
    for (const Element item : dom::array(value)) {
      if (all || i < rule.prefix.size() ||
          (rule.contains && rule.contains_evaluates && tries(*rule.contains, item, Place(at, i))))
        marks[i] = true;
      ++i;
    }
  }

  void mark_combined(const CombinedRule& rule, const Element& value, const Place& at,
                     Marks& marks) {
    if (rule.ref) mark(*rule.ref, value, at, marks, false);
    if (rule.dynamic) mark(outermost(rule), value, at, marks, false);
    for (const Rule* one : rule.all) mark(*one, value, at, marks, false);
    for (const auto* some : {&rule.any, &rule.one})
      for (const Rule* one : *some)
        if (tries(*one, value, at)) mark(*one, value, at, marks, false);
    if (!rule.condition) return;
    const bool holds = tries(*rule.condition, value, at);
    if (holds) mark(*rule.condition, value, at, marks, false);
    if (const Rule* next = holds ? rule.then : rule.otherwise) mark(*next, value, at, marks, false);
  }

  const Rules& rules_;
  Violation first_;
  int trials_ = 0;
  int depth_ = 0;
  std::int64_t steps_ = 0;
  bool given_up_ = false;
  std::vector<const std::string*> scope_;
};

}  // namespace

Validator::Validator() = default;
Validator::Validator(Validator&&) noexcept = default;
Validator& Validator::operator=(Validator&&) noexcept = default;
Validator::~Validator() = default;

Result<Validator> Validator::compile(std::shared_ptr<const JsonSchema> schema, Formats formats) {
  Validator made;
  ASSIGN(made.rules_, Rules::compile(std::move(schema), formats));
  return made;
}

std::string message_of(const Violation& violation) {
  return fmt::format("{}{}{} ({})", violation.instance, violation.instance.empty() ? "" : " ",
                     violation.what, violation.keyword);
}

std::optional<Violation> Validator::check(const Element& document) const {
  return Check(*rules_).run(document);
}

}  // namespace tailrace::schema::json_schema
