// Python tasks: PythonOperator and the decorators, each try in a process of its own.
#include <fmt/format.h>

#include "tasks/branch.h"
#include "tasks/operators.h"
#include "tasks/python_call.h"

namespace tailrace::tasks {
namespace {

using nlohmann::json;

/// What becomes of the value.
enum class Kind { kCall, kBranch, kShortCircuit, kSensor, kBash };

const jinja::Value* argument(const Context& context, std::string_view name) {
  const jinja::Value* value = context.arguments.find(name);
  return value == nullptr || value->is_none() ? nullptr : value;
}

/// What the process is asked to do.
Result<json> work(const Context& context) {
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
  return job;
}

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
      if (called.value.is_object() && called.value.contains("is_done"))
        called.value = called.value.value("xcom_value", json());
      ASSIGN(auto value, jinja::from_json(called.value.dump()));
      return value.boolean() != nullptr ? jinja::Value() : value;
    });
    return other.how_is_success() ? looked : other;
  }

  static Result<Called> call(Context& context) {
    ASSIGN(json job, work(context));
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
