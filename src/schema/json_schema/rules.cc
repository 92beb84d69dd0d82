#include "schema/json_schema/rules.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace tailrace::schema::json_schema {
namespace {

// More patterns than these are too much to compile.
constexpr std::size_t kMaxPatterns = 1000;

std::uint8_t type_bit(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, std::uint8_t>, 7> kNames = {
      {{"null", kNullBit},
       {"boolean", kBooleanBit},
       {"number", kNumberBit | kIntegerBit},
       {"integer", kIntegerBit},
       {"string", kStringBit},
       {"array", kArrayBit},
       {"object", kObjectBit}}};
  for (const auto& [one, bit] : kNames)
    if (one == name) return bit;
  return 0;
}

template <typename T>
T& made(std::unique_ptr<T>& rule) {
  if (!rule) rule = std::make_unique<T>();
  return *rule;
}

}  // namespace

Property& Properties::add(std::string_view name) {
  if (const auto known = added_.find(name); known != added_.end()) return all_[known->second];
  added_.emplace(std::string(name), all_.size());
  return all_.emplace_back(Property{std::string(name)});
}

std::size_t Properties::hash(std::string_view name) {
  std::uint64_t made = name.size() * 0x9E3779B97F4A7C15ULL;
  while (name.size() >= 8) {
    std::uint64_t part = 0;
    std::memcpy(&part, name.data(), 8);
    made = (made ^ part) * 0xBF58476D1CE4E5B9ULL;
    made ^= made >> 32;
    name.remove_prefix(8);
  }
  std::uint64_t part = 0;
  std::memcpy(&part, name.data(), name.size());
  made = (made ^ part) * 0x94D049BB133111EBULL;
  return made ^ (made >> 29);
}

void Properties::index() {
  added_.clear();
  std::size_t size = 4;
  while (size < all_.size() * 2) size *= 2;
  table_.assign(size, 0);
  for (std::size_t i = 0; i < all_.size(); ++i) {
    std::size_t at = hash(all_[i].name) & (size - 1);
    while (table_[at] != 0) at = (at + 1) & (size - 1);
    table_[at] = static_cast<std::uint32_t>(i + 1);
  }
}

const Property* Properties::find(std::string_view name, std::size_t& hint) const {
  if (hint < all_.size() && all_[hint].name == name) return &all_[hint++];
  for (std::size_t at = hash(name) & (table_.size() - 1);; at = (at + 1) & (table_.size() - 1)) {
    if (table_[at] == 0) return nullptr;
    const Property& one = all_[table_[at] - 1];
    if (one.name != name) continue;
    hint = table_[at];
    return &one;
  }
}

/// Compiles schemas one after another, each once; what one refers to waits its turn.
class Compiler {
 public:
  Compiler(Rules& rules, const Documents& documents, Formats formats)
      : rules_(rules), documents_(documents), formats_(formats) {}

  Status run() {
    ASSIGN(const Spot start, documents_.enter(documents_.start(), documents_.root().root));
    rules_.root_ = rule(start);
    while (!pending_.empty()) {
      const auto [into, at] = pending_.back();
      pending_.pop_back();
      TRY(compile(*into, at));
    }
    return {};
  }

 private:
  const Rule* rule(const Spot& at) {
    Rule*& known = known_[at.value];
    if (known) return known;
    known = &rules_.rules_.emplace_back();
    known->base = at.base;
    pending_.emplace_back(known, at);
    return known;
  }

  Status child(const Spot& above, const Json& value, const Rule*& into) {
    ASSIGN(const Spot at, documents_.enter(above, value));
    into = rule(at);
    return {};
  }

  Status children(const Spot& above, const Json& values, std::vector<const Rule*>& into) {
    if (!values.array()) return {};
    for (const auto& value : *values.array()) TRY(child(above, value, into.emplace_back()));
    return {};
  }

  const Json* get(const Spot& at, std::string_view keyword) const {
    return documents_.member(*at.value, keyword);
  }

  Status compile(Rule& rule, const Spot& at) {
    if (const auto* yes = at.value->boolean()) rule.nothing = !*yes;
    if (!at.value->object()) return {};
    const Draft draft = at.document->draft;
    rule.whole_is_integer = draft != Draft::k4;
    if (const Json* ref = get(at, "$ref"); ref && ref->text()) {
      ASSIGN(const Spot target, documents_.resolve_by_standard(at, *ref->text()));
      made(rule.combined).ref = this->rule(target);
      if (!is_modern(draft)) return {};
    }
    if (const Json* type = get(at, "type")) types(rule, *type);
    numbers(rule, at, draft);
    TRY(strings(rule, at));
    TRY(arrays(rule, at, draft));
    TRY(objects(rule, at, draft));
    if (const Json* value = get(at, "const"); value && draft != Draft::k4) {
      made(rule.constant).values = {value};
      rule.constant->is_const = true;
      note_texts(*rule.constant);
    }
    if (const Json* values = get(at, "enum"); values && values->array()) {
      for (const auto& value : *values->array()) made(rule.choice).values.push_back(&value);
      note_texts(made(rule.choice));
    }
    TRY(combinations(rule, at, draft));
    return is_modern(draft) ? dynamic(rule, at) : Status();
  }

