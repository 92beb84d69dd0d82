// What all processes of tasks have in common.
#include "tasks/task_process.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

#include "calendar/zone.h"

namespace tailrace::tasks {
namespace {

constexpr double kMebibyte = 1 << 20;

/// Airflow's form of it: `resources: {ram: MB}`. What else stands there is for Airflow's executors.
Result<Limits> limits_of(const Context& context) {
  Limits limits = context.limits;
  const jinja::Value* resources = context.arguments.find(std::string_view("resources"));
  if (resources == nullptr || resources->dict() == nullptr) return limits;
  const jinja::Value* ram = resources->dict()->find(std::string_view("ram"));
  if (ram == nullptr || ram->is_none()) return limits;
  const auto megabytes = ram->number();
  if (!megabytes || !(*megabytes > 0) || *megabytes > 1e9)
    return error(Code::kInvalidArgument,
                 fmt::format("resources: ram is {}, and must be megabytes", ram->repr()));
  limits.memory_bytes = static_cast<std::uint64_t>(*megabytes * kMebibyte);
  return limits;
}

std::string size_text(std::uint64_t bytes) {
  const double megabytes = static_cast<double>(bytes) / kMebibyte;
  return megabytes >= 1 ? fmt::format("{} MiB", std::llround(megabytes))
                        : fmt::format("{} bytes", bytes);
}

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

Result<Command> task_command(const Context& context, std::vector<std::string> arguments,
                             std::map<std::string, std::string> environment) {
  Command command{.arguments = std::move(arguments),
                  .environment = std::move(environment),
                  .folder = context.folder};
  ASSIGN(command.limits, limits_of(context));
  return command;
}

std::optional<std::string> why_ended(const Context& context, const Ended& ended) {
  if (ended.stopped) return "stopped";
  const auto limits = limits_of(context).value_or(context.limits);
  switch (ended.beyond) {
    case Limit::kNone:
      return std::nullopt;
    case Limit::kMemory:
      return fmt::format(
          "killed: its processes have more than {} of memory together. More is given to all tasks "
          "by `workflows: {{task_memory: SIZE}}` in tailrace.yml, to this one by "
          "`resources: {{ram: MB}}`",
          size_text(*limits.memory_bytes));
    case Limit::kProcessorTime:
      return fmt::format(
          "killed: its processes have used more than {} s of processor time. More is given by "
          "`workflows: {{task_processor_time: TIME}}` in tailrace.yml",
          std::chrono::duration<double>(*limits.processor_time).count());
    case Limit::kProcesses:
      return fmt::format(
          "killed: it has more than {} processes. More are given by "
          "`workflows: {{task_processes: NUMBER}}` in tailrace.yml",
          *limits.processes);
  }
  return std::nullopt;
}

}  // namespace tailrace::tasks
