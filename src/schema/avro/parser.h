// From JSON to Avro types: one pass over the document, then names used before their definition are
// joined to it, then what only the whole can tell is checked.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "schema/avro/avro_schema.h"
#include "schema/avro/names.h"
#include "schema/place.h"

namespace tailrace::schema::avro {

class Parser {
 public:
  explicit Parser(Age age)
      : age_(age), rule_(age == Age::kNew ? NameRule::kAscii : NameRule::kLetters) {}

  /// The names the text defines may be used in later texts.
  Result<const Type*> add(std::string_view text);
  /// The schema whose root is what the last add() gave.
  Result<std::shared_ptr<const AvroSchema>> finish(const Type* root);
  void remember_reference(const Type& root);

 private:
  Result<const Type*> type(const Json& from, const Place& place, std::string_view space);
  Result<const Type*> object(const Json& from, const Place& place, std::string_view space);
  Result<const Type*> collection(const Json& from, const Place& place, std::string_view space,
                                 Kind kind);
  Result<const Type*> union_of(const JsonArray& from, const Place& place, std::string_view space);
  Result<const Type*> named(std::string_view name, const Place& place, std::string_view space);
  Result<const Type*> definition(const Json& from, const Place& place, std::string_view space,
                                 Kind kind);

  Status head(const Json& from, const Place& place, std::string_view space, Definition& made);
  Status aliases(const Json& from, const Place& place, std::vector<std::string>& names);
  Status fields(const Json& from, const Place& place, Type& record);
  Status field(const Json& from, const Place& place, std::string_view space, Field& made);
  Status symbols(const Json& from, const Place& place, Definition& made);
  Status size(const Json& from, const Place& place, Definition& made);

  Status join_names();
  Status check_union(const Type& type, const Place& place) const;
  Status check_defaults() const;

  Type& make(Kind kind);

  struct Wanted {
    std::string name;
    std::string place;  ///< only of the first uses: a place may be long
  };

  Age age_;
  NameRule rule_;
  std::shared_ptr<AvroSchema> made_{new AvroSchema};
  std::unordered_map<std::string, const Type*> defined_;
  std::unordered_set<const Type*> open_;  ///< records whose fields are being read
  /// A stand-in for each use of a name that had no definition yet.
  std::unordered_map<const Type*, Wanted> wanted_;
};

/// Whether two types mean the same, doc and aliases apart; named types within them are compared by
/// name.
bool same_meaning(const Type& one, const Type& other);

/// Whether a default fits the type; kResourceExhausted when it takes too long to say, as when a
/// record's default contains itself.
Result<bool> fits_default(const Type& type, const Json& value);

/// Checks that no more than kMaxTypeDepth types lie in one another.
Status check_depth(const Type& root);

}  // namespace tailrace::schema::avro
