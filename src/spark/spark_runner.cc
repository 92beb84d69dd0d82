// Opening, the loop, updates and checkpoints.
#include "spark/spark_runner.h"

#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "base/log.h"
#include "connect/runner.h"
#include "pipeline/names.h"
#include "pipeline/rejected_topic.h"
#include "pipeline/sink_patience.h"
#include "pipeline/spark_export.h"
#include "pipeline/spark_project.h"
#include "rt/file.h"

namespace tailrace::spark {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kEngine = "spark";
constexpr std::chrono::milliseconds kIdleWait{100};
/// A failed update is tried again no sooner.
constexpr std::chrono::seconds kRetryAfter{5};
/// Letters of sources taken at once.
constexpr std::int64_t kRejectedRecords = 1000;

std::string hash_of(const std::vector<pipeline::WrittenFile>& files) {
  std::string all;
  for (const pipeline::WrittenFile& file : files) (all += file.path) += '\0' + file.text + '\0';
  const XXH128_hash_t hash = XXH3_128bits(all.data(), all.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

/// One database, whose folder is the lake's.
pipeline::Project without_database(pipeline::Project project) {
  project.database.clear();
  return project;
}

std::string spark_folder(const std::string& data) {
  return data + "/spark";
}

UpdateSettings update_settings(const pipeline::Project& project, const std::string& data) {
  const pipeline::RemoteEngineSpec& with = project.roles.remote_engine;
  UpdateSettings settings{.folder = spark_folder(data),
                          .warehouse = data + "/lake",
                          .master = project.roles.engine,
                          .jars = {},
                          .properties = with.properties,
                          .secrets = with.secrets};
  if (!with.jars.empty())
    settings.jars = fs::absolute(fs::path(project.folder) / with.jars).lexically_normal().string();
  return settings;
}

}  // namespace

Status check_engine(const pipeline::Project& project, const pipeline::Graph& graph,
                    const pipeline::TopicTypes& types) {
  for (const pipeline::Table& table : graph.tables)
    if (table.name.find('.') != std::string::npos)
      return error(Code::kUnimplemented,
                   fmt::format("not supported yet: `{}`, a table of a database, with the engine {}",
                               table.name, project.roles.engine));
  TRY(pipeline::spark_project(without_database(project), "/project", types));
  return {};
}

Result<std::unique_ptr<pipeline::Runner>> SparkRunner::open(
    const pipeline::Project& project, pipeline::Graph graph, const pipeline::TopicTypes& types,
    log::Log& log, const std::string& data, subjects::SchemaClient* schemas,
    pipeline::ServingSink* sink, rt::Clock& clock) {
  std::unique_ptr<SparkRunner> runner(
      new SparkRunner(project, std::move(graph), types, log, data, schemas, sink, clock));
  TRY(runner->open_all());
  return runner;
}

SparkRunner::SparkRunner(const pipeline::Project& project, pipeline::Graph graph,
                         const pipeline::TopicTypes& types, log::Log& log, std::string data,
                         subjects::SchemaClient* schemas, pipeline::ServingSink* sink,
                         rt::Clock& clock)
    : project_(project),
      written_(without_database(project)),
      graph_(std::move(graph)),
      types_(types),
      log_(log),
      data_(std::move(data)),
      schemas_(schemas),
      sink_(sink),
      clock_(clock),
      updates_(update_settings(project_, data_)) {}

SparkRunner::~SparkRunner() {
  updates_.stop();
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
}

Status SparkRunner::open_all() {
  ASSIGN(store_, kv::Store::open(data_ + "/state"));
  ASSIGN(auto last, pipeline::Checkpoint::load_of(kEngine, *store_, data_));
  checkpoint_ = last.value_or(pipeline::Checkpoint{});
  checkpoint_.engine = kEngine;
  letters_ = std::make_unique<pipeline::DeadLetters>(*store_);
  TRY(letters_->load(checkpoint_.letters));
  ASSIGN(catalogue_, table::Catalogue::open(*store_));
  if (sink_) TRY(sink_->open(*store_));
  TRY(open_tables());
  const std::string rejected(connect::kRejectedTopic);
  if (log_.topic(rejected)) {
    ASSIGN(auto reader, pipeline::TopicReader::open(log_, {.relation = rejected, .topic = rejected},
                                                    checkpoint_.positions[rejected]));
    rejected_reader_.emplace(std::move(reader));
  }
  durable_positions_ = checkpoint_.positions;
  TRY(read_exported());
  TRY(read_updated());
  for (const auto& [topic, positions] : exported_.positions) shown_positions_[topic];
  note_lag();
  publish_counts();
  return {};
}

Status SparkRunner::open_tables() {
  const std::string lake = data_ + "/lake";
  TRY(rt::posix_files().make_folder(lake));
  TRY(rt::posix_files().make_folder(spark_folder(data_)));
  for (std::size_t i = 0; i < graph_.tables.size(); ++i) {
    const std::string& name = graph_.tables[i].name;
    ASSIGN(auto followed, FollowedTable::open(*store_, lake, name));
    tables_.push_back(std::move(followed));
    TRY(open_output(i));
    ASSIGN(auto apart, FollowedTable::open(*store_, lake, name + "__quarantine"));
    rejects_.push_back({.followed = std::move(apart), .flow = name, .table = static_cast<int>(i)});
  }
  for (std::size_t i = 0; i < graph_.topics.size(); ++i)
    for (const bool decode : {true, false}) {
      const pipeline::TopicRelation& topic = graph_.topics[i];
      const char* suffix = decode ? "__rejected" : "__quarantine";
      ASSIGN(auto apart, FollowedTable::open(*store_, lake, topic.relation + suffix));
      rejects_.push_back({.followed = std::move(apart),
                          .flow = topic.topic,
                          .topic = static_cast<int>(i),
                          .decode = decode});
    }
  for (const pipeline::Flow& flow : graph_.flows) {
    const auto& marked = checkpoint_.flows[flow.name].expectations;
    auto& broken = broken_[graph_.tables[static_cast<std::size_t>(flow.table)].name];
    for (std::size_t e = 0; e < flow.plan.expectations.size() && e < marked.size(); ++e)
      broken[flow.plan.expectations[e].name] += marked[e].second;
  }
  for (const auto& [topic, expectations] : checkpoint_.topic_expectations)
    for (const auto& [name, counts] : expectations) broken_[topic][name] = counts.second;
  table_failed_.resize(graph_.tables.size());
  lag_.resize(graph_.topics.size());
  if (!sink_) return {};
  std::vector<std::shared_ptr<const table::KeyedTable>> served;
  for (const auto& output : outputs_)
    served.insert(served.end(), output.tables().begin(), output.tables().end());
  return sink_->set_tables(std::move(served));
}

// A table that was taken in part, or with other columns, is taken again from its first row.
Status SparkRunner::open_output(std::size_t i) {
  const pipeline::Table& table = graph_.tables[i];
  const std::string key = "F" + pipeline::lower(table.name);
  const std::string columns = table.schema->ToString();
  ASSIGN(const auto kept, store_->get(key));
  bool again = kept && *kept != columns;
  auto output = pipeline::ServedOutput::open(table, project_, *catalogue_, sink_, again);
  if (!output && !again && output.error().code == Code::kFailedPrecondition) {
    LOG(warn, "{}", output.error().what);
    again = true;
    output = pipeline::ServedOutput::open(table, project_, *catalogue_, sink_, true);
  }
  if (!output) return std::unexpected(output.error());
  // A serving that was not there before has none of the rows that were taken.
  for (const auto& keyed : output->tables()) {
    ASSIGN(const auto rows, keyed->count(0));
    again = again || (rows && *rows == 0 && tables_[i]->rows() > 0);
  }
  outputs_.push_back(std::move(*output));
  kv::WriteBatch batch;
  if (again) tables_[i]->forget(batch);
  batch.put(key, columns);
  dirty_ = true;
  return store_->write(batch);
}

Status SparkRunner::read_exported() {
  ASSIGN(const auto files, pipeline::spark_project(written_, spark_folder(data_), types_));
  exported_.definition = hash_of(files);
  const std::lock_guard lock(mutex_);
  for (const pipeline::TopicSpec& topic : project_.topics) {
    ASSIGN(const auto exported, pipeline::read_exported(spark_folder(data_), topic.name));
    exported_.positions[topic.name] = exported.positions;
    exported_records_[topic.name] = exported.records;
  }
  return {};
}

Status SparkRunner::read_updated() {
  for (const auto& [topic, positions] : exported_.positions) updated_.positions[topic];
  const std::string path = spark_folder(data_) + "/updated.json";
  const auto text = rt::read_whole(rt::posix_files(), path, 64 << 20);
  if (!text && text.error().code == Code::kNotFound) return {};
  if (!text) return std::unexpected(text.error());
  const auto said = json::parse(*text, nullptr, false);
  if (!said.is_object()) return {};  // the update is done again
  updated_.definition = said.value("definition", "");
  const json kept = said.value("positions", json::object());
  for (const auto& [topic, offsets] : kept.items())
    for (const json& offset : offsets)
      updated_.positions[topic].push_back(Offset(offset.get<std::int64_t>()));
  return {};
}

Status SparkRunner::note_updated() const {
  json positions = json::object();
  for (const auto& [topic, offsets] : updated_.positions) {
    positions[topic] = json::array();
    for (const Offset offset : offsets) positions[topic].push_back(offset.value);
  }
  const json said = {{"definition", updated_.definition}, {"positions", positions}};
  return rt::write_atomically(rt::posix_files(), spark_folder(data_) + "/updated.json",
                              said.dump());
}

void SparkRunner::start() {
  CHECK(!thread_.joinable());
  thread_ = std::jthread([this](const std::stop_token& stop) { loop(stop); });
}

Status SparkRunner::stop() {
  updates_.stop();
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  const std::string why = stopped_by();
  if (!why.empty()) return error(Code::kAborted, why);
  return {};
}

void SparkRunner::loop(const std::stop_token& stop) {
  const auto give_up = [this](const Error& why) {
    LOG(error, "the pipeline has stopped: {}", why.what);
    const std::lock_guard lock(mutex_);
    stopped_by_ = why.what;
  };
  while (!stop.stop_requested()) {
    Status done = tick(stop);
    const bool full = !done && done.error().code == Code::kResourceExhausted;
    {
      const std::lock_guard lock(mutex_);
      store_waits_ = full;
    }
    if (!done && !full) return give_up(done.error());
    std::this_thread::sleep_for(kIdleWait);
  }
  if (Status settled = settle(); !settled)
    give_up(settled.error().in("the next start goes on from the checkpoint before this one"));
}

Status SparkRunner::tick(const std::stop_token& stop) {
  TRY(step_letters());
  note_lag();
  TRY(end_update());
  if (follow_due_) {
    ASSIGN(const bool may, sink_ready(stop));
    if (may) TRY(follow());
  }
  if (!stop.stop_requested() && Steady::now() >= next_update_ && update_due())
    if (Status begun = begin_update(); !begun) note_failure(begun.error());
  const auto every = std::chrono::milliseconds(project_.limits.checkpoint_ms);
  if (unfinished_ || (dirty_ && Steady::now() - last_checkpoint_ >= every)) TRY(checkpoint());
  return {};
}

Status SparkRunner::drain() {
  CHECK(!thread_.joinable());
  const auto take_all = [this]() -> Status {
    if (sink_ && !sink_->is_ready())
      TRY(pipeline::load_sink_once(*sink_,
                                   [this](const std::stop_token& s) { return sink_ready(s); }));
    TRY(follow());
    return settle();
  };
  TRY(step_letters());
  TRY(take_all());
  note_lag();
  if (update_due()) {
    TRY(begin_update());
    while (updates_.running()) {
      if (interrupted_) updates_.stop();
      std::this_thread::sleep_for(kIdleWait);
    }
    TRY(end_update());
    TRY(take_all());
    note_lag();
    if (interrupted_) return error(Code::kCancelled, "stopped while Spark was at work");
    if (updated_ != exported_) {
      const std::lock_guard lock(mutex_);
      return error(Code::kUnavailable, failed_);
    }
  }
  return sink_ ? pipeline::await_sink(*sink_) : Status();
}

Status SparkRunner::step_letters() {
  kv::WriteBatch batch;
  TRY(letters_back_.take_marks(*letters_, batch));
  if (rejected_reader_) {
    ASSIGN(const auto step, rejected_reader_->read(kRejectedRecords));
    pipeline::Positions& kept = checkpoint_.positions[rejected_reader_->relation().topic];
    dirty_ = dirty_ || kept != step.next;
    kept = step.next;
    if (step.records > 0) {
      const auto& values = static_cast<const arrow::StringArray&>(*step.delta.rows->column(1));
      for (std::int64_t i = 0; i < values.length(); ++i)
        letters_->add(pipeline::rejected_letter(values.GetView(i)), batch);
    }
  }
  const pipeline::Upkeep& limits = project_.upkeep;
  TRY(letters_->trim(clock_.now().value, limits.letters_keep_ms, limits.letters_max_bytes, batch));
  if (batch.empty()) return {};
  return write(batch);
}

bool SparkRunner::update_due() const {
  if (updates_.running() || updating_) return false;
  if (updated_ != exported_) return true;
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(lag_, [](std::int64_t lag) { return lag > 0; });
}

Status SparkRunner::begin_update() {
  next_update_ = Steady::now() + std::chrono::milliseconds(project_.roles.remote_engine.every_ms);
  const std::string folder = spark_folder(data_);
  ASSIGN(const auto files, pipeline::spark_project(written_, folder, types_));
  // A file that the project has no more would be run, too.
  std::error_code failed;
  fs::remove_all(folder + "/transformations", failed);
  TRY(pipeline::write_spark_project(files, folder));
  ASSIGN(const auto topics, pipeline::export_topics(log_, project_, folder, types_, schemas_));
  for (const pipeline::TopicExport& topic : topics)
    if (topic.removed > 0)
      LOG_OF(warn, log_of("topic", topic.topic),
             "topic {}: retention removed {} records before Spark got them", topic.topic,
             topic.removed);
  TRY(read_exported());
  note_lag();
  updating_ = exported_;
  updates_.begin();
  return {};
}

Status SparkRunner::end_update() {
  const auto ended = updates_.ended();
  if (!ended) return {};
  // Also after a failure: what Spark has done is done, as where one flow of the engine here stops.
  follow_due_ = true;
  const auto made = std::exchange(updating_, std::nullopt);
  if (!*ended) {
    note_failure(ended->error());
    return {};
  }
  updated_ = *made;
  {
    const std::lock_guard lock(mutex_);
    failed_.clear();
  }
  return note_updated();
}

void SparkRunner::note_failure(const Error& why) {
  if (why.code == Code::kCancelled) return;
  next_update_ = std::max(next_update_, Steady::now() + kRetryAfter);
  const std::string what =
      fmt::format("Spark at {} has not updated the tables: {}; it is tried again",
                  project_.roles.engine, why.what);
  LOG(error, "{}", what);
  const std::lock_guard lock(mutex_);
  failed_ = what;
}

Result<bool> SparkRunner::sink_ready(const std::stop_token& stop) {
  if (!sink_) return true;
  if (!sink_->is_ready()) {
    TRY(settle());
    ASSIGN(const bool loaded, sink_->ready(stop));
    if (!loaded) return false;
    dirty_ = true;  // the next checkpoint knows that it is loaded
  }
  return !sink_->is_full();
}

void SparkRunner::note_lag() {
  std::vector<std::int64_t> lags;
  for (const pipeline::TopicRelation& topic : graph_.topics) {
    const pipeline::Positions& read = exported_.positions[topic.topic];
    const auto known = log_.topic(topic.topic);
    std::int64_t lag = 0;
    for (std::int32_t p = 0; known && p < known->settings.partitions; ++p) {
      const auto partition = log_.partition(topic.topic, PartitionId(p));
      if (!partition) continue;
      const auto at = static_cast<std::size_t>(p);
      const Offset from = at < read.size() ? read[at] : (*partition)->log_start();
      lag += std::max<std::int64_t>(0, (*partition)->last_stable_offset() - from);
    }
    lags.push_back(lag);
  }
  const std::lock_guard lock(mutex_);
  lag_ = std::move(lags);
}

Status SparkRunner::write(kv::WriteBatch& batch) {
  TRY(store_->write(batch));
  letters_->written();
  batch.clear();
  dirty_ = true;
  return {};
}

Status SparkRunner::flush(kv::WriteBatch& batch) {
  TRY(write(batch));
  if (store_->needs_checkpoint() || (sink_ && sink_->wants_checkpoint())) TRY(settle());
  while (sink_ && sink_->is_full()) TRY(pipeline::await_sink(*sink_));
  return {};
}

Status SparkRunner::checkpoint() {
  if (!unfinished_) {
    ++checkpoint_.number;
    for (const auto& [topic, positions] : exported_.positions)
      checkpoint_.positions[topic] = positions;
    for (std::size_t i = 0; i < tables_.size(); ++i)
      checkpoint_.rows[graph_.tables[i].name] = tables_[i]->rows();
    const pipeline::ProjectCounts shown = counts();
    for (std::size_t i = 0; i < graph_.topics.size(); ++i) {
      checkpoint_.decoded[graph_.topics[i].topic] = shown.topics[i].decoded;
      checkpoint_.topic_expectations[graph_.topics[i].topic] = shown.topics[i].expectations;
    }
    checkpoint_.flows.clear();
    for (std::size_t i = 0; i < graph_.flows.size(); ++i) {
      auto& mark = checkpoint_.flows[graph_.flows[i].name];
      for (const auto& count : shown.expectations[i])
        mark.expectations.emplace_back(count.passed, count.failed);
    }
    checkpoint_.letters = letters_->pending_totals();
    kv::WriteBatch batch;
    checkpoint_.write(batch);
    if (sink_) TRY(sink_->seal(batch));
    TRY(store_->write(batch));
    TRY(store_->begin_checkpoint());
    unfinished_ = true;
  }
  TRY(store_->finish_checkpoint());
  unfinished_ = false;
  dirty_ = false;
  last_checkpoint_ = Steady::now();
  if (sink_) sink_->send();
  const std::lock_guard lock(mutex_);
  durable_positions_ = checkpoint_.positions;
  return {};
}

Status SparkRunner::settle() {
  if (unfinished_) TRY(checkpoint());
  return dirty_ ? checkpoint() : Status();
}

}  // namespace tailrace::spark
