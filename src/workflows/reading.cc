// Findings told by their places.
#include "workflows/reading.h"

#include <fmt/format.h>

#include <algorithm>

namespace tailrace::workflows {

std::string lines_of(const std::vector<dags::Finding>& findings, bool fatal) {
  std::string text;
  for (const auto& one : findings) {
    if (one.fatal == fatal) text += (text.empty() ? "" : "\n") + one.text();
  }
  return text;
}

Result<std::vector<std::shared_ptr<const dags::Dag>>> only(
    const std::vector<std::shared_ptr<const dags::Dag>>& dags, const std::string& id) {
  for (const auto& dag : dags) {
    if (dag->id != id) continue;
    auto alone = std::make_shared<dags::Dag>(*dag);
    alone->timetable = calendar::Timetable();
    alone->assets.reset();
    return std::vector<std::shared_ptr<const dags::Dag>>{std::move(alone)};
  }
  std::string names;
  for (const auto& dag : dags) names += (names.empty() ? "" : ", ") + dag->id;
  return error(Code::kNotFound, fmt::format("no DAG is called {}; there are: {}", id, names));
}

Result<std::vector<AssetSource>> sources_of(const dags::AssetCondition& condition,
                                            const Options& options) {
  std::vector<AssetSource> found;
  for (const auto& part : condition.parts) {
    ASSIGN(auto more, sources_of(part, options));
    found.insert(found.end(), more.begin(), more.end());
  }
  if (condition.kind != dags::AssetCondition::Kind::kAsset) return found;
  ASSIGN(auto source, asset_source(condition.asset.uri, options.folder, options.brokers));
  if (source) found.push_back(std::move(*source));
  return found;
}

Result<std::vector<AssetSource>> all_sources(
    const std::vector<std::shared_ptr<const dags::Dag>>& dags, const Options& options) {
  std::vector<AssetSource> all;
  for (const auto& dag : dags) {
    if (!dag->assets) continue;
    auto some = sources_of(*dag->assets, options);
    if (!some) return std::unexpected(some.error().in(dag->place.text()));
    all.insert(all.end(), some->begin(), some->end());
  }
  std::ranges::sort(all, {}, &AssetSource::uri);
  const auto same = std::ranges::unique(all, {}, &AssetSource::uri);
  all.erase(same.begin(), same.end());
  return all;
}

}  // namespace tailrace::workflows
