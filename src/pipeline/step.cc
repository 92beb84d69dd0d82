// One step: records in, every flow in its order, changes out, all in one write of the store.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/log.h"
#include "engine/expectations.h"
#include "pipeline/names.h"
#include "pipeline/rejected_topic.h"
#include "pipeline/running_project.h"
#include "pipeline/schema_mismatch.h"
#include "table/json.h"

namespace tailrace::pipeline {
namespace {

template <typename Column>
auto number_at(const arrow::RecordBatch& row, const char* name) {
  return static_cast<const Column&>(*row.GetColumnByName(name)).Value(0);
}

/// What to do about a row that broke FAIL UPDATE: the record is in the log and will be read again.
constexpr const char* kMendExpectation =
    "The next start reads the same records again: let the expectation drop the row (ON VIOLATION "
    "DROP ROW, in a contract `onViolation: drop`) or change the SQL so that the row holds,";

/// Two changes to one table as one.
Result<Delta> join(Delta a, Delta b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  Delta both;
  const std::int64_t first = a.size(), second = b.size();
  ASSIGN(both.rows, from_arrow(arrow::ConcatenateRecordBatches({a.rows, b.rows})));
  if (!a.weights.empty() || !b.weights.empty()) {
    both.weights = std::move(a.weights);
    both.weights.resize(static_cast<std::size_t>(first), 1);
    for (std::int64_t i = 0; i < second; ++i) both.weights.push_back(b.weight(i));
  }
  return both;
}

}  // namespace

Result<bool> RunningProject::step() {
  ASSIGN(auto topics, read_topics());
  bool any = false;
  for (const TopicStep& topic : topics) any = any || topic.records > 0;
  for (const RunningFlow& flow : flows_) any = any || (!flow.stepped && flow.failed.empty());
  kv::WriteBatch& batch = batch_;
  batch.clear();
  TRY(letters_back_.take_marks(*letters_, batch));
  TRY(read_rejected(batch));
  const Upkeep& limits = project_.upkeep;
  TRY(letters_->trim(clock_.now().value, limits.letters_keep_ms, limits.letters_max_bytes, batch));
  if (!any && batch.empty()) {
    note_reading(topics);
    for (std::size_t i = 0; i < topics.size(); ++i)
      move_to(graph_.topics[i].topic, std::move(topics[i].next));
    return evolve(topics);
  }
  for (TopicStep& topic : topics)
    for (DeadLetter& letter : topic.rejected) {
      letter.time_ms = clock_.now().value;
      letters_->add(std::move(letter), batch);
    }
  count_topics(topics);
  const telemetry::Span span = telemetry::on() ? step_span(topics) : telemetry::Span();
  step_trace_ = span.recording() ? span.context() : telemetry::SpanContext();
  TRY(run_flows(topics, batch));
  TRY(serve(batch));
  letters_->written();
  for (std::size_t i = 0; i < topics.size(); ++i) {
    move_to(graph_.topics[i].topic, std::move(topics[i].next));
    checkpoint_.decoded[graph_.topics[i].topic] += topics[i].delta.size();
    steps_records_ += topics[i].records;
  }
  dirty_ = true;
  checkpoint_from_.add(step_trace_);
  publish_counts(topics);
  TRY(evolve(topics));
  return true;
}

void RunningProject::move_to(const std::string& topic, Positions next) {
  Positions& kept = checkpoint_.positions[topic];
  kept.resize(next.size());
  if (kept == next) return;
  kept = std::move(next);
  dirty_ = true;
}

Result<std::vector<TopicStep>> RunningProject::read_topics() {
  std::vector<TopicStep> topics;
  for (std::size_t i = 0; i < readers_.size(); ++i) {
    ASSIGN(auto step, readers_[i]->read());
    TRY(hold_topic(i, step));
    topics.push_back(std::move(step));
  }
  return topics;
}

Status RunningProject::hold_topic(std::size_t topic, TopicStep& step) const {
  const TopicRelation& relation = graph_.topics[topic];
  if (relation.expectations.empty() || step.delta.empty()) return {};
  engine::StepOutput held;
  held.delta = std::move(step.delta);
  TRY(hold_to(relation.expectations, clock_.now().value * 1000, held));
  step.expectations = std::move(held.expectations);
  step.delta = std::move(held.delta);
  const std::size_t before = step.rejected.size();
  for (engine::Reject& reject : held.rejects) {
    DeadLetter letter;
    letter.flow = relation.topic;
    letter.reason = "expectation " + reject.expectations;
    letter.detail = std::move(reject.reason);
    letter.topic = relation.topic;
    letter.partition = number_at<arrow::Int32Array>(*reject.row, "partition");
    letter.offset = number_at<arrow::Int64Array>(*reject.row, "offset");
    letter.origin = fmt::format("{}-{}@{}", letter.topic, letter.partition, letter.offset);
    if (auto record = record_at(log_, letter.topic, letter.partition, letter.offset))
      letter.bytes = std::move(record->value);
    step.rejected.push_back(std::move(letter));
  }
  if (held.broken) step.broken = step.rejected[before + *held.broken];
  return {};
}

void RunningProject::count_topics(const std::vector<TopicStep>& topics) {
  for (std::size_t i = 0; i < topics.size(); ++i) {
    const TopicRelation& relation = graph_.topics[i];
    auto& counts = checkpoint_.topic_expectations[relation.topic];
    for (std::size_t e = 0; e < topics[i].expectations.size(); ++e) {
      auto& [passed, failed] = counts[relation.expectations[e].name];
      passed += topics[i].expectations[e].passed;
      failed += topics[i].expectations[e].failed;
    }
    if (!topics[i].broken) continue;
    for (std::size_t f = 0; f < flows_.size(); ++f)
      for (const Flow::Input& input : graph_.flows[f].inputs)
        if (input.is_topic && input.index == static_cast<int>(i) && flows_[f].failed.empty())
          fail_flow(f, {Code::kAborted, broken_by(*topics[i].broken)});
  }
}

Status RunningProject::read_rejected(kv::WriteBatch& batch) {
  if (!rejected_reader_) return {};
  ASSIGN(const auto step, rejected_reader_->read(1000));
  move_to(rejected_reader_->relation().topic, step.next);
  if (step.records == 0) return {};
  const auto& values = static_cast<const arrow::StringArray&>(*step.delta.rows->column(1));
  for (std::int64_t i = 0; i < values.length(); ++i)
    letters_->add(rejected_letter(values.GetView(i)), batch);
  return {};
}

Status RunningProject::run_flows(const std::vector<TopicStep>& topics, kv::WriteBatch& batch) {
  std::vector<Delta> changes(graph_.tables.size());
  for (std::size_t i = 0; i < flows_.size(); ++i) {
    const Flow& flow = graph_.flows[i];
    if (!flows_[i].failed.empty()) continue;
    std::vector<Delta> inputs;
    bool any = !flows_[i].stepped;
    for (const Flow::Input& input : flow.inputs) {
      const auto at = static_cast<std::size_t>(input.index);
      inputs.push_back(input.is_topic ? topics[at].delta : changes[at]);
      any = any || !inputs.back().empty();
    }
    if (!any) continue;
    ASSIGN(auto change, run_flow(i, inputs, batch));
    Delta& table = changes[static_cast<std::size_t>(flow.table)];
    ASSIGN(table, join(std::move(table), std::move(change)));
  }
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (graph_.tables[i].hidden && !changes[i].empty())
      changes[i].rows = without_hidden(changes[i].rows);
    TRY(take_in(i, std::move(changes[i]), batch));
  }
  return {};
}

