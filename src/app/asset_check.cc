// Assets against topics and tables.
#include "app/asset_check.h"

#include <fmt/format.h>

#include <algorithm>

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

}  // namespace

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
