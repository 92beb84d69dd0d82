// What the comparison of two JSON Schemas sees of one: a graph of nodes of few kinds, as the
// registry's loaders make it (Kind's are the classes of everit-json-schema). Keywords that no
// comparison looks at leave a trace only in `print`, which tells two nodes apart.
//
// Nodes belong to a Model and live as long as it; the texts and values they show belong to the
// Documents it was loaded from.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <variant>
#include <vector>

#include "schema/json_schema/documents.h"

namespace tailrace::schema::json_schema {

/// How many schemas, those in one another counted, one text may come to.
inline constexpr std::size_t kMaxNodes = 1'000'000;

enum class Kind : std::uint8_t {
  kArray,
  kBoolean,
  kCombined,
  kConditional,
  kConst,
  kEmpty,  ///< {}
  kEnum,
  kFalse,
  kNot,
  kNull,
  kNumber,
  kObject,
  kReference,
  kString,
  kTrue,
};

struct Node;

struct StringRules {
  std::optional<std::int64_t> min, max;
  const std::string* pattern = nullptr;
};

struct NumberRules {
  const Json* minimum = nullptr;
  const Json* maximum = nullptr;
  const Json* exclusive_minimum = nullptr;
  const Json* exclusive_maximum = nullptr;
  const Json* multiple_of = nullptr;
  bool integer = false;
};

struct ArrayRules {
  std::optional<std::int64_t> min, max;
  bool unique = false;
  const Node* all = nullptr;         ///< `items` as one schema
  std::vector<const Node*> items;    ///< one by one
  bool open = true;                  ///< items beyond those may be
  const Node* additional = nullptr;  ///< and are such
};

struct ObjectRules {
  std::optional<std::int64_t> min, max;
  std::map<std::string_view, const Node*> properties;
  std::set<std::string_view> required;
  bool open = true;
  const Node* additional = nullptr;
  std::vector<std::pair<const std::string*, const Node*>> patterns;
  std::map<std::string_view, std::set<std::string_view>> dependencies;
  std::map<std::string_view, const Node*> schema_dependencies;
};

enum class Criterion : std::uint8_t { kAll, kAny, kOne };

struct CombinedRules {
  Criterion criterion = Criterion::kAll;
  std::vector<const Node*> parts;
  bool generated = false;  ///< of several keywords, or of several types, of one schema
};

struct Values {
  std::vector<const Json*> values;
};

/// `not`, or what a `$ref` stands for (null until it is loaded).
struct Inner {
  const Node* node = nullptr;
};

/// Keywords that are rare.
struct Extras {
  std::optional<std::int64_t> min_contains, max_contains;
  const Node* unevaluated_items = nullptr;
  const Node* unevaluated_properties = nullptr;
  const std::string* connect_type = nullptr;
};

struct Node {
  Kind kind = Kind::kEmpty;
  bool has_default = false;
  std::uint64_t print = 0;  ///< equal for equal schemas
  std::variant<std::monostate, std::unique_ptr<StringRules>, std::unique_ptr<NumberRules>,
               std::unique_ptr<ArrayRules>, std::unique_ptr<ObjectRules>,
               std::unique_ptr<CombinedRules>, std::unique_ptr<Values>, Inner>
      rules;
  std::unique_ptr<Extras> extras;

  template <typename T>
  T& as() {
    return *std::get<std::unique_ptr<T>>(rules);
  }
  template <typename T>
  const T& as() const {
    return *std::get<std::unique_ptr<T>>(rules);
  }
  const Node* inner() const { return std::get<Inner>(rules).node; }
};

class Model {
 public:
  /// Loads the schema and all it refers to; kInvalidArgument, with the place, for what the
  /// registry's loaders refuse.
  static Result<std::unique_ptr<Model>> load(const Documents& documents);

  const Node& root() const { return *root_; }

 private:
  friend class Loader;
  std::deque<Node> nodes_;
  const Node* root_ = nullptr;
};

}  // namespace tailrace::schema::json_schema
