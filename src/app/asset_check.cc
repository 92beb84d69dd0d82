// Assets against topics and tables.
#include "app/asset_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "workflows/asset_sources.h"

namespace tailrace::app {
namespace {

using workflows::AssetSource;

class Check {
 public:
  Check(const pipeline::Project& project, const pipeline::Graph& graph)
      : project_(project), graph_(graph) {}

  void all(const dags::AssetCondition& condition, const dags::Place& place) {
    for (const auto& part : condition.parts) all(part, place);
    if (condition.kind != dags::AssetCondition::Kind::kAsset) return;
    const auto source = workflows::asset_source(condition.asset.uri, project_.folder, {});
    if (!source) {
      findings.push_back({.place = place, .fatal = true, .what = source.error().what});
    } else if (*source) {
      one(**source, place);
    }
  }

  std::vector<dags::Finding> findings;

 private:
  void one(const AssetSource& source, const dags::Place& place) {
    const std::string& name = source.name;
    if (source.kind == AssetSource::Kind::kTopic &&
        std::ranges::find(project_.topics, name, &pipeline::TopicSpec::name) ==
            project_.topics.end())
      findings.push_back(
          {.place = place,
           .fatal = false,
           .what = fmt::format("{}: `topics` of tailrace.yml has no `{}`; its records count from "
                               "when somebody makes it",
                               source.uri, name)});
    if (source.kind == AssetSource::Kind::kTable &&
        std::ranges::none_of(graph_.tables, [&](const pipeline::Table& table) {
          return table.name == name && !table.hidden;
        }))
      findings.push_back(
          {.place = place,
           .fatal = true,
           .what = fmt::format("{}: the project has no table `{}`", source.uri, name)});
  }

  const pipeline::Project& project_;
  const pipeline::Graph& graph_;
};

/// URIs of the condition that something of the project makes happen.
void own_uris(const dags::AssetCondition& condition, const std::string& folder,
              std::set<std::string>& uris) {
  for (const auto& part : condition.parts) own_uris(part, folder, uris);
  if (condition.kind != dags::AssetCondition::Kind::kAsset) return;
  if (const auto source = workflows::asset_source(condition.asset.uri, folder, {});
      source && *source)
    uris.insert(condition.asset.uri);
}

}  // namespace

std::vector<dags::Finding> assets_unheard(
    const std::string& folder, const std::vector<std::shared_ptr<const dags::Dag>>& dags) {
  std::set<std::string> outlets;
  for (const auto& dag : dags)
    for (const auto& task : dag->tasks)
      for (const auto& outlet : task.outlets) outlets.insert(outlet.uri);
  std::vector<dags::Finding> findings;
  for (const auto& dag : dags) {
    std::set<std::string> uris;
    if (dag->assets) own_uris(*dag->assets, folder, uris);
    for (const auto& uri : uris) {
      if (outlets.contains(uri)) continue;
      findings.push_back(
          {.place = dag->place,
           .fatal = false,
           .what = fmt::format("{}: an Airflow does not hear of it, so there the DAG `{}` never "
                               "starts by it; give it a time and a TableSensor, or tell that "
                               "Airflow (POST /api/v2/assets/events)",
                               uri, dag->id)});
    }
  }
  return findings;
}

std::vector<dags::Finding> check_assets(const pipeline::Project& project,
                                        const pipeline::Graph& graph,
                                        const std::vector<std::shared_ptr<const dags::Dag>>& dags) {
  Check check(project, graph);
  for (const auto& dag : dags) {
    if (dag->assets) check.all(*dag->assets, dag->place);
  }
  return std::move(check.findings);
}

}  // namespace tailrace::app
