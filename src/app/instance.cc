#include "app/instance.h"

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/alert_sight.h"
#include "app/asset_check.h"
#include "app/backend.h"
#include "app/door_tls.h"
#include "app/host_port.h"
#include "app/open_log.h"
#include "app/open_schemas.h"
#include "app/project_access.h"
#include "app/record_schemas.h"
#include "app/served_tables.h"
#include "app/traces.h"
#include "base/log.h"
#include "cassandra/sink.h"
#include "connect/noted_state.h"
#include "connect/source_types.h"
#include "kv/metrics.h"
#include "lake/metrics.h"
#include "net/http_client.h"
#include "pipeline/contracts/agreement.h"
#include "pipeline/names.h"
#include "s3/metrics.h"
#include "schema/avro/inference.h"
#include "spark/spark_runner.h"
#include "workflows/settings.h"

namespace tailrace::app {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kUpkeepEvery{1};
/// How long a shutdown waits for tasks before it stops them.
constexpr std::chrono::seconds kTasksGrace{2};
/// A schema is guessed from so many records, of so many emissions of a source.
constexpr std::int64_t kGuessRecords = 1000;
constexpr int kGuessEmissions = 64;

/// Without `data` it keeps nothing: one that is only tried.
Result<std::unique_ptr<connect::Source>> source_of(const pipeline::Project& project,
                                                   const pipeline::IngestSpec& ingest,
                                                   const std::string& data,
                                                   std::shared_ptr<connect::Inbox> inbox = {}) {
  const connect::SourceSpec spec{ingest.name,     ingest.type,
                                 ingest.options,  fs::absolute(project.folder).string(),
                                 ingest.secrets,  data.empty() ? "" : data + "/ingest",
                                 std::move(inbox)};
  auto source = connect::make_source(spec);
  if (!source) return std::unexpected(source.error().in(ingest.place));
  return source;
}

/// Emissions until the source says that nothing more is there for now; `paced`: until it would
/// wait.
Status exhaust(connect::SourceRunner& source, bool paced) {
  for (;;) {
    ASSIGN(const auto wait, source.step());
    const connect::SourceStatus status = source.status();
    if (status.idle || status.state == connect::SourceState::kFinished ||
        (paced && wait.count() > 0)) {
      return {};
    }
    if (wait.count() > 0) std::this_thread::sleep_for(wait);
  }
}

/// What others learn of the running program, once all of it runs.
Status write_run_file(const Instance& instance, const RunOptions& options,
                      const std::string& data) {
  ASSIGN(const auto console_key, door_key(options.console.tls));
  ASSIGN(const auto airflow_key, door_key(options.airflow.tls));
  const nlohmann::json run = {{"pid", getpid()},
                              {"url", instance.console_url()},
                              {"console_key", console_key},
                              {"airflow_key", airflow_key},
                              {"kafka", instance.kafka_address()},
                              {"registry", instance.registry_url()},
                              {"cql", instance.cql_address()},
                              {"airflow", instance.airflow_url()},
                              {"hooks", instance.hooks_url()}};
  return rt::write_atomically(rt::posix_files(), data + "/run.json", run.dump());
}

/// A table's hop says which of its contracts' rules are broken.
void tell_broken(const std::vector<pipeline::JudgedRule>& rules, std::vector<pipeline::Hop>& hops) {
  using Kind = pipeline::HopKind;
  for (pipeline::Hop& hop : hops) {
    if (hop.kind != Kind::kBronze && hop.kind != Kind::kSilver && hop.kind != Kind::kGold) continue;
    for (const auto& [measure, verdict] : rules)
      if (verdict.state == pipeline::Verdict::State::kBroken &&
          pipeline::same_name(measure->table, hop.title))
        hop.detail += (hop.detail.empty() ? "broken: " : "; ") + measure->name + " is " +
                      value_text(*measure, verdict) + ", " + measure->limit.text;
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
  RunFile run{
      json.value("pid", 0),       json.value("url", ""),         json.value("kafka", ""),
      json.value("registry", ""), json.value("cql", ""),         json.value("airflow", ""),
      json.value("hooks", ""),    json.value("console_key", ""), json.value("airflow_key", "")};
  if (run.pid <= 0 || (kill(run.pid, 0) != 0 && errno == ESRCH)) return none;
  return run;
}

Result<std::unique_ptr<Instance>> Instance::open(RunOptions options) {
  std::unique_ptr<Instance> instance(new Instance);
  instance->options_ = std::move(options);
  TRY(instance->read_project());
  // What is wrong with the SQL is said before anything is written.
  if (!needs_schemas(instance->project_)) TRY(instance->graph_of({}));
  TRY(rt::posix_files().make_folder(instance->data_));
  ASSIGN(instance->lock_, rt::posix_files().lock_folder(instance->data_));
  ASSIGN(instance->traces_, start_traces(instance->project_));
  TRY(instance->open_the_log());
  ASSIGN(auto types, instance->open_types());
  ASSIGN(auto graph, instance->graph_of(types));
  ASSIGN(instance->judge_, pipeline::make_judge(instance->project_, graph, instance->data_));
  if (instance->project_.roles.serving != "embedded") {
    ASSIGN(instance->sink_, cassandra::Sink::open(instance->project_));
  }
  if (instance->project_.roles.engine != "embedded") {
    ASSIGN(
        instance->runner_,
        spark::SparkRunner::open(instance->project_, std::move(graph), types, *instance->log_,
                                 instance->data_, instance->schemas_.get(), instance->sink_.get()));
  } else {
    ASSIGN(
        instance->runner_,
        pipeline::Runner::open(instance->project_, std::move(graph), *instance->log_,
                               instance->data_, instance->schemas_.get(), instance->sink_.get()));
  }
  TRY(instance->open_sources(types));
  instance->log_view_ = std::make_unique<InstanceLogView>(
      *instance->log_, instance->remote_ ? ReadBytes::kElsewhere : ReadBytes::kHere,
      instance->groups_are());
  instance->backend_ = make_backend(*instance);
  return instance;
}

Result<std::unique_ptr<Instance>> Instance::open_to_read(RunOptions options) {
  std::unique_ptr<Instance> instance(new Instance);
  instance->options_ = std::move(options);
  TRY(instance->read_project());
  ASSIGN(const auto types, pipeline::stored_topic_types(instance->project_, instance->data_));
  ASSIGN(auto graph, instance->graph_of(types));
  ASSIGN(instance->judge_, pipeline::make_judge(instance->project_, graph, instance->data_));
  ASSIGN(auto stored,
         pipeline::StoredProject::open(instance->project_, std::move(graph), instance->data_));
  instance->stored_ = stored.get();
  instance->runner_ = std::move(stored);
  instance->backend_ = make_backend(*instance);
  return instance;
}

Status Instance::read_project() {
  ASSIGN(project_, pipeline::load_project(options_.project));
  TRY(check_outside(project_));
  ASSIGN(alert_settings_, alerts::load_settings(project_.folder));
  data_ = data_folder(options_.project, options_.data);
  return {};
}

Result<pipeline::Graph> Instance::graph_of(const pipeline::TopicTypes& types) const {
  ASSIGN(auto graph, pipeline::make_graph(project_, types));
  TRY(pipeline::check_serving(project_, graph));
  if (project_.roles.serving != "embedded") TRY(check_served_tables(project_, graph));
  if (project_.roles.engine != "embedded") TRY(spark::check_engine(project_, graph, types));
  for (const pipeline::Finding& finding : contract_findings(project_, graph))
    if (finding.level == pipeline::Finding::Level::kWarning) LOG(warn, "{}", finding.what);
  return graph;
}

Result<std::string> Instance::guessed_schema(const pipeline::TopicSpec& topic) const {
  for (const pipeline::IngestSpec& ingest : project_.ingest) {
    if (ingest.topic != topic.name || topic.format != "avro") continue;
    if (!connect::find_source_type(ingest.type)->can_be_sampled) continue;
    // Named columns, an envelope and metadata are other records than the source's.
    const auto* stage = pipeline::find_stage(project_, ingest.stage);
    if (stage != nullptr && (!stage->table.columns.empty() || stage->debezium || stage->metadata))
      continue;
    ASSIGN(const auto source, source_of(project_, ingest, ""));
    schema::avro::Inference inference;
    connect::Chunk chunk;
    for (int i = 0; i < kGuessEmissions && inference.documents() < kGuessRecords; ++i) {
      const std::string position = std::exchange(chunk.position, {});
      chunk.clear();
      TRY(source->next(position, chunk, {}));
      for (std::size_t r = 0; r < chunk.size() && inference.documents() < kGuessRecords; ++r)
        (void)inference.add(chunk.value(r));
      if (chunk.finished || chunk.idle || chunk.wait.count() > 0) break;
    }
    if (inference.documents() == 0) continue;
    LOG(info,
        "topic {}: its schema is guessed from {} records of {}; to change it, put it into a file: "
        "tailrace schemas show SUBJECT > FILE, and name that as `schema`",
        topic.name, inference.documents(), ingest.name);
    return inference.schema(schema::avro::record_name(topic.name));
  }
  return std::string();
}

Result<pipeline::TopicTypes> Instance::open_types() {
  if (!schemas_) return pipeline::TopicTypes();
  return pipeline::open_topic_types(
      project_, data_, *schemas_,
      [this](const pipeline::TopicSpec& topic) { return guessed_schema(topic); });
}

Instance::~Instance() {
  if (hooks_) hooks_->stop();
  airflow_.reset();
  console_.reset();  // both ask the workflows
  shown_alerts_ = nullptr;
  alerts_.reset();
  alert_sight_.reset();
  if (event_log_.remote) event_log_.remote->interrupt();
  airflow_events_.reset();
  workflows_.reset();  // its tasks use all the rest
  upkeep_.reset();
  if (log_view_) log_view_->close();
  if (registry_) registry_->stop();  // it asks the broker's users
  kafka_.reset();
  record_schemas_.reset();
  cql_.reset();      // it reads the runner's tables
  backend_.reset();  // its operations use the sources
  sources_.clear();
  staged_.reset();
  runner_.reset();
  schemas_.reset();
  registry_.reset();
  if (log_) (void)log_->close();
  if (traces_) traces_->stop();
}

Status Instance::open_the_log() {
  ASSIGN(auto opened, open_log(project_, data_, options_.once));
  TRY(open_topics(project_, opened));
  ASSIGN(auto schemas, open_schemas(project_, opened));
  registry_ = std::move(schemas.embedded);
  schemas_ = std::move(schemas.client);
  if (opened.remote) TRY(opened.remote->begin_writing());
  remote_ = opened.remote;
  log_ = std::move(opened.log);
  return {};
}

Status check_outside(const pipeline::Project& project) {
  TRY(check_log(project));
  TRY(alerts::load_settings(project.folder));
  // An Airflow reads its connections itself, and their secrets need not be here.
  if (project.roles.schedule == "embedded") TRY(workflows::load_settings(project.folder));
  if (project.roles.serving != "embedded") TRY(cassandra::config_of(project));
  for (const pipeline::TopicSpec& topic : project.topics) TRY(settings_of(topic));
  for (const pipeline::IngestSpec& ingest : project.ingest) TRY(source_of(project, ingest, ""));
  return check_hooks(project);
}

Status Instance::open_sources(const pipeline::TopicTypes& types) {
  const auto encoders_of = [&](const std::string& topic) {
    connect::EncoderSource encoders;
    if (const auto type = types.find(topic); type != types.end()) {
      encoders.present = type->second->latest().id;
      for (const pipeline::TopicSpec& spec : project_.topics)
        if (spec.name == topic && spec.values)
          encoders.in_header = spec.values->named_in == "header";
      encoders.schema = [this, subject = type->second->latest().subject](int id) {
        return schemas_->by_id(id, subject);
      };
    }
    return encoders;
  };
  hooks_ = std::make_unique<HooksService>(project_, data_, *log_);
  ASSIGN(staged_, StagedFlows::open(project_, data_, *log_));
  for (const pipeline::IngestSpec& ingest : project_.ingest) {
    ASSIGN(auto source, source_of(project_, ingest, data_, hooks_->inbox(ingest)));
    connect::RunnerConfig config{
        .name = ingest.name, .topic = ingest.topic, .folder = data_ + "/ingest"};
    config.staged_in = ingest.stage;
    config.ids_in_records = remote_ == nullptr;
    if (!ingest.stage.empty()) {
      ASSIGN(auto target, staged_->target(ingest));
      ASSIGN(auto runner,
             connect::SourceRunner::open(std::move(config), std::move(source), std::move(target)));
      sources_.push_back(std::move(runner));
      continue;
    }
    config.encoders = encoders_of(ingest.topic);
    ASSIGN(auto runner, connect::SourceRunner::open(config, std::move(source), *log_));
    sources_.push_back(std::move(runner));
  }
  if (staged_) TRY(staged_->open_flows(encoders_of));
  return {};
}

Result<Offset> Instance::committed_end(std::string_view topic, PartitionId id) {
  if (remote_ != nullptr) return remote_->committed_end(topic, id);
  ASSIGN(const auto partition, log_->partition(topic, id));
  return partition->last_stable_offset();
}

connect::SourceRunner* Instance::source(std::string_view name) {
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (project_.ingest[i].name == name) return sources_[i].get();
  }
  return nullptr;
}

bool Instance::is_paused(std::string_view name) const {
  const auto at = std::ranges::find(project_.ingest, name, &pipeline::IngestSpec::name);
  return at != project_.ingest.end() && at->paused;
}

std::map<std::string, std::string> Instance::own_connections() const {
  std::map<std::string, std::string> connections;
  if (const std::string kafka = kafka_address(); !kafka.empty()) {
    const nlohmann::json extra = {{"bootstrap.servers", kafka},
                                  {"group.id", "workflows"},
                                  {"auto.offset.reset", "earliest"},
                                  {"enable.auto.commit", "false"}};
    connections["kafka_default"] = nlohmann::json{{"conn_type", "kafka"}, {"extra", extra}}.dump();
  }
  if (const std::string cql = cql_address(); !cql.empty()) {
    const auto colon = cql.rfind(':');
    const nlohmann::json one = {{"conn_type", "cassandra"},
                                {"host", cql.substr(0, colon)},
                                {"port", std::atoi(cql.c_str() + colon + 1)},
                                {"schema", project_.name}};
    connections["cassandra_default"] = one.dump();
  }
  return connections;
}

/// What DAGs' assets are made to happen by.
workflows::Options Instance::asset_options() {
  workflows::Options options{.folder = fs::absolute(project_.folder).string(), .data = data_};
  options.lake = data_ + "/lake";
  options.log = [this] { return log_for_events(); };
  const std::string brokers = kafka_address();
  for (std::size_t from = 0; from < brokers.size();) {
    const std::size_t comma = std::min(brokers.find(',', from), brokers.size());
    options.brokers.push_back(brokers.substr(from, comma - from));
    from = comma + 1;
  }
  return options;
}

Status Instance::open_workflows() {
  if (!fs::is_directory(project_.folder + "/dags")) return {};
  if (const std::string& schedule = project_.roles.schedule; schedule != "embedded") {
    LOG(info, "dags/ is run by the Airflow at {}; `tailrace airflow` writes what it loads",
        schedule);
    const pipeline::RemoteScheduleSpec& remote = project_.roles.remote_schedule;
    ASSIGN(airflow_events_, workflows::AirflowEvents::open(asset_options(),
                                                           {.url = schedule,
                                                            .user = remote.user,
                                                            .password = remote.password,
                                                            .token = remote.token},
                                                           rt::system_clock()));
    return {};
  }
  access_ = project_access(*this);
  workflows::Options options = asset_options();
  if (const pipeline::MetadataSpec& kept = project_.metadata; kept.url != "embedded")
    options.metadata = {
        .url = kept.url, .user = kept.user, .password = kept.password, .schema = kept.schema};
  ASSIGN(auto settings, workflows::load_settings(project_.folder));
  options.limits = settings.limits;
  options.connections = std::move(settings.connections);
  options.connections.merge(own_connections());
  options.variables = std::move(settings.variables);
  ASSIGN(workflows_, workflows::Workflows::open(std::move(options), *access_, rt::system_clock()));
  for (const dags::Finding& finding :
       check_assets(project_, *runner_->graph(), workflows_->dags())) {
    if (finding.fatal) return error(Code::kInvalidArgument, finding.text());
    LOG(warn, "{}", finding.text());
  }
  if (options_.airflow.listen == "off") return {};
  ASSIGN(auto config, airflow_config(options_.airflow));
  ASSIGN(airflow_, airflow::Door::start(std::move(config), *workflows_));
  return {};
}

Status Instance::open_console() {
  if (options_.console.listen != "off") {
    ASSIGN(auto config, console_config(options_.console, data_));
    config.workflows = [this](const net::Request& request) {
      if (workflows_) {
        const auto who = auth::basic_login(request.header("authorization"));
        return airflow::answer(*workflows_, request, who ? who->user : std::string());
      }
      if (project_.roles.schedule == "embedded")
        return airflow::refusal(404,
                                "This project has no workflows: there is no folder dags/ in it");
      return airflow::refusal(
          404, "This project's workflows are run by the Airflow at " + project_.roles.schedule);
    };
    ASSIGN(console_, console::Console::start(config, *backend_));
  }
  return {};
}

Status Instance::open_alerts() {
  if (alert_settings_.channels.empty() && alert_settings_.rules.empty()) return {};
  alert_sight_ = make_alert_sight(*this);
  TRY(alerts::check_subjects(alert_settings_, *alert_sight_));
  const std::string page = alert_settings_.page.empty() ? console_url() : alert_settings_.page;
  ASSIGN(alerts_,
         alerts::Alerts::open({.settings = alert_settings_,
                               .sender = alert_sender(project_, page),
                               .folder = fs::absolute(project_.folder).lexically_normal().string(),
                               .file = data_ + "/alerts.db"},
                              *alert_sight_, rt::system_clock()));
  shown_alerts_ = alerts_.get();
  return {};
}

Result<log::Log*> Instance::log_for_events() {
  if (!remote_) return log_.get();
  if (!event_log_.log) {
    ASSIGN(event_log_, open_log(project_, data_, false));
  }
  return event_log_.log.get();
}

Status Instance::open_doors() {
  const bool embedded = project_.roles.registry == "embedded";
  // Beside a Kafka somewhere else there may be a registry already: ours is for topics that need it.
  const bool registry = options_.registry != "off" && embedded && (!remote_ || registry_);
  if (registry && !registry_) {
    ASSIGN(registry_, RegistryService::open(*log_));
  }
  if (options_.kafka != "off" && !remote_) {
    if (!embedded) {
      record_schemas_ = record_schemas(subjects::remote_subjects_client(remote_registry(project_)));
    } else if (registry_) {
      record_schemas_ = record_schemas(subjects::local_subjects_client(registry_->registry()));
    }
    kafka::BrokerConfig config;
    config.listen = options_.kafka;
    config.flag = "--kafka";
    ASSIGN(kafka_, kafka::Door::start(*log_, config, data_ + "/log", record_schemas_.get()));
    log_view_->open(*kafka_);
  }
  TRY(open_cql());
  if (!registry) return {};
  return registry_->start({.listen = options_.registry,
                           .flag = "--registry",
                           .config = options_.registry_config,
                           .settings = {},
                           .folder = data_ + "/log",
                           .users = kafka_ ? &kafka_->broker().scram_users() : nullptr});
}

Status Instance::open_cql() {
  if (options_.cql == "off" || project_.roles.serving != "embedded") return {};
  TRY(check_served_tables(project_, *runner_->graph()));
  ASSIGN(cql_, CqlService::open(data_ + "/cql", options_.cql_logins));
  const auto set_tables = [this](CqlService& cql) -> Status {
    ASSIGN(auto tables, served_tables(project_, *runner_));
    return cql.engine().set_foreign(std::move(tables));
  };
  cql_->engine().set_materialized_views(options_.cql_materialized_views);
  TRY(set_tables(*cql_));
  runner_->on_served_change([set_tables, held = std::weak_ptr(cql_)] {
    const auto cql = held.lock();
    if (!cql) return;
    if (const auto set = set_tables(*cql); !set)
      LOG(error, "CQL's clients do not see the changed tables: {}", set.error().what);
  });
  return cql_->start({.listen = options_.cql, .flag = "--cql", .tls = options_.cql_tls});
}

void Instance::open_schema_view() {
  const auto client = [this]() -> std::unique_ptr<subjects::SubjectsClient> {
    if (project_.roles.registry != "embedded")
      return subjects::remote_subjects_client(to_look_at(remote_registry(project_)));
    if (registry_) return subjects::local_subjects_client(registry_->registry());
    return nullptr;
  };
  LookedAtRegistry registry{.client = client(), .where = net::redact_url(project_.roles.registry)};
  if (!registry_url().empty()) registry.where += ", " + registry_url();
  if (!registry.client) registry.off = registry_is_off();
  schema_view_ = std::make_unique<RegistryView>(std::move(registry), project_, *log_);
  if (auto decoding = client())
    log_view_->decode_by(std::make_unique<RecordDecoder>(std::move(decoding)));
}

std::string Instance::registry_is_off() const {
  if (remote_)
    return "The log is a Kafka somewhere else, and no topic of the project has a schema: give one "
           "a "
           "format, or name a registry in tailrace.yml: roles: {registry: http://HOST:PORT}";
  return "The project runs with --registry off: run it without, or name a registry in "
         "tailrace.yml: roles: {registry: http://HOST:PORT}";
}

Status Instance::start() {
  TRY(open_doors());
  open_schema_view();
  TRY(open_workflows());
  TRY(hooks_->start(options_.hooks, [this] { return query_relations(*this); }));
  TRY(open_console());
  TRY(open_alerts());
  runner_->start();
  judge_->start();
  if (staged_) staged_->start();
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (project_.ingest[i].paused) sources_[i]->pause(true);
    sources_[i]->start();
  }
  if (workflows_) TRY(workflows_->start());
  if (airflow_events_) TRY(airflow_events_->start());
  upkeep_ = std::make_unique<log::Upkeep>(*log_, kUpkeepEvery, keep_from());
  if (alerts_) alerts_->start();
  return write_run_file(*this, options_, data_);
}

