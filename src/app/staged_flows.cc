#include "app/staged_flows.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "connect/json_path.h"
#include "connect/noted_state.h"
#include "connect/rejects.h"
#include "connect/staged_rows.h"
#include "pipeline/project_status.h"
#include "staging/postgres_capture.h"

namespace tailrace::app {
namespace {

using namespace std::chrono_literals;

constexpr auto kFollowed = 5s;

std::string flow_name(const pipeline::StageSpec& stage) {
  return "staging." + stage.table.name;
}

/// Of a replication slot: at most 63 of a-z, 0-9 and _.
std::string slot_of(std::string name) {
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    if ((c < 'a' || c > 'z') && (c < '0' || c > '9')) c = '_';
  }
  name.resize(std::min<std::size_t>(name.size(), 63));
  return name;
}

pipeline::Hop hop_of(const pipeline::Project& project, const pipeline::StageSpec& stage,
                     const pipeline::LetterTotals& letters) {
  pipeline::Hop hop{.id = "staged." + stage.table.name,
                    .title = stage.table.name,
                    .kind = pipeline::HopKind::kStaged};
  count_rejected(letters, flow_name(stage), hop);
  for (const pipeline::IngestSpec& ingest : project.ingest) {
    if (ingest.stage != stage.table.name) continue;
    hop.upstream.push_back("fetched." + ingest.name);
    pipeline::Hop counted;
    count_rejected(letters, ingest.name, counted);
    const auto misfits = counted.reasons.find(std::string(connect::kUnstaged));
    if (misfits == counted.reasons.end()) continue;
    hop.reasons[misfits->first] += misfits->second;
    hop.rejected += misfits->second;
    hop.last_rejected = counted.last_rejected;
  }
  return hop;
}

void take_failure(const connect::SourceStatus& status, pipeline::Hop& hop) {
  hop.failing = true;
  hop.last_error = status.last_error;
  hop.last_error_ms = status.last_error_ms;
}

}  // namespace

Result<std::unique_ptr<StagedFlows>> StagedFlows::open(const pipeline::Project& project,
                                                       const std::string& data, log::Log& log) {
  if (project.stages.empty()) return nullptr;
  std::unique_ptr<StagedFlows> flows(new StagedFlows(project, data, log));
  if (flows->embedded()) {
    ASSIGN(flows->staging_, staging::open_sqlite(data + "/staging/staging.db"));
  } else {
    staging::PostgresStaging config = flows->postgres();
    config.followed = [flows = flows.get()](const std::string& table, std::stop_token stop) {
      return flows->follow(table, std::move(stop));
    };
    ASSIGN(flows->staging_, staging::open_postgres(config));
  }
  return flows;
}

staging::PostgresStaging StagedFlows::postgres() const {
  const pipeline::RemoteStagingSpec& remote = project_.roles.remote_staging;
  return {.url = project_.roles.staging,
          .user = remote.user,
          .password = remote.password,
          .followed = {}};
}

std::string StagedFlows::writer(const std::string& source) const {
  return embedded() ? source : project_.name + "/" + source;
}

Result<std::unique_ptr<connect::Source>> StagedFlows::captured(const Flow& flow) const {
  const pipeline::StageSpec& stage = *flow.stage;
  ASSIGN(const auto capture, staging::capture_of(postgres(), stage.table));
  const connect::SourceSpec spec{
      .name = flow_name(stage),
      .type = "postgres",
      .options = {{"url", capture.url},
                  {"password", capture.password},
                  {"tables", capture.table},
                  {"slot", stage.slot.empty()
                               ? slot_of("tailrace_" + project_.name + "_" + flow_name(stage))
                               : stage.slot},
                  {"truncates", "false"},
                  {"envelope", stage.debezium ? "debezium" : "flat"}},
      .folder = project_.folder,
      .secrets = {capture.password},
      .scratch = data_ + "/ingest"};
  ASSIGN(auto source, connect::make_source(spec));
  return connect::staged_rows({.table = stage.table.name,
                               .debezium = stage.debezium,
                               .metadata = stage.metadata,
                               .progress = flow.progress},
                              std::move(source));
}

