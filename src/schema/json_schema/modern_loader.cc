// Drafts 2019-09 and 2020-12. Each keyword is a node; those of one schema are joined in the order
// of Java's HashMap, which decides how they come out: numbers, strings, arrays and objects are
// merged, other pairs are a generated `allOf`, and within `allOf`, `anyOf` and `oneOf` a generated
// one is taken apart.
#include <algorithm>
#include <array>
#include <functional>
#include <ranges>
#include <unordered_map>

#include "schema/json_schema/loader.h"
#include "schema/json_schema/pattern.h"

namespace tailrace::schema::json_schema {
namespace {

// java.lang.String.hashCode of UTF-8: over UTF-16 units.
std::uint32_t java_hash(std::string_view text) {
  std::uint32_t hash = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    std::uint32_t c = size == 1 ? lead : lead & (0x7FU >> size);
    for (std::size_t k = 1; k < size && i + k < text.size(); ++k)
      c = (c << 6) | (static_cast<unsigned char>(text[i + k]) & 0x3F);
    if (c >= 0x10000) {
      hash = hash * 31 + (0xD800 + ((c - 0x10000) >> 10));
      c = 0xDC00 + ((c - 0x10000) & 0x3FF);
    }
    hash = hash * 31 + c;
    i += size;
  }
  return hash;
}

std::vector<const JsonMember*> in_java_order(const JsonObject& members) {
  std::size_t capacity = 16;
  while (members.size() * 4 > capacity * 3) capacity *= 2;
  std::vector<std::pair<std::size_t, const JsonMember*>> places;
  for (const auto& one : members) {
    const std::uint32_t hash = java_hash(one.name);
    places.emplace_back((hash ^ (hash >> 16)) & (capacity - 1), &one);
  }
  std::ranges::stable_sort(places, {}, [](const auto& place) { return place.first; });
  std::vector<const JsonMember*> made;
  for (const auto& [bucket, one] : places) made.push_back(one);
  return made;
}

// Which keyword a join is for.
enum class Parent { kSchema, kAllOf, kAnyOf, kOneOf };

class ModernLoader final : public Loader {
 public:
  ModernLoader(const Documents& documents, Model& model) : Loader(documents, model) {
    keep_limits();
    keep_numbers();
    keep_schemas();
    keep_rest();
  }

 protected:
  Result<Node*> load(const Spot& at) override {
    if (const auto* yes = at.value->boolean()) return make(*yes ? Kind::kTrue : Kind::kFalse);
    if (!at.value->object())
      return error(Code::kInvalidArgument, "a schema is not an object, true or false");
    Node* product = nullptr;
    std::vector<const JsonMember*> later;
    for (const JsonMember* one : in_java_order(*at.value->object())) {
      const auto known = makers_.find(one->name);
      if (known == makers_.end()) continue;
      if (known->second.late) {
        later.push_back(one);
        continue;
      }
      TRY(join(at, *one, known->second.make, product));
    }
    // Properties, patterns and what is not evaluated come after the others, in this order.
    for (const std::string_view name :
         {"properties", "patternProperties", "unevaluatedItems", "unevaluatedProperties"})
      for (const JsonMember* one : later)
        if (one->name == name)
          TRY(join(at, *one, makers_.find(std::string(name))->second.make, product));
    ASSIGN(Node * made, settled(product));
    TRY(annotate(at, *made));
    return dynamic(at, made);
  }

 private:
  using Made = Result<Node*>;
  using Maker = std::function<Made(const Spot&, const JsonMember&)>;
  struct Keyword {
    Maker make;
    bool late = false;
  };

  Status join(const Spot& at, const JsonMember& one, const Maker& maker, Node*& product) {
    ASSIGN(Node * node, maker(at, one));
    if (!node) return {};
    if (!product) {
      product = node;
      return {};
    }
    ASSIGN(product, joined(Parent::kSchema, product, node));
    return {};
  }

