// name = value pairs of a WITH clause, read as Cassandra reads them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cql_syntax/schema_statements.h"
#include "cql_types/failure.h"

namespace tailrace::cql_schema {

using Options = std::map<std::string, std::string>;

/// Numbers as Integer.parseInt and Long.parseLong read them.
std::optional<std::int32_t> java_int(std::string_view text);
std::optional<std::int64_t> java_long(std::string_view text);
/// In small letters, of ASCII alone.
std::string lower(std::string_view text);

class Properties {
 public:
  explicit Properties(const std::vector<cql_syntax::Property>& list);

  bool has(const std::string& name) const { return texts_.contains(name) || maps_.contains(name); }
  bool empty() const { return texts_.empty() && maps_.empty(); }
  /// kSyntax for a name that is not among `known`.
  cql_types::Outcome<void> check_names(const std::vector<std::string>& known) const;

  /// nullopt where it is not given; kSyntax where it is of another form.
  cql_types::Outcome<std::optional<std::string>> text(const std::string& name) const;
  cql_types::Outcome<std::optional<Options>> map(const std::string& name) const;

  /// Change `value` where the property is given.
  cql_types::Outcome<void> read(const std::string& name, std::string& value) const;
  cql_types::Outcome<void> read(const std::string& name, bool& value) const;
  cql_types::Outcome<void> read(const std::string& name, std::int32_t& value) const;
  cql_types::Outcome<void> read(const std::string& name, double& value) const;

 private:
  Options texts_;
  std::map<std::string, Options> maps_;
};

}  // namespace tailrace::cql_schema
