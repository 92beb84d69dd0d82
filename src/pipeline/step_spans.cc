// The spans of a step and of a checkpoint.
#include <algorithm>

#include "pipeline/running_project.h"

namespace tailrace::pipeline {
namespace {

using telemetry::Span;
using telemetry::SpanKind;

void add_decode(const TopicStep& step, const std::string& topic,
                const telemetry::SpanContext& parent) {
  Span span = telemetry::begin("decode " + topic, SpanKind::kInternal, parent);
  span.begun_at(step.trace->begun_ns);
  span.set("tailrace.hop", "decoded." + topic);
  span.set("messaging.destination.name", topic);
  span.set("tailrace.records", step.records);
  span.set("tailrace.rejected", std::ssize(step.rejected));
  span.end_at(step.trace->ended_ns);
}

}  // namespace

Span RunningProject::step_span(const std::vector<TopicStep>& topics) const {
  telemetry::Origins sent_in;
  std::int64_t begun_ns = 0, records = 0;
  std::vector<std::size_t> read;
  for (std::size_t i = 0; i < topics.size(); ++i) {
    const TopicStep& topic = topics[i];
    if (topic.records == 0 || !topic.trace) continue;
    read.push_back(i);
    records += topic.records;
    sent_in.add(topic.trace->sent_in);
    begun_ns = begun_ns == 0 ? topic.trace->begun_ns : std::min(begun_ns, topic.trace->begun_ns);
  }
  if (read.empty()) return {};
  const bool one = read.size() == 1;
  Span span = telemetry::begin_from(
      one ? "process " + graph_.topics[read.front()].topic : std::string("process"),
      SpanKind::kConsumer, sent_in);
  span.begun_at(begun_ns);
  span.set("messaging.system", "kafka");
  span.set("messaging.operation.name", "process");
  span.set("messaging.operation.type", "process");
  if (one) span.set("messaging.destination.name", graph_.topics[read.front()].topic);
  span.set("messaging.batch.message_count", records);
  if (span.recording())
    for (const std::size_t i : read) add_decode(topics[i], graph_.topics[i].topic, span.context());
  return span;
}

Span RunningProject::flow_span(const Flow& flow, const std::vector<Delta>& inputs) const {
  const Table& table = graph_.tables[static_cast<std::size_t>(flow.table)];
  const std::string layer(layer_name(table.layer));
  Span span = telemetry::begin(layer + " " + table.name, SpanKind::kInternal, step_trace_);
  span.set("tailrace.hop", layer + "." + table.name);
  span.set("tailrace.flow", flow.name);
  std::int64_t rows = 0;
  for (const Delta& input : inputs) rows += input.size();
  span.set("tailrace.rows.in", rows);
  return span;
}

Status RunningProject::serve(kv::WriteBatch& batch) {
  if (!step_trace_.valid()) return store_->write(batch);
  Span span = telemetry::begin("serve " + project_.name, SpanKind::kInternal, step_trace_);
  std::string tables;
  for (const ServingSpec& serving : project_.serving)
    tables += (tables.empty() ? "" : ",") + serving.name;
  span.set("tailrace.served", tables);
  Status written = store_->write(batch);
  if (!written) span.fail(written.error().what);
  return written;
}

void RunningProject::begin_checkpoint_span() {
  checkpoint_span_ =
      telemetry::begin_from("checkpoint " + project_.name, SpanKind::kInternal, checkpoint_from_);
  checkpoint_span_.set("tailrace.checkpoint", checkpoint_.number);
  checkpoint_from_.clear();
}

}  // namespace tailrace::pipeline