std::unique_ptr<connect::Source> StagedFlows::outbox(const Flow& flow) const {
  return connect::outbox_source({.name = project_.name,
                                 .table = flow.stage->table.name,
                                 .where = staging_->where(),
                                 .version = TAILRACE_VERSION,
                                 .debezium = flow.stage->debezium,
                                 .metadata = flow.stage->metadata},
                                flow.changes);
}

Result<std::unique_ptr<connect::Target>> StagedFlows::target(const pipeline::IngestSpec& ingest) {
  const pipeline::StageSpec* stage = pipeline::find_stage(project_, ingest.stage);
  auto table = staging_->table(stage->table, writer(ingest.name));
  if (!table) return std::unexpected(table.error().in(stage->place + ": staging"));
  return connect::staging_target(ingest.name, ingest.topic, std::move(*table), log_,
                                 rt::system_clock());
}

Status StagedFlows::open_flows(
    const std::function<connect::EncoderSource(const std::string& topic)>& encoders) {
  for (const pipeline::StageSpec& stage : project_.stages) {
    Flow flow{.stage = &stage, .changes = {}, .progress = {}, .runner = {}};
    std::unique_ptr<connect::Source> source;
    if (embedded()) {
      ASSIGN(flow.changes, staging_->changes(stage.table));
      source = outbox(flow);
    } else {
      flow.progress = std::make_shared<connect::StagedProgress>();
      ASSIGN(source, captured(flow));
    }
    const connect::RunnerConfig config{.name = flow_name(stage),
                                       .topic = stage.topic,
                                       .folder = data_ + "/ingest",
                                       .encoders = encoders(stage.topic)};
    ASSIGN(flow.runner, connect::SourceRunner::open(config, std::move(source), log_));
    flows_.push_back(std::move(flow));
  }
  return {};
}

void StagedFlows::start() {
  started_ = true;
  for (Flow& flow : flows_) flow.runner->start();
}

void StagedFlows::stop() {
  for (Flow& flow : flows_) flow.runner->stop();
}

Status StagedFlows::follow(const std::string& table, std::stop_token stop) {
  const auto flow =
      std::ranges::find_if(flows_, [&](const Flow& one) { return one.stage->table.name == table; });
  // An instance that is opened to be asked follows nothing.
  if (flow == flows_.end() || !flow->progress) return {};
  if (started_) {
    if (flow->progress->wait_until_followed(kFollowed, stop)) return {};
  } else {
    while (!flow->progress->followed()) {
      ASSIGN(const auto wait, flow->runner->step());
      if (flow->runner->status().failing) break;
      std::this_thread::sleep_for(wait);
    }
    if (flow->progress->followed()) return {};
  }
  const auto status = flow->runner->status();
  return error(Code::kUnavailable,
               fmt::format("rows wait until the changes of table {} are followed{}{}", table,
                           status.failing ? ": " : "", status.failing ? status.last_error : ""));
}

Result<StagedFlows::Place> StagedFlows::behind_all(const Flow& flow) const {
  Place place;
  if (flow.changes) {
    ASSIGN(const auto look, staging_->changes(flow.stage->table));
    ASSIGN(place.newest, look->newest());
  } else {
    ASSIGN(place.in_log, staging::place_behind_all(postgres()));
  }
  return place;
}

Result<bool> StagedFlows::has_passed(const Flow& flow, const Place& place) {
  if (flow.changes) return flow.changes->passed() >= place.newest;
  return flow.progress->passed(place.in_log);
}

