// What others may ask of a running project: hops, tables, rows, dead letters sent back.
#include <fmt/format.h>

#include <algorithm>

#include "columns/widening.h"
#include "pipeline/names.h"
#include "pipeline/running_project.h"
#include "pipeline/window_wait.h"

namespace tailrace::pipeline {

std::string RunningProject::stopped_by() const {
  std::lock_guard lock(mutex_);
  return stopped_by_;
}

std::shared_ptr<const Graph> RunningProject::graph() const {
  const std::shared_lock still(shape_);
  return std::make_shared<const Graph>(graph_);
}

Offset RunningProject::keep_from(const log::Partition& partition) const {
  const std::shared_lock still(shape_);
  const auto reads = [&](const TopicRelation& topic) { return topic.topic == partition.topic(); };
  const bool read = std::ranges::any_of(graph_.topics, reads) ||
                    (rejected_reader_ && reads(rejected_reader_->relation()));
  if (!read) return Offset(INT64_MAX);
  std::lock_guard lock(mutex_);
  const auto found = durable_positions_.find(partition.topic());
  const auto index = static_cast<std::size_t>(partition.id().value);
  if (found == durable_positions_.end() || index >= found->second.size()) return Offset(0);
  return found->second[index];
}

ProjectCounts RunningProject::counts() const {
  ProjectCounts counts{.topics = {},
                       .table_rows = {},
                       .lake_rows = {},
                       .flow_failed = {},
                       .flow_waits = {},
                       .expectations = {},
                       .letters = letters_->totals(),
                       .stopped_by = {},
                       .lake_waits = {},
                       .sink_waits = sink_ ? sink_->waits() : std::string(),
                       .sink_places = {},
                       .served_fewer = {}};
  for (const ServingSpec& serving : project_.serving)
    if (sink_) counts.sink_places[serving.name] = sink_->place(serving.name);
  std::vector<std::optional<std::int64_t>> watermarks;
  {
    const std::lock_guard lock(mutex_);
    counts.topics = topic_counts_;
    counts.table_rows = table_rows_;
    counts.lake_rows = lake_rows_;
    counts.served_fewer = served_fewer_;
    counts.flow_failed = flow_failed_;
    counts.expectations = flow_expectations_;
    counts.stopped_by = stopped_by_;
    watermarks = flow_watermarks_;
    if (store_waits_ || lake_->room()->waiting())
      counts.lake_waits = fmt::format("disk full: make room on {}; it goes on by itself", data_);
  }
  for (std::size_t i = 0; i < watermarks.size(); ++i)
    counts.flow_waits.push_back(waits_for(graph_.flows[i].plan, watermarks[i]));
  return counts;
}

std::vector<Hop> RunningProject::hops() const {
  const std::shared_lock still(shape_);
  return hops_of(project_, graph_, counts(), data_ + "/lake");
}

std::vector<TableStatus> RunningProject::tables() const {
  const std::shared_lock still(shape_);
  return tables_of(graph_, counts());
}

std::vector<TopicExpectations> RunningProject::topic_expectations() const {
  const std::shared_lock still(shape_);
  return topic_expectations_of(graph_, counts());
}

Result<std::int64_t> RunningProject::redrive(const std::function<bool(const DeadLetter&)>& select,
                                             const SendBack& elsewhere) {
  return letters_back_.send(log_, graph()->topics, *letters_, select, elsewhere);
}

Status RunningProject::scan_table(std::string_view name,
                                  const std::function<Status(const Batch&)>& visit) const {
  const std::shared_lock still(shape_);
  const int index = graph_.table_index(std::string(name));
  if (index < 0) return error(Code::kNotFound, fmt::format("there is no table `{}`", name));
  const auto at = static_cast<std::size_t>(index);
  // A column that was added later stands elsewhere in what is stored.
  return outputs_[at]->scan_lake([&](const Batch& rows) -> Status {
    ASSIGN(const Batch ordered, widened_rows(rows, graph_.tables[at].schema));
    return visit(ordered);
  });
}

Status RunningProject::scan_served(std::string_view serving,
                                   const std::function<Status(const Batch&)>& visit) const {
  const std::shared_lock still(shape_);
  for (std::size_t i = 0; i < outputs_.size(); ++i)
    if (const auto keyed = outputs_[i]->find_served(serving))
      return scan_keyed(*keyed, graph_.tables[i].schema, visit);
  return nothing_served(serving);
}

std::shared_ptr<const table::KeyedTable> RunningProject::served(std::string_view name) const {
  const std::shared_lock still(shape_);
  for (const auto& output : outputs_)
    if (auto keyed = output->find_served(name)) return keyed;
  return nullptr;
}

}  // namespace tailrace::pipeline
