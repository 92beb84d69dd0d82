// Rows and settings as the names of templates.
#include "workflows/scope.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "jinja/airflow_context.h"
#include "metadata/secrets.h"
#include "rt/random.h"

namespace tailrace::workflows {
namespace {

using jinja::AirflowContext;
using jinja::Dict;
using jinja::Value;

/// NAME of AIRFLOW_CONN_NAME: upper case.
std::optional<std::string> from_environment(std::string_view prefix, std::string_view name) {
  std::string variable(prefix);
  for (const char c : name)
    variable += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  const char* value = std::getenv(variable.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

template <typename Found>
Result<std::optional<Found>> none_where_missing(Result<Found> found) {
  if (found) return std::move(*found);
  if (found.error().code == Code::kNotFound) return std::nullopt;
  return std::unexpected(found.error());
}

/// The DAG's params, the task's over them, the run's conf over both.
Value params_of(const Attempt& attempt, const dags::Task& task) {
  Dict params;
  for (const auto* list : {&attempt.dag->params, &task.params}) {
    for (const auto& one : *list)
      params.set(Value(one.name), one.value.is_undefined() ? Value() : one.value);
  }
  if (const Dict* conf = attempt.run.conf.dict()) {
    for (const auto& [name, value] : conf->items()) params.set(name, value);
  }
  return Value(std::move(params));
}

Value event_value(const sched::AssetEvent& event) {
  Dict one, asset;
  asset.set(Value("uri"), Value(event.asset_uri));
  asset.set(Value("name"), Value(event.asset_uri));
  one.set(Value("asset"), Value(std::move(asset)));
  one.set(Value("extra"), event.extra);
  one.set(Value("timestamp"),
          Value(calendar::Moment{.instant = event.at, .zone = calendar::Zone::utc()}));
  if (event.source) {
    one.set(Value("source_dag_id"), Value(event.source->run.dag));
    one.set(Value("source_run_id"), Value(event.source->run.run));
    one.set(Value("source_task_id"), Value(event.source->task));
    one.set(Value("source_map_index"), Value(event.source->map_index));
  }
  return Value(std::move(one));
}

AirflowContext::Run run_of(const Attempt& attempt) {
  AirflowContext::Run run;
  run.run_id = attempt.run.id.run;
  run.run_type = sched::name(attempt.run.type);
  run.state = sched::name(attempt.run.state);
  run.logical_date = attempt.run.logical_date;
  if (attempt.run.interval) {
    run.interval_start = attempt.run.interval->start;
    run.interval_end = attempt.run.interval->end;
  }
  run.run_after = attempt.run.run_after;
  run.start_date = attempt.run.started_at;
  run.clear_number = attempt.run.clears;
  run.conf = attempt.run.conf.is_none() ? Value(Dict()) : attempt.run.conf;
  if (const auto user = sched::user_of(attempt.run); !user.empty()) run.triggering_user = user;
  if (!attempt.run.note.empty()) run.note = attempt.run.note;
  for (const auto& event : attempt.triggering)
    run.consumed_asset_events.push_back(event_value(event));
  return run;
}

Result<std::optional<jinja::List>> pull(const Workshop& workshop, const jinja::XComQuery& query) {
  const sched::TaskId id{{query.dag, query.run}, query.task, query.map_index.value_or(-1)};
  if (query.include_prior_dates) {
    ASSIGN(auto values, workshop.metadata.prior_xcoms(id, query.key, query.map_index.has_value()));
    if (values.empty()) return std::nullopt;
    return values;
  }
  if (query.map_index) {
    // Of -1 the metadata would give a mapped task's values as a list.
    ASSIGN(const auto keys, workshop.metadata.xcom_keys(id));
    if (std::ranges::find(keys, query.key) == keys.end()) return std::nullopt;
    ASSIGN(auto value, workshop.metadata.xcom(id, query.key));
    if (!value) return std::nullopt;
    return jinja::List{std::move(*value)};
  }
  ASSIGN(const auto all, workshop.metadata.xcoms(id, query.key));
  if (all.empty()) return std::nullopt;
  return all;
}

Result<std::string> kept_variable(const Workshop& workshop, std::string_view key) {
  if (auto value = from_environment("AIRFLOW_VAR_", key)) return std::move(*value);
  if (const auto at = workshop.variables.find(std::string(key)); at != workshop.variables.end())
    return at->second;
  ASSIGN(const auto kept, workshop.metadata.variables());
  const auto at = std::ranges::find(kept, key, &metadata::Variable::key);
  if (at == kept.end()) return error(Code::kNotFound, fmt::format("Variable {} not found", key));
  return at->value;
}

}  // namespace

Result<metadata::Connection> find_connection(const Workshop& workshop, std::string_view id,
                                             tasks::TaskLog& log) {
  std::optional<std::string> text = from_environment("AIRFLOW_CONN_", id);
  if (const auto at = workshop.connections.find(std::string(id));
      !text && at != workshop.connections.end())
    text = at->second;
  std::optional<metadata::Connection> found;
  if (text) {
    ASSIGN(found, metadata::parse_connection(id, *text));
  } else {
    ASSIGN(const auto kept, workshop.metadata.connections());
    const auto at = std::ranges::find(kept, id, &metadata::Connection::id);
    if (at != kept.end()) found = *at;
  }
  if (!found) return error(Code::kNotFound, fmt::format("The conn_id `{}` isn't defined", id));
  for (const auto& secret : metadata::secrets_of(*found)) log.mask(secret);
  return std::move(*found);
}

Result<std::string> find_variable(const Workshop& workshop, std::string_view key,
                                  tasks::TaskLog& log) {
  ASSIGN(auto value, kept_variable(workshop, key));
  for (const auto& secret : metadata::secrets_of(key, value)) log.mask(secret);
  return value;
}

jinja::Template::Options template_options(const rt::Clock& clock, const dags::Dag& dag) {
  jinja::Template::Options options;
  options.strict_undefined = dag.strict_undefined;
  options.random = [random = rt::Random(rt::system_seed())]() mutable { return random.unit(); };
  options.clock = [&clock] { return clock.now().value * 1000; };
  return options;
}

jinja::Scope scope_of(const Workshop& workshop, const Attempt& attempt, const dags::Task& task,
                      FindConnection connection, FindVariable variable) {
  auto context = std::make_shared<AirflowContext>();
  context->run = run_of(attempt);
  context->dag_id = attempt.id.run.dag;
  context->task_id = attempt.id.task;
  context->dag.set(Value("description"), Value(attempt.dag->description));
  jinja::List tags;
  for (const auto& tag : attempt.dag->tags) tags.emplace_back(tag);
  context->dag.set(Value("tags"), Value(std::move(tags)));
  context->task.set(Value("owner"), Value(task.owner));
  context->task.set(Value("retries"), Value(task.retries));
  context->task.set(Value("queue"), Value(task.queue));
  context->task.set(Value("pool"), Value(task.pool));
  for (const auto& [name, value] : task.arguments.items()) context->task.set(name, value);
  context->map_index = attempt.id.map_index;
  context->try_number = attempt.try_number;
  context->max_tries = attempt.instance.max_tries;
  context->start_date = workshop.clock.now().value * 1000;
  context->hostname = "localhost";
  context->params = params_of(attempt, task);
  if (const char* url = std::getenv("AIRFLOW__API__BASE_URL")) context->base_url = url;
  const Value* map_name = task.arguments.find("map_index_template");
  if (map_name != nullptr && map_name->string()) context->map_index_template = *map_name->string();
  context->inlets = task.inlets;
  for (const auto& outlet : task.outlets) context->outlets.emplace_back(outlet.uri);
  Dict triggering;
  for (const auto& event : attempt.triggering) {
    jinja::List events;
    if (const auto* before = triggering.find(std::string_view(event.asset_uri)))
      events = *before->list();
    events.push_back(event_value(event));
    triggering.set(Value(event.asset_uri), Value(std::move(events)));
  }
  context->triggering_asset_events = std::move(triggering);
  context->previous_success = [&workshop, run = attempt.run]() -> AirflowContext::Previous {
    const auto page = workshop.metadata.runs({.dag = run.id.dag,
                                              .states = {sched::RunState::kSuccess},
                                              .run_after_to = run.run_after - 1,
                                              .limit = 1});
    if (!page || page->runs.empty()) return {};
    const sched::Run& last = page->runs.front();
    AirflowContext::Previous previous;
    if (last.interval) {
      previous.interval_start = last.interval->start;
      previous.interval_end = last.interval->end;
    }
    previous.start_date = last.started_at;
    previous.end_date = last.ended_at;
    return previous;
  };
  context->variable = [variable = std::move(variable)](const std::string& key) {
    return none_where_missing(variable(key));
  };
  context->connection = [connection = std::move(connection)](const std::string& id) {
    return none_where_missing(connection(id));
  };
  context->xcom = [&workshop](const jinja::XComQuery& query) { return pull(workshop, query); };
  context->xcom_push = [&workshop, id = attempt.id](const std::string& key, const Value& value) {
    return workshop.metadata.put_xcom(id, key, value);
  };
  return jinja::airflow_scope(std::move(context));
}

}  // namespace tailrace::workflows
