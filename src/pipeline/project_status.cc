#include "pipeline/project_status.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tailrace::pipeline {
namespace {

/// About 3 ms.
constexpr std::int64_t kMostCounted = 10'000;

HopKind hop_of(Layer layer) {
  switch (layer) {
    case Layer::kBronze:
      return HopKind::kBronze;
    case Layer::kSilver:
      return HopKind::kSilver;
    case Layer::kGold:
      return HopKind::kGold;
  }
  return HopKind::kGold;
}

std::string_view action_name(engine::Expectation::Action action) {
  switch (action) {
    case engine::Expectation::Action::kWarn:
      return "warn";
    case engine::Expectation::Action::kDrop:
      return "drop";
    case engine::Expectation::Action::kFail:
      return "fail";
  }
  return "warn";
}

bool is_counted(const engine::Expectation& expectation, const ProjectCounts& counts) {
  return counts.warns_counted || expectation.action != engine::Expectation::Action::kWarn;
}

std::string table_hop_id(const Table& table) {
  return fmt::format("{}.{}", layer_name(table.layer), table.name);
}

std::string topic_hop_id(const TopicRelation& topic) {
  return "decoded." + topic.topic;
}

std::int64_t sum(const LetterCounts& counts) {
  std::int64_t total = 0;
  for (const auto& [flow, reasons] : counts)
    for (const auto& [reason, count] : reasons) total += count;
  return total;
}

Hop decoded_hop(const TopicRelation& topic, const TopicCounts& counts,
                const ProjectCounts& project) {
  Hop hop{.id = topic_hop_id(topic), .title = topic.topic, .kind = HopKind::kDecoded};
  hop.count = counts.decoded;
  hop.bytes = counts.bytes;
  hop.lag_records = counts.lag;
  hop.lag_s = counts.lag_s;
  hop.failing = project.stopped_by.empty() && !counts.waits.empty();
  hop.last_error = hop.failing ? counts.waits : project.stopped_by;
  hop.upstream = {"appended." + topic.topic};
  count_rejected(project.letters, topic.topic, hop);
  return hop;
}

Hop rejected_hop(const LetterTotals& letters) {
  Hop hop{.id = "rejected", .title = "dead letters", .kind = HopKind::kRejected};
  for (const auto& [flow, reasons] : letters.waiting)
    for (const auto& [reason, count] : reasons)
      if (count > 0) hop.reasons[reason] += count;
  hop.count = sum(letters.waiting);
  if (const std::int64_t trimmed = sum(letters.trimmed); trimmed > 0)
    hop.detail = fmt::format("{} older ones trimmed by dead_letters in tailrace.yml", trimmed);
  return hop;
}

Hop table_hop(const Graph& graph, std::size_t index, const ProjectCounts& counts) {
  const Table& table = graph.tables[index];
  Hop hop{.id = table_hop_id(table), .title = table.name, .kind = hop_of(table.layer)};
  hop.count = counts.table_rows[index];
  count_rejected(counts.letters, table.name, hop);
  for (std::size_t f = 0; f < graph.flows.size(); ++f) {
    const Flow& flow = graph.flows[f];
    if (flow.table != static_cast<int>(index)) continue;
    if (!counts.flow_failed[f].empty()) hop.last_error = counts.flow_failed[f];
    if (!counts.flow_waits[f].empty()) hop.why = counts.flow_waits[f];
    for (const engine::Expectation& expectation : flow.plan.expectations)
      if (!is_counted(expectation, counts))
        hop.detail = "rows that only warn are not counted by this engine";
    for (const Flow::Input& input : flow.inputs) {
      const auto at = static_cast<std::size_t>(input.index);
      hop.upstream.push_back(input.is_topic ? topic_hop_id(graph.topics[at])
                                            : table_hop_id(graph.tables[at]));
    }
  }
  return hop;
}

Hop lake_hop(const Graph& graph, const ProjectCounts& counts, const std::string& folder) {
  Hop hop{.id = "lake", .title = "Delta tables", .kind = HopKind::kLake, .detail = folder};
  for (const std::int64_t rows : counts.lake_rows) hop.count += rows;
  for (const Table& table : graph.tables) hop.upstream.push_back(table_hop_id(table));
  hop.why = "the first checkpoint is not taken yet";
  hop.last_error = counts.lake_waits;
  return hop;
}

}  // namespace

Status note_fewer(const table::KeyedTable& served, std::int64_t table_rows,
                  std::map<std::string, std::int64_t>& served_fewer) {
  ASSIGN(const auto rows, served.count(kMostCounted));
  if (rows && *rows < table_rows) served_fewer[served.schema().name] = *rows;
  return {};
}

