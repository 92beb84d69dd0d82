// What a Validator runs: a graph of rules, one for each schema that can be reached.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "schema/json_schema/json_schema.h"
#include "schema/json_schema/pattern.h"
#include "schema/json_schema/validator.h"

namespace tailrace::schema::json_schema {

/// Types as bits; an integer is a number too.
enum TypeBit : std::uint8_t {
  kNullBit = 1,
  kBooleanBit = 2,
  kNumberBit = 4,
  kIntegerBit = 8,
  kStringBit = 16,
  kArrayBit = 32,
  kObjectBit = 64,
};
inline constexpr std::uint8_t kAnyType = 127;

/// What is said of a property by its name.
struct Property {
  std::string name;
  const Rule* rule = nullptr;  ///< null when it is only required
  int required = -1;           ///< its place among the required ones
};

/// Properties by name; in the order of the schema they are found at once.
class Properties {
 public:
  Property& add(std::string_view name);
  /// `hint` is where the next one probably stands, and is moved on.
  const Property* find(std::string_view name, std::size_t& hint) const;
  void index();
  const std::vector<Property>& all() const { return all_; }

 private:
  static std::size_t hash(std::string_view name);
  std::vector<Property> all_;
  std::map<std::string, std::size_t, std::less<>> added_;
  std::vector<std::uint32_t> table_;  ///< places + 1, by hash
};

struct NumberRule {
  const Json* minimum = nullptr;
  const Json* maximum = nullptr;
  const Json* exclusive_minimum = nullptr;
  const Json* exclusive_maximum = nullptr;
  const Json* multiple_of = nullptr;
};

struct StringRule {
  std::int64_t min = 0;
  std::int64_t max = INT64_MAX;
  const Pattern* pattern = nullptr;
  const std::string* format = nullptr;
};

struct ArrayRule {
  std::int64_t min = 0;
  std::int64_t max = INT64_MAX;
  bool unique = false;
  std::vector<const Rule*> prefix;
  const Rule* rest = nullptr;
  const Rule* contains = nullptr;
  std::int64_t min_contains = 1;
  std::int64_t max_contains = INT64_MAX;
  const Rule* unevaluated = nullptr;
  bool contains_evaluates = false;    ///< since 2020-12
  const char* prefix_name = "items";  ///< the keyword
  const char* rest_name = "items";
};

struct ObjectRule {
  std::int64_t min = 0;
  std::int64_t max = INT64_MAX;
  Properties properties;
  std::vector<std::string> required;
  std::vector<std::pair<const Pattern*, const Rule*>> patterns;
  std::vector<std::string_view> pattern_texts;
  const Rule* additional = nullptr;
  const Rule* names = nullptr;
  std::vector<std::pair<std::string_view, std::vector<std::string>>> dependent_required;
  std::vector<std::pair<std::string_view, const Rule*>> dependent_schemas;
  const char* dependent_name = "dependencies";
  const Rule* unevaluated = nullptr;
};

struct ValueRule {
  std::vector<const Json*> values;
  std::unordered_set<std::string_view> texts;  ///< those of them that are strings
  bool is_const = false;
};

struct CombinedRule {
  std::vector<const Rule*> all, any, one;
  const Rule* never = nullptr;
  const Rule* condition = nullptr;
  const Rule* then = nullptr;
  const Rule* otherwise = nullptr;
  const Rule* ref = nullptr;
  const Rule* dynamic = nullptr;
  const char* dynamic_name = "$dynamicRef";
  /// Where `dynamic` stands for the outermost schema with such an anchor: those, by their base.
  std::unordered_map<const std::string*, const Rule*> outer;
};

struct Rule {
  std::uint8_t types = kAnyType;
  bool nothing = false;  ///< the schema `false`
  bool whole_is_integer = true;
  const std::string* base = nullptr;
  std::unique_ptr<NumberRule> number;
  std::unique_ptr<StringRule> string;
  std::unique_ptr<ArrayRule> array;
  std::unique_ptr<ObjectRule> object;
  std::unique_ptr<ValueRule> constant, choice;
  std::unique_ptr<CombinedRule> combined;
};

class Rules {
 public:
  static Result<std::unique_ptr<Rules>> compile(std::shared_ptr<const JsonSchema> schema,
                                                Formats formats);
  const Rule& root() const { return *root_; }
  bool is_dynamic() const { return dynamic_; }

 private:
  friend class Compiler;
  std::shared_ptr<const JsonSchema> schema_;
  std::deque<Rule> rules_;
  std::deque<Pattern> patterns_;
  const Rule* root_ = nullptr;
  bool dynamic_ = false;
};

}  // namespace tailrace::schema::json_schema
