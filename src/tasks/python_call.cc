// Python functions of tasks: each call in a process of its own (python/tailrace_task/worker.py),
// which asks for XComs, variables and connections while it runs.
#include "tasks/python_call.h"

#include <fmt/format.h>

#include "metadata/secrets.h"
#include "tasks/task_process.h"
#include "tasks/worker_source.h"

namespace tailrace::tasks {
namespace {

using nlohmann::json;

const jinja::Value* argument(const Context& context, std::string_view name) {
  const jinja::Value* value = context.arguments.find(name);
  return value == nullptr || value->is_none() ? nullptr : value;
}

json asset_json(const dags::Asset& asset) {
  return {{"name", asset.name},
          {"uri", asset.uri},
          {"group", asset.group},
          {"extra", asset.extra.dict() ? value_json(asset.extra) : json::object()}};
}

/// A text names an asset; else it is `{__type__: airflow.sdk.Asset, …}`.
json inlet_json(const jinja::Value& inlet) {
  const auto* written = inlet.as<dags::PythonObject>();
  if (written == nullptr) return value_json(inlet);
  json out = value_json(jinja::Value(written->named));
  if (!written->arguments.empty()) out["name"] = value_json(written->arguments.front());
  return out;
}

/// The names that templates have and that JSON can say; the worker makes the rest.
json context_json(const Context& context) {
  json out = json::object();
  // Names a template may have or not have, and those of its objects.
  const auto add = [&](json& to, const char* name, const jinja::Value& value) {
    if (!value.is_undefined()) to[name] = value_json(value);
  };
  const auto part = [&](const char* name, std::initializer_list<const char*> attributes) {
    json made = json::object();
    const jinja::Value value = context.scope(name);
    if (const auto* object = value.object())
      for (const char* attribute : attributes)
        add(made, attribute, (*object)->attribute(attribute));
    return made;
  };
  for (const char* name : {"ds",
                           "ds_nodash",
                           "ts",
                           "ts_nodash",
                           "ts_nodash_with_tz",
                           "logical_date",
                           "data_interval_start",
                           "data_interval_end",
                           "run_id",
                           "params",
                           "prev_data_interval_start_success",
                           "prev_data_interval_end_success",
                           "prev_start_date_success",
                           "prev_end_date_success",
                           "task_instance_key_str",
                           "test_mode",
                           "map_index_template",
                           "triggering_asset_events",
                           "task_reschedule_count",
                           "partition_key",
                           "partition_date"})
    add(out, name, context.scope(name));
  out["dag"] = part("dag", {"dag_id", "description", "tags"});
  out["task"] = part("task", {"task_id", "owner", "retries", "queue", "pool"});
  out["dag_run"] =
      part("dag_run", {"dag_id", "run_id", "run_type", "state", "conf", "logical_date",
                       "data_interval_start", "data_interval_end", "run_after", "start_date",
                       "end_date", "clear_number", "triggering_user_name", "partition_key",
                       "partition_date", "note", "consumed_asset_events"});
  out["ti"] = part(
      "ti", {"dag_id", "run_id", "task_id", "map_index", "try_number", "max_tries", "start_date",
             "end_date", "state", "hostname", "is_mapped", "log_url", "mark_success_url"});
  out["ti"]["task_display_name"] = context.task.id;
  out["outlets"] = json::array();
  for (const auto& asset : context.task.outlets) out["outlets"].push_back(asset_json(asset));
  for (const auto& alias : context.task.outlet_aliases)
    out["outlets"].push_back({{"alias", alias}});
  out["inlets"] = json::array();
  for (const auto& inlet : context.task.inlets) out["inlets"].push_back(inlet_json(inlet));
  if (const jinja::Value* given = argument(context, "templates_dict"))
    out["templates_dict"] = value_json(*given);
  return out;
}

/// One process: what it asks, and how it said it ended.
class Worker {
 public:
  Worker(Context& context, json job) : context_(context), job_(std::move(job)) {}

  std::string serve(std::string_view request) {
    const auto asked = json::parse(request, nullptr, false);
    if (!asked.is_object()) return R"({"error": "not JSON"})";
    auto answer = answered(asked);
    if (!answer)
      return json{{"error", answer.error().what},
                  {"kind", answer.error().code == Code::kNotFound ? missing_ : "failed"}}
          .dump();
    return json{{"value", std::move(*answer)}}.dump(-1, ' ', false, json::error_handler_t::replace);
  }

  const std::optional<json>& ended() const { return ended_; }

