// CQL's type texts: `map<text, frozen<list<int>>>` to a Type, in two steps as Cassandra takes them.
//
// `parse_raw_type` knows the grammar alone; `resolve` asks for user types and applies the rules of
// what may stand in what, with Cassandra's sentences. A statement's parser that meets a type hands
// its text over, or builds the RawType itself.
#pragma once

#include <functional>
#include <optional>

#include "base/result.h"
#include "cql_types/type.h"

namespace tailrace::cql_types {

constexpr std::size_t kMaxTypeText = 64 * 1024;

/// A type as it is written: names not looked up, rules not applied.
struct RawType {
  Kind kind = Kind::kBlob;
  bool varchar = false;  // kText written as varchar, which errors repeat
  bool frozen = false;
  std::vector<RawType> parameters;
  long long dimension = 0;
  std::optional<std::string> keyspace;  // of a user type
  std::string name;                     // of a user type; the class of a custom one

  std::string text() const;
};

/// A user type by keyspace and name, non-frozen, or null where there is none.
using UserTypes = std::function<TypePtr(std::string_view keyspace, std::string_view name)>;

/// The type at the start of `text`; `used` says where it ends. kInvalidArgument otherwise.
Result<RawType> parse_raw_type(std::string_view text, std::size_t& used);

/// Applies frozen<…>. kInvalidArgument, in Cassandra's words, for what cannot be frozen.
Status freeze(RawType& type);

/// `keyspace` is the statement's or the table's.
Result<TypePtr> resolve(const RawType& raw, std::string_view keyspace, const UserTypes& user_types);

/// Both steps; nothing but the type may stand in `text`.
Result<TypePtr> parse_type(std::string_view text, std::string_view keyspace = "",
                           const UserTypes& user_types = nullptr);

}  // namespace tailrace::cql_types
