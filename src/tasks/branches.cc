// Branches that no function decides: by time, by day, and whether the run is the latest.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "tasks/branch.h"
#include "tasks/dates.h"
#include "tasks/operators.h"

namespace tailrace::tasks {
namespace {

using sched::Micros;

constexpr Micros kDay = Micros{24} * 3600 * 1'000'000;

/// An operator that follows one of two arguments.
class Branch final : public Operator {
 public:
  using Choose = Result<bool> (*)(const Context&);
  explicit Branch(Choose choose) : choose_(choose) {}

  Outcome run(Context& context) const override {
    const auto chosen = choose_(context);
    if (!chosen) return Outcome::failed(chosen.error().what);
    const jinja::Value* follow = context.arguments.find(
        std::string_view(*chosen ? "follow_task_ids_if_true" : "follow_task_ids_if_false"));
    return branch_to(context, follow == nullptr ? jinja::Value() : *follow);
  }

 private:
  Choose choose_;
};

/// A bound: a moment, or a time of the compared day.
Result<std::optional<Micros>> bound(const Context& context, std::string_view name, Micros now) {
  const jinja::Value* value = context.arguments.find(name);
  if (value == nullptr || value->is_none()) return std::nullopt;
  ASSIGN(const auto time, time_of_day_argument(context, name));
  if (time) return now - ((now % kDay) + kDay) % kDay + *time;
  ASSIGN(const Micros moment, moment_argument(context, name));
  return moment;
}

Result<bool> by_time(const Context& context) {
  const Micros now = compared_moment(context);
  ASSIGN(const auto lower, bound(context, "target_lower", now));
  ASSIGN(auto upper, bound(context, "target_upper", now));
  if (!lower && !upper)
    return error(Code::kInvalidArgument,
                 "Both target_upper and target_lower are None. At least one must be defined to be "
                 "compared to the current datetime");
  ASSIGN(const auto is_time, time_of_day_argument(context, "target_upper"));
  if (lower && upper && is_time && *upper < *lower) *upper += kDay;
  return !(upper && *upper < now) && !(lower && *lower > now);
}

Result<bool> by_day(const Context& context) {
  ASSIGN(const auto days, weekdays_argument(context));
  return days.contains(iso_weekday(context));
}

/// Goes on in the newest scheduled run, and in every run that someone asked for.
class LatestOnly final : public Operator {
 public:
  Outcome run(Context& context) const override {
    if (context.run.type == sched::RunType::kManual || is_latest(context))
      return Outcome::success();
    context.log.line("Not latest execution, skipping downstream.");
    Outcome outcome = Outcome::success();
    outcome.skip = context.task.downstream;
    return outcome;
  }

 private:
  static bool is_latest(const Context& context) {
    const Micros date = context.run.logical_date.value_or(context.run.run_after);
    const calendar::DataInterval interval =
        context.run.interval.value_or(calendar::DataInterval{date, date});
    const calendar::RunInfo last{
        .run_after = context.run.run_after, .logical_date = date, .interval = interval};
    const Micros now = context.clock.now().value * 1000;
    const auto next = context.dag.timetable.next(
        last, {.earliest = interval.end, .latest = {}, .catchup = true}, now);
    if (!next) return true;
    // As Airflow has it: after the end of this interval, up to that of the next one.
    const auto before = context.dag.timetable.next(
        last, {.earliest = {}, .latest = interval.end - 1, .catchup = true}, now);
    const Micros left = before && before->interval ? before->interval->end : interval.start;
    return left < now && now <= (next->interval ? next->interval->end : next->run_after);
  }
};

/// With all that is downstream of them: a join that is also directly below the branch goes on.
std::set<std::string> with_downstream(const dags::Dag& dag, std::vector<std::string> ids) {
  std::set<std::string> all;
  while (!ids.empty()) {
    const std::string id = std::move(ids.back());
    ids.pop_back();
    const dags::Task* task = all.insert(id).second ? dag.find(id) : nullptr;
    if (task != nullptr) ids.insert(ids.end(), task->downstream.begin(), task->downstream.end());
  }
  return all;
}

}  // namespace

bool skipping_returns_nothing(const Context& context) {
  return context.id.map_index < 0;
}

Outcome branch_to(const Context& context, const jinja::Value& chosen) {
  std::vector<std::string> names;
  if (chosen.string() != nullptr) names.push_back(*chosen.string());
  const jinja::List* many = chosen.list() != nullptr    ? chosen.list()
                            : chosen.tuple() != nullptr ? &chosen.tuple()->items
                                                        : nullptr;
  if (many == nullptr && names.empty() && !chosen.is_none())
    return Outcome::failed("a branch must be a task's id, or a list of them, not " + chosen.repr());
  for (std::size_t i = 0; many != nullptr && i < many->size(); ++i) {
    if ((*many)[i].string() == nullptr)
      return Outcome::failed("a branch must be a task's id, or a list of them, not " +
                             chosen.repr());
    names.push_back(*(*many)[i].string());
  }
  std::vector<std::string> wanted;
  for (const auto& name : names) {
    const bool is_group = std::ranges::any_of(context.dag.groups,
                                              [&](const auto& group) { return group.id == name; });
    if (context.dag.find(name) == nullptr && !is_group)
      return Outcome::failed(
          fmt::format("the branch names {}, which is neither a task nor a group of the DAG", name));
    if (!is_group) wanted.push_back(name);
    for (const auto& task : context.dag.tasks) {
      if (is_group && (task.group == name || task.group.starts_with(name + ".")))
        wanted.push_back(task.id);
    }
  }
  const auto followed = with_downstream(context.dag, std::move(wanted));
  Outcome outcome = Outcome::success(chosen);
  outcome.skip.emplace();
  for (const auto& id : context.task.downstream) {
    if (!followed.contains(id)) outcome.skip->push_back(id);
  }
  if (skipping_returns_nothing(context) && !outcome.skip->empty()) outcome.returned = {};
  return outcome;
}

void add_branches(OperatorTable& table) {
  const std::string operators = "airflow.providers.standard.operators.";
  table[operators + "datetime.BranchDateTimeOperator"] = std::make_unique<Branch>(by_time);
  table[operators + "weekday.BranchDayOfWeekOperator"] = std::make_unique<Branch>(by_day);
  table[operators + "latest_only.LatestOnlyOperator"] = std::make_unique<LatestOnly>();
}

}  // namespace tailrace::tasks