log::Log::KeepFrom Instance::keep_from() {
  return [this](const log::Partition& partition) { return runner_->keep_from(partition); };
}

Status Instance::run_once() {
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    // A paced generator never ends: what is due now is all of it.
    const bool paced = project_.ingest[i].type == "fake";
    TRY(exhaust(*sources_[i], paced));
    TRY(sources_[i]->note());
  }
  if (staged_) TRY(staged_->drain());
  TRY(runner_->drain());
  judge_->look(true);
  if (auto tidy = log::look_after(*log_, keep_from()); !tidy)
    LOG(warn, "looking after the log: {}", tidy.error().what);
  return {};
}

Status Instance::stop() {
  // What stops on purpose is no alert.
  if (alerts_) alerts_->stop();
  judge_->stop();
  if (hooks_) hooks_->stop();
  if (airflow_) airflow_->stop();
  if (event_log_.remote) event_log_.remote->interrupt();
  if (workflows_) workflows_->stop(kTasksGrace);
  if (airflow_events_) airflow_events_->stop();
  upkeep_.reset();
  if (log_view_) log_view_->close();
  if (kafka_) kafka_->stop();
  if (registry_) registry_->stop();
  if (cql_) cql_->stop();
  for (auto& source : sources_) source->stop();
  if (staged_) staged_->stop();
  if (remote_) remote_->interrupt();
  Status stopped = runner_->stop();
  if (console_) console_->stop();
  std::error_code ignored;
  fs::remove(data_ + "/run.json", ignored);
  forget_console_token(data_);
  if (auto closed = log_->close(); !closed && stopped) stopped = closed;
  if (traces_) traces_->stop();
  return stopped;
}

