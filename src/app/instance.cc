#include "app/instance.h"

#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/backend.h"
#include "base/log.h"

namespace tailrace::app {
namespace {

namespace fs = std::filesystem;

/// "HOST:PORT" as the console takes it.
Result<console::ConsoleConfig> console_config(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  console::ConsoleConfig config;
  if (colon != std::string::npos) config.host = address.substr(0, colon);
  const std::string port = colon == std::string::npos ? address : address.substr(colon + 1);
  if (port.empty() || port.size() > 5 ||
      port.find_first_not_of("0123456789") != std::string::npos || std::stoi(port) > 65535)
    return error(Code::kInvalidArgument,
                 "--console " + address + ": HOST:PORT is expected, port 0 to 65535");
  config.port = static_cast<std::uint16_t>(std::stoi(port));
  return config;
}

Result<log::TopicSettings> settings_of(const pipeline::TopicSpec& topic) {
  log::TopicSettings settings;
  settings.partitions = topic.partitions;
  for (const auto& [name, value] : topic.settings)
    if (auto set = log::set_setting(settings, name, value); !set)
      return std::unexpected(set.error().in("topic " + topic.name));
  return settings;
}

/// Emissions until the source says that nothing more is there for now; `paced`: until it would
/// wait.
Status exhaust(connect::SourceRunner& source, bool paced) {
  for (;;) {
    ASSIGN(const auto wait, source.step());
    const connect::SourceStatus status = source.status();
    if (status.idle || status.state == connect::SourceState::kFinished ||
        (paced && wait.count() > 0)) {
      if (!status.last_error.empty()) LOG(warn, "source {}: {}", status.name, status.last_error);
      return {};
    }
    if (wait.count() > 0) std::this_thread::sleep_for(wait);
  }
}

}  // namespace

std::string data_folder(const std::string& project, const std::string& data) {
  if (!data.empty()) return fs::absolute(data).lexically_normal().string();
  fs::path folder(project);
  if (folder.filename().string().starts_with("spark-pipeline.y")) folder = folder.parent_path();
  return (fs::absolute(folder) / ".tailrace").lexically_normal().string();
}

Result<RunFile> find_running(const std::string& data) {
  auto text = rt::read_whole(rt::posix_files(), data + "/run.json", 1 << 16);
  const auto none =
      error(Code::kNotFound, "nothing runs on " + data + "; start it with: tailrace run PROJECT");
  if (!text) return none;
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  if (!json.is_object()) return none;
  RunFile run{json.value("pid", 0), json.value("url", "")};
  if (run.pid <= 0 || (kill(run.pid, 0) != 0 && errno == ESRCH)) return none;
  return run;
}

Result<std::unique_ptr<Instance>> Instance::open(RunOptions options) {
  std::unique_ptr<Instance> instance(new Instance);
  instance->options_ = std::move(options);
  ASSIGN(instance->project_, pipeline::load_project(instance->options_.project));
  ASSIGN(auto graph, pipeline::make_graph(instance->project_));
  TRY(pipeline::check_serving(instance->project_, graph));
  instance->data_ = data_folder(instance->options_.project, instance->options_.data);
  TRY(rt::posix_files().make_folder(instance->data_));
  ASSIGN(instance->lock_, rt::posix_files().lock_folder(instance->data_));
  ASSIGN(instance->log_, log::Log::open(instance->data_ + "/log", {}));
  TRY(instance->open_topics());
  ASSIGN(instance->runner_, pipeline::Runner::open(instance->project_, std::move(graph),
                                                   *instance->log_, instance->data_));
  TRY(instance->open_sources());
  instance->backend_ = make_backend(*instance);
  return instance;
}

Instance::~Instance() {
  console_.reset();
  sources_.clear();
  runner_.reset();
  if (log_) (void)log_->close();
}

Status Instance::open_topics() {
  for (const pipeline::TopicSpec& topic : project_.topics) {
    ASSIGN(const auto settings, settings_of(topic));
    TRY(log_->ensure_topic(topic.name, settings));
  }
  log::TopicSettings rejected;
  rejected.max_message_bytes = 256 << 20;
  return log_->ensure_topic(connect::kRejectedTopic, rejected);
}

Status Instance::open_sources() {
  for (const pipeline::IngestSpec& ingest : project_.ingest) {
    connect::SourceSpec spec{ingest.name, ingest.type, ingest.options,
                             fs::absolute(project_.folder).string()};
    auto source = connect::make_source(spec);
    if (!source) return std::unexpected(source.error().in(ingest.place));
    connect::RunnerConfig config{
        .name = ingest.name, .topic = ingest.topic, .folder = data_ + "/ingest"};
    ASSIGN(auto runner, connect::SourceRunner::open(config, std::move(*source), *log_));
    sources_.push_back(std::move(runner));
  }
  return {};
}

Status Instance::start() {
  if (options_.console != "off") {
    ASSIGN(auto config, console_config(options_.console));
    ASSIGN(console_, console::Console::start(config, *backend_));
    const nlohmann::json run = {{"pid", getpid()}, {"url", console_->url()}};
    TRY(rt::write_atomically(rt::posix_files(), data_ + "/run.json", run.dump()));
  }
  runner_->start();
  for (auto& source : sources_) source->start();
  return {};
}

Status Instance::run_once() {
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    // A paced generator never ends: what is due now is all of it.
    const bool paced = project_.ingest[i].type == "fake";
    TRY(exhaust(*sources_[i], paced));
    TRY(sources_[i]->note());
  }
  return runner_->drain();
}

Status Instance::stop() {
  for (auto& source : sources_) source->stop();
  Status stopped = runner_->stop();
  if (console_) console_->stop();
  std::error_code ignored;
  fs::remove(data_ + "/run.json", ignored);
  if (auto closed = log_->close(); !closed && stopped) stopped = closed;
  return stopped;
}

std::string Instance::console_url() const {
  return console_ ? console_->url() : "";
}

double Instance::uptime_s() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
}

std::string Instance::stopped_by() const {
  return runner_->stopped_by();
}

std::vector<pipeline::Hop> Instance::source_hops() const {
  std::vector<pipeline::Hop> hops;
  for (const auto& source : sources_) {
    const connect::SourceStatus status = source->status();
    pipeline::Hop hop{
        .id = "fetched." + status.name, .title = status.name, .kind = pipeline::HopKind::kFetched};
    hop.count = status.records + status.rejected;
    hop.bytes = status.fetched_bytes;
    hop.detail = status.describe;
    hop.why = status.why;
    hop.last_error = status.last_error;
    hop.last_error_ms = status.last_error_ms;
    hop.rejected = status.rejected;
    if (status.rejected > 0) hop.reasons["rejected by the source"] = status.rejected;
    hops.push_back(std::move(hop));
  }
  for (const pipeline::TopicSpec& topic : project_.topics) {
    pipeline::Hop hop{
        .id = "appended." + topic.name, .title = topic.name, .kind = pipeline::HopKind::kAppended};
    for (std::int32_t p = 0; p < topic.partitions; ++p)
      if (auto partition = log_->partition(topic.name, PartitionId(p))) {
        hop.count += (*partition)->high_watermark().value;
        hop.bytes += static_cast<std::int64_t>((*partition)->size_bytes());
      }
    hops.push_back(std::move(hop));
  }
  return hops;
}

std::vector<pipeline::Hop> Instance::hops() const {
  std::vector<pipeline::Hop> hops = source_hops();
  for (pipeline::Hop& hop : runner_->hops()) hops.push_back(std::move(hop));
  pipeline::judge(hops);
  return hops;
}

}  // namespace tailrace::app