  void keep_limits() {
    const auto limit = [this](std::string name, Kind kind, auto set) {
      makers_[name].make = [this, kind, set](const Spot&, const JsonMember& from) -> Made {
        ASSIGN(const Json* number, number_of(from));
        ASSIGN(Node * node, make(kind));
        set(*node, int_value(*number));
        node->print = print_value(print_of(node->print, from.name), from.value);
        return node;
      };
    };
    limit("minLength", Kind::kString, [](Node& n, auto v) { n.as<StringRules>().min = v; });
    limit("maxLength", Kind::kString, [](Node& n, auto v) { n.as<StringRules>().max = v; });
    limit("minItems", Kind::kArray, [](Node& n, auto v) { n.as<ArrayRules>().min = v; });
    limit("maxItems", Kind::kArray, [](Node& n, auto v) { n.as<ArrayRules>().max = v; });
    limit("minProperties", Kind::kObject, [](Node& n, auto v) { n.as<ObjectRules>().min = v; });
    limit("maxProperties", Kind::kObject, [](Node& n, auto v) { n.as<ObjectRules>().max = v; });
  }

  void keep_numbers() {
    const std::array<std::pair<std::string, const Json * NumberRules::*>, 5> all = {
        {{"minimum", &NumberRules::minimum},
         {"maximum", &NumberRules::maximum},
         {"exclusiveMinimum", &NumberRules::exclusive_minimum},
         {"exclusiveMaximum", &NumberRules::exclusive_maximum},
         {"multipleOf", &NumberRules::multiple_of}}};
    for (const auto& [name, into] : all)
      makers_[name].make = [this, into](const Spot&, const JsonMember& from) -> Made {
        ASSIGN(const Json* number, number_of(from));
        ASSIGN(Node * node, make(Kind::kNumber));
        node->as<NumberRules>().*into = number;
        node->print = print_value(print_of(node->print, from.name), from.value);
        return node;
      };
  }

  void keep_schemas() {
    const auto keep = [this](std::string name, auto method, bool late = false) {
      makers_[name] = {[this, method](const Spot& at, const JsonMember& from) -> Made {
                         return (this->*method)(at, from);
                       },
                       late};
    };
    keep("properties", &ModernLoader::properties, true);
    keep("patternProperties", &ModernLoader::patterns, true);
    keep("unevaluatedItems", &ModernLoader::unevaluated, true);
    keep("unevaluatedProperties", &ModernLoader::unevaluated, true);
    keep("additionalProperties", &ModernLoader::additional_properties);
    keep("items", &ModernLoader::items);
    keep("prefixItems", &ModernLoader::prefix_items);
    keep("contains", &ModernLoader::contains);
    keep("not", &ModernLoader::negated);
    keep("if", &ModernLoader::conditions);
    keep("propertyNames", &ModernLoader::property_names);
    keep("dependentSchemas", &ModernLoader::dependent_schemas);
    keep("dependentRequired", &ModernLoader::dependent_required);
    keep("allOf", &ModernLoader::combination);
    keep("anyOf", &ModernLoader::combination);
    keep("oneOf", &ModernLoader::combination);
    keep("type", &ModernLoader::type);
    keep("required", &ModernLoader::required);
    keep("enum", &ModernLoader::values);
    keep("const", &ModernLoader::values);
    keep("pattern", &ModernLoader::pattern);
    keep("uniqueItems", &ModernLoader::unique);
  }

  // Keywords that are only checked, and come to no node or to one that asks nothing.
  void keep_rest() {
    makers_["$ref"].make = [this](const Spot& at, const JsonMember& from) -> Made {
      ASSIGN(const std::string* target, text_of(from));
      return reference(at, *target);
    };
    makers_["format"].make = [this](const Spot&, const JsonMember& from) -> Made {
      TRY(text_of(from));
      ASSIGN(Node * node, generated());
      node->print = print_value(node->print, from.value);
      return node;
    };
    for (const auto* name : {"readOnly", "writeOnly"})
      makers_[name].make = [this](const Spot&, const JsonMember& from) -> Made {
        ASSIGN(const bool yes, boolean_of(from));
        return yes ? generated() : nullptr;
      };
    makers_["deprecated"].make = [](const Spot&, const JsonMember& from) -> Made {
      TRY(boolean_of(from));
      return nullptr;
    };
    for (const auto* name : {"title", "description", "$dynamicAnchor"})
      makers_[name].make = [](const Spot&, const JsonMember& from) -> Made {
        TRY(text_of(from));
        return nullptr;
      };
    makers_["$defs"].make = [](const Spot&, const JsonMember& from) -> Made {
      TRY(object_of(from));
      return nullptr;
    };
  }

