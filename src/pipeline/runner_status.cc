// What others may ask of a running project: hops, tables, rows, dead letters sent back.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "pipeline/names.h"
#include "pipeline/rejected_topic.h"
#include "pipeline/running_project.h"
#include "pipeline/window_wait.h"

namespace tailrace::pipeline {

std::string RunningProject::stopped_by() const {
  std::lock_guard lock(mutex_);
  return stopped_by_;
}

Offset RunningProject::keep_from(const log::Partition& partition) const {
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
                       .lake_waits = {}};
  std::vector<std::optional<std::int64_t>> watermarks;
  {
    const std::lock_guard lock(mutex_);
    counts.topics = topic_counts_;
    counts.table_rows = table_rows_;
    counts.lake_rows = lake_rows_;
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
  return hops_of(project_, graph_, counts(), data_ + "/lake");
}

std::vector<TableStatus> RunningProject::tables() const {
  return tables_of(graph_, counts());
}

Result<std::int64_t> RunningProject::redrive(const std::function<bool(const DeadLetter&)>& select) {
  std::vector<DeadLetter> chosen;
  TRY(letters_->scan(0, [&](const DeadLetter& letter) {
    if (!letter.redriven && select(letter)) chosen.push_back(letter);
    return true;
  }));
  std::int64_t sent = 0;
  Status first_failure;
  for (DeadLetter& letter : chosen) {
    if (auto back = send_back(log_, letter); !back) {
      LOG(warn, "dead letter {} stays: {}", letter.id, back.error().what);
      if (first_failure) first_failure = std::move(back);
      continue;
    }
    ++sent;
    std::lock_guard lock(mutex_);
    redriven_.push_back(std::move(letter));
  }
  if (sent == 0 && !first_failure) return std::unexpected(first_failure.error());
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