void count_rejected(const LetterTotals& letters, const std::string& flow, Hop& hop) {
  for (const LetterCounts* counts : {&letters.waiting, &letters.trimmed})
    if (auto found = counts->find(flow); found != counts->end())
      for (const auto& [reason, count] : found->second)
        if (count > 0) hop.reasons[reason] += count, hop.rejected += count;
  if (auto last = letters.last.find(flow); hop.rejected > 0 && last != letters.last.end())
    hop.last_rejected = last->second;
}

std::vector<Hop> hops_of(const Project& project, const Graph& graph, const ProjectCounts& counts,
                         const std::string& lake_folder) {
  std::vector<Hop> hops;
  for (std::size_t i = 0; i < graph.topics.size(); ++i)
    hops.push_back(decoded_hop(graph.topics[i], counts.topics[i], counts));
  hops.push_back(rejected_hop(counts.letters));
  for (const Layer layer : {Layer::kBronze, Layer::kSilver, Layer::kGold})
    for (std::size_t i = 0; i < graph.tables.size(); ++i)
      if (graph.tables[i].layer == layer) hops.push_back(table_hop(graph, i, counts));
  hops.push_back(lake_hop(graph, counts, lake_folder));
  for (const ServingSpec& serving : project.serving) {
    const int index = graph.table_index(serving.table);
    if (index < 0) continue;
    const Table& table = graph.tables[static_cast<std::size_t>(index)];
    Hop hop{.id = "served." + serving.name, .title = serving.name, .kind = HopKind::kServed};
    hop.count = counts.table_rows[static_cast<std::size_t>(index)];
    hop.upstream = {table_hop_id(table)};
    hop.failing = !counts.sink_waits.empty();
    hop.last_error = counts.sink_waits;
    if (const auto at = counts.sink_places.find(serving.name); at != counts.sink_places.end())
      hop.detail = at->second;
    if (const auto fewer = counts.served_fewer.find(serving.name);
        fewer != counts.served_fewer.end()) {
      hop.count = fewer->second;
      hop.detail +=
          fmt::format("{}one row a key ({}): `{}` has more rows than keys",
                      hop.detail.empty() ? "" : ", ", fmt::join(serving.key, ", "), table.name);
    }
    hops.push_back(std::move(hop));
  }
  return hops;
}

std::vector<TopicExpectations> topic_expectations_of(const Graph& graph,
                                                     const ProjectCounts& counts) {
  std::vector<TopicExpectations> all;
  for (std::size_t i = 0; i < graph.topics.size(); ++i) {
    TopicExpectations topic{graph.topics[i].topic, {}};
    for (const engine::Expectation& one : graph.topics[i].expectations) {
      if (!is_counted(one, counts)) continue;
      const auto found = counts.topics[i].expectations.find(one.name);
      const auto [passed, failed] = found == counts.topics[i].expectations.end()
                                        ? std::pair<std::int64_t, std::int64_t>{}
                                        : found->second;
      topic.expectations.push_back(
          {one.name, one.text, std::string(action_name(one.action)), passed, failed});
    }
    if (!topic.expectations.empty()) all.push_back(std::move(topic));
  }
  return all;
}

std::vector<TableStatus> tables_of(const Graph& graph, const ProjectCounts& counts) {
  std::vector<TableStatus> all;
  for (std::size_t i = 0; i < graph.tables.size(); ++i) {
    const Table& table = graph.tables[i];
    TableStatus status{.name = table.name,
                       .layer = table.layer,
                       .streaming = table.streaming,
                       .schema = table.schema,
                       .comment = table.statement->comment.value_or(""),
                       .rows = counts.table_rows[i],
                       .failed = {},
                       .expectations = {}};
    for (std::size_t f = 0; f < graph.flows.size(); ++f) {
      if (graph.flows[f].table != static_cast<int>(i)) continue;
      if (!counts.flow_failed[f].empty()) status.failed = counts.flow_failed[f];
      const auto& expectations = graph.flows[f].plan.expectations;
      for (std::size_t e = 0; e < expectations.size(); ++e)
        if (is_counted(expectations[e], counts))
          status.expectations.push_back({expectations[e].name, expectations[e].text,
                                         std::string(action_name(expectations[e].action)),
                                         counts.expectations[f][e].passed,
                                         counts.expectations[f][e].failed});
    }
    all.push_back(std::move(status));
  }
  return all;
}

}  // namespace tailrace::pipeline