  /// An `allOf` that only stands for its parts.
  Made generated() {
    ASSIGN(Node * node, make(Kind::kCombined));
    node->as<CombinedRules>().generated = true;
    return node;
  }

  static bool is_generated(const Node& node, Criterion criterion) {
    if (node.kind != Kind::kCombined) return false;
    const auto& rules = node.as<CombinedRules>();
    return rules.generated && rules.criterion == criterion;
  }

  static bool merges(const Node& a, const Node& b) {
    return a.kind == b.kind && (a.kind == Kind::kArray || a.kind == Kind::kNumber ||
                                a.kind == Kind::kObject || a.kind == Kind::kString);
  }

  Made joined(Parent parent, Node* a, Node* b) {
    if (merges(*a, *b)) {
      merge(*a, *b);
      return a;
    }
    if (is_generated(*a, Criterion::kAny) && has_type(*a, *b)) {
      gather(a->as<CombinedRules>().parts, *b);
      return a;
    }
    if (is_generated(*b, Criterion::kAny) && has_type(*b, *a)) {
      gather(b->as<CombinedRules>().parts, *a);
      return b;
    }
    if (parent != Parent::kSchema && a->kind == Kind::kCombined) {
      auto& rules = a->as<CombinedRules>();
      rules.criterion = static_cast<Criterion>(static_cast<int>(parent) - 1);
      rules.generated = false;
      for (const Node* part : flattened(*b)) rules.parts.push_back(part);
      return a;
    }
    ASSIGN(Node * all, generated());
    auto& parts = all->as<CombinedRules>().parts;
    for (const Node* from : {a, b})
      for (const Node* part : flattened(*from)) gather(parts, *part);
    return all;
  }

  static bool has_type(const Node& combined, const Node& node) {
    return std::ranges::any_of(combined.as<CombinedRules>().parts,
                               [&](const Node* part) { return part->kind == node.kind; });
  }

  static std::vector<const Node*> flattened(const Node& node) {
    if (is_generated(node, Criterion::kAll)) return node.as<CombinedRules>().parts;
    return {&node};
  }

  // Parts of a schema that is being joined are not yet shared, and may be changed.
  static void gather(std::vector<const Node*>& parts, const Node& node) {
    for (const Node* part : parts)
      if (merges(*part, node)) return merge(const_cast<Node&>(*part), node);
    parts.push_back(&node);
  }

  static void merge(Node& into, const Node& from) {
    into.print = print_of(std::uint64_t{0}, into.print + from.print);
    if (from.extras) merge_extras(extras(into), *from.extras);
    switch (into.kind) {
      case Kind::kArray:
        return merge(into.as<ArrayRules>(), from.as<ArrayRules>());
      case Kind::kNumber:
        return merge(into.as<NumberRules>(), from.as<NumberRules>());
      case Kind::kObject:
        return merge(into.as<ObjectRules>(), from.as<ObjectRules>());
      default:
        return merge(into.as<StringRules>(), from.as<StringRules>());
    }
  }

  static void merge_extras(Extras& into, const Extras& from) {
    if (from.min_contains) into.min_contains = from.min_contains;
    if (from.max_contains) into.max_contains = from.max_contains;
    if (from.unevaluated_items) into.unevaluated_items = from.unevaluated_items;
    if (from.unevaluated_properties) into.unevaluated_properties = from.unevaluated_properties;
  }

  static void merge(StringRules& into, const StringRules& from) {
    if (from.min) into.min = from.min;
    if (from.max) into.max = from.max;
    if (from.pattern) into.pattern = from.pattern;
  }

  static void merge(NumberRules& into, const NumberRules& from) {
    for (const auto one :
         {&NumberRules::minimum, &NumberRules::maximum, &NumberRules::exclusive_minimum,
          &NumberRules::exclusive_maximum, &NumberRules::multiple_of})
      if (from.*one) into.*one = from.*one;
    into.integer = into.integer || from.integer;
  }

