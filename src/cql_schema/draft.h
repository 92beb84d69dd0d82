// What the statements of DDL do, one function each: a statement and what is there to the keyspace
// as it is to be. change.cc checks what goes before all of them and makes the Change of it.
#pragma once

#include "cql_schema/change.h"
#include "cql_schema/properties.h"

namespace tailrace::cql_schema {

/// What a statement sees.
struct Scene {
  const Schema& schema;
  const Circumstances& now;
  /// The next number of a table or an index.
  TableNumber next_table;

  TableNumber take_number() { return TableNumber(next_table.value++); }
};

/// What a statement makes of one keyspace.
struct Draft {
  std::shared_ptr<Keyspace> keyspace;  // after it; null: nothing changes, or it is gone
  bool gone = false;
  Event event = {};
  std::vector<std::string> warnings = {};
};

/// The keyspace of a name, or that of USE. kInvalid without either.
cql_types::Outcome<std::string> keyspace_of(const cql_syntax::QualifiedName& name,
                                            const Circumstances& now);

using DraftOutcome = cql_types::Outcome<Draft>;

DraftOutcome create_keyspace(const cql_syntax::CreateKeyspace& statement, Scene& scene);
DraftOutcome alter_keyspace(const cql_syntax::AlterKeyspace& statement, Scene& scene);
DraftOutcome create_table(const cql_syntax::CreateTable& statement, const std::string& keyspace,
                          Scene& scene);
DraftOutcome alter_table(const cql_syntax::AlterTable& statement, const std::string& keyspace,
                         Scene& scene);
DraftOutcome create_type(const cql_syntax::CreateType& statement, const std::string& keyspace,
                         Scene& scene);
DraftOutcome alter_type(const cql_syntax::AlterType& statement, const std::string& keyspace,
                        Scene& scene);
DraftOutcome create_index(const cql_syntax::CreateIndex& statement, const std::string& keyspace,
                          Scene& scene);
DraftOutcome create_view(const cql_syntax::CreateView& statement, const std::string& keyspace,
                         Scene& scene);
DraftOutcome alter_view(const cql_syntax::AlterView& statement, const std::string& keyspace,
                        Scene& scene);
DraftOutcome create_trigger(const cql_syntax::CreateTrigger& statement, const std::string& keyspace,
                            Scene& scene);
DraftOutcome drop_trigger(const cql_syntax::DropTrigger& statement, const std::string& keyspace,
                          Scene& scene);
DraftOutcome create_function(const cql_syntax::CreateFunction& statement,
                             const std::string& keyspace, Scene& scene);
DraftOutcome create_aggregate(const cql_syntax::CreateAggregate& statement,
                              const std::string& keyspace, Scene& scene);
DraftOutcome drop(const cql_syntax::Drop& statement, const std::string& keyspace, Scene& scene);

/// Checks of a table as a whole (Cassandra's TableMetadata.validate): names, ranges, counters,
/// indexes. What its indexes warn of is told again at each change.
cql_types::Outcome<void> check_table(const Table& table, std::vector<std::string>& warnings);
/// Of one index of a table, which may be among its indexes.
cql_types::Outcome<void> check_index(const Index& index, const Table& table,
                                     std::vector<std::string>& warnings);
/// Indexes as they were made, one after the other.
std::vector<Index> in_order_made(std::vector<Index> indexes);
/// Only letters of ASCII, digits and underscores, and at least one.
bool is_plain_name(std::string_view name);

/// The table of a CREATE TABLE whose names are free, without a number, and without an id where none
/// is given.
cql_types::Outcome<Table> built_table(const cql_syntax::CreateTable& statement,
                                      const Keyspace& keyspace);

// What several statements need.
Draft updated(const Keyspace& before, Event::Change change, Event::Target target,
              const std::string& name);
/// Puts a column in its place of Table::columns.
void insert_column(Table& table, Column column);
ColumnNumber next_column(const Table& table);
/// Views of a table, by name.
std::vector<TablePtr> views_of(const Keyspace& keyspace, const std::string& table);

std::unexpected<cql_types::Failure> masks_are_off();
/// A mask as it is kept. kInvalid for a function that masks no column of this type.
cql_types::Outcome<Mask> made_mask(const cql_syntax::Mask& mask, const std::string& column,
                                   const cql_types::Type& type);

}  // namespace tailrace::cql_schema
