// USING TIMESTAMP … AND TTL … of a statement or a batch.
#pragma once

#include <cstdint>

#include "cql_query/modification.h"
#include "cql_syntax/data_statements.h"

namespace tailrace::cql_query {

class WriteOptions {
 public:
  static Outcome<WriteOptions> prepare(const cql_syntax::Using& options, std::string_view keyspace,
                                       std::string_view table, const cql_terms::Scope& scope);

  bool sets_timestamp() const { return timestamp_ != nullptr; }
  bool sets_ttl() const { return ttl_ != nullptr; }

  /// What USING says, or else (and where it is unset) `otherwise`. kInvalid for null.
  Outcome<std::int64_t> timestamp(const Bindings& bindings, std::int64_t otherwise) const;
  /// Seconds, 0 for ever; by default the table's default_time_to_live. kInvalid for what is out of
  /// its limits, and for what would expire after the last moment Cassandra 5.0 can keep.
  Outcome<std::int32_t> ttl(const Bindings& bindings, const cql_schema::Table& table) const;

 private:
  cql_terms::TermPtr timestamp_, ttl_;
};

/// When something of `ttl` seconds (0: never, as 0) expires.
std::int64_t expiry(std::int64_t now_seconds, std::int32_t ttl);

}  // namespace tailrace::cql_query
