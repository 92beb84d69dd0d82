// A statement, prepared: parsed, checked against the schema, its markers known.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cql_protocol/messages.h"
#include "cql_query/modification.h"
#include "cql_query/select.h"
#include "cql_schema/schema.h"
#include "cql_syntax/statement.h"

namespace tailrace::cql_query {

struct Prepared {
  std::string id, text, keyspace;
  /// Of a SELECT's columns, set with `id`: other columns have another. Version 5 compares it.
  std::string result_id;
  cql_syntax::Statement statement;
  std::vector<cql_protocol::ColumnSpec> markers;
  std::vector<std::uint16_t> partition_key;  // as cql_protocol::Prepared
  /// The tables it was prepared against: others mean that it is out of date.
  std::vector<cql_schema::TablePtr> tables;

  // One of them, or none: of a SELECT; of INSERT, UPDATE and DELETE; of BEGIN … APPLY BATCH.
  SelectPtr select;
  ModificationPtr modification;
  std::shared_ptr<const PreparedBatch> batch;

  /// Whether its tables are still those of the schema.
  bool is_current(const cql_schema::Schema& schema) const;
};
using PreparedPtr = std::shared_ptr<const Prepared>;

/// `keyspace` is that of USE, or of the request; empty: none.
Outcome<PreparedPtr> prepare(std::string_view text, const std::string& keyspace,
                             const cql_schema::SchemaPtr& schema, std::int64_t now_ms);

/// The table of a name: in its keyspace, or in the one given.
Outcome<cql_schema::TablePtr> find_table(const cql_schema::Schema& schema,
                                         const cql_syntax::QualifiedName& name,
                                         const std::string& keyspace);

}  // namespace tailrace::cql_query
