// Tasks about other DAGs: TriggerDagRunOperator, ExternalTaskSensor.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "tasks/dates.h"
#include "tasks/operators.h"

namespace tailrace::tasks {
namespace {

using sched::Micros;

constexpr std::string_view kRunIdKey = "trigger_run_id";

const jinja::Value* argument(const Context& context, std::string_view name) {
  const jinja::Value* value = context.arguments.find(name);
  return value == nullptr || value->is_none() ? nullptr : value;
}

/// An argument that is a text or a list of them.
std::vector<std::string> texts(const Context& context, std::string_view name,
                               std::vector<std::string> none) {
  const jinja::Value* value = argument(context, name);
  if (value == nullptr) return none;
  std::vector<std::string> all;
  if (value->string() != nullptr) all.push_back(*value->string());
  const jinja::List* many = value->list() != nullptr    ? value->list()
                            : value->tuple() != nullptr ? &value->tuple()->items
                                                        : nullptr;
  for (std::size_t i = 0; many != nullptr && i < many->size(); ++i)
    all.push_back((*many)[i].text());
  return all.empty() ? none : all;
}

bool among(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

class TriggerDagRun final : public Operator {
 public:
  Outcome run(Context& context) const override {
    auto outcome = try_run(context);
    return outcome ? std::move(*outcome) : Outcome::failed(outcome.error().what);
  }

 private:
  static Result<Outcome> try_run(Context& context) {
    ASSIGN(const std::string dag, text_argument(context, "trigger_dag_id"));
    ASSIGN(const bool waits, bool_argument(context, "wait_for_completion", false));
    // A try that comes back to wait knows the run that it made.
    ASSIGN(const auto made, context.metadata.xcom(context.id, kRunIdKey));
    if (made && waits) return look(context, {dag, made->text()});
    sched::Trigger wanted{.dag = dag,
                          .run_id = {},
                          .logical_date = context.clock.now().value * 1000,
                          .run_after = {},
                          .conf = {},
                          .by = "operator",
                          .note = {}};
    if (argument(context, "run_after") != nullptr) {
      ASSIGN(wanted.run_after, moment_argument(context, "run_after"));
      wanted.logical_date.reset();
    }
    if (argument(context, "logical_date") != nullptr) {
      ASSIGN(wanted.logical_date, moment_argument(context, "logical_date"));
    }
    ASSIGN(const std::string id, text_argument(context, "trigger_run_id"));
    if (!id.empty()) wanted.run_id = id;
    ASSIGN(wanted.note, text_argument(context, "note"));
    if (const auto* conf = argument(context, "conf")) {
      wanted.conf = *conf;
      if (conf->string() != nullptr) {
        ASSIGN(wanted.conf, jinja::from_json(*conf->string()));
      }
    }
    auto run = context.trigger(wanted);
    if (!run && run.error().code == Code::kAlreadyExists) {
      ASSIGN(const bool skip, bool_argument(context, "skip_when_already_exists", false));
      if (skip)
        return Outcome::skipped(
            "Skipping due to skip_when_already_exists is set to True and DagRunAlreadyExists");
    }
    if (!run) return std::unexpected(run.error());
    context.log.line(fmt::format("Triggered run {} of DAG {}", run->run, dag));
    TRY(context.metadata.put_xcom(context.id, kRunIdKey, jinja::Value(run->run)));
    if (!waits) return Outcome::success();
    return look(context, *run);
  }

  static Result<Outcome> look(Context& context, const sched::RunId& id) {
    ASSIGN(const auto run, context.metadata.run(id));
    if (!run)
      return error(Code::kNotFound, fmt::format("run {} of DAG {} is gone", id.run, id.dag));
    const auto state = sched::name(run->state);
    if (among(texts(context, "failed_states", {"failed"}), state))
      return error(Code::kAborted, fmt::format("{} failed with failed state {}", id.dag, state));
    if (among(texts(context, "allowed_states", {"success"}), state)) return Outcome::success();
    ASSIGN(const auto pause, time_argument(context, "poke_interval", std::chrono::minutes(1)));
    Outcome again;
    again.how = Outcome::How::kReschedule;
    again.at = context.clock.now().value * 1000 + pause.count();
    return again;
  }
};

/// The states of what is waited for, in the one run of that date.
struct Found {
  bool run = false;
  std::vector<std::string> states;
};

class ExternalTask final : public Operator {
 public:
  Outcome run(Context& context) const override {
    Outcome ended;
    Outcome looked = poke(context, [&]() -> Result<std::optional<jinja::Value>> {
      ASSIGN(const std::string dag, text_argument(context, "external_dag_id"));
      ASSIGN(const Found found, find(context, dag));
      const auto allowed = texts(context, "allowed_states", {"success"});
      const auto any = [&](std::string_view name) {
        const auto wanted = texts(context, name, {});
        return std::ranges::any_of(found.states,
                                   [&](const auto& one) { return among(wanted, one); });
      };
      if (any("failed_states")) {
        ASSIGN(const bool soft, bool_argument(context, "soft_fail", false));
        const std::string why = fmt::format("The external DAG {} failed.", dag);
        ended = soft ? Outcome::skipped(why) : Outcome::failed(why);
        return jinja::Value();
      }
      if (any("skipped_states")) {
        ended = Outcome::skipped(fmt::format("The external DAG {} has a skipped state.", dag));
        return jinja::Value();
      }
      const bool come =
          found.run && !found.states.empty() &&
          std::ranges::all_of(found.states, [&](const auto& one) { return among(allowed, one); });
      if (!come) return std::nullopt;
      return jinja::Value();
    });
    return ended.how_is_success() ? looked : ended;
  }

 private:
  static Result<Found> find(Context& context, const std::string& dag) {
    Micros date = context.run.logical_date.value_or(context.run.run_after);
    ASSIGN(const auto delta, time_argument(context, "execution_delta", {}));
    if (argument(context, "execution_date_fn") != nullptr)
      return error(Code::kUnimplemented, "execution_date_fn: not embedded; use execution_delta");
    date -= delta.count();
    ASSIGN(
        const auto page,
        context.metadata.runs({.dag = dag, .logical_from = date, .logical_to = date, .limit = 1}));
    Found found;
    if (page.runs.empty()) return found;
    found.run = true;
    const sched::Run& run = page.runs.front();
    auto wanted = texts(context, "external_task_ids", {});
    if (wanted.empty()) wanted = texts(context, "external_task_id", {});
    const auto groups = texts(context, "external_task_group_id", {});
    if (wanted.empty() && groups.empty()) {
      found.states.emplace_back(sched::name(run.state));
      return found;
    }
    ASSIGN(const auto tasks, context.metadata.tasks(run.id));
    std::set<std::string> seen;
    for (const auto& task : tasks) {
      const bool in_group = !groups.empty() && task.id.task.starts_with(groups.front() + ".");
      if (!in_group && !among(wanted, task.id.task)) continue;
      seen.insert(task.id.task);
      found.states.emplace_back(sched::name(task.state));
    }
    for (const auto& name : wanted) {
      if (!seen.contains(name)) found.states.emplace_back("none");
    }
    return found;
  }
};

}  // namespace

void add_other_dags(OperatorTable& table) {
  table["airflow.providers.standard.operators.trigger_dagrun.TriggerDagRunOperator"] =
      std::make_unique<TriggerDagRun>();
  table["airflow.providers.standard.sensors.external_task.ExternalTaskSensor"] =
      std::make_unique<ExternalTask>();
}

}  // namespace tailrace::tasks
