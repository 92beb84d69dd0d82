// Opening a project (with recovery), its loop, and checkpoints.
#include "pipeline/running_project.h"

#include <fmt/format.h>
#include <malloc.h>

#include <filesystem>

#include "base/check.h"
#include "base/log.h"
#include "connect/runner.h"
#include "pipeline/sink_patience.h"

namespace tailrace::pipeline {
namespace {

constexpr std::chrono::milliseconds kIdleWait{100};
/// How often upkeep runs, whatever `vacuum_after` says.
constexpr std::chrono::milliseconds kUpkeepAtMost{1'000}, kUpkeepAtLeast{60'000};
/// Idle for so long, the process gives freed memory back.
constexpr std::chrono::seconds kTrimAfter{1};
/// A flush that takes longer may be waiting for room on the disk: then the hop says so.
constexpr std::chrono::seconds kFlushTakes{1};
/// How long the end waits for a database that answers.
constexpr std::chrono::seconds kLastWait{5};

}  // namespace

Result<std::unique_ptr<Runner>> Runner::open(const Project& project, Graph graph, log::Log& log,
                                             const std::string& data,
                                             subjects::SchemaClient* schemas, ServingSink* sink,
                                             rt::Clock& clock) {
  auto running =
      std::make_unique<RunningProject>(project, std::move(graph), log, schemas, sink, clock);
  TRY(running->open_all(data));
  return running;
}

RunningProject::~RunningProject() {
  if (thread_.joinable()) {
    thread_.request_stop();
    {
      const std::shared_lock still(shape_);
      lake_->room()->close();
    }
    thread_.join();
  }
  lake_.reset();  // what it was given to do still says so here
}

Status RunningProject::open_all(const std::string& data) {
  data_ = data;
  auto store = kv::Store::open(data + "/state");
  if (!store && store.error().code == Code::kDataLoss)
    return error(Code::kDataLoss,
                 fmt::format("{}; bring the folder back from a copy, or remove it: the tables are "
                             "then made again from the log",
                             store.error().what));
  if (!store) return std::unexpected(store.error());
  store_ = std::move(*store);
  letters_ = std::make_unique<DeadLetters>(*store_);
  ASSIGN(auto last, Checkpoint::load_of("embedded", *store_, data_));
  const bool fresh = !last;
  checkpoint_ = last.value_or(Checkpoint{});
  TRY(letters_->load(checkpoint_.letters));
  durable_positions_ = checkpoint_.positions;
  ASSIGN(catalogue_, table::Catalogue::open(*store_));
  if (sink_) TRY(sink_->open(*store_));
  return open_graph(fresh);
}

Status RunningProject::open_graph(bool fresh) {
  std::vector<bool> stale(graph_.tables.size(), false), again;
  if (fresh) {
    ASSIGN(again, strange_tables());
  } else {
    again = stale = stale_tables(checkpoint_);
  }
  TRY(open_outputs(again));
  if (!fresh) stale = again;
  TRY(open_flows());
  TRY(backfill(stale));
  return open_readers();
}

Result<std::vector<bool>> RunningProject::strange_tables() const {
  std::vector<bool> strange(graph_.tables.size());
  for (std::size_t i = 0; i < strange.size(); ++i) {
    const std::string folder = data_ + "/lake/" + graph_.tables[i].name;
    // A crash before the first checkpoint leaves tables as they were created: without rows.
    std::error_code unknown;
    strange[i] =
        std::filesystem::exists(folder + "/_delta_log/00000000000000000001.json", unknown) ||
        std::filesystem::exists(folder + "/_delta_log/_last_checkpoint", unknown);
    if (!strange[i]) continue;
    for (const TopicRelation& topic : graph_.topics)
      for (std::int32_t p = 0; p < log_.topic(topic.topic)->settings.partitions; ++p) {
        ASSIGN(const auto partition, log_.partition(topic.topic, PartitionId(p)));
        if (partition->log_start() == Offset(0)) continue;
        return error(Code::kFailedPrecondition,
                     fmt::format("{}/state is empty, but {} holds rows, and retention has removed "
                                 "records of {} before offset {}: bring the state folder back, or "
                                 "move {}/lake away to begin with what the log still has",
                                 data_, folder, topic.topic, partition->log_start().value, data_));
      }
    LOG(warn, "{}/state is empty: {} is made again from the log", data_, folder);
  }
  return strange;
}

Status RunningProject::open_outputs(std::vector<bool>& again) {
  lake_ = std::make_unique<LakeWriter>();
  ASSIGN(const auto prepared, LakeCommits::read(data_, checkpoint_.number));
  for (std::size_t i = 0; i < graph_.tables.size(); ++i) {
    const Table& table = graph_.tables[i];
    for (const Flow& flow : graph_.flows)
      if (flow.table == static_cast<int>(i))
        for (const Flow::Input& input : flow.inputs)
          again[i] = again[i] || (!input.is_topic && again[static_cast<std::size_t>(input.index)]);
    auto output = TableOutput::open(table, data_, project_, *catalogue_, *lake_, sink_, again[i]);
    if (!output && !again[i] && output.error().code == Code::kFailedPrecondition) {
      LOG(warn, "{}", output.error().what);
      again[i] = true;
      output = TableOutput::open(table, data_, project_, *catalogue_, *lake_, sink_, true);
    }
    if (!output) return std::unexpected(output.error());
    if (!again[i]) {
      (*output)->set_rows(checkpoint_.rows[table.name]);
      auto commit = prepared.commits.find(table.name);
      if (commit != prepared.commits.end()) (*output)->publish(commit->second);
    }
    table_rows_.push_back((*output)->rows());
    lake_rows_.push_back((*output)->rows());
    outputs_.push_back(std::move(*output));
  }
  if (sink_) {
    std::vector<std::shared_ptr<const table::KeyedTable>> served;
    for (const auto& output : outputs_)
      served.insert(served.end(), output->served().begin(), output->served().end());
    TRY(sink_->set_tables(std::move(served)));
  }
  return lake_->wait();
}

Status RunningProject::open_flows() {
  flows_.resize(graph_.flows.size());
  flow_failed_.resize(flows_.size());
  flow_expectations_.resize(flows_.size());
  flow_watermarks_.resize(flows_.size());
  for (std::size_t i = 0; i < flows_.size(); ++i) {
    TRY(make_circuit(i));
    const FlowMark& mark = checkpoint_.flows[graph_.flows[i].name];
    flows_[i].expectations.resize(graph_.flows[i].plan.expectations.size());
    for (std::size_t e = 0; e < flows_[i].expectations.size() && e < mark.expectations.size(); ++e)
      flows_[i].expectations[e] = {mark.expectations[e].first, mark.expectations[e].second};
    flow_expectations_[i] = flows_[i].expectations;
    flow_watermarks_[i] = flows_[i].circuit->watermark_us();
  }
  return {};
}

Status RunningProject::make_circuit(std::size_t flow) {
  const Flow& described = graph_.flows[flow];
  engine::CircuitOptions options;
  options.kept = kept_result(described);
  ASSIGN(flows_[flow].circuit,
         engine::Circuit::make(described.plan, *store_, "s" + described.name + '\0', options));
  return {};
}

std::optional<engine::KeptResult> RunningProject::kept_result(const Flow& flow) const {
  if (flow.kept_by < 0) return std::nullopt;
  const ServingSpec& serving = project_.serving[static_cast<std::size_t>(flow.kept_by)];
  engine::KeptResult kept;
  kept.key = key_columns(serving, graph_.tables[static_cast<std::size_t>(flow.table)]);
  kept.notes = [table = catalogue_->find(serving.name)](std::span<const std::string_view> keys) {
    return table->notes(keys);
  };
  kept.find = [table = catalogue_->find(serving.name), schema = flow.plan.root->schema](
                  std::span<const std::string> keys) -> Result<Batch> {
    ASSIGN(const Batch rows, table->get_encoded(keys));
    std::vector<Array> columns;
    for (const Field& field : schema->fields())
      columns.push_back(rows->GetColumnByName(field->name()));
    return arrow::RecordBatch::Make(schema, rows->num_rows(), std::move(columns));
  };
  return kept;
}

std::optional<ValueReading> RunningProject::value_reading(const TopicRelation& topic) const {
  if (!topic.type) return std::nullopt;
  CHECK(schemas_ != nullptr);
  ValueReading reading{.type = topic.type, .schemas = schemas_};
  for (const TopicSpec& spec : project_.topics)
    if (spec.name == topic.topic) reading.follow = spec.values->evolution == "add_columns";
  const auto refused = refused_schemas_.find(topic.topic);
  if (refused != refused_schemas_.end()) reading.refused = refused->second;
  return reading;
}

Status RunningProject::open_readers() {
  topic_counts_.resize(graph_.topics.size());
  for (std::size_t i = 0; i < graph_.topics.size(); ++i) {
    const TopicRelation& topic = graph_.topics[i];
    ASSIGN(auto reader, TopicReader::open(log_, topic, checkpoint_.positions[topic.topic],
                                          value_reading(topic)));
    readers_.push_back(
        std::make_unique<ReadAhead>(std::move(reader), project_.limits.step_records));
    topic_counts_[i].decoded = checkpoint_.decoded[topic.topic];
    topic_counts_[i].lag = readers_[i]->lag();
    topic_counts_[i].expectations = checkpoint_.topic_expectations[topic.topic];
  }
  const std::string rejected(connect::kRejectedTopic);
  if (log_.topic(rejected)) {
    ASSIGN(auto reader, TopicReader::open(log_, {.relation = rejected, .topic = rejected},
                                          checkpoint_.positions[rejected]));
    rejected_reader_.emplace(std::move(reader));
  }
  return {};
}

void RunningProject::start() {
  CHECK(!thread_.joinable());
  lake_->room()->arm();
  thread_ = std::jthread([this](std::stop_token stop) { loop(stop); });
}

void RunningProject::loop(std::stop_token stop) {
  const auto give_up = [this](const Error& why) {
    LOG(error, "the pipeline has stopped: {}", why.what);
    std::lock_guard lock(mutex_);
    stopped_by_ = why.what;
  };
  auto last_step = std::chrono::steady_clock::now();
  bool trimmed = false;
  while (!stop.stop_requested()) {
    const std::uint64_t seen = log_.appends();
    const auto may = sink_ready(stop);
    if (!may) return give_up(may.error());
    auto stepped = *may ? step() : Result<bool>(false);
    if (!stepped) return give_up(stepped.error());
    const bool overdue = std::chrono::steady_clock::now() - last_checkpoint_ > kFlushTakes;
    if (unpublished_ && prepared() && (overdue || store_->checkpoint_done()))
      if (auto done = finish_or_full(); !done) return give_up(done.error());
    if (checkpoint_due()) {
      auto taken = await_checkpoint(stop);
      if (taken) taken = checkpoint();
      if (!taken) return give_up(taken.error());
    }
    if (auto done = upkeep(); !done) return give_up(done.error());
    if (*stepped) {
      last_step = std::chrono::steady_clock::now();
      trimmed = false;
      continue;
    }
    if (!trimmed && !dirty_ && std::chrono::steady_clock::now() - last_step > kTrimAfter) {
      malloc_trim(0);
      trimmed = true;
    }
    const bool goes_on = !*may && sink_->is_full() && !sink_->wait(kIdleWait);
    if (!goes_on) log_.wait_for_append(seen, kIdleWait);
  }
  if (auto settled = settle(); !settled)
    return give_up(
        settled.error().in("the next start goes on from the checkpoint before this one"));
  // What does not get there now is sent at the next start.
  const auto until = std::chrono::steady_clock::now() + kLastWait;
  while (sink_ && sink_->waits().empty() && std::chrono::steady_clock::now() < until)
    if (sink_->wait(kIdleWait)) return;
}

Status RunningProject::stop() {
  if (thread_.joinable()) {
    thread_.request_stop();
    {
      const std::shared_lock still(shape_);
      lake_->room()->close();
    }
    thread_.join();
  }
  const std::string why = stopped_by();
  if (!why.empty()) return error(Code::kAborted, why);
  return {};
}

Status RunningProject::drain() {
  CHECK(!thread_.joinable());
  for (bool more = true; more;) {
    if (sink_ && !sink_->is_ready())
      TRY(load_sink_once(*sink_, [this](const std::stop_token& stop) { return sink_ready(stop); }));
    if (sink_ && sink_->is_full()) TRY(await_sink(*sink_));
    ASSIGN(more, step());
    if (checkpoint_due()) TRY(checkpoint());
  }
  TRY(upkeep());
  TRY(settle());
  return sink_ ? await_sink(*sink_) : Status();
}

Result<bool> RunningProject::sink_ready(const std::stop_token& stop) {
  if (!sink_) return true;
  if (!sink_->is_ready()) {
    if (const auto settled = settle(); !settled) {
      if (settled.error().code == Code::kResourceExhausted) return false;
      return std::unexpected(settled.error());
    }
    ASSIGN(const bool loaded, sink_->ready(stop));
    if (!loaded) return false;
    dirty_ = true;  // the next checkpoint knows that it is loaded
  }
  return !sink_->is_full();
}

Status RunningProject::upkeep() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_upkeep_) return {};
  const std::chrono::milliseconds vacuum_after(project_.upkeep.vacuum_after_ms);
  next_upkeep_ = now + std::clamp(vacuum_after / 4, kUpkeepAtMost, kUpkeepAtLeast);
  for (auto& output : outputs_) output->vacuum(vacuum_after);
  return {};
}

