// Random JSON Schemas of every draft, and changes to them as people make them: small pools of names
// and limits, so that two random schemas often have to do with one another.
#pragma once

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "schema/json.h"

namespace tailrace::schema::testing {

class RandomJsonSchema {
 public:
  explicit RandomJsonSchema(std::uint64_t seed) : random_(seed) {}

  /// Of a random draft.
  Json schema();
  /// The schema with one to three changes; it may be no schema any more.
  Json changed(const Json& from);
  /// A document that may conform to it or not.
  Json document(const Json& schema);

  std::size_t below(std::size_t count) {
    return count == 0 ? 0 : std::uniform_int_distribution<std::size_t>(0, count - 1)(random_);
  }
  bool one_in(std::size_t count) { return below(count) == 0; }

 private:
  enum class Draft { k4, k6, k7, k2019, k2020 };

  Json any(int depth);
  void add_type(JsonObject& into);
  void add_string(JsonObject& into);
  void add_number(JsonObject& into);
  void add_array(JsonObject& into, int depth);
  void add_object(JsonObject& into, int depth);
  void add_combination(JsonObject& into, int depth);
  void add_words(JsonObject& into);
  Json properties(int depth);
  Json list(int depth);
  Json number();
  Json value(int depth);
  std::string name();
  Json change(const Json& from, std::string_view key, int depth);
  Json value_for(const Json& schema, int depth);

  std::mt19937_64 random_;
  Draft draft_ = Draft::k7;
  std::size_t definitions_ = 0;
};

}  // namespace tailrace::schema::testing