 private:
  Result<json> answered(const json& asked) {
    const std::string what = asked.value("do", "");
    if (what == "work") return job_;
    if (what == "ended") {
      ended_ = asked;
      return json();
    }
    if (what == "xcom_push") {
      ASSIGN(const auto value, jinja::from_json(asked.at("value").dump()));
      TRY(context_.metadata.put_xcom(context_.id, asked.value("key", ""), value));
      return json();
    }
    if (what == "xcom_pull") return pull(asked);
    if (what == "render") {
      ASSIGN(const auto value, jinja::from_json(asked.at("value").dump()));
      ASSIGN(const auto rendered, context_.render(value));
      return value_json(rendered);
    }
    if (what == "variable") {
      missing_ = "missing";
      ASSIGN(const std::string value, context_.variable(asked.value("key", "")));
      return json(value);
    }
    if (what == "mask") {
      ASSIGN(const auto value, jinja::from_json(asked.at("value").dump()));
      for (const auto& secret : metadata::secrets_in(value, asked.value("name", "")))
        context_.log.mask(secret);
      return json();
    }
    if (what == "set_variable") {
      TRY(context_.metadata.set_variable({.key = asked.value("key", ""),
                                          .value = asked.value("value", ""),
                                          .description = asked.value("description", "")}));
      return json();
    }
    if (what == "connection") {
      missing_ = "not_found";
      ASSIGN(const auto one, context_.connection(asked.value("id", "")));
      const auto text = [](const std::optional<std::string>& value) {
        return value ? json(*value) : json();
      };
      return json{{"id", one.id},
                  {"type", text(one.type)},
                  {"host", text(one.host)},
                  {"schema", text(one.schema)},
                  {"login", text(one.login)},
                  {"password", text(one.password)},
                  {"extra", text(one.extra)},
                  {"description", text(one.description)},
                  {"port", one.port ? json(*one.port) : json()},
                  {"uri", jinja::connection_uri(one)}};
    }
    return error(Code::kUnimplemented, fmt::format("nothing is known of '{}'", what));
  }

  /// What `ti.xcom_pull` is in a template, with the arguments that the function gave.
  Result<json> pull(const json& asked) const {
    jinja::Object::Named arguments;
    for (const auto& [name, given] : asked.at("arguments").items()) {
      ASSIGN(auto value, jinja::from_json(given.dump()));
      arguments.emplace_back(name, std::move(value));
    }
    const jinja::Value instance = context_.scope("ti");
    const jinja::Value pull = (*instance.object())->attribute("xcom_pull");
    ASSIGN(const auto value, (*pull.object())->call({}, arguments));
    return value_json(value);
  }

  Context& context_;
  json job_;
  std::optional<json> ended_;
  const char* missing_ = "not_found";
};

Status read_end(const json& ended, Called& called) {
  const std::string how = ended.value("how", "failed"), why = ended.value("why", "");
  called.value = ended.value("value", json());
  called.truth = ended.value("truth", false);
  if (how == "skipped") {
    called.outcome = Outcome::skipped(why);
  } else if (how == "failed_for_good") {
    called.outcome = Outcome::failed_for_good(why);
  } else if (how == "reschedule") {
    called.outcome.how = Outcome::How::kReschedule;
    called.outcome.at = static_cast<sched::Micros>(ended.value("at", 0.0) * 1e6);
  } else if (how != "success") {
    called.outcome = Outcome::failed(why);
  }
  const json said = ended.value("context", json::object());
  for (const auto& [name, value] : said.items()) {
    ASSIGN(auto given, jinja::from_json(value.dump()));
    called.outcome.context.set(jinja::Value(name), std::move(given));
  }
  for (const auto& event : ended.value("events", json::array())) {
    ASSIGN(auto extra, jinja::from_json(event.value("extra", json::object()).dump()));
    called.outcome.events.push_back({.uri = event.value("uri", ""),
                                     .extra = std::move(extra),
                                     .alias = event.value("alias", "")});
  }
  return {};
}

}  // namespace

json value_json(const jinja::Value& value) {
  const auto text = jinja::to_json(value);
  return text ? json::parse(*text) : json(value.text());
}

Result<bool> take_function(const Context& context, std::string_view name, json& job) {
  const std::string word(name);
  if (const jinja::Value* file = argument(context, word + "_file")) {
    job["file"] = file->text();
    ASSIGN(job["name"], text_argument(context, word + "_name"));
    return true;
  }
  if (const jinja::Value* text = argument(context, word + "_lambda")) {
    job["lambda"] = text->text();
    return true;
  }
  ASSIGN(const std::string path, text_argument(context, word));
  if (path.empty()) return false;
  if (path.find('.') == std::string::npos)
    return error(Code::kInvalidArgument,
                 fmt::format("{}: '{}' is no dotted path, module.function", word, path));
  job["path"] = path;
  return true;
}

json python_job(const Context& context) {
  return {{"context", context_json(context)},
          {"sys_path", json::array({context.dags_folder, context.folder})},
          {"args", json::array()},
          {"kwargs", json::object()}};
}

Result<Called> call_python(Context& context, json job) {
  Worker worker(context, std::move(job));
  ASSIGN(Command command, task_command(context, {context.python, "-u", "-c", worker_source()},
                                       task_environment(context)));
  command.serve = [&](std::string_view request) { return worker.serve(request); };
  ASSIGN(const Ended ended, run_process(
                                command, [&](std::string_view line) { context.log.line(line); },
                                context.stop, context.process_started));
  Called called;
  if (auto why = why_ended(context, ended)) {
    called.outcome = Outcome::failed(std::move(*why));
  } else if (!worker.ended()) {
    called.outcome = Outcome::failed(
        ended.signal != 0
            ? fmt::format("Python was killed by signal {}", ended.signal)
            : fmt::format("Python ended with code {} before the function did", ended.code));
  } else {
    TRY(read_end(*worker.ended(), called));
  }
  return called;
}

}  // namespace tailrace::tasks
