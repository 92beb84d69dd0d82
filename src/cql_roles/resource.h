// What permissions are granted on. Each resource lies in another one, up to a root:
//
//   data (all keyspaces) > data/KS > data/KS/* (all tables in) > data/KS/TABLE
//   roles > roles/ROLE        functions > functions/KS > functions/KS/NAME[ARGUMENTS]
//   mbean > mbean/NAME
//
// That is also how they are named where permissions are kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cql_roles/permission.h"
#include "cql_syntax/access_statements.h"
#include "cql_types/failure.h"

namespace tailrace::cql_roles {

struct Resource {
  enum class Kind : std::uint8_t {
    kAllKeyspaces,
    kKeyspace,
    kAllTables,
    kTable,
    kAllRoles,
    kRole,
    kAllFunctions,
    kKeyspaceFunctions,
    kFunction,
    kAllBeans,
    kBean,
  };
  Kind kind = Kind::kAllKeyspaces;
  std::string keyspace = {};
  std::string name = {};  // of a table, role or bean; of a function with its arguments: f(int)

  static Resource all_keyspaces() { return {Kind::kAllKeyspaces}; }
  static Resource of_keyspace(std::string_view keyspace) {
    return {Kind::kKeyspace, std::string(keyspace)};
  }
  static Resource all_tables(std::string_view keyspace) {
    return {Kind::kAllTables, std::string(keyspace)};
  }
  static Resource table(std::string_view keyspace, std::string_view name) {
    return {Kind::kTable, std::string(keyspace), std::string(name)};
  }
  static Resource all_roles() { return {Kind::kAllRoles}; }
  static Resource role(std::string_view name) { return {Kind::kRole, {}, std::string(name)}; }
  static Resource functions_of(std::string_view keyspace) {
    return {Kind::kKeyspaceFunctions, std::string(keyspace)};
  }

  /// "data/ks/t": its name where it is kept.
  std::string key() const;
  /// The one of a key; nullopt for what is none.
  static std::optional<Resource> of_key(std::string_view key);
  /// "<table ks.t>", as sentences and lists show it.
  std::string text() const;
  std::optional<Resource> parent() const;
  Permissions applicable() const;
  bool is_data() const { return kind <= Kind::kTable; }
  bool is_function() const { return kind >= Kind::kAllFunctions && kind <= Kind::kFunction; }
  /// What Cassandra calls this kind in a sentence: "DataResource".
  std::string_view class_name() const;
};

/// The resource of a statement; `keyspace` is that in use, of tables without one. Fails as
/// Cassandra does where there is none, and on functions of the server.
cql_types::Outcome<Resource> resource_of(const cql_syntax::Resource& written,
                                         const std::string& keyspace);

}  // namespace tailrace::cql_roles
