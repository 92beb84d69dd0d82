#include "pipeline/stored_project.h"

#include <fmt/format.h>

#include "base/check.h"
#include "kv/open_to_read.h"
#include "lake/delta_table.h"
#include "pipeline/names.h"
#include "pipeline/served_output.h"
#include "pipeline/window_wait.h"

namespace tailrace::pipeline {

Result<std::unique_ptr<StoredProject>> StoredProject::open(const Project& project, Graph graph,
                                                           const std::string& data) {
  std::unique_ptr<StoredProject> stored(new StoredProject(project, std::move(graph), data));
  TRY(stored->load());
  return stored;
}

Status StoredProject::load() {
  auto store = kv::open_to_read(data_ + "/state");
  if (!store && store.error().code == Code::kNotFound)
    return error(Code::kNotFound, "nothing has run on " + data_ +
                                      " yet; start it with: tailrace run " + project_.folder);
  if (!store) return std::unexpected(store.error());
  store_ = std::move(*store);
  ASSIGN(auto last, Checkpoint::load(*store_));
  checkpoint_ = last.value_or(Checkpoint{});
  letters_ = std::make_unique<DeadLetters>(*store_);
  TRY(letters_->load(checkpoint_.letters));
  ASSIGN(catalogue_, table::Catalogue::open(*store_));
  TRY(take_stored_schemas());
  counts_.warns_counted = checkpoint_.engine == "embedded";
  counts_.letters = letters_->totals();
  for (const TopicRelation& topic : graph_.topics)
    counts_.topics.push_back({.decoded = checkpoint_.decoded[topic.topic],
                              .expectations = checkpoint_.topic_expectations[topic.topic]});
  for (const Table& table : graph_.tables)
    counts_.table_rows.push_back(checkpoint_.rows[table.name]);
  counts_.lake_rows = counts_.table_rows;
  for (const ServingSpec& serving : project_.serving)
    if (const auto keyed = catalogue_->find(serving.name); keyed)
      TRY(note_fewer(
          *keyed,
          checkpoint_.rows
              [graph_.tables[static_cast<std::size_t>(graph_.table_index(serving.table))].name],
          counts_.served_fewer));
  for (const Flow& flow : graph_.flows) count_flow(flow);
  return {};
}

Status StoredProject::take_stored_schemas() {
  for (Table& table : graph_.tables) {
    auto lake = lake::DeltaTable::open(lake_folder(table));
    if (lake)
      table.schema = (*lake)->schema();
    else if (lake.error().code != Code::kNotFound)
      return std::unexpected(lake.error());
  }
  return {};
}

void StoredProject::count_flow(const Flow& flow) {
  const FlowMark& mark = checkpoint_.flows[flow.name];
  counts_.flow_failed.push_back(mark.failed);
  counts_.flow_waits.push_back(waits_for(flow.plan, watermark_of(flow, mark)));
  auto& expectations = counts_.expectations.emplace_back(flow.plan.expectations.size());
  for (std::size_t e = 0; e < expectations.size() && e < mark.expectations.size(); ++e)
    expectations[e] = {mark.expectations[e].first, mark.expectations[e].second};
}

std::optional<std::int64_t> StoredProject::watermark_of(const Flow& flow,
                                                        const FlowMark& mark) const {
  if (mark.definition != flow.definition || !mark.failed.empty()) return std::nullopt;
  const auto circuit = engine::Circuit::make(flow.plan, *store_, "s" + flow.name + '\0');
  return circuit ? (*circuit)->watermark_us() : std::nullopt;
}

void StoredProject::start() {
  CHECK(false);
}

std::vector<Hop> StoredProject::hops() const {
  return hops_of(project_, graph_, counts_, data_ + "/lake");
}

Result<std::int64_t> StoredProject::redrive(const std::function<bool(const DeadLetter&)>&,
                                            const SendBack&) {
  return error(Code::kFailedPrecondition, data_ + " is open to read only");
}

Status StoredProject::scan_table(std::string_view name,
                                 const std::function<Status(const Batch&)>& visit) const {
  const int index = graph_.table_index(std::string(name));
  if (index < 0) return error(Code::kNotFound, fmt::format("there is no table `{}`", name));
  auto lake = lake::DeltaTable::open(lake_folder(graph_.tables[static_cast<std::size_t>(index)]));
  if (!lake && lake.error().code == Code::kNotFound) return {};
  if (!lake) return std::unexpected(lake.error());
  return (*lake)->scan({}, [&](const Batch& rows) -> Result<bool> {
    TRY(visit(rows));
    return true;
  });
}

Status StoredProject::scan_served(std::string_view serving,
                                  const std::function<Status(const Batch&)>& visit) const {
  const auto keyed = catalogue_->find(serving);
  if (!keyed) return {};
  for (const ServingSpec& spec : project_.serving) {
    if (!same_name(spec.name, serving)) continue;
    const auto index = static_cast<std::size_t>(graph_.table_index(spec.table));
    return scan_keyed(*keyed, graph_.tables[index].schema, visit);
  }
  return nothing_served(serving);
}

std::shared_ptr<const table::KeyedTable> StoredProject::served(std::string_view name) const {
  return catalogue_->find(name);
}

std::int64_t StoredProject::records_read(const std::string& topic) const {
  std::int64_t records = 0;
  if (auto found = checkpoint_.positions.find(topic); found != checkpoint_.positions.end())
    for (const Offset offset : found->second) records += offset.value;
  return records;
}

}  // namespace tailrace::pipeline
