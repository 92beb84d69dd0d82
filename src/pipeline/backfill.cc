// A fresh start of flows whose SQL is new or changed, or that had stopped: their tables are emptied
// and filled again from what they read, one table after the other in the graph's order, each ending
// in a checkpoint of its own.
//
// A streaming table whose columns have only grown keeps its rows. What its flow keeps (the rows of
// a DISTINCT or a join, the sums of open windows) is made again with the wider columns from what it
// reads, and what comes out of that is in the table already. A window that is still open has lost
// no row as late, and loses none this time: the watermark only grows.
//
// Until a flow is done its mark in the checkpoint says what is under way, so that a crash begins
// that again.
#include <filesystem>

#include "base/log.h"
#include "columns/widening.h"
#include "pipeline/running_project.h"

namespace tailrace::pipeline {
namespace {

/// FlowMark::definition of a flow whose table is being emptied and filled; of one whose state is.
constexpr std::string_view kMadeAgain = "backfill under way", kFilledAgain = "refill under way";

}  // namespace

bool RunningProject::can_widen(const Flow& flow, const FlowMark& mark) const {
  return mark.text == flow.text && mark.definition != kMadeAgain &&
         graph_.tables[static_cast<std::size_t>(flow.table)].streaming;
}

std::vector<bool> RunningProject::stale_tables(const Checkpoint& last) const {
  std::vector<bool> stale(graph_.tables.size());
  for (const Flow& flow : graph_.flows) {
    auto mark = last.flows.find(flow.name);
    bool again = mark == last.flows.end() || !mark->second.failed.empty() ||
                 (mark->second.definition != flow.definition && !can_widen(flow, mark->second));
    const Table& table = graph_.tables[static_cast<std::size_t>(flow.table)];
    const auto rows = last.rows.find(table.name);
    const bool had_rows = rows != last.rows.end() && rows->second > 0;
    std::error_code unknown;
    const std::string commits = data_ + "/lake/" + table.name + "/_delta_log";
    if (had_rows && !std::filesystem::exists(commits, unknown) && !unknown) {
      LOG_OF(warn, log_of("table", table.name), "{}/lake/{} is gone", data_, table.name);
      again = true;
    }
    if (again) stale[static_cast<std::size_t>(flow.table)] = true;
  }
  return stale;
}

Status RunningProject::backfill(const std::vector<bool>& stale) {
  for (std::size_t i = 0; i < flows_.size(); ++i) {
    const Flow& flow = graph_.flows[i];
    const auto mark = checkpoint_.flows.find(flow.name);
    if (stale[static_cast<std::size_t>(flow.table)])
      flows_[i].under_way = kMadeAgain;
    else if (mark != checkpoint_.flows.end() && mark->second.definition != flow.definition &&
             !mark->second.definition.empty() && !keeps_no_state(flow))
      flows_[i].under_way = kFilledAgain;
  }
  for (std::size_t table = 0; table < stale.size(); ++table) {
    if (stale[table]) TRY(backfill_table(table));
    for (std::size_t i = 0; i < flows_.size(); ++i)
      if (graph_.flows[i].table == static_cast<int>(table) && flows_[i].under_way == kFilledAgain)
        TRY(refill_flow(i));
  }
  return {};
}

void RunningProject::erase_state(std::size_t flow, kv::WriteBatch& batch) const {
  const std::string prefix = "s" + graph_.flows[flow].name + '\0';
  batch.erase_range(prefix, kv::prefix_end(prefix));
}

Status RunningProject::backfill_table(std::size_t table) {
  const Table& described = graph_.tables[table];
  LOG_OF(info, log_of("table", described.name),
         "{} starts from nothing: its SQL or its columns are new or changed, or it or its folder "
         "had gone",
         described.name);
  kv::WriteBatch batch;
  for (std::size_t i = 0; i < flows_.size(); ++i) {
    if (graph_.flows[i].table != static_cast<int>(table)) continue;
    erase_state(i, batch);
    flows_[i].failed.clear();
    flows_[i].expectations.assign(graph_.flows[i].plan.expectations.size(), {});
    flow_expectations_[i] = flows_[i].expectations;
    flow_failed_[i].clear();
  }
  TRY(letters_->erase_flow(described.name, batch));
  TRY(store_->write(batch));
  letters_->written();
  for (std::size_t i = 0; i < flows_.size(); ++i) {
    if (graph_.flows[i].table != static_cast<int>(table)) continue;
    TRY(make_circuit(i));
    TRY(feed_flow(i));
  }
  for (std::size_t i = 0; i < flows_.size(); ++i)
    if (graph_.flows[i].table == static_cast<int>(table)) flows_[i].under_way = {};
  dirty_ = true;
  return settle();
}

Status RunningProject::refill_flow(std::size_t index) {
  const Flow& flow = graph_.flows[index];
  LOG_OF(
      info,
      log_of("flow", flow.name, "table", graph_.tables[static_cast<std::size_t>(flow.table)].name),
      "{} goes on with wider columns: what it keeps is made again from what it reads", flow.name);
  kv::WriteBatch batch;
  erase_state(index, batch);
  TRY(store_->write(batch));
  TRY(make_circuit(index));
  TRY(feed_flow(index));
  flow_watermarks_[index] = flows_[index].circuit->watermark_us();
  flows_[index].under_way = {};
  dirty_ = true;
  return settle();
}

Status RunningProject::feed(std::size_t index, std::size_t input, Delta delta) {
  const Flow& flow = graph_.flows[index];
  const auto table = static_cast<std::size_t>(flow.table);
  std::vector<Delta> inputs(flow.inputs.size());
  inputs[input] = std::move(delta);
  kv::WriteBatch batch;
  if (flows_[index].under_way == kFilledAgain) {
    flows_[index].stepped = true;
    const auto known = flows_[index].circuit->step(inputs, clock_.now().value * 1000);
    if (!known) {
      fail_flow(index, known.error());
    } else if (known->broken) {
      break_flow(index, *known, batch);
      TRY(store_->write(batch));
      letters_->written();
    }
  } else {
    ASSIGN(auto change, run_flow(index, inputs, batch));
    if (graph_.tables[table].hidden && !change.empty()) change.rows = without_hidden(change.rows);
    TRY(take_in(table, std::move(change), batch));
    TRY(store_->write(batch));
    letters_->written();
  }
  dirty_ = true;
  if (!store_->needs_checkpoint()) return {};
  return settle();
}

Status RunningProject::break_flow_again(std::size_t index, DeadLetter letter) {
  fail_flow(index, {Code::kAborted, broken_by(letter)});
  ASSIGN(const bool known, letters_->has(letter));
  if (known) return {};
  letter.time_ms = clock_.now().value;
  kv::WriteBatch batch;
  letters_->add(std::move(letter), batch);
  TRY(store_->write(batch));
  letters_->written();
  return {};
}

// Other flows do not step meanwhile, so the positions of the checkpoint are those that their tables
// stand for.
Status RunningProject::feed_flow(std::size_t index) {
  const Flow& flow = graph_.flows[index];
  for (std::size_t i = 0; i < flow.inputs.size() && flows_[index].failed.empty(); ++i) {
    const auto at = static_cast<std::size_t>(flow.inputs[i].index);
    if (!flow.inputs[i].is_topic) {
      TRY(outputs_[at]->scan_lake([&](const Batch& rows) -> Status {
        // A column that was added later stands elsewhere in the lake.
        ASSIGN(Batch whole, widened_rows(rows, graph_.tables[at].schema));
        if (graph_.tables[at].hidden) {
          ASSIGN(whole, with_unknown_hidden(whole));
        }
        return feed(index, i, Delta{std::move(whole), {}});
      }));
      continue;
    }
    const TopicRelation& topic = graph_.topics[at];
    const Positions& until = checkpoint_.positions[topic.topic];
    // Of what was read before nothing is newer, but for schemas that were refused.
    auto values = value_reading(topic);
    if (values) values->follow = false;
    ASSIGN(auto reader, TopicReader::open(log_, topic, Positions(until.size()), std::move(values)));
    for (std::size_t p = 0; p < until.size(); ++p)
      if (reader.positions()[p] > Offset(0))
        LOG_OF(warn,
               log_of("topic", topic.topic, "partition", p, "flow", flow.name, "offset",
                      reader.positions()[p].value),
               "{}-{}: {} starts from offset {}: retention has removed what was before",
               topic.topic, p, flow.name, reader.positions()[p].value);
    for (;;) {
      ASSIGN(auto step, reader.read_until(until, project_.limits.step_records));
      if (step.records == 0 && !step.waits.empty()) return error(Code::kUnavailable, step.waits);
      if (step.records == 0) break;
      TRY(hold_topic(at, step));
      if (step.broken) {
        TRY(break_flow_again(index, std::move(*step.broken)));
        break;
      }
      if (!step.delta.empty()) TRY(feed(index, i, std::move(step.delta)));
    }
  }
  return {};
}

}  // namespace tailrace::pipeline
