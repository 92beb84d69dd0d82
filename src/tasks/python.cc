// Python tasks: PythonOperator and the decorators, each try in a process of its own.
#include <fmt/format.h>

#include <array>

#include "tasks/branch.h"
#include "tasks/operators.h"
#include "tasks/python_call.h"
#include "tasks/worker_source.h"

namespace tailrace::tasks {
namespace {

using nlohmann::json;

/// What becomes of the value.
enum class Kind { kCall, kBranch, kShortCircuit, kSensor, kBash };

const jinja::Value* argument(const Context& context, std::string_view name) {
  const jinja::Value* value = context.arguments.find(name);
  return value == nullptr || value->is_none() ? nullptr : value;
}

/// Which Python calls the function.
enum class Where { kHere, kExternal, kVirtualenv };

/// As Airflow's sentences name the operator.
std::string class_name(const dags::Task& task) {
  const std::string& path = task.operator_path.empty() ? task.decorator_path : task.operator_path;
  const std::string last = path.substr(path.rfind('.') + 1);
  for (const auto& [decorator, name] :
       {std::pair{"external_python_task", "_PythonExternalDecoratedOperator"},
        std::pair{"virtualenv_task", "_PythonVirtualenvDecoratedOperator"},
        std::pair{"branch_external_python_task", "_BranchExternalPythonDecoratedOperator"},
        std::pair{"branch_virtualenv_task", "_BranchPythonVirtualenvDecoratedOperator"}})
    if (last == decorator) return name;
  return last;
}

/// What python/tailrace_task/virtualenv.py is told.
json virtualenv(const Context& context, Where where) {
  json settings = {
      {"source", virtualenv_text()},
      {"modules", {{"tailrace_values", values_text()}, {"tailrace_worker", worker_text()}}},
      {"dags_folder", context.dags_folder}};
  settings["operator"] = class_name(context.task);
  constexpr std::array kBoth = {"serializer",        "string_args", "expect_airflow",
                                "skip_on_exit_code", "env_vars",    "inherit_env"};
  constexpr std::array kExternal = {"python", "expect_pendulum"};
  constexpr std::array kMade = {"requirements",         "python_version",
                                "system_site_packages", "pip_install_options",
                                "index_urls",           "index_urls_from_connection_ids",
                                "venv_cache_path"};
  const auto add = [&](const auto& names) {
    for (const char* name : names)
      if (const jinja::Value* given = argument(context, name)) settings[name] = value_json(*given);
  };
  add(kBoth);
  if (where == Where::kExternal)
    add(kExternal);
  else
    add(kMade);
  return settings;
}

/// What the process is asked to do.
Result<json> work(const Context& context, Where where) {
  json job = python_job(context);
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
  if (where != Where::kHere) job["virtualenv"] = virtualenv(context, where);
  return job;
}

class Python final : public Operator {
 public:
  explicit Python(Kind kind, Where where = Where::kHere) : kind_(kind), where_(where) {}

  Outcome run(Context& context) const override {
    if (kind_ == Kind::kSensor) return sense(context);
    auto called = call(context);
    if (!called) return Outcome::failed(called.error().what);
    if (!called->outcome.how_is_success()) return std::move(called->outcome);
    auto outcome = finish(context, std::move(*called));
    return outcome ? std::move(*outcome) : Outcome::failed(outcome.error().what);
  }

 private:
  Outcome sense(Context& context) const {
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
      if (called.value.is_object() && called.value.contains("is_done"))
        called.value = called.value.value("xcom_value", json());
      ASSIGN(auto value, jinja::from_json(called.value.dump()));
      return value.boolean() != nullptr ? jinja::Value() : value;
    });
    return other.how_is_success() ? looked : other;
  }

  Result<Called> call(Context& context) const {
    ASSIGN(json job, work(context, where_));
    return call_python(context, std::move(job));
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
      if (skipping_returns_nothing(context) && !context.task.downstream.empty())
        outcome.returned = {};
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
  Where where_;
};

}  // namespace

void add_python(OperatorTable& table) {
  const std::string operators = "airflow.providers.standard.operators.python.";
  table[operators + "PythonOperator"] = std::make_unique<Python>(Kind::kCall);
  table[operators + "BranchPythonOperator"] = std::make_unique<Python>(Kind::kBranch);
  table[operators + "ShortCircuitOperator"] = std::make_unique<Python>(Kind::kShortCircuit);
  for (const auto& [name, where] : {std::pair{"ExternalPythonOperator", Where::kExternal},
                                    std::pair{"PythonVirtualenvOperator", Where::kVirtualenv}}) {
    table[operators + name] = std::make_unique<Python>(Kind::kCall, where);
    table[operators + "Branch" + name] = std::make_unique<Python>(Kind::kBranch, where);
  }
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
  table[decorators + "external_python.external_python_task"] =
      std::make_unique<Python>(Kind::kCall, Where::kExternal);
  table[decorators + "python_virtualenv.virtualenv_task"] =
      std::make_unique<Python>(Kind::kCall, Where::kVirtualenv);
  table[decorators + "branch_external_python.branch_external_python_task"] =
      std::make_unique<Python>(Kind::kBranch, Where::kExternal);
  table[decorators + "branch_virtualenv.branch_virtualenv_task"] =
      std::make_unique<Python>(Kind::kBranch, Where::kVirtualenv);
}

}  // namespace tailrace::tasks