  static void note_texts(ValueRule& rule) {
    for (const Json* value : rule.values)
      if (value->text()) rule.texts.insert(*value->text());
  }

  static void types(Rule& rule, const Json& type) {
    if (type.text()) rule.types = type_bit(*type.text());
    if (!type.array()) return;
    rule.types = 0;
    for (const auto& one : *type.array())
      if (one.text()) rule.types |= type_bit(*one.text());
  }

  void numbers(Rule& rule, const Spot& at, Draft draft) {
    const auto keep = [&](const char* name, const Json* NumberRule::*into) {
      const Json* value = get(at, name);
      if (value && value->is_number()) made(rule.number).*into = value;
    };
    keep("minimum", &NumberRule::minimum);
    keep("maximum", &NumberRule::maximum);
    keep("multipleOf", &NumberRule::multiple_of);
    keep("exclusiveMinimum", &NumberRule::exclusive_minimum);
    keep("exclusiveMaximum", &NumberRule::exclusive_maximum);
    if (draft != Draft::k4 || !rule.number) return;
    const auto excludes = [&](const char* name) {
      const Json* value = get(at, name);
      return value && value->boolean() && *value->boolean();
    };
    if (excludes("exclusiveMinimum"))
      std::swap(rule.number->minimum, rule.number->exclusive_minimum);
    if (excludes("exclusiveMaximum"))
      std::swap(rule.number->maximum, rule.number->exclusive_maximum);
  }

  void limit(const Spot& at, const char* name, std::int64_t& into) const {
    const Json* value = get(at, name);
    // Limits beyond any document's are none; 4 · min is not to overflow.
    if (value && value->is_number())
      into = static_cast<std::int64_t>(std::clamp(value->number(), 0.0, 1e15));
  }
  bool has_any(const Spot& at, std::initializer_list<const char*> names) const {
    return std::ranges::any_of(names, [&](const char* name) { return get(at, name) != nullptr; });
  }

  Result<const Pattern*> pattern(std::string_view text) {
    if (rules_.patterns_.size() >= kMaxPatterns)
      return error(Code::kResourceExhausted,
                   "the schema has more than " + std::to_string(kMaxPatterns) + " patterns");
    return &rules_.patterns_.emplace_back(text);
  }

  Status strings(Rule& rule, const Spot& at) {
    if (!has_any(at, {"minLength", "maxLength", "pattern", "format"})) return {};
    StringRule& into = made(rule.string);
    limit(at, "minLength", into.min);
    limit(at, "maxLength", into.max);
    if (const Json* text = get(at, "pattern"); text && text->text()) {
      ASSIGN(into.pattern, pattern(*text->text()));
    }
    if (const Json* format = get(at, "format");
        format && format->text() && formats_ == Formats::kAsserted)
      into.format = format->text();
    return {};
  }

  Status arrays(Rule& rule, const Spot& at, Draft draft) {
    if (!has_any(at, {"items", "prefixItems", "additionalItems", "minItems", "maxItems",
                      "uniqueItems", "contains", "unevaluatedItems"}))
      return {};
    ArrayRule& into = made(rule.array);
    limit(at, "minItems", into.min);
    limit(at, "maxItems", into.max);
    const Json* unique = get(at, "uniqueItems");
    into.unique = unique && unique->boolean() && *unique->boolean();
    TRY(items(into, at, draft));
    if (const Json* value = get(at, "contains"); value && draft != Draft::k4) {
      TRY(child(at, *value, into.contains));
      if (is_modern(draft)) {
        limit(at, "minContains", into.min_contains);
        limit(at, "maxContains", into.max_contains);
      }
    }
    into.contains_evaluates = draft == Draft::k2020;
    if (const Json* value = get(at, "unevaluatedItems"); value && is_modern(draft))
      TRY(child(at, *value, into.unevaluated));
    return {};
  }

  Status items(ArrayRule& into, const Spot& at, Draft draft) {
    const Json* items = get(at, "items");
    if (draft == Draft::k2020) {
      if (const Json* prefix = get(at, "prefixItems")) TRY(children(at, *prefix, into.prefix));
      into.prefix_name = "prefixItems";
      return items && !items->array() ? child(at, *items, into.rest) : Status();
    }
    if (!items) return {};
    if (!items->array()) return child(at, *items, into.rest);
    TRY(children(at, *items, into.prefix));
    into.rest_name = "additionalItems";
    const Json* more = get(at, "additionalItems");
    return more ? child(at, *more, into.rest) : Status();
  }