  static void merge(ArrayRules& into, const ArrayRules& from) {
    if (from.min) into.min = from.min;
    if (from.max) into.max = from.max;
    into.unique = into.unique || from.unique;
    if (from.all) into.all = from.all;
    into.items.insert(into.items.end(), from.items.begin(), from.items.end());
    into.open = (into.open && from.open) || into.all;
    if (from.additional) into.additional = from.additional;
  }

  static void merge(ObjectRules& into, const ObjectRules& from) {
    if (from.min) into.min = from.min;
    if (from.max) into.max = from.max;
    for (const auto& [name, schema] : from.properties) into.properties[name] = schema;
    into.required.insert(from.required.begin(), from.required.end());
    into.open = into.open && from.open;
    if (from.additional) into.additional = from.additional;
    into.patterns.insert(into.patterns.end(), from.patterns.begin(), from.patterns.end());
    for (const auto& [name, others] : from.dependencies)
      into.dependencies[name].insert(others.begin(), others.end());
    for (const auto& [name, schema] : from.schema_dependencies)
      into.schema_dependencies[name] = schema;
  }

  // A generated `allOf` of one part or none is that part, or asks nothing.
  Made settled(Node* product) {
    if (!product) return make(Kind::kEmpty);
    if (product->kind != Kind::kCombined) return product;
    auto& rules = product->as<CombinedRules>();
    if (is_generated(*product, Criterion::kAll)) {
      if (rules.parts.empty()) return make(Kind::kEmpty);
      if (rules.parts.size() == 1) return const_cast<Node*>(rules.parts.front());
    }
    print_parts(*product);
    return product;
  }

  Status annotate(const Spot& at, Node& node) {
    const JsonMember* fallback = documents().find(*at.value, "default");
    node.has_default = node.kind != Kind::kReference && fallback && !fallback->value.is_null();
    std::uint64_t rest = 0;
    bool unknown = false;
    for (const auto& one : *at.value->object()) {
      const bool known = makers_.contains(one.name) || is_silent(one.name);
      unknown = unknown || !known;
      if (!known || one.name == "title" || one.name == "description" || one.name == "default")
        rest += print_value(print_of(std::uint64_t{6}, one.name), one.value);
    }
    const auto definitions = documents().definitions(at);
    for (const JsonMember* one : definitions) TRY(child(at, one->value));
    if (unknown || !definitions.empty()) {
      node.extras.reset();
      const JsonMember* bytes = documents().find(*at.value, "connect.type");
      if (bytes && bytes->value.text()) extras(node).connect_type = bytes->value.text();
    }
    if (rest != 0) node.print = print_of(node.print, rest);
    return {};
  }

  // Keywords that are known and come to nothing here.
  static bool is_silent(std::string_view name) {
    static constexpr std::array<std::string_view, 13> kSilent = {
        "$id",  "$anchor",     "$schema", "$vocabulary", "$dynamicRef", "default", "false",
        "true", "minContains", "then",    "maxContains", "else",        "$defs"};
    return std::ranges::find(kSilent, name) != kSilent.end();
  }

  // What a `$dynamicRef` stands for is told from what it names, not from where it is reached from.
  Made dynamic(const Spot& at, Node* made) {
    const JsonMember* from = documents().find(*at.value, "$dynamicRef");
    if (!from) return made;
    ASSIGN(const std::string* target, text_of(*from));
    ASSIGN(Node * node, reference(at, *target));
    ASSIGN(Node * all, joined(Parent::kSchema, node, made));
    if (all->kind == Kind::kCombined) print_parts(*all);
    return all;
  }

  Made type(const Spot&, const JsonMember& from) {
    if (const auto* name = from.value.text()) return named(*name);
    ASSIGN(const auto names, texts_of(from));
    ASSIGN(Node * any, generated());
    auto& rules = any->as<CombinedRules>();
    rules.criterion = Criterion::kAny;
    for (const std::string* name : names) {
      ASSIGN(Node * part, named(*name));
      rules.parts.push_back(part);
    }
    return any;
  }

