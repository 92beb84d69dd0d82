// Which operators there are; their arguments as types.
#include "tasks/operator.h"

#include <fmt/format.h>

#include <algorithm>

#include "tasks/operators.h"

namespace tailrace::tasks {
namespace {

const OperatorTable& table() {
  static const OperatorTable kTable = [] {
    OperatorTable made;
    add_bash(made);
    add_branches(made);
    add_cassandra(made);
    add_email(made);
    add_empty(made);
    add_http(made);
    add_kafka(made);
    add_other_dags(made);
    add_python(made);
    add_s3(made);
    add_sensors(made);
    add_slack(made);
    add_spark(made);
    add_sql(made);
    add_sql_checks(made);
    add_tailrace(made);
    return made;
  }();
  return kTable;
}

std::unexpected<Error> wrong(std::string_view name, const jinja::Value& value,
                             std::string_view takes) {
  return error(Code::kInvalidArgument, fmt::format("{}: {} is {}, and must be {}", name,
                                                   value.repr(), value.type_name(), takes));
}

}  // namespace

const Operator* find_operator(std::string_view path) {
  const auto* known = dags::airflow_operators().find(path);
  const auto at = table().find(known != nullptr ? std::string_view(known->path) : path);
  return at == table().end() ? nullptr : at->second.get();
}

const dags::Operators& operators_here() {
  class OperatorsHere final : public dags::Operators {
   public:
    const Signature* find(std::string_view path) const override {
      return dags::airflow_operators().find(path);
    }
    std::vector<std::string> paths() const override { return dags::airflow_operators().paths(); }
    bool runs(const std::string& path) const override { return find_operator(path) != nullptr; }
    bool ignores(std::string_view argument) const override {
      constexpr std::string_view kIgnored[] = {"run_as_user", "pre_execute", "post_execute",
                                               "executor", "executor_config"};
      return std::ranges::find(kIgnored, argument) != std::end(kIgnored);
    }
  };
  static const OperatorsHere operators;
  return operators;
}

std::vector<std::string> embedded_operators() {
  std::vector<std::string> paths;
  for (const auto& [path, made] : table()) paths.push_back(path);
  return paths;
}

Outcome Outcome::success(jinja::Value returned) {
  Outcome outcome;
  outcome.returned = std::move(returned);
  return outcome;
}

Outcome Outcome::failed(std::string why) {
  Outcome outcome;
  outcome.how = How::kFailed;
  outcome.why = std::move(why);
  return outcome;
}

Outcome Outcome::failed_for_good(std::string why) {
  Outcome outcome = failed(std::move(why));
  outcome.how = How::kFailedForGood;
  return outcome;
}

Outcome Outcome::skipped(std::string why) {
  Outcome outcome = failed(std::move(why));
  outcome.how = How::kSkipped;
  return outcome;
}

Result<std::string> text_argument(const Context& context, std::string_view name, std::string none) {
  const jinja::Value* value = context.arguments.find(name);
  if (value == nullptr || value->is_none()) return none;
  if (value->string() == nullptr) return wrong(name, *value, "a text");
  return *value->string();
}

Result<bool> bool_argument(const Context& context, std::string_view name, bool none) {
  const jinja::Value* value = context.arguments.find(name);
  if (value == nullptr || value->is_none()) return none;
  return value->truth();
}

Result<double> number_argument(const Context& context, std::string_view name, double none) {
  const jinja::Value* value = context.arguments.find(name);
  if (value == nullptr || value->is_none()) return none;
  const auto number = value->number();
  if (!number) return wrong(name, *value, "a number");
  return *number;
}

Result<std::chrono::microseconds> time_argument(const Context& context, std::string_view name,
                                                std::chrono::microseconds none) {
  const jinja::Value* value = context.arguments.find(name);
  if (value == nullptr || value->is_none()) return none;
  if (const auto* delta = value->delta()) return std::chrono::microseconds(delta->micros);
  const auto number = value->number();
  if (!number) return wrong(name, *value, "seconds, or a datetime.timedelta");
  return std::chrono::microseconds(static_cast<std::int64_t>(*number * 1e6));
}

bool sleeps_between_looks(const Operator& code, const Context& context) {
  const std::string& path = context.task.decorator_path.empty() ? context.task.operator_path
                                                                : context.task.decorator_path;
  const auto* signature = dags::airflow_operators().find(path);
  if (signature == nullptr || !signature->is("sensor") || code.always_defers()) return false;
  const jinja::Value* defers = context.arguments.find(std::string_view("deferrable"));
  if (defers != nullptr && defers->truth()) return false;
  const auto mode = text_argument(context, "mode", "poke");
  return mode && *mode == "poke";
}

Outcome out_of_time() {
  return Outcome::failed("execution_timeout is over");
}

Outcome out_of_time_at_work(const Context& context) {
  for (const char* name : {"soft_fail", "never_fail"}) {
    const auto says = bool_argument(context, name, false);
    if (says && *says)
      return Outcome::skipped(fmt::format("Skipping due to {} is set to True.", name));
  }
  return out_of_time();
}

Outcome poke(Context& context, const std::function<Result<std::optional<jinja::Value>>()>& look) {
  using std::chrono::microseconds;
  constexpr microseconds kMinute = std::chrono::minutes(1), kWeek = std::chrono::days(7);
  const auto soft_fail = bool_argument(context, "soft_fail", false);
  const auto silent_fail = bool_argument(context, "silent_fail", false);
  const auto never_fail = bool_argument(context, "never_fail", false);
  const auto interval = time_argument(context, "poke_interval", kMinute);
  const auto timeout = time_argument(context, "timeout", kWeek);
  const auto longest = time_argument(context, "max_wait", kWeek);
  const jinja::Value* growth = context.arguments.find(std::string_view("exponential_backoff"));
  for (const auto* argument : {&interval, &timeout, &longest}) {
    if (!*argument) return Outcome::failed_for_good(argument->error().what);
  }
  auto found = look();
  if (found && *found) return Outcome::success(std::move(**found));
  if (!found) {
    // soft_fail is about the timeout alone, as in Airflow 3.
    if (!*silent_fail) {
      return *never_fail ? Outcome::skipped("Skipping due to never_fail is set to True.")
                         : Outcome::failed(found.error().what);
    }
    context.log.line("the look failed: " + found.error().what);
  }
  const sched::Micros now = context.clock.now().value * 1000;
  const sched::Micros waited = now - context.first_started_at.value_or(now);
  if (waited > timeout->count()) {
    const std::string why = fmt::format(
        "Sensor has timed out; run duration of {:.3f} seconds exceeds "
        "the specified timeout of {:.1f}.",
        static_cast<double>(waited) / 1e6, static_cast<double>(timeout->count()) / 1e6);
    return *soft_fail ? Outcome::skipped(why) : Outcome::failed_for_good(why);
  }
  microseconds pause = *interval;
  if (growth != nullptr && growth->truth()) {
    // The time waited so far is about the sum of the pauses before, so this doubles them.
    pause = std::clamp(microseconds(waited) + *interval, *interval, std::max(*longest, *interval));
  }
  Outcome outcome;
  outcome.how = Outcome::How::kReschedule;
  outcome.at = now + pause.count();
  return outcome;
}

}  // namespace tailrace::tasks
