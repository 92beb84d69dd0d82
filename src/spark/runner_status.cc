// What others may ask of a project whose tables Spark keeps.
#include <fmt/format.h>

#include <algorithm>

#include "pipeline/names.h"
#include "spark/spark_runner.h"

namespace tailrace::spark {
namespace {

using Action = engine::Expectation::Action;

}  // namespace

std::string SparkRunner::stopped_by() const {
  const std::lock_guard lock(mutex_);
  return stopped_by_;
}

Offset SparkRunner::keep_from(const log::Partition& partition) const {
  const auto at = static_cast<std::size_t>(partition.id().value);
  const std::lock_guard lock(mutex_);
  for (const auto* positions : {&shown_positions_, &durable_positions_})
    if (const auto found = positions->find(partition.topic()); found != positions->end())
      return at < found->second.size() ? found->second[at] : Offset(0);
  return Offset(INT64_MAX);
}

void SparkRunner::publish_counts() {
  std::map<std::string, std::int64_t> fewer;
  for (std::size_t i = 0; i < outputs_.size(); ++i)
    for (const auto& keyed : outputs_[i].tables())
      (void)pipeline::note_fewer(*keyed, tables_[i]->rows(), fewer);
  const std::lock_guard lock(mutex_);
  served_fewer_ = std::move(fewer);
  shown_broken_ = broken_;
}

// Rows that are in the table or were set apart have passed all that they are not said to break.
std::vector<engine::ExpectationCount> SparkRunner::expectations_of(
    const pipeline::Flow& flow) const {
  std::vector<engine::ExpectationCount> all(flow.plan.expectations.size());
  const auto first = std::ranges::find(graph_.flows, flow.table, &pipeline::Flow::table);
  if (&*first != &flow) return all;  // the table's flows are counted together
  std::int64_t rows = tables_[static_cast<std::size_t>(flow.table)]->rows();
  for (const Rejects& rejects : rejects_)
    if (rejects.table == flow.table) rows += rejects.followed->rows();
  const auto broken = shown_broken_.find(graph_.tables[static_cast<std::size_t>(flow.table)].name);
  for (std::size_t e = 0; e < all.size(); ++e) {
    const engine::Expectation& expectation = flow.plan.expectations[e];
    if (expectation.action == Action::kWarn) continue;
    if (broken != shown_broken_.end())
      if (const auto count = broken->second.find(expectation.name); count != broken->second.end())
        all[e].failed = count->second;
    all[e].passed = rows - all[e].failed;
  }
  return all;
}

pipeline::ProjectCounts SparkRunner::counts() const {
  pipeline::ProjectCounts counts{.topics = {},
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
                                 .served_fewer = {},
                                 .warns_counted = false};
  for (const pipeline::ServingSpec& serving : project_.serving)
    if (sink_) counts.sink_places[serving.name] = sink_->place(serving.name);
  for (const auto& table : tables_) counts.table_rows.push_back(table->rows());
  counts.lake_rows = counts.table_rows;
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < graph_.topics.size(); ++i) {
    const pipeline::TopicRelation& topic = graph_.topics[i];
    pipeline::TopicCounts of_topic{.lag = lag_[i]};
    if (const auto read = exported_records_.find(topic.topic); read != exported_records_.end())
      of_topic.decoded = read->second;
    std::int64_t apart = 0;
    for (const Rejects& rejects : rejects_)
      if (rejects.topic == static_cast<int>(i)) {
        of_topic.decoded -= rejects.followed->rows();
        if (!rejects.decode) apart += rejects.followed->rows();
      }
    const auto broken = shown_broken_.find(topic.topic);
    for (const engine::Expectation& expectation : topic.expectations) {
      if (expectation.action == Action::kWarn) continue;
      std::int64_t failed = 0;
      if (broken != shown_broken_.end())
        if (const auto found = broken->second.find(expectation.name); found != broken->second.end())
          failed = found->second;
      of_topic.expectations[expectation.name] = {of_topic.decoded + apart - failed, failed};
    }
    counts.topics.push_back(std::move(of_topic));
  }
  for (const pipeline::Flow& flow : graph_.flows) {
    counts.flow_failed.push_back(table_failed_[static_cast<std::size_t>(flow.table)]);
    counts.flow_waits.emplace_back();
    counts.expectations.push_back(expectations_of(flow));
  }
  counts.served_fewer = served_fewer_;
  counts.stopped_by = stopped_by_;
  counts.lake_waits = failed_;
  if (store_waits_)
    counts.lake_waits = fmt::format("disk full: make room on {}; it goes on by itself", data_);
  return counts;
}

std::string SparkRunner::lake_detail() const {
  std::string text = fmt::format("{}/lake, kept by Spark at {}", data_, project_.roles.engine);
  if (updates_.running())
    text += fmt::format(", an update since {} s", updates_.running_for().count());
  return text;
}

std::vector<pipeline::Hop> SparkRunner::hops() const {
  std::vector<pipeline::Hop> hops = hops_of(project_, graph_, counts(), data_ + "/lake");
  for (pipeline::Hop& hop : hops) {
    if (hop.kind != pipeline::HopKind::kLake) continue;
    hop.detail = lake_detail();
    hop.why = "Spark has not updated the tables yet";
    hop.failing = !hop.last_error.empty();
  }
  return hops;
}

std::vector<pipeline::TableStatus> SparkRunner::tables() const {
  return tables_of(graph_, counts());
}

std::vector<pipeline::TopicExpectations> SparkRunner::topic_expectations() const {
  return topic_expectations_of(graph_, counts());
}

Result<std::int64_t> SparkRunner::redrive(
    const std::function<bool(const pipeline::DeadLetter&)>& select,
    const pipeline::SendBack& elsewhere) {
  return letters_back_.send(log_, graph_.topics, *letters_, select, elsewhere);
}

Status SparkRunner::scan_table(std::string_view name,
                               const std::function<Status(const Batch&)>& visit) const {
  const int index = graph_.table_index(std::string(name));
  if (index < 0) return error(Code::kNotFound, fmt::format("there is no table `{}`", name));
  const auto at = static_cast<std::size_t>(index);
  return tables_[at]->scan(graph_.tables[at].schema, visit);
}

Status SparkRunner::scan_served(std::string_view serving,
                                const std::function<Status(const Batch&)>& visit) const {
  const std::shared_lock still(shape_);
  for (std::size_t i = 0; i < outputs_.size(); ++i)
    if (const auto keyed = outputs_[i].find(serving))
      return pipeline::scan_keyed(*keyed, graph_.tables[i].schema, visit);
  return pipeline::nothing_served(serving);
}

std::shared_ptr<const table::KeyedTable> SparkRunner::served(std::string_view name) const {
  const std::shared_lock still(shape_);
  for (const auto& output : outputs_)
    if (auto keyed = output.find(name)) return keyed;
  return nullptr;
}

}  // namespace tailrace::spark