bool RunningProject::checkpoint_due() const {
  if (!dirty_) return false;
  if (store_->needs_checkpoint() || steps_records_ >= project_.limits.checkpoint_records)
    return true;
  if (sink_ && sink_->wants_checkpoint()) return true;
  // The first rows reach the lake soon; after that the interval counts.
  const auto interval =
      std::chrono::milliseconds(checkpoint_.number == 0 ? 300 : project_.limits.checkpoint_ms);
  return std::chrono::steady_clock::now() - last_checkpoint_ >= interval;
}

Status RunningProject::checkpoint() {
  if (!dirty_) return {};
  TRY(finish_checkpoint());
  checkpoint_metrics_.begun(std::chrono::steady_clock::now());
  Status taken = begin_checkpoint();
  if (!taken) checkpoint_metrics_.failed();
  return taken;
}

Status RunningProject::begin_checkpoint() {
  ++checkpoint_.number;
  if (telemetry::on()) begin_checkpoint_span();
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    outputs_[i]->begin_prepare(checkpoint_.number);
    checkpoint_.rows[graph_.tables[i].name] = outputs_[i]->rows();
  }
  TRY(count_served());
  checkpoint_.flows.clear();
  for (std::size_t i = 0; i < flows_.size(); ++i) {
    FlowMark& mark = checkpoint_.flows[graph_.flows[i].name];
    mark.definition =
        flows_[i].under_way.empty() ? graph_.flows[i].definition : std::string(flows_[i].under_way);
    mark.text = graph_.flows[i].text;
    mark.failed = flows_[i].failed;
    for (const auto& count : flows_[i].expectations)
      mark.expectations.emplace_back(count.passed, count.failed);
    if (flows_[i].failed.empty()) TRY(flows_[i].circuit->save());
  }
  checkpoint_.letters = letters_->pending_totals();
  kv::WriteBatch batch;
  checkpoint_.write(batch);
  if (sink_) TRY(sink_->seal(batch));
  TRY(store_->write(batch));
  TRY(store_->begin_held_checkpoint());
  prepared_ = lake_->post_awaited(
      [this, number = checkpoint_.number] { return release_checkpoint(number); });
  begun_positions_ = checkpoint_.positions;
  unpublished_ = true;
  dirty_ = false;
  steps_records_ = 0;
  last_checkpoint_ = std::chrono::steady_clock::now();
  return {};
}

