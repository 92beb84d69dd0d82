// A DAG as JSON: what differs from Airflow's defaults, under Airflow's names.
#include "dags/assets.h"
#include "dags/python_types.h"
#include "dags/read.h"
#include "dags/task_fields.h"

namespace tailrace::dags {
namespace {

using calendar::Micros;
using jinja::Dict;
using jinja::List;
using jinja::Value;

/// Sets a key unless its value is what Airflow has without it.
template <typename T>
void put(Dict& dict, const char* key, const T& value, const T& none) {
  if (!(value == none)) dict.set(key, Value(value));
}
void put(Dict& dict, const char* key, const std::string& value, const char* none = "") {
  put<std::string>(dict, key, value, none);
}
void put(Dict& dict, const char* key, List value) {
  if (!value.empty()) dict.set(key, std::move(value));
}

Value seconds(Micros micros) {
  return Value(static_cast<double>(micros) / 1e6);
}
void put_seconds(Dict& dict, const char* key, const std::optional<Micros>& micros) {
  if (micros) dict.set(key, seconds(*micros));
}
Value date(Micros instant) {
  return Value(calendar::isoformat({instant, calendar::Zone::utc()}));
}
void put_date(Dict& dict, const char* key, const std::optional<Micros>& instant) {
  if (instant) dict.set(key, date(*instant));
}

Value tagged(const char* tag, Value value) {
  Dict dict;
  dict.set(tag, std::move(value));
  return Value(std::move(dict));
}

/// A value with what JSON has no type for as {type: …}.
Value plain(const Value& value) {
  if (const List* list = value.list()) {
    List made;
    for (const Value& each : *list) made.push_back(plain(each));
    return Value(std::move(made));
  }
  if (const Dict* dict = value.dict()) {
    Dict made;
    for (const auto& [key, each] : dict->items()) made.set(Value(key.text()), plain(each));
    return Value(std::move(made));
  }
  if (const jinja::TimeDelta* delta = value.delta())
    return tagged("timedelta", seconds(delta->micros));
  if (const calendar::Moment* moment = value.moment())
    return tagged("datetime", Value(calendar::isoformat(*moment)));
  if (const auto* from = value.as<XComArg>())
    return tagged("xcom", Value(List{Value(from->task_id), Value(from->key)}));
  if (const auto* from = value.as<MappedArgument>())
    return tagged("mapped", Value(List{Value(from->group_id), Value(from->key)}));
  if (const auto* object = value.as<PythonObject>()) {
    if (local_of(value)) return tagged("datetime", Value(object->text()));
    Dict made;
    made.set("type", object->path);
    if (!object->arguments.empty()) made.set("args", plain(Value(object->arguments)));
    if (object->named.size() > 0) made.set("kwargs", plain(Value(object->named)));
    return Value(std::move(made));
  }
  return value;
}

List texts(const std::vector<std::string>& all) {
  return List(all.begin(), all.end());
}

Value asset(const Asset& of) {
  Dict dict;
  dict.set("name", of.name);
  dict.set("uri", of.uri);
  put(dict, "group", of.group, "asset");
  if (of.extra.truth()) dict.set("extra", plain(of.extra));
  return Value(std::move(dict));
}

Value condition(const AssetCondition& of) {
  List parts;
  for (const AssetCondition& part : of.parts) parts.push_back(condition(part));
  switch (of.kind) {
    case AssetCondition::Kind::kAsset:
      return asset(of.asset);
    case AssetCondition::Kind::kReference:
      return tagged("reference", asset(of.asset));
    case AssetCondition::Kind::kAlias:
      return tagged("alias", Value(of.alias));
    case AssetCondition::Kind::kAll:
      return tagged("all", Value(std::move(parts)));
    case AssetCondition::Kind::kAny:
      return tagged("any", Value(std::move(parts)));
  }
  return {};
}

Value delta(const calendar::Delta& of) {
  if (of.years == 0 && of.months == 0) return seconds(of.micros);
  return Value(List{Value(of.years), Value(of.months), seconds(of.micros)});
}
void put_delta(Dict& dict, const char* key, const calendar::Delta& of) {
  if (of.years || of.months || of.micros) dict.set(key, delta(of));
}

/// The kinds of timetables, each under the name of its class.
struct TimetableDescriber {
  Dict& dict;
  void operator()(const calendar::NoTimetable&) const {}
  void operator()(const calendar::Once&) const { dict.set("kind", "OnceTimetable"); }
  void operator()(const calendar::Continuous&) const { dict.set("kind", "ContinuousTimetable"); }
  void operator()(const calendar::CronTrigger& of) const {
    dict.set("kind",
             of.crons.size() == 1 ? "CronTriggerTimetable" : "MultipleCronTriggerTimetable");
    List crons;
    for (const calendar::Cron& cron : of.crons) crons.emplace_back(cron.expression());
    dict.set("crons", std::move(crons));
    dict.set("timezone", std::string(of.zone.name()));
    put_delta(dict, "interval", of.interval);
    put(dict, "run_immediately", of.run_immediately, false);
    put_seconds(dict, "run_immediately_within", of.run_immediately_within);
  }
  void operator()(const calendar::CronInterval& of) const {
    dict.set("kind", "CronDataIntervalTimetable");
    dict.set("crons", List{Value(of.cron.expression())});
    dict.set("timezone", std::string(of.zone.name()));
  }
  void operator()(const calendar::DeltaTrigger& of) const {
    dict.set("kind", "DeltaTriggerTimetable");
    put_delta(dict, "delta", of.delta);
    put_delta(dict, "interval", of.interval);
  }
  void operator()(const calendar::DeltaInterval& of) const {
    dict.set("kind", "DeltaDataIntervalTimetable");
    put_delta(dict, "delta", of.delta);
  }
  void operator()(const calendar::Events& of) const {
    dict.set("kind", "EventsTimetable");
    List dates;
    for (const Micros time : of.times) dates.push_back(date(time));
    dict.set("dates", std::move(dates));
    put(dict, "restrict_to_events", of.restrict_to_events, false);
    put(dict, "description", of.description);
  }
};

Value expansion(const Expansion& of) {
  Dict dict;
  for (const auto& [name, value] : of.arguments) {
    if (of.kind == Expansion::Kind::kZip) return tagged("kwargs", plain(value));
    dict.set(name, plain(value));
  }
  return Value(std::move(dict));
}

Value parameters(const std::vector<Param>& all) {
  Dict dict;
  for (const Param& param : all) {
    Dict made;
    if (!param.value.is_undefined()) made.set("value", plain(param.value));
    put(made, "description", param.description);
    if (param.schema.truth()) made.set("schema", plain(param.schema));
    dict.set(param.name, std::move(made));
  }
  return Value(std::move(dict));
}

void put_callbacks(Dict& dict,
                   std::initializer_list<std::pair<const char*, const Value*>> callbacks) {
  for (const auto& [name, value] : callbacks)
    if (!value->is_none()) dict.set(name, plain(*value));
}

void describe_running(const Task& task, Dict& dict) {
  put(dict, "trigger_rule", std::string(name(task.trigger_rule)), "all_success");
  put(dict, "owner", task.owner, "airflow");
  put<std::int64_t>(dict, "retries", task.retries, 0);
  if (task.retry_delay != 300'000'000) dict.set("retry_delay", seconds(task.retry_delay));
  put<double>(dict, "retry_exponential_backoff", task.retry_exponential_backoff, 0);
  put_seconds(dict, "max_retry_delay", task.max_retry_delay);
  put_seconds(dict, "execution_timeout", task.execution_timeout);
  put_date(dict, "start_date", task.start_date);
  put_date(dict, "end_date", task.end_date);
  put(dict, "depends_on_past", task.depends_on_past, false);
  put(dict, "wait_for_downstream", task.wait_for_downstream, false);
  put(dict, "wait_for_past_depends_before_skipping", task.wait_for_past_depends_before_skipping,
      false);
  put(dict, "ignore_first_depends_on_past", task.ignore_first_depends_on_past, false);
  put(dict, "pool", task.pool, "default_pool");
  put<std::int64_t>(dict, "pool_slots", task.pool_slots, 1);
  put<std::int64_t>(dict, "priority_weight", task.priority_weight, 1);
  put(dict, "weight_rule", std::string(name(task.weight_rule)), "downstream");
  put(dict, "queue", task.queue, "default");
  if (task.max_active_tis_per_dag) dict.set("max_active_tis_per_dag", *task.max_active_tis_per_dag);
  if (task.max_active_tis_per_dagrun)
    dict.set("max_active_tis_per_dagrun", *task.max_active_tis_per_dagrun);
  put(dict, "is_setup", task.is_setup, false);
  put(dict, "is_teardown", task.is_teardown, false);
  put(dict, "on_failure_fail_dagrun", task.on_failure_fail_dagrun, false);
}

/// A text is an asset by its URI.
Value described_inlet(const Value& inlet) {
  const std::string* text = inlet.string();
  if (!text) return plain(inlet);
  const auto uri = normalise_uri(*text);
  return asset({.name = *text, .uri = uri ? *uri : *text, .group = "asset", .extra = {}});
}

Value describe_task(const Task& task) {
  Dict dict;
  dict.set("id", task.id);
  put(dict, "group", task.group);
  put(dict, "operator", task.operator_path);
  put(dict, "decorator", task.decorator_path);
  if (task.arguments.size() > 0) dict.set("arguments", plain(Value(task.arguments)));
  if (task.expansion) dict.set("expand", expansion(*task.expansion));
  put(dict, "upstream", texts(task.upstream));
  describe_running(task, dict);
  put(dict, "do_xcom_push", task.do_xcom_push, true);
  put(dict, "multiple_outputs", task.multiple_outputs, false);
  put(dict, "allow_nested_operators", task.allow_nested_operators, true);
  List outlets;
  for (const Asset& outlet : task.outlets) outlets.push_back(asset(outlet));
  for (const std::string& alias : task.outlet_aliases)
    outlets.push_back(tagged("alias", Value(alias)));
  put(dict, "outlets", std::move(outlets));
  List inlets;
  for (const Value& inlet : task.inlets) inlets.push_back(described_inlet(inlet));
  put(dict, "inlets", std::move(inlets));
  put(dict, "doc_md", task.doc_md);
  put(dict, "task_display_name", task.task_display_name);
  if (!task.params.empty()) dict.set("params", parameters(task.params));
  put_callbacks(dict, {{"on_execute", &task.on_execute},
                       {"on_failure", &task.on_failure},
                       {"on_retry", &task.on_retry},
                       {"on_skipped", &task.on_skipped},
                       {"on_success", &task.on_success}});
  return Value(std::move(dict));
}

Value describe_group(const Group& group) {
  Dict dict;
  dict.set("id", group.id);
  put(dict, "parent", group.parent);
  put(dict, "tooltip", group.tooltip);
  put(dict, "group_display_name", group.display_name);
  put(dict, "prefix_group_id", group.prefix_group_id, true);
  if (group.expansion) dict.set("expand", expansion(*group.expansion));
  return Value(std::move(dict));
}

Value describe_deadline(const Deadline& deadline) {
  static constexpr const char* kNames[] = {"DagRunLogicalDateDeadline", "DagRunQueuedAtDeadline",
                                           "FixedDatetimeDeadline", "AverageRuntimeDeadline"};
  Dict dict;
  dict.set("reference", kNames[static_cast<int>(deadline.reference)]);
  dict.set("interval", seconds(deadline.interval));
  if (deadline.reference == Deadline::Reference::kFixed) dict.set("fixed", date(deadline.fixed));
  put<std::int64_t>(dict, "max_runs", deadline.max_runs, 0);
  put<std::int64_t>(dict, "min_runs", deadline.min_runs, 0);
  put(dict, "name", deadline.name);
  dict.set("callback", plain(deadline.callback));
  return Value(std::move(dict));
}

void describe_settings(const Dag& dag, Dict& dict) {
  put(dict, "description", dag.description);
  put(dict, "dag_display_name", dag.display_name, dag.id.c_str());
  put(dict, "doc_md", dag.doc_md);
  put(dict, "tags", texts(dag.tags));
  put(dict, "owners", texts(dag.owners));
  put_date(dict, "start_date", dag.start_date);
  put_date(dict, "end_date", dag.end_date);
  put_date(dict, "earliest", dag.restriction.earliest);
  put_date(dict, "latest", dag.restriction.latest);
  put(dict, "catchup", dag.catchup, false);
  put<std::int64_t>(dict, "max_active_runs", dag.max_active_runs, 16);
  put<std::int64_t>(dict, "max_active_tasks", dag.max_active_tasks, 16);
  put<std::int64_t>(dict, "max_consecutive_failed_dag_runs", dag.max_consecutive_failed_runs, 0);
  put_seconds(dict, "dagrun_timeout", dag.dagrun_timeout);
  if (dag.paused_upon_creation) dict.set("is_paused_upon_creation", *dag.paused_upon_creation);
  put(dict, "template_searchpath", texts(dag.template_searchpath));
  put(dict, "render_template_as_native_obj", dag.render_native, false);
  put(dict, "fail_fast", dag.fail_fast, false);
  if (!dag.params.empty()) dict.set("params", parameters(dag.params));
  if (dag.user_defined_macros.truth())
    dict.set("user_defined_macros", plain(dag.user_defined_macros));
  put_callbacks(dict, {{"on_failure", &dag.on_failure}, {"on_success", &dag.on_success}});
  Dict links;
  for (const auto& [owner, link] : dag.owner_links) links.set(owner, link);
  if (links.size() > 0) dict.set("owner_links", std::move(links));
}

}  // namespace

std::string describe(const Dag& dag) {
  Dict dict;
  dict.set("id", dag.id);
  describe_settings(dag, dict);
  Dict timetable;
  std::visit(TimetableDescriber{timetable}, dag.timetable.kind());
  if (timetable.size() > 0) dict.set("timetable", std::move(timetable));
  if (dag.assets) dict.set("assets", condition(*dag.assets));
  List deadlines, tasks, groups, order;
  for (const Deadline& deadline : dag.deadlines) deadlines.push_back(describe_deadline(deadline));
  for (const Task& task : dag.tasks) tasks.push_back(describe_task(task));
  for (const Group& group : dag.groups) groups.push_back(describe_group(group));
  for (const int task : dag.topological_order)
    order.emplace_back(dag.tasks[static_cast<std::size_t>(task)].id);
  put(dict, "deadlines", std::move(deadlines));
  put(dict, "tasks", std::move(tasks));
  put(dict, "groups", std::move(groups));
  put(dict, "order", std::move(order));
  auto text = jinja::to_json(Value(std::move(dict)));
  return text ? *text : text.error().what;
}

}  // namespace tailrace::dags