std::string Instance::groups_are() const {
  if (remote_) return "Groups are kept by the Kafka that has the log, at " + kafka_address() + ".";
  if (options_.kafka == "off") return "There is no door for Kafka's clients: --kafka is off.";
  return "The door for Kafka's clients is closed.";
}

std::string Instance::kafka_address() const {
  if (remote_) return project_.roles.log.substr(std::string_view("kafka://").size());
  return kafka_ ? kafka_->address() : std::string();
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

std::vector<pipeline::Hop> Instance::fetched_hops() const {
  const pipeline::LetterTotals letters = runner_->dead_letters().totals();
  std::vector<pipeline::Hop> hops;
  for (std::size_t i = 0; i < project_.ingest.size(); ++i) {
    const std::string& name = project_.ingest[i].name;
    pipeline::Hop hop{.id = "fetched." + name, .title = name, .kind = pipeline::HopKind::kFetched};
    if (read_only()) {
      const auto noted =
          rt::read_whole(rt::posix_files(), data_ + "/ingest/" + name + ".json", 64 << 20);
      const auto state = noted ? connect::decode_state(*noted) : std::unexpected(noted.error());
      if (state) {
        hop.count = state->records;
        if (!state->clean) hop.why = unnoted(*state, project_.ingest[i].topic);
      }
    } else {
      const connect::SourceStatus status = sources_[i]->status();
      hop.count = status.records;
      hop.bytes = status.fetched_bytes;
      hop.detail = status.describe;
      hop.why = status.why;
      hop.last_error = status.last_error;
      hop.last_error_ms = status.last_error_ms;
      hop.failing = status.failing;
    }
    count_rejected(letters, name, hop);
    if (!project_.ingest[i].stage.empty()) {
      leave_misfits_to_staging(hop);
      // Its staging's hop says it.
      if (!read_only() && sources_[i]->status().target_failing) hop.failing = false;
    }
    hops.push_back(std::move(hop));
  }
  return hops;
}

// Without the log, what a killed process fetched after its last note is known from where the
// pipeline has read to.
std::string Instance::unnoted(const connect::NotedState& state, const std::string& topic) const {
  std::int64_t since = stored_->records_read(topic);
  for (const std::int64_t end : state.ends) since -= end;
  if (since <= 0 || state.ends.empty()) return {};
  return fmt::format("it was killed before it noted how far it was; `{}` has had {} records since",
                     topic, since);
}

std::vector<pipeline::Hop> Instance::staged_hops() const {
  const pipeline::LetterTotals letters = runner_->dead_letters().totals();
  if (read_only()) return stored_staged_hops(project_, data_, letters);
  return staged_ ? staged_->hops(sources_, letters) : std::vector<pipeline::Hop>();
}

std::vector<pipeline::Hop> Instance::appended_hops() const {
  std::vector<pipeline::Hop> hops;
  for (const pipeline::TopicSpec& topic : project_.topics) {
    pipeline::Hop hop{
        .id = "appended." + topic.name, .title = topic.name, .kind = pipeline::HopKind::kAppended};
    for (const pipeline::IngestSpec& ingest : project_.ingest)
      if (ingest.topic == topic.name && ingest.stage.empty())
        hop.upstream.push_back("fetched." + ingest.name);
    for (const pipeline::StageSpec& stage : project_.stages)
      if (stage.topic == topic.name) hop.upstream.push_back("staged." + stage.table.name);
    if (hop.upstream.empty()) hop.why = "no source of `ingest` in tailrace.yml writes to it";
    if (read_only()) hop.count = stored_->records_read(topic.name);
    if (remote_) hop.last_error = remote_->failing();
    hop.failing = !hop.last_error.empty();
    if (hop.failing) hop.why = hop.last_error;
    for (std::int32_t p = 0; !read_only() && p < topic.partitions; ++p)
      if (auto partition = log_->partition(topic.name, PartitionId(p))) {
        hop.count += (*partition)->high_watermark().value;
        hop.bytes += static_cast<std::int64_t>((*partition)->size_bytes());
      }
    hops.push_back(std::move(hop));
  }
  return hops;
}

void Instance::write_metrics(MetricsText& out) {
  runner_->write_metrics(out);
  if (cql_) cql_->write_metrics(out);
  if (registry_) registry_->write_metrics(out);
  if (staged_) staged_->write_metrics(sources_, out);
  if (workflows_) workflows_->write_metrics(out);
  if (hooks_) hooks_->write_metrics(out);
  if (alerts::Alerts* shown = alerts()) shown->write_metrics(out);
  if (traces_) traces_->write_metrics(out);
  lake::write_metrics(out);
  kv::write_metrics(out);
  s3::write_metrics(out);
}

std::vector<pipeline::Hop> Instance::hops() const {
  std::vector<pipeline::Hop> hops = fetched_hops();
  for (pipeline::Hop& hop : staged_hops()) hops.push_back(std::move(hop));
  for (pipeline::Hop& hop : appended_hops()) hops.push_back(std::move(hop));
  for (pipeline::Hop& hop : runner_->hops()) hops.push_back(std::move(hop));
  pipeline::judge(hops);
  tell_broken(judge_->rules(), hops);
  return hops;
}

}  // namespace tailrace::app