Status RunningProject::count_served() {
  std::map<std::string, std::int64_t> fewer;
  for (const auto& output : outputs_)
    for (const auto& keyed : output->served()) TRY(note_fewer(*keyed, output->rows(), fewer));
  const std::lock_guard lock(mutex_);
  served_fewer_ = std::move(fewer);
  return {};
}

Status RunningProject::release_checkpoint(std::int64_t number) {
  LakeCommits prepared{number, {}};
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    std::string commit = outputs_[i]->prepared();
    if (!commit.empty()) prepared.commits[graph_.tables[i].name] = std::move(commit);
  }
  TRY(prepared.write(data_, *lake_->room()));
  // A position is kept for good: so must be the records before it.
  TRY(log_.sync());
  store_->release_checkpoint();
  return {};
}

Result<bool> RunningProject::finish_or_full() {
  Status done = finish_checkpoint();
  const bool full = !done && done.error().code == Code::kResourceExhausted;
  {
    std::lock_guard lock(mutex_);
    store_waits_ = full;
  }
  if (!done && !full) return std::unexpected(done.error());
  return !full;
}

Status RunningProject::await_checkpoint(const std::stop_token& stop) {
  for (;;) {
    ASSIGN(const bool finished, finish_or_full());
    if (finished) return {};
    if (stop.stop_requested()) return error(Code::kResourceExhausted, "disk full");
    std::this_thread::sleep_for(kIdleWait);
  }
}

Status RunningProject::settle() {
  TRY(checkpoint());
  TRY(finish_checkpoint());
  return lake_->wait();
}

Status RunningProject::await_durable() {
  if (prepared_.valid()) lake_failed_ = prepared_.get();
  TRY(Status(lake_failed_));
  return store_->finish_checkpoint();
}

Status RunningProject::finish_checkpoint() {
  if (!unpublished_) return {};
  if (Status durable = await_durable(); !durable) {
    checkpoint_metrics_.failed();
    return durable;
  }
  checkpoint_metrics_.durable(std::chrono::steady_clock::now(), clock_.now().value,
                              store_->checkpoint_bytes());
  for (auto& output : outputs_) output->publish(checkpoint_span_.context());
  checkpoint_span_ = {};
  if (sink_) sink_->send();
  unpublished_ = false;
  // Behind the commits: who waits for a position reads its rows in the lake.
  (void)lake_->post_awaited([this, positions = begun_positions_]() mutable -> Status {
    std::lock_guard lock(mutex_);
    durable_positions_ = std::move(positions);
    return {};
  });
  std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < outputs_.size(); ++i)
    lake_rows_[i] = checkpoint_.rows[graph_.tables[i].name];
  return {};
}

}  // namespace tailrace::pipeline