  Made named(std::string_view name) {
    static constexpr std::array<std::pair<std::string_view, Kind>, 7> kTypes = {
        {{"string", Kind::kString},
         {"integer", Kind::kNumber},
         {"number", Kind::kNumber},
         {"boolean", Kind::kBoolean},
         {"null", Kind::kNull},
         {"array", Kind::kArray},
         {"object", Kind::kObject}}};
    for (const auto& [one, kind] : kTypes) {
      if (one != name) continue;
      ASSIGN(Node * node, make(kind));
      if (name == "integer") node->as<NumberRules>().integer = true;
      node->print = print_of(node->print, name);
      return node;
    }
    return error(Code::kInvalidArgument, "'type' names no type: '" + std::string(name) + "'");
  }

  Made values(const Spot&, const JsonMember& from) {
    const bool one = from.name == "const";
    ASSIGN(Node * node, make(one ? Kind::kConst : Kind::kEnum));
    auto& rules = node->as<Values>();
    if (one) {
      rules.values.push_back(&from.value);
    } else {
      ASSIGN(const JsonArray* items, array_of(from));
      TRY(charge(items->size()));
      for (const auto& item : *items) rules.values.push_back(&item);
    }
    node->print = print_value(node->print, from.value);
    return node;
  }

  Made pattern(const Spot&, const JsonMember& from) {
    ASSIGN(const std::string* text, pattern_of(from));
    ASSIGN(Node * node, make(Kind::kString));
    node->as<StringRules>().pattern = text;
    node->print = print_of(node->print, *text);
    return node;
  }

  Made unique(const Spot&, const JsonMember& from) {
    ASSIGN(const bool yes, boolean_of(from));
    ASSIGN(Node * node, make(Kind::kArray));
    node->as<ArrayRules>().unique = yes;
    node->print = print_of(node->print, std::uint64_t{yes});
    return node;
  }

  Made required(const Spot&, const JsonMember& from) {
    ASSIGN(const auto names, texts_of(from));
    ASSIGN(Node * node, make(Kind::kObject));
    for (const std::string* name : names) node->as<ObjectRules>().required.insert(*name);
    node->print = print_value(node->print, from.value);
    return node;
  }

  /// A schema inside another one's node, mixed into its print.
  Made inside(const Spot& at, Node& node, std::string_view name, const Json& value) {
    ASSIGN(Node * made, child(at, value));
    node.print += print_of(print_of(std::uint64_t{7}, name), made->print);
    return made;
  }

  Made properties(const Spot& at, const JsonMember& from) {
    ASSIGN(const JsonObject* members, object_of(from));
    if (members->empty()) return nullptr;
    ASSIGN(Node * node, make(Kind::kObject));
    for (const auto& one : *members) {
      ASSIGN(node->as<ObjectRules>().properties[one.name], inside(at, *node, one.name, one.value));
    }
    return node;
  }

  Made patterns(const Spot& at, const JsonMember& from) {
    ASSIGN(const JsonObject* members, object_of(from));
    if (members->empty()) return nullptr;
    ASSIGN(Node * node, make(Kind::kObject));
    for (const auto& one : *members) {
      TRY(check_pattern(one.name));
      ASSIGN(Node * schema, inside(at, *node, one.name, one.value));
      node->as<ObjectRules>().patterns.emplace_back(&one.name, schema);
    }
    return node;
  }

  Made additional_properties(const Spot& at, const JsonMember& from) {
    for (const auto* other : {"properties", "patternProperties"})
      if (const auto* one = documents().find(*at.value, other)) TRY(object_of(*one));
    ASSIGN(Node * node, make(Kind::kObject));
    ASSIGN(const Node* schema, inside(at, *node, from.name, from.value));
    auto& rules = node->as<ObjectRules>();
    rules.open = schema->kind != Kind::kFalse;
    if (rules.open && schema->kind != Kind::kTrue) rules.additional = schema;
    return node;
  }

  Made items(const Spot& at, const JsonMember& from) {
    ASSIGN(Node * node, make(Kind::kArray));
    ASSIGN(const Node* schema, inside(at, *node, from.name, from.value));
    auto& rules = node->as<ArrayRules>();
    rules.open = schema->kind != Kind::kFalse;
    if (!rules.open || schema->kind == Kind::kTrue) return node;
    const auto* prefix = documents().find(*at.value, "prefixItems");
    const bool after = prefix && prefix->value.array() && !prefix->value.array()->empty();
    (after ? rules.additional : rules.all) = schema;
    return node;
  }

