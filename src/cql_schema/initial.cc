// The schema of a new server, from spec/cql/system_tables.cql.

#include <algorithm>

#include "base/check.h"
#include "cql_schema/draft.h"
#include "cql_schema/name_uuid.h"
#include "cql_schema/records.h"

extern "C" {
extern const char cql_schema_system_tables_begin[];
extern const char cql_schema_system_tables_end[];
}

namespace tailrace::cql_schema {
namespace {

std::string_view tables_text() {
  return {cql_schema_system_tables_begin, cql_schema_system_tables_end};
}

void add_keyspace(const cql_syntax::CreateKeyspace& statement, Schema& schema) {
  auto made = std::make_shared<Keyspace>();
  made->name = statement.name;
  const auto replication = Properties(statement.properties).map("replication");
  CHECK(replication && *replication);
  made->replication = **replication;
  auto& name = made->replication["class"];
  name = "org.apache.cassandra.locator." + name;
  made->virtual_keyspace = is_virtual_keyspace(made->name);
  schema.keyspaces[made->name] = std::move(made);
}

// A change of a keyspace that nobody else sees yet.
Keyspace& open(Schema& schema, const std::string& name) {
  const auto found = schema.keyspaces.find(name);
  CHECK(found != schema.keyspaces.end());
  return const_cast<Keyspace&>(*found->second);
}

// Tables that clients may fill are kept in the store, and have the first numbers there.
void add_table(const cql_syntax::CreateTable& statement, Schema& schema, TableNumber& next) {
  auto& keyspace = open(schema, *statement.name.keyspace);
  auto table = built_table(statement, keyspace);
  CHECK(table.has_value());
  table->id = name_uuid(table->keyspace + table->name);
  table->virtual_table = !is_replicated_system_keyspace(table->keyspace);
  if (!table->virtual_table) {
    table->number = next;
    ++next;
  }
  const auto name = table->name;
  keyspace.tables[name] = std::make_shared<Table>(std::move(*table));
}

// Of a table without a target: what Cassandra's own index of paxos has.
void add_index(const cql_syntax::CreateIndex& statement, Schema& schema) {
  auto& table = open(schema, *statement.table.keyspace).tables[statement.table.name];
  auto made = std::make_shared<Table>(*table);
  Index index;
  index.name = statement.name;
  index.kind = "CUSTOM";
  index.options = {{"class_name", *statement.class_name}, {"target", ""}};
  made->indexes.push_back(std::move(index));
  table = std::move(made);
}

// What a table had in versions of old, and tells as dropped.
void drop_column(const cql_syntax::AlterTable& statement, Schema& schema) {
  auto& table = open(schema, *statement.name.keyspace).tables[statement.name.name];
  auto made = std::make_shared<Table>(*table);
  const int at = made->find(statement.columns.front().name);
  const auto dropped_us = java_long(*statement.timestamp);
  CHECK(at >= 0 && dropped_us);
  made->dropped.push_back({made->columns[static_cast<std::size_t>(at)], *dropped_us});
  made->columns.erase(made->columns.begin() + at);
  table = std::move(made);
}

// Statements end with `;` at the end of a line; lines that begin with `--` are no part of them.
SchemaPtr read_tables(std::string_view text) {
  auto schema = std::make_shared<Schema>();
  TableNumber next{1};
  while (!text.empty()) {
    if (text.starts_with("--") || text.starts_with('\n')) {
      text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
      continue;
    }
    const auto end = text.find(";\n");
    CHECK(end != std::string_view::npos);
    const auto statement = cql_syntax::parse(text.substr(0, end));
    CHECK(statement.has_value());
    text.remove_prefix(end + 2);
    if (const auto* keyspace = std::get_if<cql_syntax::CreateKeyspace>(&statement->body))
      add_keyspace(*keyspace, *schema);
    else if (const auto* table = std::get_if<cql_syntax::CreateTable>(&statement->body))
      add_table(*table, *schema, next);
    else if (const auto* altered = std::get_if<cql_syntax::AlterTable>(&statement->body))
      drop_column(*altered, *schema);
    else
      add_index(std::get<cql_syntax::CreateIndex>(statement->body), *schema);
  }
  CHECK(next < schema->next_table);
  schema->version = contents_version(*schema);
  return schema;
}

}  // namespace

SchemaPtr initial_schema() {
  static const SchemaPtr kInitial = read_tables(tables_text());
  return kInitial;
}

}  // namespace tailrace::cql_schema
