#include "app/served_tables.h"

#include <map>

#include "pipeline/names.h"
#include "served/served_table.h"

namespace tailrace::app {
namespace {

/// Names of user types that are taken, by keyspace.
using TakenTypes = std::map<std::string, std::set<std::string>>;

Result<served::Definition> definition_of(const pipeline::Project& project,
                                         const pipeline::ServingSpec& serving,
                                         const pipeline::Graph& graph,
                                         const table::TableSchema& schema, TakenTypes& taken) {
  served::Naming naming = served::naming_of(serving.name, project.name, serving.partition_columns);
  if (const int index = graph.table_index(serving.table); index >= 0)
    naming.comment =
        graph.tables[static_cast<std::size_t>(index)].statement->comment.value_or(std::string());
  auto definition = served::define(naming, schema, taken[naming.keyspace]);
  if (!definition) return std::unexpected(definition.error().in(serving.place));
  return definition;
}

}  // namespace

std::vector<std::string> served_names(const pipeline::Project& project,
                                      const pipeline::ServingSpec& serving,
                                      const pipeline::Graph& graph) {
  const auto naming = served::naming_of(serving.name, project.name, serving.partition_columns);
  std::vector<std::string> names = {naming.keyspace + "." + naming.table};
  if (!pipeline::same_name(serving.name, names.front()) && graph.table_index(serving.name) < 0)
    names.push_back(serving.name);
  return names;
}

Status check_served_tables(const pipeline::Project& project, const pipeline::Graph& graph) {
  TakenTypes taken;
  std::map<std::pair<std::string, std::string>, std::string> places;
  for (const pipeline::ServingSpec& serving : project.serving) {
    const auto index = static_cast<std::size_t>(graph.table_index(serving.table));
    ASSIGN(const auto definition,
           definition_of(project, serving, graph,
                         {serving.name, graph.tables[index].schema, serving.key}, taken));
    const auto& [keyspace, name] = std::pair(definition.table.keyspace, definition.table.name);
    const auto [other, is_new] = places.try_emplace({keyspace, name}, serving.place);
    if (!is_new)
      return error(Code::kInvalidArgument, serving.place + ": `" + serving.name + "` is " +
                                               keyspace + "." + name +
                                               " to CQL's clients, as is the table at " +
                                               other->second + ": give one another name");
  }
  return {};
}

Result<std::vector<std::shared_ptr<const cql_query::ForeignTable>>> served_tables(
    const pipeline::Project& project, const pipeline::Runner& runner) {
  TakenTypes taken;
  const auto graph = runner.graph();
  std::vector<std::shared_ptr<const cql_query::ForeignTable>> tables;
  for (const pipeline::ServingSpec& serving : project.serving) {
    auto keyed = runner.served(serving.name);
    if (!keyed) continue;
    ASSIGN(auto definition, definition_of(project, serving, *graph, keyed->schema(), taken));
    tables.push_back(
        std::make_shared<const served::ServedTable>(std::move(keyed), std::move(definition)));
  }
  return tables;
}

}  // namespace tailrace::app
