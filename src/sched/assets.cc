// Asset conditions, as Airflow's AssetEvaluator sees them.
#include "sched/assets.h"

#include <algorithm>

namespace tailrace::sched {
namespace {

using namespace std::string_view_literals;

using Kind = dags::AssetCondition::Kind;

bool names(const dags::Asset& asset, const std::string& text) {
  return !text.empty() && (asset.uri == text || asset.name == text);
}

bool matches(const dags::AssetCondition& leaf, const AssetEvent& event) {
  if (leaf.kind == Kind::kAlias) {
    return std::ranges::find(event.aliases, leaf.alias) != event.aliases.end();
  }
  return names(leaf.asset, event.asset_uri);
}

template <typename Visit>
void each_leaf(const dags::AssetCondition& condition, Visit&& visit) {
  if (condition.kind == Kind::kAll || condition.kind == Kind::kAny) {
    for (const dags::AssetCondition& part : condition.parts) each_leaf(part, visit);
  } else {
    visit(condition);
  }
}

const jinja::Dict* declaration(const dags::AssetCondition& leaf) {
  const jinja::Dict* extra = leaf.asset.extra.dict();
  if (extra == nullptr) return nullptr;
  const jinja::Value* ours = extra->find("tailrace"sv);
  return ours == nullptr ? nullptr : ours->dict();
}

std::optional<double> number(const jinja::Value* value) {
  if (value == nullptr) return std::nullopt;
  if (const std::int64_t* integer = value->integer()) return static_cast<double>(*integer);
  if (const double* real = value->real()) return *real;
  return std::nullopt;
}

}  // namespace

AssetBatch batch_of(const dags::AssetCondition& condition) {
  AssetBatch batch;
  bool found = false;
  each_leaf(condition, [&](const dags::AssetCondition& leaf) {
    const jinja::Dict* declared = declaration(leaf);
    if (found || declared == nullptr) return;
    found = true;
    if (auto events = number(declared->find("batch_events"sv))) {
      batch.events = static_cast<int>(std::clamp(*events, 1.0, 1e9));
    }
    if (auto seconds = number(declared->find("batch_seconds"sv))) {
      if (declared->find("batch_events"sv) == nullptr) batch.events = 1'000'000'000;
      batch.within = static_cast<Micros>(std::clamp(*seconds, 0.0, 1e9) * 1e6);
    }
    const jinja::Value* running = declared->find("batch_while_running"sv);
    batch.while_running = running != nullptr && running->truth();
  });
  return batch;
}

std::vector<std::string> listens_to(const dags::AssetCondition& condition) {
  std::vector<std::string> found;
  each_leaf(condition, [&](const dags::AssetCondition& leaf) {
    if (leaf.kind == Kind::kAlias) {
      found.push_back("alias:" + leaf.alias);
      return;
    }
    if (!leaf.asset.uri.empty()) found.push_back(leaf.asset.uri);
    if (!leaf.asset.name.empty()) found.push_back(leaf.asset.name);
  });
  std::ranges::sort(found);
  found.erase(std::ranges::unique(found).begin(), found.end());
  return found;
}

bool is_true(const dags::AssetCondition& condition, const std::vector<const AssetEvent*>& events) {
  auto part_is_true = [&](const dags::AssetCondition& part) { return is_true(part, events); };
  switch (condition.kind) {
    case Kind::kAll:
      return std::ranges::all_of(condition.parts, part_is_true);
    case Kind::kAny:
      return std::ranges::any_of(condition.parts, part_is_true);
    default:
      return std::ranges::any_of(
          events, [&](const AssetEvent* event) { return matches(condition, *event); });
  }
}

}  // namespace tailrace::sched