  Status objects(Rule& rule, const Spot& at, Draft draft) {
    if (!has_any(at, {"properties", "patternProperties", "additionalProperties", "required",
                      "minProperties", "maxProperties", "propertyNames", "dependencies",
                      "dependentRequired", "dependentSchemas", "unevaluatedProperties"}))
      return {};
    ObjectRule& into = made(rule.object);
    limit(at, "minProperties", into.min);
    limit(at, "maxProperties", into.max);
    TRY(properties(into, at));
    if (const Json* value = get(at, "additionalProperties"))
      TRY(child(at, *value, into.additional));
    if (const Json* value = get(at, "propertyNames"); value && draft != Draft::k4)
      TRY(child(at, *value, into.names));
    if (!is_modern(draft)) {
      if (const Json* value = get(at, "dependencies")) TRY(dependencies(into, at, *value));
    } else {
      into.dependent_name = "dependentRequired";
      for (const auto* name : {"dependentRequired", "dependentSchemas"})
        if (const Json* value = get(at, name)) TRY(dependencies(into, at, *value));
      if (const Json* value = get(at, "unevaluatedProperties"))
        TRY(child(at, *value, into.unevaluated));
    }
    into.properties.index();
    return {};
  }

  Status properties(ObjectRule& into, const Spot& at) {
    if (const Json* value = get(at, "properties"); value && value->object())
      for (const auto& [name, schema] : *value->object())
        TRY(child(at, schema, into.properties.add(name).rule));
    if (const Json* names = get(at, "required"); names && names->array())
      for (const auto& name : *names->array()) {
        if (!name.text()) continue;
        Property& property = into.properties.add(*name.text());
        if (property.required >= 0) continue;
        property.required = static_cast<int>(into.required.size());
        into.required.push_back(*name.text());
      }
    if (const Json* value = get(at, "patternProperties"); value && value->object())
      for (const auto& [text, schema] : *value->object()) {
        ASSIGN(const Pattern* one, pattern(text));
        into.patterns.emplace_back(one, nullptr);
        into.pattern_texts.push_back(text);
        TRY(child(at, schema, into.patterns.back().second));
      }
    return {};
  }

  Status dependencies(ObjectRule& into, const Spot& at, const Json& value) {
    if (!value.object()) return {};
    for (const auto& [name, other] : *value.object()) {
      if (!other.array()) {
        into.dependent_schemas.emplace_back(name, nullptr);
        TRY(child(at, other, into.dependent_schemas.back().second));
        continue;
      }
      auto& names = into.dependent_required.emplace_back(name, std::vector<std::string>()).second;
      for (const auto& one : *other.array())
        if (one.text()) names.push_back(*one.text());
    }
    return {};
  }

  Status combinations(Rule& rule, const Spot& at, Draft draft) {
    const auto some = [&](const char* name, std::vector<const Rule*> CombinedRule::*into) {
      const Json* values = get(at, name);
      return values ? children(at, *values, made(rule.combined).*into) : Status();
    };
    TRY(some("allOf", &CombinedRule::all));
    TRY(some("anyOf", &CombinedRule::any));
    TRY(some("oneOf", &CombinedRule::one));
    const auto one = [&](const char* name, const Rule* CombinedRule::*into) {
      const Json* value = get(at, name);
      return value ? child(at, *value, made(rule.combined).*into) : Status();
    };
    TRY(one("not", &CombinedRule::never));
    if (draft < Draft::k7 || !get(at, "if")) return {};
    TRY(one("if", &CombinedRule::condition));
    TRY(one("then", &CombinedRule::then));
    return one("else", &CombinedRule::otherwise);
  }

  // `$dynamicRef`, and 2019-09's `$recursiveRef`. It is dynamic when what it names stands at such
  // an anchor itself.
  Status dynamic(Rule& rule, const Spot& at) {
    const bool old = at.document->draft == Draft::k2019;
    const char* keyword = old ? "$recursiveRef" : "$dynamicRef";
    const Json* ref = get(at, keyword);
    if (!ref || !ref->text()) return {};
    ASSIGN(const Spot target, documents_.resolve_by_standard(at, *ref->text()));
    CombinedRule& into = made(rule.combined);
    into.dynamic = this->rule(target);
    into.dynamic_name = keyword;
    const auto hash = ref->text()->find('#');
    const std::string name = old || hash == std::string::npos ? "" : ref->text()->substr(hash + 1);
    const auto anchors = documents_.dynamic_anchors(name);
    if (std::ranges::none_of(anchors, [&](const auto& one) { return one.value == target.value; }))
      return {};
    rules_.dynamic_ = true;
    for (const auto& one : anchors) into.outer.emplace(one.base, this->rule(one));
    return {};
  }

  Rules& rules_;
  const Documents& documents_;
  Formats formats_;
  std::unordered_map<const Json*, Rule*> known_;
  std::vector<std::pair<Rule*, Spot>> pending_;
};

Result<std::unique_ptr<Rules>> Rules::compile(std::shared_ptr<const JsonSchema> schema,
                                              Formats formats) {
  auto rules = std::make_unique<Rules>();
  TRY(Compiler(*rules, schema->documents(), formats).run());
  rules->schema_ = std::move(schema);
  return rules;
}

}  // namespace tailrace::schema::json_schema
