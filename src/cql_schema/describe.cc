#include "cql_schema/describe.h"

#include <algorithm>

#include "cql_schema/cql_text.h"
#include "cql_schema/properties.h"
#include "cql_schema/records.h"
#include "cql_schema/refusal.h"
#include "cql_types/inet.h"
#include "cql_types/parts.h"

namespace tailrace::cql_schema {
namespace {

using cql_syntax::Describe;
using cql_types::Outcome;
using cql_types::quoted_if_needed;
using Rows = std::vector<std::vector<std::optional<std::string>>>;

// Names are in order without regard to case.
template <typename Item, typename Name>
void sort_by_name(std::vector<Item>& items, Name&& name_of) {
  std::stable_sort(items.begin(), items.end(), [&](const Item& a, const Item& b) {
    return lower(name_of(a)) < lower(name_of(b));
  });
}

class Describer {
 public:
  Describer(const Describe& statement, const Schema& schema, const Node& node,
            const std::string& used)
      : statement_(statement), schema_(schema), node_(node), used_(used) {}

  Outcome<Description> run() {
    TRY(fill());
    const auto text = cql_types::native_type(cql_types::Kind::kText);
    while (made_.types.size() < made_.columns.size()) made_.types.push_back(text);
    return std::move(made_);
  }

 private:
  using Kind = Describe::Kind;

  Outcome<void> fill() {
    const bool only_names = statement_.kind == Kind::kKeyspaces ||
                            statement_.kind == Kind::kTables || statement_.kind == Kind::kTypes ||
                            statement_.kind == Kind::kFunctions ||
                            statement_.kind == Kind::kAggregates;
    made_.columns = {"keyspace_name", "type", "name"};
    if (!only_names) made_.columns.emplace_back("create_statement");
    switch (statement_.kind) {
      case Kind::kCluster:
        return cluster();
      case Kind::kSchema:
      case Kind::kFullSchema:
        for (const auto* keyspace : all_keyspaces())
          if (statement_.kind == Kind::kFullSchema || !is_system_keyspace(keyspace->name))
            add_elements(*keyspace);
        return {};
      case Kind::kKeyspaces:
        for (const auto* keyspace : all_keyspaces())
          add_name(keyspace->name, "keyspace", keyspace->name);
        return {};
      case Kind::kTables:
      case Kind::kTypes:
      case Kind::kFunctions:
      case Kind::kAggregates:
        return listing();
      case Kind::kAny:
        return any();
      default:
        return element(statement_.kind, keyspace_given(), statement_.name.name);
    }
  }

  // Of DESCRIBE KEYSPACE the name is the keyspace's own.
  std::optional<std::string> keyspace_given() const {
    if (statement_.kind != Kind::kKeyspace && statement_.kind != Kind::kOnlyKeyspace)
      return statement_.name.keyspace;
    if (statement_.name.name.empty()) return std::nullopt;
    return statement_.name.name;
  }

  std::vector<const Keyspace*> all_keyspaces() const {
    std::vector<const Keyspace*> all;
    for (const auto& [name, keyspace] : schema_.keyspaces) all.push_back(keyspace.get());
    sort_by_name(all, [](const Keyspace* one) { return one->name; });
    return all;
  }

  Outcome<const Keyspace*> existing(const std::string& name) const {
    if (const auto* keyspace = schema_.keyspace(name)) return keyspace;
    return invalid("'{}' not found in keyspaces", name);
  }

  void add_name(const std::string& keyspace, const char* type, const std::string& name) {
    made_.rows.push_back({quoted_if_needed(keyspace), type, quoted_if_needed(name)});
  }
  void add(const std::string& keyspace, const char* type, const std::string& name,
           std::string text) {
    add_name(keyspace, type, name);
    made_.rows.back().emplace_back(std::move(text));
  }

  void add_keyspace(const Keyspace& keyspace) {
    add(keyspace.name, "keyspace", keyspace.name, create_keyspace_text(keyspace));
  }
  void add_type(const cql_types::Type& type) {
    add(type.keyspace, "type", type.name, create_type_text(type));
  }
  void add_index(const Index& index, const Table& table) {
    add(table.keyspace, "index", index.name, create_index_text(index, table));
  }
  void add_table(const Table& table) {
    add(table.keyspace, table.view ? "materialized_view" : "table", table.name,
        create_table_text(table, statement_.with_internals));
  }

  // A table, its indexes and its views.
  void add_with_dependents(const Keyspace& keyspace, const Table& table) {
    add_table(table);
    auto indexes = table.indexes;
    sort_by_name(indexes, [](const Index& one) { return one.name; });
    for (const auto& index : indexes) add_index(index, table);
    std::vector<TablePtr> views;
    for (const auto& [name, one] : keyspace.tables)
      if (one->view && one->view->base_table == table.name) views.push_back(one);
    sort_by_name(views, [](const TablePtr& one) { return one->name; });
    for (const auto& view : views) add_table(*view);
  }

  void add_elements(const Keyspace& keyspace) {
    add_keyspace(keyspace);
    for (const auto& type : types_in_order(keyspace)) add_type(*type);
    for (const auto& table : base_tables(keyspace)) add_with_dependents(keyspace, *table);
  }

  static std::vector<TablePtr> base_tables(const Keyspace& keyspace) {
    std::vector<TablePtr> tables;
    for (const auto& [name, table] : keyspace.tables)
      if (!table->view) tables.push_back(table);
    sort_by_name(tables, [](const TablePtr& one) { return one->name; });
    return tables;
  }