Status RunningProject::take_in(std::size_t table, Delta change, kv::WriteBatch& batch) {
  for (std::size_t i = 0; i < flows_.size(); ++i) {
    const Flow& flow = graph_.flows[i];
    if (flow.table != static_cast<int>(table) || flows_[i].notes.empty()) continue;
    const auto notes = std::exchange(flows_[i].notes, {});
    const auto& serving = project_.serving[static_cast<std::size_t>(flow.kept_by)];
    return outputs_[table]->accept(std::move(change), batch, serving.name, notes);
  }
  if (change.empty()) return {};
  return outputs_[table]->accept(std::move(change), batch);
}

Result<Delta> RunningProject::run_flow(std::size_t index, const std::vector<Delta>& inputs,
                                       kv::WriteBatch& batch) {
  RunningFlow& running = flows_[index];
  const Flow& flow = graph_.flows[index];
  running.stepped = true;
  telemetry::Span span = step_trace_.valid() ? flow_span(flow, inputs) : telemetry::Span();
  auto output = running.circuit->step(inputs, clock_.now().value * 1000);
  if (!output) {
    span.fail(output.error().what);
    fail_flow(index, output.error());
    return Delta{};
  }
  if (output->broken) {
    break_flow(index, *output, batch);
    span.fail(running.failed);
    return Delta{};
  }
  for (const engine::Reject& reject : output->rejects)
    letters_->add(letter_of(flow, reject), batch);
  for (std::size_t i = 0; i < output->expectations.size(); ++i) {
    running.expectations[i].passed += output->expectations[i].passed;
    running.expectations[i].failed += output->expectations[i].failed;
  }
  leave_null_keys(flow, output->delta, batch);
  running.notes = std::move(output->notes);
  span.set("tailrace.rows.out", output->delta.size());
  span.set("tailrace.rejected", std::ssize(output->rejects));
  if (flow.hidden && !graph_.tables[static_cast<std::size_t>(flow.table)].hidden)
    output->delta.rows = without_hidden(output->delta.rows);
  return std::move(output->delta);
}

void RunningProject::fail_flow(std::size_t index, const Error& why) {
  const Flow& flow = graph_.flows[index];
  flows_[index].failed = why.what;
  LOG_OF(
      error,
      log_of("flow", flow.name, "table", graph_.tables[static_cast<std::size_t>(flow.table)].name),
      "flow {} has stopped: {}; the other flows go on. {} and start again", flow.name, why.what,
      why.code == Code::kAborted ? kMendExpectation : "Fix its SQL or its input");
  std::lock_guard lock(mutex_);
  flow_failed_[index] = why.what;
}

