// The comparison of two graphs of nodes, pair by pair. Each pair is compared once: what it came to
// is kept, relative to itself, and put together with the places afterwards.
//
// A pair that is met again within its own comparison is held compatible at first. When any was, the
// whole is compared again, taking for such pairs what the last round found, until two rounds find
// the same pairs incompatible.
#pragma once

#include <deque>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "schema/json_schema/model.h"
#include "schema/json_schema/pattern.h"

namespace tailrace::schema::json_schema {

/// What was found of a pair.
struct Found {
  struct Step {
    std::string place;   ///< "properties/a"; empty for the pair itself
    const char* type;    ///< a difference there, or null
    const Found* inner;  ///< what was found of a pair that stands there, or null
  };
  std::vector<Step> steps;

  bool compatible() const { return steps.empty(); }
};

class Comparison {
 public:
  /// Null when it took too long.
  const Found* run(const Node& writer, const Node& reader);

 private:
  struct Pair {
    const Node* writer;
    const Node* reader;
    bool operator==(const Pair&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Pair& pair) const {
      return std::hash<const Node*>()(pair.writer) * 31 + std::hash<const Node*>()(pair.reader);
    }
  };
  using Results = std::unordered_map<Pair, const Found*, Hash>;

  /// Each may be null: none.
  void compare(Found& into, const std::string& place, const Node* writer, const Node* reader);
  const Found* pair(const Node& writer, const Node& reader);
  const Found* compared(const Node& writer, const Node& reader);
  bool compatible(const Node& writer, const Node& reader);

  void types(Found& into, const Node& writer, const Node& reader);
  bool matches_one_of(const Node& writer, const Node& reader);
  void same_kind(Found& into, const Node& writer, const Node& reader);
  void combined(Found& into, const Node& writer, const Node& reader);
  void objects(Found& into, const Node& writer, const Node& reader);
  void properties(Found& into, const Node& writer, const Node& reader);
  void removed(Found& into, const std::string& place, std::string_view name, const Node& schema,
               const Node& reader);
  void added(Found& into, const std::string& place, std::string_view name, const Node& schema,
             const Node& writer, const Node& reader);
  void dependencies(Found& into, const ObjectRules& writer, const ObjectRules& reader);
  void arrays(Found& into, const Node& writer, const Node& reader);
  void items(Found& into, const Node& writer, const Node& reader);
  void unevaluated(Found& into, const std::string& keyword, const char* narrowed,
                   const char* removed, const Node* writer, const Node* reader);

  /// The pattern that covers a property of that name, or what may be added to the object otherwise.
  const Node* covering(const Node& object, std::string_view name);

  bool given_up() const { return work_ > kMaxWork; }
  static constexpr std::size_t kMaxWork = 1'000'000;

  Results results_, last_;
  std::unordered_set<Pair, Hash> open_;
  std::deque<Found> found_;
  std::unordered_map<const std::string*, Pattern> patterns_;
  std::size_t work_ = 0;
  std::size_t depth_ = 0;
  bool assumed_ = false;  ///< that an open pair is compatible
};

/// What two schemas' own keywords come to.
void compare_strings(Found& into, const StringRules& writer, const StringRules& reader);
void compare_numbers(Found& into, const NumberRules& writer, const NumberRules& reader);
void compare_values(Found& into, const Node& writer, const Node& reader);

}  // namespace tailrace::schema::json_schema