  Outcome<void> listing() {
    auto keyspaces = all_keyspaces();
    if (!used_.empty()) {
      ASSIGN(const auto* keyspace, existing(used_));
      keyspaces = {keyspace};
    }
    for (const auto* keyspace : keyspaces) {
      if (statement_.kind == Kind::kTables)
        for (const auto& table : base_tables(*keyspace))
          add_name(keyspace->name, "table", table->name);
      if (statement_.kind != Kind::kTypes) continue;
      std::vector<std::string> names;
      for (const auto& [name, type] : keyspace->types) names.push_back(name);
      sort_by_name(names, [](const std::string& one) { return one; });
      for (const auto& name : names) add_name(keyspace->name, "type", name);
    }
    return {};
  }

  Outcome<void> element(Kind kind, const std::optional<std::string>& given,
                        const std::string& name) {
    if (!given && used_.empty()) return invalid("No keyspace specified and no current keyspace");
    ASSIGN(const auto* keyspace, existing(given.value_or(used_)));
    switch (kind) {
      case Kind::kKeyspace:
        add_elements(*keyspace);
        return {};
      case Kind::kOnlyKeyspace:
        add_keyspace(*keyspace);
        return {};
      case Kind::kTable:
        return table(*keyspace, name);
      case Kind::kIndex:
        return index(*keyspace, name);
      case Kind::kView:
        return view(*keyspace, name);
      case Kind::kType:
        return type(*keyspace, name);
      case Kind::kFunction:
        return invalid("User defined function '{}' not found in '{}'", name, keyspace->name);
      case Kind::kAggregate:
        return invalid("User defined aggregate '{}' not found in '{}'", name, keyspace->name);
      default:
        return {};
    }
  }

  Outcome<void> table(const Keyspace& keyspace, const std::string& name) {
    const auto found = keyspace.tables.find(name);
    if (found == keyspace.tables.end() || found->second->view)
      return invalid("Table '{}' not found in keyspace '{}'", name, keyspace.name);
    add_with_dependents(keyspace, *found->second);
    return {};
  }

  Outcome<void> index(const Keyspace& keyspace, const std::string& name) {
    for (const auto& [table_name, table] : keyspace.tables)
      for (const auto& one : table->indexes)
        if (one.name == name) {
          add_index(one, *table);
          return {};
        }
    return invalid("Table for existing index '{}' not found in '{}'", name, keyspace.name);
  }

  Outcome<void> view(const Keyspace& keyspace, const std::string& name) {
    const auto found = keyspace.tables.find(name);
    if (found == keyspace.tables.end() || !found->second->view)
      return invalid("Materialized view '{}' not found in '{}'", name, keyspace.name);
    add_table(*found->second);
    return {};
  }

  Outcome<void> type(const Keyspace& keyspace, const std::string& name) {
    const auto found = keyspace.types.find(name);
    if (found == keyspace.types.end())
      return invalid("User defined type '{}' not found in '{}'", name, keyspace.name);
    add_type(*found->second);
    return {};
  }

  // A keyspace, or a table, an index or a view of one.
  Outcome<void> any() {
    const auto& name = statement_.name.name;
    auto in = statement_.name.keyspace;
    if (!in && schema_.keyspace(name)) return element(Kind::kKeyspace, name, name);
    if (!in) in = used_.empty() ? name : used_;
    ASSIGN(const auto* keyspace, existing(*in));
    const auto found = keyspace->tables.find(name);
    const bool is_view = found != keyspace->tables.end() && found->second->view;
    if (found != keyspace->tables.end() && !is_view) return table(*keyspace, name);
    if (index(*keyspace, name)) return {};
    if (is_view) return view(*keyspace, name);
    return invalid("'{}' not found in keyspace '{}'", name, *in);
  }

  Outcome<void> cluster() {
    made_.columns = {"cluster", "partitioner", "snitch"};
    made_.rows = {{node_.cluster_name, "Murmur3Partitioner", "DynamicEndpointSnitch"}};
    if (used_.empty() || is_system_keyspace(used_)) return {};
    const auto text = cql_types::native_type(cql_types::Kind::kText);
    made_.columns.emplace_back("range_ownership");
    made_.types = {text, text, text, cql_types::map_of(text, cql_types::list_of(text, true), true)};
    std::string owners;
    cql_types::append_count(owners, 1);
    cql_types::append_part(owners, address_text());
    std::string map;
    cql_types::append_count(map, 1);
    cql_types::append_part(map, node_.token);
    cql_types::append_part(map, owners);
    made_.rows[0].emplace_back(std::move(map));
    return {};
  }

  std::string address_text() const;

  const Describe& statement_;
  const Schema& schema_;
  const Node& node_;
  const std::string& used_;
  Description made_;
};

// As Java shows an address that no name was asked of.
std::string Describer::address_text() const {
  auto host = cql_types::inet_text(node_.address);
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return fmt::format("/{}:{}", host, node_.port);
}

}  // namespace

Outcome<Description> describe(const Describe& statement, const Schema& schema, const Node& node,
                              const std::string& keyspace) {
  return Describer(statement, schema, node, keyspace).run();
}

std::string create_statement(const Table& table) {
  return create_table_text(table, false);
}

}  // namespace tailrace::cql_schema
