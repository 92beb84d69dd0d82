// What both loaders of a Model share: nodes, what a `$ref` stands for, checks of keywords' types.
//
// A `$ref` is loaded once for each place it stands for, after what refers to it, so that only what
// is written in one another is loaded by recursion.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "schema/json_schema/model.h"

namespace tailrace::schema::json_schema {

class Loader {
 public:
  explicit Loader(const Documents& documents, Model& model)
      : documents_(documents), model_(model) {}
  virtual ~Loader() = default;

  Status run();

 protected:
  /// The schema that a value is.
  virtual Result<Node*> load(const Spot& at) = 0;

  Result<Node*> make(Kind kind);
  /// Counts a list that a node holds as nodes.
  Status charge(std::size_t items);
  /// A schema written inside another.
  Result<Node*> child(const Spot& above, const Json& value);
  Result<Node*> reference(const Spot& at, std::string_view target);

  /// The value's type is another one than was wanted.
  static std::unexpected<Error> wrong(std::string_view keyword, std::string_view wanted);
  static Result<const std::string*> text_of(const JsonMember& keyword);
  static Result<bool> boolean_of(const JsonMember& keyword);
  static Result<const Json*> number_of(const JsonMember& keyword);
  static Result<const JsonArray*> array_of(const JsonMember& keyword);
  static Result<const JsonObject*> object_of(const JsonMember& keyword);
  Result<std::vector<const std::string*>> texts_of(const JsonMember& keyword);
  /// kInvalidArgument when the regular expression is none.
  static Result<const std::string*> pattern_of(const JsonMember& keyword);
  /// What Java's Number.intValue gives.
  static std::int64_t int_value(const Json& number);

  /// Mixes a value into a print. The order of an object's members does not matter.
  std::uint64_t print_value(std::uint64_t seed, const Json& value);
  static std::uint64_t print_of(std::uint64_t seed, std::string_view text);
  static std::uint64_t print_of(std::uint64_t seed, std::uint64_t more);
  static void print_parts(Node& node);

  static Extras& extras(Node& node);
  const Documents& documents() const { return documents_; }

 private:
  const Documents& documents_;
  Model& model_;
  std::size_t printed_ = 0;
  std::size_t charged_ = 0;
  std::unordered_map<const Json*, Node*> targets_;
  std::vector<std::pair<Node*, Spot>> pending_;
};

/// Of drafts 4, 6 and 7, as everit-json-schema 1.14 loads them.
std::unique_ptr<Loader> old_loader(const Documents& documents, Model& model);
/// Of 2019-09 and 2020-12, both read as 2020-12: as json-sKema loads them and the registry
/// translates what it made.
std::unique_ptr<Loader> modern_loader(const Documents& documents, Model& model);

}  // namespace tailrace::schema::json_schema