// The one row that stops the flow and no other of the step: the next start makes the table, and
// these letters with it, from nothing.
void RunningProject::break_flow(std::size_t index, const engine::StepOutput& output,
                                kv::WriteBatch& batch) {
  RunningFlow& running = flows_[index];
  for (std::size_t i = 0; i < output.expectations.size(); ++i)
    running.expectations[i].failed += output.expectations[i].failed;
  DeadLetter letter = letter_of(graph_.flows[index], output.rejects[*output.broken]);
  fail_flow(index, {Code::kAborted, broken_by(letter)});
  letters_->add(std::move(letter), batch);
}

// The row is in the table all the same. Rows of a view come and go, and by an aggregate's key there
// is but one with a null: those stay as they are.
void RunningProject::leave_null_keys(const Flow& flow, const Delta& delta, kv::WriteBatch& batch) {
  const Table& table = graph_.tables[static_cast<std::size_t>(flow.table)];
  if (!table.streaming || delta.empty()) return;
  std::map<std::int64_t, std::vector<std::string>> left_out;  // by row, the servings without it
  for (const ServingSpec& serving : project_.serving)
    if (same_name(serving.table, table.name))
      for (const std::int64_t row : null_key_rows(*delta.rows, serving.key))
        left_out[row].push_back("`" + serving.name + "`");
  for (const auto& [row, servings] : left_out)
    letters_->add(letter_of(flow, "null key",
                            fmt::format("the row is in `{}`, but not served as {}: a column of the "
                                        "key is null",
                                        table.name, fmt::join(servings, ", ")),
                            delta.rows->Slice(row, 1)),
                  batch);
}

DeadLetter RunningProject::letter_of(const Flow& flow, const engine::Reject& reject) const {
  switch (reject.kind) {
    case engine::Reject::Kind::kError:
      return letter_of(flow, "error", reject.reason, reject.row);
    case engine::Reject::Kind::kExpectation:
      return letter_of(flow, "expectation " + reject.expectations, reject.reason, reject.row);
    case engine::Reject::Kind::kLate:
      return letter_of(flow, "late", reject.reason, reject.row);
  }
  return {};
}

DeadLetter RunningProject::letter_of(const Flow& flow, std::string reason, std::string detail,
                                     const Batch& row) const {
  DeadLetter letter;
  letter.flow = graph_.tables[static_cast<std::size_t>(flow.table)].name;
  letter.reason = std::move(reason);
  letter.detail = std::move(detail);
  letter.time_ms = clock_.now().value;
  if (row && row->num_rows() == 1) {
    letter.bytes = table::row_to_json(*shown_row(row), 0);
    find_origin(flow, *row, letter);
  }
  if (letter.origin.empty()) letter.origin = "flow " + flow.name;
  if (letter.offset >= 0)
    if (const auto mismatch = schema_mismatch(flow.plan, letter.bytes); !mismatch.empty())
      letter.detail += "; " + mismatch;
  return letter;
}

// The record's own bytes are kept instead of the row where the row has one record.
void RunningProject::find_origin(const Flow& flow, const arrow::RecordBatch& row,
                                 DeadLetter& letter) const {
  const auto place = record_of(flow, row);
  if (!place) return;
  letter.topic = graph_.topics[static_cast<std::size_t>(place->topic)].topic;
  letter.partition = place->partition;
  letter.offset = place->offset;
  letter.origin = fmt::format("{}-{}@{}", letter.topic, letter.partition, letter.offset);
  if (auto record = record_at(log_, letter.topic, letter.partition, letter.offset))
    letter.bytes = std::move(record->value);
}

void RunningProject::note_reading(const std::vector<TopicStep>& topics) {
  const std::int64_t now = clock_.now().value;
  std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < topics.size(); ++i) {
    TopicCounts& counts = topic_counts_[i];
    counts.lag = readers_[i]->lag();
    counts.waits = topics[i].waits;
    counts.lag_s = counts.lag > 0 && topics[i].oldest_ms > 0
                       ? static_cast<double>(now - topics[i].oldest_ms) / 1e3
                       : 0;
  }
}

void RunningProject::publish_counts(const std::vector<TopicStep>& topics) {
  note_reading(topics);
  std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < topics.size(); ++i) {
    TopicCounts& counts = topic_counts_[i];
    counts.decoded = checkpoint_.decoded[graph_.topics[i].topic];
    counts.bytes += topics[i].bytes;
    counts.expectations = checkpoint_.topic_expectations[graph_.topics[i].topic];
  }
  for (std::size_t i = 0; i < flows_.size(); ++i) {
    flow_expectations_[i] = flows_[i].expectations;
    flow_watermarks_[i] = flows_[i].circuit->watermark_us();
  }
  for (std::size_t i = 0; i < outputs_.size(); ++i) table_rows_[i] = outputs_[i]->rows();
}

}  // namespace tailrace::pipeline
