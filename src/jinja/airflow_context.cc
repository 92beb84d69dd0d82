#include "jinja/airflow_context.h"

#include "jinja/json.h"
#include "jinja/record.h"
#include "jinja/texts.h"
#include "jinja/times.h"

namespace tailrace::jinja {
namespace {

using Named = Object::Named;
using ContextPtr = std::shared_ptr<const AirflowContext>;
using Moments = std::optional<calendar::Micros>;

Value text_or_none(const std::optional<std::string>& text) {
  return text ? Value(*text) : Value();
}

/// pendulum's DateTime in UTC, as coerce_datetime gives it.
Value moment(const Moments& instant) {
  return instant ? Value(calendar::Moment{*instant, calendar::Zone::utc()}) : Value();
}

/// datetime.datetime in UTC, as the API's answers hold it.
Value plain(const Moments& instant) {
  return instant ? DateTime::at(*instant, calendar::Zone::utc(), false).value() : Value();
}

Value object(std::shared_ptr<const Object> made) {
  return Value(std::move(made));
}

Value record(std::string type, std::string text, Dict attributes) {
  return object(std::make_shared<Record>(std::move(type), std::move(text), std::move(attributes)));
}

// --- var and conn --------------------------------------------------------------------------------

std::unexpected<Error> no_variable(const std::string& key) {
  return raised("AirflowRuntimeError",
                "VARIABLE_NOT_FOUND: {'message': 'Variable " + key + " not found'}",
                Code::kNotFound);
}

class Variables final : public Object {
 public:
  Variables(ContextPtr context, bool json) : context_(std::move(context)), json_(json) {}
  std::string type_name() const override { return "VariableAccessor"; }
  std::string text() const override { return "<VariableAccessor (dynamic access)>"; }
  Value attribute(std::string_view name) const override { return Undefined{std::string(name)}; }

  Result<Value> checked_attribute(std::string_view name) const override {
    if (name == "get")
      return function("get", [self = *this](const List& arguments, const Named& named) {
        return self.get(arguments, named);
      });
    ASSIGN(const auto found, find(std::string(name)));
    if (!found) return no_variable(std::string(name));
    return *found;
  }

 private:
  Result<std::optional<Value>> find(const std::string& key) const {
    std::optional<std::string> text;
    if (context_->variable) {
      ASSIGN(text, context_->variable(key));
    }
    if (!text) return std::nullopt;
    if (!json_) return Value(*text);
    auto made = load_json(*text);
    // A variable that is no JSON is not found, as far as Airflow tells.
    return made ? std::optional<Value>(std::move(*made)) : std::nullopt;
  }

  Result<Value> get(const List& arguments, const Named& named) const {
    ASSIGN(const auto given, bind("get", arguments, named, {"key", {"default", Undefined{"get"}}}));
    ASSIGN(const std::string key, to_text(given[0]));
    ASSIGN(const auto found, find(key));
    if (found) return *found;
    if (given[1].is_undefined()) return no_variable(key);
    return given[1];
  }

  ContextPtr context_;
  bool json_;
};

class Connections final : public Object {
 public:
  explicit Connections(ContextPtr context) : context_(std::move(context)) {}
  std::string type_name() const override { return "ConnectionAccessor"; }
  std::string text() const override { return "<ConnectionAccessor (dynamic access)>"; }
  Value attribute(std::string_view name) const override { return Undefined{std::string(name)}; }

  Result<Value> checked_attribute(std::string_view name) const override {
    if (name == "get")
      return function("get", [self = *this](const List& arguments, const Named& named) {
        return self.get(arguments, named);
      });
    ASSIGN(const auto found, find(std::string(name)));
    if (!found)
      return raised("AirflowNotFoundException",
                    "The conn_id `" + std::string(name) + "` isn't defined", Code::kNotFound);
    return *found;
  }

 private:
  Result<std::optional<Value>> find(const std::string& id) const {
    std::optional<Connection> held;
    if (context_->connection) {
      ASSIGN(held, context_->connection(id));
    }
    if (!held) return std::nullopt;
    return connection_value(*held);
  }

