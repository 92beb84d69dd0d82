// Drafts 4, 6 and 7. A schema of several kinds of keywords is a generated `allOf` of one node a
// kind; keywords of a type other than the named one are a node of their own, which asks that only
// of values of its type.
#include <algorithm>
#include <array>

#include "schema/json_schema/loader.h"
#include "schema/json_schema/pattern.h"

namespace tailrace::schema::json_schema {
namespace {

constexpr std::array<std::string_view, 6> kArrayKeywords = {
    "items", "additionalItems", "minItems", "maxItems", "uniqueItems", "contains"};
constexpr std::array<std::string_view, 8> kObjectKeywords = {
    "properties",   "required",          "minProperties",        "maxProperties",
    "dependencies", "patternProperties", "additionalProperties", "propertyNames"};
constexpr std::array<std::string_view, 5> kNumberKeywords = {
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"};
constexpr std::array<std::string_view, 4> kStringKeywords = {"minLength", "maxLength", "pattern",
                                                             "format"};
constexpr std::array<std::string_view, 3> kConditions = {"if", "then", "else"};
constexpr std::array<std::string_view, 3> kCombinations = {"allOf", "anyOf", "oneOf"};
constexpr std::array<std::string_view, 5> kFamilies = {"array", "object", "number", "string", "if"};

/// One schema while it is loaded: which keywords are used up, and the nodes they came to.
struct Open {
  Spot at;
  Draft draft;
  std::set<std::string_view> used;
  std::vector<Node*> parts;
  std::uint64_t print = 0;  ///< of the schemas inside it
};

class OldLoader final : public Loader {
 public:
  using Loader::Loader;

 protected:
  Result<Node*> load(const Spot& at) override {
    if (const auto* yes = at.value->boolean()) return make(*yes ? Kind::kTrue : Kind::kFalse);
    if (!at.value->object())
      return error(Code::kInvalidArgument, "a schema is not an object, true or false");
    Open open{at, at.document->draft, {}, {}};
    if (const auto* ref = keyword(open, "$ref")) {
      ASSIGN(const std::string* target, text_of(*ref));
      open.used.insert("$ref");
      ASSIGN(Node * node, reference(at, *target));
      open.parts.push_back(node);
    } else {
      TRY(load_values(open));
      TRY(load_combinations(open));
      TRY(load_type(open));
      TRY(load_families(open));
    }
    ASSIGN(Node * made, combined(open));
    TRY(annotate(open, *made));
    return made;
  }

 private:
  /// A keyword that is not used up.
  const JsonMember* keyword(const Open& open, std::string_view name) const {
    const JsonMember* found = raw(open, name);
    return found && !open.used.contains(name) ? found : nullptr;
  }
  const JsonMember* raw(const Open& open, std::string_view name) const {
    return documents().find(*open.at.value, name);
  }

  /// A schema inside this one, under a name that tells it from the others.
  Result<Node*> sub(Open& open, std::string_view name, const Json& value) {
    ASSIGN(Node * made, child(open.at, value));
    open.print += print_of(print_of(std::uint64_t{7}, name), made->print);
    return made;
  }

  Status load_values(Open& open) {
    if (const auto* values = keyword(open, "enum")) {
      ASSIGN(const JsonArray* items, array_of(*values));
      TRY(charge(items->size()));
      ASSIGN(Node * node, make(Kind::kEnum));
      for (const auto& item : *items) node->as<Values>().values.push_back(&item);
      finish(open, *node, *values);
    }
    return {};
  }

  void finish(Open& open, Node& node, const JsonMember& from) {
    open.used.insert(from.name);
    node.print = print_value(print_of(node.print, from.name), from.value);
    open.parts.push_back(&node);
  }

  Status load_combinations(Open& open) {
    for (std::size_t i = 0; i < kCombinations.size(); ++i) {
      const auto* from = keyword(open, kCombinations[i]);
      if (!from) continue;
      ASSIGN(const JsonArray* items, array_of(*from));
      ASSIGN(Node * node, make(Kind::kCombined));
      auto& rules = node->as<CombinedRules>();
      rules.criterion = static_cast<Criterion>(i);
      for (const auto& item : *items) {
        ASSIGN(Node * part, sub(open, "", item));
        rules.parts.push_back(part);
      }
      finish_combined(open, *node, *from);
    }
    if (const auto* from = keyword(open, "not")) {
      ASSIGN(Node * node, make(Kind::kNot));
      ASSIGN(Node * inner, sub(open, "", from->value));
      node->rules = Inner{inner};
      node->print = print_of(node->print, inner->print);
      open.used.insert(from->name);
      open.parts.push_back(node);
    }
    if (const auto* from = keyword(open, "const"); from && open.draft != Draft::k4) {
      ASSIGN(Node * node, make(Kind::kConst));
      node->as<Values>().values.push_back(&from->value);
      finish(open, *node, *from);
    }
    return {};
  }

  void finish_combined(Open& open, Node& node, const JsonMember& from) {
    print_parts(node);
    open.used.insert(from.name);
    open.parts.push_back(&node);
  }

  Status load_type(Open& open) {
    const auto* type = keyword(open, "type");
    if (!type) return {};
    open.used.insert("type");
    if (const auto* name = type->value.text()) {
      ASSIGN(Node * node, of_type(open, *name));
      open.parts.push_back(node);
      return {};
    }
    if (!type->value.array()) return wrong("type", "a string or an array of strings");
    ASSIGN(const auto names, texts_of(*type));
    ASSIGN(Node * any, make(Kind::kCombined));
    any->as<CombinedRules>().criterion = Criterion::kAny;
    for (const std::string* name : names) {
      ASSIGN(Node * node, of_type(open, *name));
      any->as<CombinedRules>().parts.push_back(node);
    }
    print_parts(*any);
    open.parts.push_back(any);
    return {};
  }

  Result<Node*> of_type(Open& open, std::string_view name) {
    if (name == "string") return strings(open, true);
    if (name == "integer" || name == "number") {
      ASSIGN(Node * node, numbers(open, true));
      node->as<NumberRules>().integer = name == "integer";
      node->print = print_of(node->print, name);
      return node;
    }
    if (name == "boolean") return make(Kind::kBoolean);
    if (name == "null") return make(Kind::kNull);
    if (name == "array") return arrays(open, true);
    if (name == "object") return objects(open, true);
    return error(Code::kInvalidArgument, "'type' names no type: '" + std::string(name) + "'");
  }

  template <std::size_t n>
  bool any_of(const Open& open, const std::array<std::string_view, n>& names) const {
    return std::ranges::any_of(names, [&](auto name) {
      if (open.draft == Draft::k4 && (name == "contains" || name == "propertyNames")) return false;
      return keyword(open, name) != nullptr;
    });
  }

  Status load_families(Open& open) {
    for (std::size_t i = 0; i < kFamilies.size(); ++i) {
      Result<Node*> made = nullptr;
      if (i == 0 && any_of(open, kArrayKeywords)) made = arrays(open, false);
      if (i == 1 && any_of(open, kObjectKeywords)) made = objects(open, false);
      if (i == 2 && any_of(open, kNumberKeywords)) made = numbers(open, false);
      if (i == 3 && any_of(open, kStringKeywords)) made = strings(open, false);
      if (i == 4 && open.draft >= Draft::k7 && any_of(open, kConditions)) made = conditions(open);
      if (!made) return std::unexpected(made.error());
      if (*made) open.parts.push_back(*made);
    }
    return {};
  }

  Result<Node*> family(Open& open, Kind kind, bool named) {
    ASSIGN(Node * node, make(kind));
    node->print = print_of(node->print, std::uint64_t{named});
    open.print = 0;
    return node;
  }

  // A limit that is a whole number of 32 bits.
  Status limit(const Open& open, std::string_view name, std::optional<std::int64_t>& into) {
    const auto* from = raw(open, name);
    if (!from) return {};
    const auto* whole = from->value.integer();
    if (!whole || *whole > INT32_MAX || *whole < INT32_MIN)
      return wrong(name, "a whole number of 32 bits");
    into = *whole;
    return {};
  }

  /// The family's keywords are used up, and told apart by: schemas by themselves, the others by
  /// their values.
  template <std::size_t n>
  void use(Open& open, Node& node, const std::array<std::string_view, n>& names) {
    for (const auto name : names) {
      if (open.draft == Draft::k4 && (name == "contains" || name == "propertyNames")) continue;
      const auto* from = raw(open, name);
      if (!from) continue;
      open.used.insert(from->name);
      node.print = print_of(node.print, from->name);
      if (!from->value.object() && (name != "items" || !from->value.array()))
        node.print = print_value(node.print, from->value);
    }
    node.print = print_of(node.print, open.print);
  }

  Result<Node*> strings(Open& open, bool named) {
    ASSIGN(Node * node, family(open, Kind::kString, named));
    auto& rules = node->as<StringRules>();
    TRY(limit(open, "minLength", rules.min));
    TRY(limit(open, "maxLength", rules.max));
    if (const auto* from = raw(open, "pattern")) {
      ASSIGN(rules.pattern, pattern_of(*from));
    }
    if (const auto* from = raw(open, "format")) TRY(text_of(*from));
    use(open, *node, kStringKeywords);
    return node;
  }

  Result<Node*> numbers(Open& open, bool named) {
    ASSIGN(Node * node, family(open, Kind::kNumber, named));
    auto& rules = node->as<NumberRules>();
    const std::array<std::pair<std::string_view, const Json**>, 5> all = {
        {{"minimum", &rules.minimum},
         {"maximum", &rules.maximum},
         {"multipleOf", &rules.multiple_of},
         {"exclusiveMinimum", &rules.exclusive_minimum},
         {"exclusiveMaximum", &rules.exclusive_maximum}}};
    for (const auto& [name, into] : all) {
      const auto* from = raw(open, name);
      if (!from) continue;
      if (open.draft == Draft::k4 && name.starts_with("exclusive")) {
        TRY(boolean_of(*from));
        continue;
      }
      ASSIGN(*into, number_of(*from));
    }
    if (rules.multiple_of && rules.multiple_of->number() == 0)
      return wrong("multipleOf", "other than 0");
    use(open, *node, kNumberKeywords);
    return node;
  }

  Result<Node*> arrays(Open& open, bool named) {
    ASSIGN(Node * node, family(open, Kind::kArray, named));
    auto& rules = node->as<ArrayRules>();
    TRY(limit(open, "minItems", rules.min));
    TRY(limit(open, "maxItems", rules.max));
    if (const auto* from = raw(open, "uniqueItems")) {
      ASSIGN(rules.unique, boolean_of(*from));
    }
    if (const auto* from = raw(open, "additionalItems"))
      TRY(additional(open, *from, rules.open, rules.additional));
    if (const auto* from = raw(open, "items")) TRY(items(open, *from, rules));
    if (rules.all && !rules.additional) rules.open = true;
    if (const auto* from = raw(open, "contains"); from && open.draft != Draft::k4)
      TRY(sub(open, from->name, from->value));
    use(open, *node, kArrayKeywords);
    return node;
  }

  Status items(Open& open, const JsonMember& from, ArrayRules& rules) {
    if (is_schema(open, from.value)) {
      ASSIGN(rules.all, sub(open, from.name, from.value));
      return {};
    }
    ASSIGN(const JsonArray* each, array_of(from));
    for (const auto& item : *each) {
      ASSIGN(Node * one, sub(open, std::to_string(rules.items.size()), item));
      rules.items.push_back(one);
    }
    return {};
  }

  static bool is_schema(const Open& open, const Json& value) {
    return value.object() || (value.boolean() && open.draft != Draft::k4);
  }

  Status additional(Open& open, const JsonMember& from, bool& is_open, const Node*& schema) {
    if (const auto* yes = from.value.boolean()) {
      is_open = *yes;
      return {};
    }
    if (!from.value.object()) return wrong(from.name, "a schema");
    ASSIGN(schema, sub(open, from.name, from.value));
    return {};
  }

  Result<Node*> objects(Open& open, bool named) {
    ASSIGN(Node * node, family(open, Kind::kObject, named));
    auto& rules = node->as<ObjectRules>();
    TRY(limit(open, "minProperties", rules.min));
    TRY(limit(open, "maxProperties", rules.max));
    if (const auto* from = raw(open, "properties")) TRY(properties(open, *from, rules));
    if (const auto* from = raw(open, "additionalProperties"))
      TRY(additional(open, *from, rules.open, rules.additional));
    if (const auto* from = raw(open, "required")) {
      ASSIGN(const auto names, texts_of(*from));
      for (const std::string* name : names) rules.required.insert(*name);
    }
    if (const auto* from = raw(open, "patternProperties")) {
      ASSIGN(const JsonObject* patterns, object_of(*from));
      for (const auto& one : *patterns) {
        ASSIGN(Node * schema, sub(open, one.name, one.value));
        TRY(check_pattern(one.name));
        rules.patterns.emplace_back(&one.name, schema);
      }
    }
    if (const auto* from = raw(open, "dependencies")) TRY(dependencies(open, *from, rules));
    if (const auto* from = raw(open, "propertyNames"); from && open.draft != Draft::k4)
      TRY(sub(open, from->name, from->value));
    use(open, *node, kObjectKeywords);
    return node;
  }

  Status properties(Open& open, const JsonMember& from, ObjectRules& rules) {
    ASSIGN(const JsonObject* members, object_of(from));
    for (const auto& one : *members) {
      // An `id` here that is no schema is the id of the properties, not one of them.
      if (one.name == id_keyword(open.draft) && !one.value.object()) continue;
      ASSIGN(rules.properties[one.name], sub(open, one.name, one.value));
    }
    return {};
  }

  Status dependencies(Open& open, const JsonMember& from, ObjectRules& rules) {
    ASSIGN(const JsonObject* members, object_of(from));
    for (const auto& one : *members) {
      if (is_schema(open, one.value)) {
        ASSIGN(rules.schema_dependencies[one.name], sub(open, one.name, one.value));
        continue;
      }
      ASSIGN(const auto names, texts_of(one));
      for (const std::string* name : names) rules.dependencies[one.name].insert(*name);
    }
    return {};
  }

  Result<Node*> conditions(Open& open) {
    ASSIGN(Node * node, family(open, Kind::kConditional, false));
    for (const auto name : kConditions)
      if (const auto* from = raw(open, name)) TRY(sub(open, from->name, from->value));
    use(open, *node, kConditions);
    return node;
  }

  Result<Node*> combined(Open& open) {
    if (open.parts.empty()) return make(Kind::kEmpty);
    if (open.parts.size() == 1) return open.parts.front();
    ASSIGN(Node * all, make(Kind::kCombined));
    auto& rules = all->as<CombinedRules>();
    rules.generated = true;
    rules.parts.assign(open.parts.begin(), open.parts.end());
    print_parts(*all);
    return all;
  }

  Status annotate(Open& open, Node& node) {
    for (const std::string_view name :
         {id_keyword(open.draft), std::string_view("title"), std::string_view("description")})
      if (const auto* from = keyword(open, name)) TRY(text_of(*from));
    if (open.draft == Draft::k7)
      for (const std::string_view name : {"readOnly", "writeOnly"})
        if (const auto* from = keyword(open, name)) TRY(boolean_of(*from));
    node.has_default = node.kind != Kind::kReference && keyword(open, "default") != nullptr;
    std::uint64_t rest = 0;
    for (const auto& one : *open.at.value->object()) {
      if (open.used.contains(one.name)) continue;
      rest += print_value(print_of(std::uint64_t{6}, one.name), one.value);
      if (one.name == "minContains" && one.value.is_number())
        extras(node).min_contains = int_value(one.value);
      if (one.name == "maxContains" && one.value.is_number())
        extras(node).max_contains = int_value(one.value);
      if (one.name == "connect.type" && one.value.text())
        extras(node).connect_type = one.value.text();
    }
    if (rest != 0) node.print = print_of(node.print, rest);
    return {};
  }
};

}  // namespace

std::unique_ptr<Loader> old_loader(const Documents& documents, Model& model) {
  return std::make_unique<OldLoader>(documents, model);
}

}  // namespace tailrace::schema::json_schema
