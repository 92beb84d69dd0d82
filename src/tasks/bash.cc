// BashOperator: a script, its exit code, its last line.
#include <fmt/format.h>

#include <algorithm>

#include "tasks/operators.h"
#include "tasks/task_process.h"

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
    ASSIGN(Command command, task_command(context, {"bash", "-c", script}, std::move(environment)));
    command.folder = folder;
    std::string last;
    ASSIGN(const Ended ended, run_process(
                                  command,
                                  [&](std::string_view line) {
                                    context.log.line(line);
                                    last.assign(line);
                                  },
                                  context.stop, context.process_started));
    if (auto why = why_ended(context, ended)) return Outcome::failed(std::move(*why));
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

void add_bash(OperatorTable& table) {
  table["airflow.providers.standard.operators.bash.BashOperator"] = std::make_unique<Bash>();
}

}  // namespace tailrace::tasks
