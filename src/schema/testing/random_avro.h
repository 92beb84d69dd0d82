// Random Avro schemas as JSON, and changes to them as people make them: small pools of names, so
// that two random schemas often have to do with one another.
#pragma once

#include <random>
#include <set>
#include <string>
#include <string_view>

#include "schema/json.h"

namespace tailrace::schema::testing {

using Random = std::mt19937_64;

class RandomAvro {
 public:
  explicit RandomAvro(std::uint64_t seed) : random_(seed) {}

  /// A schema of records, mostly.
  Json schema();
  /// The schema with one to three changes; it may be no schema any more.
  Json changed(const Json& from);
  /// For values that go into columns: no recursion, no bare null, no union of several; and names
  /// that every implementation resolves alike.
  void keep_to_columns() { columns_only_ = true; }

  std::size_t below(std::size_t count) {
    return count == 0 ? 0 : std::uniform_int_distribution<std::size_t>(0, count - 1)(random_);
  }
  bool one_in(std::size_t count) { return below(count) == 0; }
  Random& random() { return random_; }

 private:
  Json type(int depth);
  Json primitive(bool may_be_logical = true);
  Json record(int depth);
  Json field(const std::string& name, int depth);
  Json named(std::string_view kind, std::string_view prefix);
  Json union_of(int depth);
  Json default_for(const Json& type);
  Json with_doc(JsonObject made);
  std::string new_name();

  Json change(const Json& from);
  Json change_record(const Json& from);
  Json change_field(const Json& from);
  Json change_enum(const Json& from);
  Json changed_union(const Json& from);

  Random random_;
  bool columns_only_ = false;
  std::set<std::string> names_;      ///< of this schema
  std::vector<std::string> usable_;  ///< full names that may be used again
};

}  // namespace tailrace::schema::testing