  Result<Value> get(const List& arguments, const Named& named) const {
    ASSIGN(const auto given, bind("get", arguments, named, {"conn_id", {"default_conn", Value()}}));
    ASSIGN(const std::string id, to_text(given[0]));
    ASSIGN(const auto found, find(id));
    return found ? *found : given[1];
  }

  ContextPtr context_;
};

// --- ti ------------------------------------------------------------------------------------------

Result<List> ids_of(const Value& value, const std::string& fallback) {
  if (value.is_none()) return List{Value(fallback)};
  if (value.string()) return List{value};
  return iterate(value);
}

Result<std::optional<List>> pulled(const AirflowContext& context, const XComQuery& query) {
  if (!context.xcom) return std::nullopt;
  return context.xcom(query);
}

/// RuntimeTaskInstance.xcom_pull.
Result<Value> xcom_pull(const AirflowContext& context, const List& arguments, const Named& named) {
  if (arguments.size() > 4)
    return type_error("xcom_pull() takes from 1 to 5 positional arguments but " +
                      std::to_string(arguments.size() + 1) + " were given");
  const Value unset = Undefined{"map_indexes"};
  ASSIGN(const auto given, bind("xcom_pull", arguments, named,
                                {{"task_ids", Value()},
                                 {"dag_id", Value()},
                                 {"key", "return_value"},
                                 {"include_prior_dates", false},
                                 {"map_indexes", unset},
                                 {"default", Value()},
                                 {"run_id", Value()}}));
  for (std::size_t i : {0U, 1U, 2U, 3U, 5U, 6U}) TRY(defined(given[i]));
  ASSIGN(const List tasks, ids_of(given[0], context.task_id));
  XComQuery query{given[1].is_none() ? context.dag_id : given[1].text(),
                  given[6].is_none() ? context.run.run_id : given[6].text(),
                  {},
                  given[2].text(),
                  given[3].truth(),
                  std::nullopt};
  const bool one_task = given[0].is_none() || given[0].string();
  List out;
  if (given[4].is_undefined()) {
    for (const Value& task : tasks) {
      query.task = task.text();
      ASSIGN(auto values, pulled(context, query));
      if (!values) {
        out.emplace_back();
      } else {
        out.insert(out.end(), values->begin(), values->end());
      }
    }
    if (one_task && out.size() == 1) return out[0];
    return Value(std::move(out));
  }
  const bool one_index = given[4].is_none() || given[4].index();
  List indexes = {given[4]};
  if (!one_index) {
    ASSIGN(indexes, iterate(given[4]));
  }
  for (const Value& task : tasks)
    for (const Value& index : indexes) {
      query.task = task.text();
      query.map_index = static_cast<int>(index.index().value_or(-1));
      ASSIGN(const auto values, pulled(context, query));
      const bool there = values && !values->empty() && !values->front().is_none();
      out.push_back(there ? values->front() : given[5]);
    }
  if (one_task && one_index) return out.empty() ? Value() : out[0];
  return Value(std::move(out));
}

Result<Value> push(const AirflowContext& context, const List& arguments, const Named& named) {
  ASSIGN(const auto given, bind("xcom_push", arguments, named, {"key", "value"}));
  if (!context.xcom_push)
    return raised("TemplateRuntimeError", "nothing can be pushed here", Code::kUnimplemented);
  TRY(context.xcom_push(given[0].text(), given[1]));
  return Value();
}

Value dag_value(const AirflowContext& context) {
  Dict out;
  out.set("dag_id", context.dag_id);
  for (const auto& [key, value] : context.dag.items()) out.set(key, value);
  return record("DAG", "<DAG: " + context.dag_id + ">", std::move(out));
}

Value task_value(const AirflowContext& context) {
  Dict out;
  out.set("task_id", context.task_id);
  out.set("dag_id", context.dag_id);
  out.set("dag", dag_value(context));
  out.set("inlets", context.inlets);
  out.set("outlets", context.outlets);
  std::string type = "BaseOperator";
  for (const auto& [key, value] : context.task.items()) {
    if (key == Value("task_type") || key == Value("operator_name")) type = value.text();
    out.set(key, value);
  }
  return record(type, "<Task(" + type + "): " + context.task_id + ">", std::move(out));
}

Value run_value(const AirflowContext& context) {
  const auto& run = context.run;
  Dict out;
  out.set("dag_id", context.dag_id);
  out.set("run_id", run.run_id);
  out.set("logical_date", plain(run.logical_date));
  out.set("data_interval_start", plain(run.interval_start));
  out.set("data_interval_end", plain(run.interval_end));
  out.set("run_after", plain(run.run_after));
  out.set("start_date", plain(run.start_date));
  out.set("end_date", plain(run.end_date));
  out.set("clear_number", run.clear_number);
  out.set("run_type", Value::enumerated(run.run_type, "DagRunType." + upper(run.run_type)));
  out.set("state", Value::enumerated(run.state, "DagRunState." + upper(run.state)));
  out.set("conf", run.conf);
  out.set("triggering_user_name", text_or_none(run.triggering_user));
  out.set("consumed_asset_events", run.consumed_asset_events);
  out.set("partition_key", Value());
  out.set("partition_date", Value());
  out.set("note", text_or_none(run.note));
  out.set("team_name", Value());
  return record("DagRun", "<DagRun " + context.dag_id + " @ " + run.run_id + ">", std::move(out));
}

/// RuntimeTaskInstance.log_url.
std::string log_url(const AirflowContext& context) {
  std::string out = context.base_url;
  while (out.ends_with('/')) out.pop_back();
  out += "/dags/" + context.dag_id + "/runs/" + url_quoted(context.run.run_id, "/") + "/tasks/" +
         context.task_id;
  if (context.map_index >= 0) out += "/mapped/" + std::to_string(context.map_index);
  if (context.try_number > 0) out += "?try_number=" + std::to_string(context.try_number);
  return out;
}

Value instance_value(const ContextPtr& context) {
  Dict out;
  out.set("task_id", context->task_id);
  out.set("dag_id", context->dag_id);
  out.set("run_id", context->run.run_id);
  out.set("map_index", context->map_index);
  out.set("try_number", context->try_number);
  out.set("max_tries", context->max_tries);
  out.set("start_date", plain(context->start_date));
  out.set("end_date", Value());
  out.set("state", "running");
  out.set("hostname", context->hostname);
  out.set("is_mapped", context->map_index >= 0);
  out.set("rendered_map_index", Value());
  out.set("log_url", log_url(*context));
  out.set("mark_success_url", log_url(*context));
  out.set("task", task_value(*context));
  out.set("xcom_pull", function("xcom_pull", [context](const List& given, const Named& named) {
            return xcom_pull(*context, given, named);
          }));
  out.set("xcom_push", function("xcom_push", [context](const List& given, const Named& named) {
            return push(*context, given, named);
          }));
  return record("RuntimeTaskInstance",
                "<TaskInstance: " + context->dag_id + "." + context->task_id + " " +
                    context->run.run_id + ">",
                std::move(out));
}

// --- the scope -----------------------------------------------------------------------------------

Value undefined(std::string_view name) {
  return Undefined{std::string(name)};
}

Value previous(const AirflowContext& context, std::string_view name) {
  const auto found =
      context.previous_success ? context.previous_success() : AirflowContext::Previous{};
  if (name == "prev_start_date_success") return moment(found.start_date);
  if (name == "prev_end_date_success") return moment(found.end_date);
  if (!context.run.logical_date) return undefined(name);
  return moment(name == "prev_data_interval_start_success" ? found.interval_start
                                                           : found.interval_end);
}

std::string without(std::string text, std::string_view characters) {
  std::erase_if(text, [&](char c) { return characters.find(c) != std::string_view::npos; });
  return text;
}

/// The names that only a run with a logical date has.
std::optional<Value> dated(const AirflowContext& context, std::string_view name) {
  constexpr std::string_view kNames[] = {"logical_date",        "ds",
                                         "ds_nodash",           "ts",
                                         "ts_nodash",           "ts_nodash_with_tz",
                                         "data_interval_start", "data_interval_end"};
  if (std::find(std::begin(kNames), std::end(kNames), name) == std::end(kNames))
    return std::nullopt;
  if (!context.run.logical_date) return undefined(name);
  if (name == "data_interval_start") return moment(context.run.interval_start);
  if (name == "data_interval_end") return moment(context.run.interval_end);
  const DateTime date = DateTime::at(*context.run.logical_date, calendar::Zone::utc(), true);
  if (name == "logical_date") return date.value();
  if (name == "ds") return Value(date.strftime("%Y-%m-%d"));
  if (name == "ds_nodash") return Value(date.strftime("%Y%m%d"));
  if (name == "ts") return Value(date.isoformat());
  if (name == "ts_nodash") return Value(date.strftime("%Y%m%dT%H%M%S"));
  return Value(without(date.isoformat(), "-:"));
}

Value key_of(const AirflowContext& context) {
  const auto& run = context.run;
  const std::string last =
      run.logical_date
          ? DateTime::at(*run.logical_date, calendar::Zone::utc(), true).strftime("%Y%m%d")
          : run.run_id;
  return context.dag_id + "__" + context.task_id + "__" + last;
}

Value accessors(const ContextPtr& context) {
  Dict out;
  out.set("json", object(std::make_shared<Variables>(context, true)));
  out.set("value", object(std::make_shared<Variables>(context, false)));
  return Value(std::move(out));
}

Value named(const ContextPtr& context, std::string_view name) {
  if (const Value* found = context->more.find(name)) return *found;
  if (auto found = dated(*context, name)) return *found;
  if (name.starts_with("prev_") && name.ends_with("_success")) {
    if (name == "prev_start_date_success" || name == "prev_end_date_success" ||
        name == "prev_data_interval_start_success" || name == "prev_data_interval_end_success")
      return previous(*context, name);
  }
  using Make = Value (*)(const ContextPtr&);
  constexpr std::pair<std::string_view, Make> kNames[] = {
      {"dag", [](const ContextPtr& c) { return dag_value(*c); }},
      {"task", [](const ContextPtr& c) { return task_value(*c); }},
      {"dag_run", [](const ContextPtr& c) { return run_value(*c); }},
      {"ti", instance_value},
      {"task_instance", instance_value},
      {"run_id", [](const ContextPtr& c) { return Value(c->run.run_id); }},
      {"params", [](const ContextPtr& c) { return c->params; }},
      {"var", accessors},
      {"conn", [](const ContextPtr& c) { return object(std::make_shared<Connections>(c)); }},
      {"macros", [](const ContextPtr&) { return macros_value(); }},
      {"inlets", [](const ContextPtr& c) { return Value(c->inlets); }},
      {"outlets", [](const ContextPtr& c) { return Value(c->outlets); }},
      {"map_index_template",
       [](const ContextPtr& c) { return text_or_none(c->map_index_template); }},
      {"triggering_asset_events",
       [](const ContextPtr& c) { return Value(c->triggering_asset_events); }},
      {"task_instance_key_str", [](const ContextPtr& c) { return key_of(*c); }},
      {"task_reschedule_count", [](const ContextPtr& c) { return Value(c->reschedule_count); }},
      {"partition_key", [](const ContextPtr&) { return Value(); }},
      {"partition_date", [](const ContextPtr&) { return Value(); }},
  };
  for (const auto& [known, make] : kNames)
    if (known == name) return make(context);
  return undefined(name);
}

}  // namespace

Scope airflow_scope(std::shared_ptr<const AirflowContext> context) {
  return [context = std::move(context)](std::string_view name) { return named(context, name); };
}

Result<Value> render_field(const Value& field, const Scope& scope, const Template::Options& options,
                           bool native) {
  if (const auto* text = field.string()) {
    ASSIGN(const Template parsed, Template::parse(*text));
    if (native) return parsed.render_native(scope, options);
    ASSIGN(std::string made, parsed.render(scope, options));
    return Value(std::move(made));
  }
  if (field.list() || field.tuple()) {
    List out;
    for (const Value& item : field.list() ? *field.list() : field.tuple()->items) {
      ASSIGN(Value made, render_field(item, scope, options, native));
      out.push_back(std::move(made));
    }
    return field.list() ? Value(std::move(out)) : Value(Tuple{std::move(out)});
  }
  const Dict* dict = field.dict();
  if (!dict) return field;
  Dict out;
  for (const auto& [key, value] : dict->items()) {
    ASSIGN(Value made, render_field(value, scope, options, native));
    out.set(key, std::move(made));
  }
  return Value(std::move(out));
}

}  // namespace tailrace::jinja
