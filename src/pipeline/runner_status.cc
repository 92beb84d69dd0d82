// What others may ask of a running project: hops, tables, rows, dead letters sent back.
#include <fmt/format.h>

#include "pipeline/names.h"
#include "pipeline/rejected_topic.h"
#include "pipeline/running_project.h"

namespace tailrace::pipeline {
namespace {

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

std::int64_t sum(const std::map<std::string, std::int64_t>& reasons) {
  std::int64_t total = 0;
  for (const auto& [reason, count] : reasons) total += count;
  return total;
}

}  // namespace

std::string RunningProject::stopped_by() const {
  std::lock_guard lock(mutex_);
  return stopped_by_;
}

std::vector<Hop> RunningProject::hops() const {
  const auto letters = letters_->counts();
  std::vector<Hop> hops;
  std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < topic_counts_.size(); ++i) {
    Hop hop{.id = "decoded." + graph_.topics[i].topic,
            .title = graph_.topics[i].topic,
            .kind = HopKind::kDecoded};
    hop.count = topic_counts_[i].decoded;
    hop.bytes = topic_counts_[i].bytes;
    hop.lag_records = topic_counts_[i].lag;
    hop.lag_s = topic_counts_[i].lag_s;
    if (auto found = letters.find(graph_.topics[i].topic); found != letters.end())
      hop.reasons = found->second;
    hop.rejected = sum(hop.reasons);
    hop.last_error = stopped_by_;
    hops.push_back(std::move(hop));
  }
  Hop rejected{.id = "rejected", .title = "dead letters", .kind = HopKind::kRejected};
  for (const auto& [flow, reasons] : letters)
    for (const auto& [reason, count] : reasons) rejected.reasons[reason] += count;
  rejected.count = sum(rejected.reasons);
  hops.push_back(std::move(rejected));
  for (Layer layer : {Layer::kBronze, Layer::kSilver, Layer::kGold})
    for (std::size_t i = 0; i < graph_.tables.size(); ++i) {
      const Table& table = graph_.tables[i];
      if (table.layer != layer) continue;
      Hop hop{.id = fmt::format("{}.{}", layer_name(layer), table.name),
              .title = table.name,
              .kind = hop_of(layer)};
      hop.count = table_rows_[i];
      if (auto found = letters.find(table.name); found != letters.end())
        hop.reasons = found->second;
      hop.rejected = sum(hop.reasons);
      for (std::size_t f = 0; f < flow_failed_.size(); ++f)
        if (graph_.flows[f].table == static_cast<int>(i) && !flow_failed_[f].empty())
          hop.last_error = flow_failed_[f];
      const bool windowed = table.streaming && layer == Layer::kGold;
      if (windowed) hop.why = "no window has closed yet: the watermark must pass its end";
      hops.push_back(std::move(hop));
    }
  Hop lake{
      .id = "lake", .title = "Delta tables", .kind = HopKind::kLake, .detail = data_ + "/lake"};
  for (std::int64_t rows : lake_rows_) lake.count += rows;
  lake.why = "the first checkpoint is not taken yet";
  hops.push_back(std::move(lake));
  for (const ServingSpec& serving : project_.serving) {
    const int index = graph_.table_index(serving.table);
    if (index < 0) continue;
    Hop hop{.id = "served." + serving.name, .title = serving.name, .kind = HopKind::kServed};
    hop.count = table_rows_[static_cast<std::size_t>(index)];
    hops.push_back(std::move(hop));
  }
  return hops;
}

std::vector<TableStatus> RunningProject::tables() const {
  std::vector<TableStatus> all;
  std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < graph_.tables.size(); ++i) {
    const Table& table = graph_.tables[i];
    TableStatus status{table.name,
                       table.layer,
                       table.streaming,
                       table.schema,
                       table.statement->comment.value_or(""),
                       table_rows_[i],
                       {},
                       {}};
    for (std::size_t f = 0; f < graph_.flows.size(); ++f) {
      if (graph_.flows[f].table != static_cast<int>(i)) continue;
      if (!flow_failed_[f].empty()) status.failed = flow_failed_[f];
      const auto& expectations = graph_.flows[f].plan.expectations;
      for (std::size_t e = 0; e < expectations.size(); ++e)
        status.expectations.push_back({expectations[e].name, expectations[e].text,
                                       std::string(action_name(expectations[e].action)),
                                       flow_expectations_[f][e].passed,
                                       flow_expectations_[f][e].failed});
    }
    all.push_back(std::move(status));
  }
  return all;
}

Result<std::int64_t> RunningProject::redrive(const std::function<bool(const DeadLetter&)>& select) {
  std::vector<DeadLetter> chosen;
  TRY(letters_->scan(0, [&](const DeadLetter& letter) {
    if (!letter.redriven && select(letter)) chosen.push_back(letter);
    return true;
  }));
  std::int64_t sent = 0;
  for (DeadLetter& letter : chosen) {
    TRY(send_back(log_, letter));
    ++sent;
    std::lock_guard lock(mutex_);
    redriven_.push_back(std::move(letter));
  }
  return sent;
}

Status RunningProject::scan_table(std::string_view name,
                                  const std::function<Status(const Batch&)>& visit) const {
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    for (const auto& keyed : outputs_[i]->served())
      if (same_name(keyed->schema().name, name) || same_name(graph_.tables[i].name, name))
        return keyed->scan_all([&](Batch rows) -> Result<bool> {
          TRY(visit(rows));
          return true;
        });
    if (same_name(graph_.tables[i].name, name)) return outputs_[i]->scan_lake(visit);
  }
  return error(Code::kNotFound, fmt::format("there is no table `{}`", name));
}

std::shared_ptr<const table::KeyedTable> RunningProject::served(std::string_view name) const {
  for (const auto& output : outputs_)
    for (const auto& keyed : output->served())
      if (same_name(keyed->schema().name, name)) return keyed;
  return nullptr;
}

}  // namespace tailrace::pipeline
