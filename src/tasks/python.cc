// Python tasks: PythonOperator and the decorators, each try in a process of its own
// (python/tailrace_task/worker.py), which asks for XComs, variables and connections while it runs.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tasks/branch.h"
#include "tasks/operators.h"
#include "tasks/process.h"
#include "tasks/worker_source.h"

namespace tailrace::tasks {
namespace {

using nlohmann::json;

/// What becomes of the value.
enum class Kind { kCall, kBranch, kShortCircuit, kSensor, kBash };

json value_json(const jinja::Value& value) {
  const auto text = jinja::to_json(value);
  return text ? json::parse(*text) : json(value.text());
}

const jinja::Value* argument(const Context& context, std::string_view name) {
  const jinja::Value* value = context.arguments.find(name);
  return value == nullptr || value->is_none() ? nullptr : value;
}

/// The names that templates have and that JSON can say; the worker makes the rest.
json context_json(const Context& context) {
  json out = json::object();
  for (const char* name :
       {"ds", "ds_nodash", "ts", "ts_nodash", "ts_nodash_with_tz", "logical_date",
        "data_interval_start", "data_interval_end", "run_id", "params",
        "prev_data_interval_start_success", "prev_data_interval_end_success",
        "prev_start_date_success", "prev_end_date_success", "task_instance_key_str", "test_mode"}) {
    const jinja::Value value = context.scope(name);
    if (!value.is_undefined()) out[name] = value_json(value);
  }
  out["dag"] = {{"dag_id", context.id.run.dag}};
  out["task"] = {{"task_id", context.id.task}, {"owner", context.task.owner}};
  out["dag_run"] = {{"dag_id", context.id.run.dag},
                    {"run_id", context.id.run.run},
                    {"run_type", sched::name(context.run.type)},
                    {"conf", value_json(context.run.conf)}};
  out["ti"] = {{"dag_id", context.id.run.dag},        {"run_id", context.id.run.run},
               {"task_id", context.id.task},          {"map_index", context.id.map_index},
               {"try_number", context.try_number},    {"max_tries", context.task.retries},
               {"task_display_name", context.task.id}};
  if (out.contains("logical_date")) out["dag_run"]["logical_date"] = out["logical_date"];
  if (const jinja::Value* given = argument(context, "templates_dict"))
    out["templates_dict"] = value_json(*given);
  return out;
}

/// What the process is asked to do.
Result<json> work(const Context& context) {
  json job = {{"context", context_json(context)},
              {"sys_path", json::array({context.dags_folder, context.folder})},
              {"args", json::array()},
              {"kwargs", json::object()}};
  if (const jinja::Value* file = argument(context, "python_callable_file")) {
    job["file"] = file->text();
    ASSIGN(job["name"], text_argument(context, "python_callable_name"));
  } else {
    ASSIGN(const std::string path, text_argument(context, "python_callable"));
    if (path.find('.') == std::string::npos)
      return error(Code::kInvalidArgument,
                   fmt::format("python_callable: '{}' is no dotted path, module.function", path));
    job["path"] = path;
  }
  if (const jinja::Value* args = argument(context, "op_args")) job["args"] = value_json(*args);
  if (const jinja::Value* kwargs = argument(context, "op_kwargs"))
    job["kwargs"] = value_json(*kwargs);
  if (job["args"].contains("__data__")) job["args"] = job["args"]["__data__"];
  if (!context.task.decorator_path.empty()) job["decorated"] = true;
  return job;
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
    if (what == "variable") {
      missing_ = "missing";
      ASSIGN(const std::string value, context_.variable(asked.value("key", "")));
      return json(value);
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
      json found = {{"id", one.id},
                    {"type", text(one.type)},
                    {"host", text(one.host)},
                    {"schema", text(one.schema)},
                    {"login", text(one.login)},
                    {"password", text(one.password)},
                    {"extra", text(one.extra)},
                    {"description", text(one.description)},
                    {"port", one.port ? json(*one.port) : json()},
                    {"uri", jinja::connection_uri(one)}};
      if (one.password) context_.log.mask(*one.password);
      return found;
    }
    return error(Code::kUnimplemented, fmt::format("nothing is known of '{}'", what));
  }

  Result<json> pull(const json& asked) const {
    const auto text = [&](const char* name, const std::string& none) {
      const auto at = asked.find(name);
      return at == asked.end() || at->is_null() ? none : at->get<std::string>();
    };
    sched::TaskId id{{text("dag", context_.id.run.dag), text("run", context_.id.run.run)},
                     text("task", context_.id.task),
                     -1};
    if (const auto at = asked.find("map_index"); at != asked.end() && at->is_number())
      id.map_index = *at;
    // What is pulled of one's own task is of one's own instance.
    if (id.task == context_.id.task && id.run == context_.id.run && id.map_index < 0)
      id.map_index = context_.id.map_index;
    ASSIGN(const auto value, context_.metadata.xcom(id, text("key", "return_value")));
    return value ? value_json(*value) : json();
  }