  Made prefix_items(const Spot& at, const JsonMember& from) {
    ASSIGN(const JsonArray* items, array_of(from));
    ASSIGN(Node * node, make(Kind::kArray));
    auto& rules = node->as<ArrayRules>();
    for (const auto& item : *items) {
      ASSIGN(Node * one, inside(at, *node, std::to_string(rules.items.size()), item));
      rules.items.push_back(one);
    }
    return node;
  }

  Made contains(const Spot& at, const JsonMember& from) {
    ASSIGN(Node * node, make(Kind::kArray));
    TRY(inside(at, *node, from.name, from.value));
    const auto* min = documents().find(*at.value, "minContains");
    const auto* max = documents().find(*at.value, "maxContains");
    extras(*node).min_contains = min && min->value.is_number() ? int_value(min->value) : 1;
    if (max && max->value.is_number()) extras(*node).max_contains = int_value(max->value);
    return node;
  }

  Made unevaluated(const Spot& at, const JsonMember& from) {
    const bool items = from.name == "unevaluatedItems";
    ASSIGN(Node * node, make(items ? Kind::kArray : Kind::kObject));
    ASSIGN(const Node* schema, inside(at, *node, from.name, from.value));
    (items ? extras(*node).unevaluated_items : extras(*node).unevaluated_properties) = schema;
    return node;
  }

  Made negated(const Spot& at, const JsonMember& from) {
    ASSIGN(Node * node, make(Kind::kNot));
    ASSIGN(Node * inner, inside(at, *node, from.name, from.value));
    node->rules = Inner{inner};
    return node;
  }

  Made conditions(const Spot& at, const JsonMember&) {
    ASSIGN(Node * node, make(Kind::kConditional));
    for (const auto* name : {"if", "then", "else"})
      if (const auto* one = documents().find(*at.value, name))
        TRY(inside(at, *node, one->name, one->value));
    return node;
  }

  Made property_names(const Spot& at, const JsonMember& from) {
    ASSIGN(Node * node, make(Kind::kObject));
    TRY(inside(at, *node, from.name, from.value));
    return node;
  }

  Made dependent_schemas(const Spot& at, const JsonMember& from) {
    ASSIGN(const JsonObject* members, object_of(from));
    ASSIGN(Node * node, make(Kind::kObject));
    for (const auto& one : *members) {
      ASSIGN(node->as<ObjectRules>().schema_dependencies[one.name],
             inside(at, *node, one.name, one.value));
    }
    return node;
  }

  Made dependent_required(const Spot&, const JsonMember& from) {
    ASSIGN(const JsonObject* members, object_of(from));
    ASSIGN(Node * node, make(Kind::kObject));
    for (const auto& one : *members) {
      ASSIGN(const auto names, texts_of(one));
      for (const std::string* name : names)
        node->as<ObjectRules>().dependencies[one.name].insert(*name);
    }
    node->print = print_value(node->print, from.value);
    return node;
  }

  Made combination(const Spot& at, const JsonMember& from) {
    const Parent parent = from.name == "allOf"   ? Parent::kAllOf
                          : from.name == "anyOf" ? Parent::kAnyOf
                                                 : Parent::kOneOf;
    ASSIGN(const JsonArray* items, array_of(from));
    ASSIGN(Node * product, make(Kind::kCombined));
    product->as<CombinedRules>().criterion = static_cast<Criterion>(static_cast<int>(parent) - 1);
    for (const auto& item : *items) {
      ASSIGN(Node * part, child(at, item));
      ASSIGN(product, joined(parent, product, part));
    }
    if (product->kind == Kind::kCombined) print_parts(*product);
    return product;
  }

  std::unordered_map<std::string, Keyword> makers_;
};

}  // namespace

std::unique_ptr<Loader> modern_loader(const Documents& documents, Model& model) {
  return std::make_unique<ModernLoader>(documents, model);
}

}  // namespace tailrace::schema::json_schema
