// BashOperator: a script, its exit code, its last line.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "calendar/zone.h"
#include "tasks/operators.h"
#include "tasks/process.h"

namespace tailrace::tasks {
namespace {

/// Exit codes that skip: one number, or a list of them; 99 by default; None for none.
std::vector<std::int64_t> skip_codes(const Context& context) {
  const jinja::Value* value = context.arguments.find(std::string_view("skip_on_exit_code"));
  if (value == nullptr) return {99};
  std::vector<std::int64_t> codes;
  if (const auto one = value->index()) codes.push_back(*one);
  const jinja::List* many = value->list() != nullptr    ? value->list()
                            : value->tuple() != nullptr ? &value->tuple()->items
                                                        : nullptr;
  for (std::size_t i = 0; many != nullptr && i < many->size(); ++i) {
    if (const auto one = (*many)[i].index()) codes.push_back(*one);
  }
  return codes;
}

class Bash final : public Operator {
 public:
  Outcome run(Context& context) const override {
    auto outcome = try_run(context);
    return outcome ? std::move(*outcome) : Outcome::failed(outcome.error().what);
  }

 private:
  static Result<Outcome> try_run(Context& context) {
    ASSIGN(const std::string script, text_argument(context, "bash_command"));
    ASSIGN(const std::string folder, text_argument(context, "cwd", context.folder));
    ASSIGN(auto environment, environment_of(context));
    Command command{.arguments = {"bash", "-c", script},
                    .environment = std::move(environment),
                    .folder = folder};
    if (context.deadline) {
      command.timeout = std::chrono::microseconds(
          std::max<std::int64_t>(0, *context.deadline - context.clock.now().value * 1000));
    }
    std::string last;
    ASSIGN(const Ended ended, run_process(
                                  command,
                                  [&](std::string_view line) {
                                    context.log.line(line);
                                    last.assign(line);
                                  },
                                  context.stop, context.process_started));
    if (ended.timed_out) return Outcome::failed("execution_timeout is over");
    if (ended.stopped) return Outcome::failed("stopped");
    const auto codes = skip_codes(context);
    if (std::ranges::find(codes, ended.code) != codes.end())
      return Outcome::skipped(
          fmt::format("Bash command returned exit code {}. Skipping.", ended.code));
    if (ended.code != 0)
      return Outcome::failed(fmt::format(
          "Bash command failed. The command returned a non-zero exit code {}.", ended.code));
    return Outcome::success(jinja::Value(last));
  }
};

}  // namespace

std::map<std::string, std::string> task_environment(const Context& context) {
  std::map<std::string, std::string> environment;
  for (const char* name : {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE",
                           "TZ", "TMPDIR", "VIRTUAL_ENV", "JAVA_HOME"}) {
    if (const char* value = std::getenv(name)) environment[name] = value;
  }
  environment.try_emplace("PATH", "/usr/local/bin:/usr/bin:/bin");
  environment["AIRFLOW_CTX_DAG_OWNER"] = context.task.owner;
  environment["AIRFLOW_CTX_DAG_ID"] = context.id.run.dag;
  environment["AIRFLOW_CTX_TASK_ID"] = context.id.task;
  environment["AIRFLOW_CTX_DAG_RUN_ID"] = context.id.run.run;
  environment["AIRFLOW_CTX_TRY_NUMBER"] = std::to_string(context.try_number);
  if (context.run.logical_date)
    environment["AIRFLOW_CTX_LOGICAL_DATE"] =
        calendar::isoformat({.instant = *context.run.logical_date, .zone = calendar::Zone::utc()});
  environment[std::string(kTaskMark)] = context.mark;
  for (const auto& [name, value] : context.environment) environment[name] = value;
  return environment;
}

Result<std::map<std::string, std::string>> environment_of(const Context& context) {
  auto environment = task_environment(context);
  const jinja::Value* given = context.arguments.find(std::string_view("env"));
  if (given == nullptr || given->is_none()) return environment;
  if (given->dict() == nullptr)
    return error(Code::kInvalidArgument, "env: must be a mapping of names to texts");
  ASSIGN(const bool append, bool_argument(context, "append_env", false));
  if (!append) {
    std::erase_if(environment, [](const auto& one) {
      return !one.first.starts_with("AIRFLOW_CTX_") && !one.first.starts_with("TAILRACE_");
    });
  }
  for (const auto& [name, value] : given->dict()->items()) environment[name.text()] = value.text();
  return environment;
}

void add_bash(OperatorTable& table) {
  table["airflow.providers.standard.operators.bash.BashOperator"] = std::make_unique<Bash>();
}

}  // namespace tailrace::tasks