Status StagedFlows::drain() {
  for (Flow& flow : flows_) {
    ASSIGN(const Place place, behind_all(flow));
    bool passed = false;
    while (!passed || !flow.runner->status().idle) {
      ASSIGN(const auto wait, flow.runner->step());
      const auto status = flow.runner->status();
      if (status.failing) return error(Code::kUnavailable, status.last_error);
      ASSIGN(passed, has_passed(flow, place));
      if (!passed) std::this_thread::sleep_for(wait);
    }
    TRY(flow.runner->note());
  }
  return {};
}

Result<bool> StagedFlows::wait_until_passed(std::stop_token stop) {
  for (const Flow& flow : flows_) {
    ASSIGN(const Place place, behind_all(flow));
    for (;;) {
      ASSIGN(const bool passed, has_passed(flow, place));
      if (passed) break;
      if (stop.stop_requested()) return false;
      const auto status = flow.runner->status();
      if (status.state == connect::SourceState::kFailed)
        return error(Code::kUnavailable, fmt::format("the staging's {} has stopped: {}",
                                                     flow.stage->table.name, status.last_error));
      std::this_thread::sleep_for(5ms);
    }
  }
  return true;
}

Result<bool> StagedFlows::send_back(const pipeline::DeadLetter& letter) {
  if (letter.reason != connect::kUnstaged) return false;
  const auto ingest = std::ranges::find(project_.ingest, letter.flow, &pipeline::IngestSpec::name);
  if (ingest == project_.ingest.end() || ingest->stage.empty()) return false;
  const pipeline::StageSpec* stage = pipeline::find_stage(project_, ingest->stage);
  // A writer of its own for each letter: a crash before it is marked does not let it land twice.
  const std::string as = writer(fmt::format("redrive {} {}", letter.id, letter.time_ms));
  ASSIGN(const auto table, staging_->table(stage->table, as));
  ASSIGN(const std::string landed, table->position());
  if (!landed.empty()) return true;
  std::optional<std::string> key;
  if (const auto path = ingest->options.find("key"); path != ingest->options.end()) {
    ASSIGN(const auto parsed, connect::JsonPath::parse(path->second));
    key = parsed.find(letter.bytes);
  }
  const staging::Record record{key, letter.bytes};
  std::string why;
  const auto landing = [&](std::span<const staging::Misfit> misfits) {
    if (!misfits.empty()) why = misfits.front().why;
    return why.empty() ? std::string("landed") : std::string();
  };
  TRY(table->write({&record, 1}, landing, {}));
  if (!why.empty()) return error(Code::kFailedPrecondition, std::move(why));
  return true;
}

std::vector<pipeline::Hop> StagedFlows::hops(
    const std::vector<std::unique_ptr<connect::SourceRunner>>& sources,
    const pipeline::LetterTotals& letters) const {
  std::vector<pipeline::Hop> hops;
  for (const Flow& flow : flows_) {
    pipeline::Hop hop = hop_of(project_, *flow.stage, letters);
    const connect::SourceStatus status = flow.runner->status();
    if (flow.changes) hop.lag_records = flow.changes->waiting();
    hop.count = status.records + hop.lag_records;
    hop.bytes = status.appended_bytes;
    hop.detail = status.describe;
    if (!flow.changes && !status.why.empty()) hop.detail += ", " + status.why;
    for (std::size_t i = 0; i < sources.size(); ++i) {
      if (project_.ingest[i].stage != flow.stage->table.name) continue;
      const connect::SourceStatus source = sources[i]->status();
      if (source.failing && source.target_failing) take_failure(source, hop);
    }
    if (status.failing) take_failure(status, hop);
    hops.push_back(std::move(hop));
  }
  return hops;
}