  Context& context_;
  json job_;
  std::optional<json> ended_;
  const char* missing_ = "not_found";
};

class Python final : public Operator {
 public:
  explicit Python(Kind kind) : kind_(kind) {}

  Outcome run(Context& context) const override {
    if (kind_ == Kind::kSensor) return sense(context);
    auto called = call(context);
    if (!called) return Outcome::failed(called.error().what);
    if (!called->outcome.how_is_success()) return std::move(called->outcome);
    auto outcome = finish(context, std::move(*called));
    return outcome ? std::move(*outcome) : Outcome::failed(outcome.error().what);
  }

 private:
  struct Called {
    Outcome outcome;
    json value;
    bool truth = false;
  };

  static Outcome sense(Context& context) {
    Outcome other;
    Outcome looked = poke(context, [&]() -> Result<std::optional<jinja::Value>> {
      ASSIGN(auto called, call(context));
      if (called.outcome.how == Outcome::How::kFailed)
        return error(Code::kAborted, called.outcome.why);
      if (!called.outcome.how_is_success()) {
        other = std::move(called.outcome);
        return jinja::Value();
      }
      if (!called.truth) return std::nullopt;
      ASSIGN(auto value, jinja::from_json(called.value.dump()));
      return value.boolean() != nullptr ? jinja::Value() : value;
    });
    return other.how_is_success() ? looked : other;
  }

  static Result<Called> call(Context& context) {
    ASSIGN(json job, work(context));
    Worker worker(context, std::move(job));
    Command command{.arguments = {context.python, "-u", "-c", std::string(worker_source())},
                    .environment = task_environment(context),
                    .folder = context.folder};
    command.serve = [&](std::string_view request) { return worker.serve(request); };
    if (context.deadline) {
      command.timeout = std::chrono::microseconds(
          std::max<std::int64_t>(0, *context.deadline - context.clock.now().value * 1000));
    }
    ASSIGN(const Ended ended, run_process(
                                  command, [&](std::string_view line) { context.log.line(line); },
                                  context.stop, context.process_started));
    Called called;
    if (ended.timed_out) {
      called.outcome = Outcome::failed("execution_timeout is over");
    } else if (ended.stopped) {
      called.outcome = Outcome::failed("stopped");
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

  static Status read_end(const json& ended, Called& called) {
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
    for (const auto& event : ended.value("events", json::array())) {
      ASSIGN(auto extra, jinja::from_json(event.value("extra", json::object()).dump()));
      called.outcome.events.push_back({.uri = event.value("uri", ""),
                                       .extra = std::move(extra),
                                       .alias = event.value("alias", "")});
    }
    return {};
  }

  Result<Outcome> finish(Context& context, Called called) const {
    Outcome outcome = std::move(called.outcome);
    ASSIGN(outcome.returned, jinja::from_json(called.value.dump()));
    if (kind_ == Kind::kBranch) {
      Outcome branched = branch_to(context, outcome.returned);
      branched.events = std::move(outcome.events);
      return branched;
    } else if (kind_ == Kind::kShortCircuit && !called.truth) {
      ASSIGN(outcome.ignore_downstream_trigger_rules,
             bool_argument(context, "ignore_downstream_trigger_rules", true));
      outcome.skip_all_downstream = true;
    } else if (kind_ == Kind::kBash) {
      // @task.bash: what the function returns is the script.
      const auto* script = outcome.returned.string();
      if (script == nullptr || script->empty())
        return error(Code::kInvalidArgument, "the function of @task.bash must return a script");
      context.arguments.set(jinja::Value("bash_command"), outcome.returned);
      return find_operator("airflow.providers.standard.operators.bash.BashOperator")->run(context);
    }
    return outcome;
  }

  Kind kind_;
};

}  // namespace

void add_python(OperatorTable& table) {
  const std::string operators = "airflow.providers.standard.operators.python.";
  table[operators + "PythonOperator"] = std::make_unique<Python>(Kind::kCall);
  table[operators + "BranchPythonOperator"] = std::make_unique<Python>(Kind::kBranch);
  table[operators + "ShortCircuitOperator"] = std::make_unique<Python>(Kind::kShortCircuit);
  table["airflow.providers.standard.sensors.python.PythonSensor"] =
      std::make_unique<Python>(Kind::kSensor);
  for (const char* name :
       {"airflow.sdk.task", "airflow.sdk.definitions.decorators.task", "airflow.decorators.task"})
    table[name] = std::make_unique<Python>(Kind::kCall);
  const std::string decorators = "airflow.providers.standard.decorators.";
  for (const auto& [name, kind] :
       {std::pair{"python.python_task", Kind::kCall},
        std::pair{"branch_python.branch_task", Kind::kBranch},
        std::pair{"short_circuit.short_circuit_task", Kind::kShortCircuit},
        std::pair{"sensor.sensor_task", Kind::kSensor}, std::pair{"bash.bash_task", Kind::kBash}})
    table[decorators + name] = std::make_unique<Python>(kind);
}

}  // namespace tailrace::tasks
