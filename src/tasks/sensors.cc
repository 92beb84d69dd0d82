// Sensors of time, files and commands.
#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "calendar/zone.h"
#include "tasks/dates.h"
#include "tasks/operators.h"
#include "tasks/task_process.h"

namespace tailrace::tasks {
namespace {

using sched::Micros;
using Looked = Result<std::optional<jinja::Value>>;

jinja::Value kNothing() {
  return {};
}

Looked yes(bool come) {
  if (!come) return std::nullopt;
  return kNothing();
}

/// A sensor whose look is a function.
class Sensor final : public Operator {
 public:
  using Look = Looked (*)(Context&);
  explicit Sensor(Look look, bool defers = false) : look_(look), defers_(defers) {}
  Outcome run(Context& context) const override {
    return poke(context, [&] { return look_(context); });
  }
  bool always_defers() const override { return defers_; }

 private:
  Look look_;
  bool defers_;
};

Micros now_of(const Context& context) {
  return context.clock.now().value * 1000;
}

/// A timedelta, or whole minutes, also as a template gives them.
Result<Micros> minutes_or_delta(const Context& context, std::string_view name) {
  const jinja::Value* given = context.arguments.find(name);
  if (given == nullptr) return error(Code::kInvalidArgument, fmt::format("{}: is missing", name));
  if (given->delta() != nullptr) return given->delta()->micros;
  if (const auto minutes = given->number()) return static_cast<Micros>(*minutes) * 60'000'000;
  if (given->string() != nullptr) return std::atoll(given->string()->c_str()) * 60'000'000;
  return error(Code::kInvalidArgument, fmt::format("{}: must be a timedelta, or minutes", name));
}

Looked time_delta(Context& context) {
  ASSIGN(const Micros delta, minutes_or_delta(context, "delta"));
  const Micros base = context.run.interval ? context.run.interval->end : context.run.run_after;
  context.log.line(
      fmt::format("Checking if the delta has elapsed base_time={}, delta={}",
                  calendar::isoformat({.instant = base, .zone = calendar::Zone::utc()}),
                  context.arguments.find(std::string_view("delta"))->text()));
  return yes(now_of(context) > base + delta);
}

/// A time after the beginning of the try.
class Wait final : public Operator {
 public:
  Outcome run(Context& context) const override {
    const auto delta = minutes_or_delta(context, "time_to_wait");
    if (!delta) return Outcome::failed(delta.error().what);
    const Micros whole_seconds = *delta / 1'000'000 * 1'000'000;
    Outcome outcome;
    outcome.at = context.first_started_at.value_or(now_of(context)) + whole_seconds;
    outcome.how =
        now_of(context) >= *outcome.at ? Outcome::How::kSuccess : Outcome::How::kReschedule;
    return outcome;
  }
};

Looked date_time(Context& context) {
  ASSIGN(const Micros at, moment_argument(context, "target_time"));
  context.log.line(
      fmt::format("Checking if the time ({}) has come",
                  calendar::isoformat({.instant = at, .zone = calendar::Zone::utc()})));
  return yes(now_of(context) > at);
}

/// A time of today, in UTC as the zone of DAGs is by default.
Looked time_of_day(Context& context) {
  ASSIGN(const auto time, time_of_day_argument(context, "target_time"));
  if (!time) return error(Code::kInvalidArgument, "target_time: is missing");
  const auto zone = calendar::Zone::utc();
  calendar::Local local = zone.to_local(now_of(context));
  local.hour = local.minute = local.second = local.micro = 0;
  return yes(now_of(context) > zone.to_instant(local) + *time);
}

Looked day_of_week(Context& context) {
  ASSIGN(const auto days, weekdays_argument(context));
  return yes(days.contains(iso_weekday(context)));
}

/// True where there is a file: the path itself, or one somewhere below a folder of that name.
bool has_file(const std::filesystem::path& path) {
  std::error_code failed;
  if (std::filesystem::is_regular_file(path, failed)) return true;
  for (std::filesystem::recursive_directory_iterator at(path, failed), end; !failed && at != end;
       at.increment(failed)) {
    if (!at->is_directory(failed)) return true;
  }
  return false;
}

Looked file(Context& context) {
  ASSIGN(std::string path, text_argument(context, "filepath"));
  ASSIGN(const std::string connection, text_argument(context, "fs_conn_id", "fs_default"));
  if (!path.starts_with('/')) {
    // The connection's folder, where there is one; the project's otherwise.
    const auto found = context.connection(connection);
    std::string base = context.folder;
    if (found && found->schema && !found->schema->empty()) base = "/" + *found->schema;
    path = base + "/" + path;
  }
  context.log.line("Poking for file " + path);
  glob_t found{};
  const int failed = ::glob(path.c_str(), GLOB_NOSORT, nullptr, &found);
  bool there = false;
  for (std::size_t i = 0; failed == 0 && i < found.gl_pathc && !there; ++i) {
    there = has_file(found.gl_pathv[i]);
    if (there) context.log.line(fmt::format("Found File {}", found.gl_pathv[i]));
  }
  globfree(&found);
  return yes(there);
}

/// Exit 0 has come, others come back; with `retry_exit_code` only that one does.
class BashSensor final : public Operator {
 public:
  Outcome run(Context& context) const override {
    Outcome refused;
    Outcome looked = poke(context, [&]() -> Looked {
      ASSIGN(const std::string script, text_argument(context, "bash_command"));
      ASSIGN(auto environment, environment_of(context));
      ASSIGN(const Command command,
             task_command(context, {"bash", "-c", script}, std::move(environment)));
      ASSIGN(const Ended ended, run_process(
                                    command, [&](std::string_view line) { context.log.line(line); },
                                    context.stop, context.process_started));
      if (auto why = why_ended(context, ended)) {
        refused = Outcome::failed(std::move(*why));
        return kNothing();
      }
      if (ended.code == 0) return kNothing();
      const jinja::Value* again = context.arguments.find(std::string_view("retry_exit_code"));
      if (again != nullptr && again->index() && *again->index() != ended.code) {
        refused =
            Outcome::failed_for_good(fmt::format("Command exited with return code {}", ended.code));
        return kNothing();
      }
      return std::nullopt;
    });
    return refused.how_is_success() ? looked : refused;
  }
};

}  // namespace

void add_sensors(OperatorTable& table) {
  const std::string sensors = "airflow.providers.standard.sensors.";
  table[sensors + "filesystem.FileSensor"] = std::make_unique<Sensor>(file);
  table[sensors + "time_delta.TimeDeltaSensor"] = std::make_unique<Sensor>(time_delta);
  table[sensors + "time_delta.TimeDeltaSensorAsync"] = std::make_unique<Sensor>(time_delta, true);
  table[sensors + "time_delta.WaitSensor"] = std::make_unique<Wait>();
  table[sensors + "date_time.DateTimeSensor"] = std::make_unique<Sensor>(date_time);
  table[sensors + "date_time.DateTimeSensorAsync"] = std::make_unique<Sensor>(date_time, true);
  table[sensors + "time.TimeSensor"] = std::make_unique<Sensor>(time_of_day);
  table[sensors + "time.TimeSensorAsync"] = std::make_unique<Sensor>(time_of_day, true);
  table[sensors + "weekday.DayOfWeekSensor"] = std::make_unique<Sensor>(day_of_week);
  table[sensors + "bash.BashSensor"] = std::make_unique<BashSensor>();
}

}  // namespace tailrace::tasks