void StagedFlows::write_metrics(const std::vector<std::unique_ptr<connect::SourceRunner>>& sources,
                                MetricsText& out) const {
  struct Numbers {
    const Flow* flow;
    connect::SourceStatus status;
    std::int64_t rows = 0, misfits = 0;
    bool failing = false;
  };
  std::vector<Numbers> tables;
  for (const Flow& flow : flows_) {
    Numbers& numbers = tables.emplace_back(Numbers{.flow = &flow, .status = flow.runner->status()});
    numbers.failing = numbers.status.failing;
    for (std::size_t i = 0; i < sources.size(); ++i) {
      if (project_.ingest[i].stage != flow.stage->table.name) continue;
      const connect::SourceStatus source = sources[i]->status();
      numbers.rows += source.appended;
      numbers.misfits += source.rejected;
      numbers.failing = numbers.failing || (source.failing && source.target_failing);
    }
  }
  const auto family = [&](std::string_view name, MetricType type, std::string_view help,
                          auto value) {
    out.family(name, type, help);
    for (const Numbers& one : tables) out.add({{"table", one.flow->stage->table.name}}, value(one));
  };
  family("tailrace_staging_rows_total", MetricType::kCounter,
         "Records that sources landed as rows of a staging table.",
         [](const Numbers& one) { return one.rows; });
  family("tailrace_staging_rejected_total", MetricType::kCounter,
         "Records of those sources that became dead letters.",
         [](const Numbers& one) { return one.misfits; });
  family("tailrace_staging_changes_total", MetricType::kCounter,
         "Changes of a staging table that went on to its topic.",
         [](const Numbers& one) { return one.status.appended; });
  family("tailrace_staging_changes_bytes_total", MetricType::kCounter, "Bytes of those changes.",
         [](const Numbers& one) { return one.status.appended_bytes; });
  family("tailrace_staging_errors_total", MetricType::kCounter,
         "Times that changes of a staging table could not be read or passed on.",
         [](const Numbers& one) { return one.status.errors; });
  family("tailrace_staging_up", MetricType::kGauge,
         "1 unless rows do not land, or changes do not go on.",
         [](const Numbers& one) { return one.failing ? 0 : 1; });
  out.family("tailrace_staging_waiting_changes", MetricType::kGauge,
             "Changes that have yet to go on; of the embedded staging.");
  for (const Numbers& one : tables)
    if (one.flow->changes)
      out.add({{"table", one.flow->stage->table.name}}, one.flow->changes->waiting());
  const auto lag = [&](std::string_view name, std::string_view help, auto value) {
    out.family(name, MetricType::kGauge, help);
    for (const Numbers& one : tables)
      if (one.status.behind)
        out.add({{"table", one.flow->stage->table.name}}, value(*one.status.behind));
  };
  using Behind = connect::Chunk::Behind;
  lag("tailrace_staging_lag_bytes",
      "How far behind the end of PostgreSQL's log the changes that went on are.",
      [](const Behind& behind) { return behind.bytes; });
  lag("tailrace_staging_lag_seconds", "Age of the last change that went on while more wait.",
      [](const Behind& behind) { return behind.seconds; });
}

std::vector<pipeline::Hop> stored_staged_hops(const pipeline::Project& project,
                                              const std::string& data,
                                              const pipeline::LetterTotals& letters) {
  std::vector<pipeline::Hop> hops;
  for (const pipeline::StageSpec& stage : project.stages) {
    pipeline::Hop hop = hop_of(project, stage, letters);
    const auto noted =
        rt::read_whole(rt::posix_files(), data + "/ingest/" + flow_name(stage) + ".json", 64 << 20);
    const auto state = noted ? connect::decode_state(*noted) : std::unexpected(noted.error());
    if (state) hop.count = state->records;
    hops.push_back(std::move(hop));
  }
  return hops;
}

void leave_misfits_to_staging(pipeline::Hop& fetched) {
  const auto misfits = fetched.reasons.find(std::string(connect::kUnstaged));
  if (misfits == fetched.reasons.end()) return;
  fetched.rejected -= misfits->second;
  fetched.reasons.erase(misfits);
  if (fetched.rejected == 0) fetched.last_rejected.clear();
}

}  // namespace tailrace::app
