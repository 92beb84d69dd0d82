#include "dags/schedules.h"

#include <algorithm>

#include "dags/assets.h"
#include "dags/python_types.h"

namespace tailrace::dags {
namespace {

using calendar::Timetable;

std::string stripped(const std::string& text) {
  const std::size_t start = text.find_first_not_of(" \t\n\r\f\v");
  if (start == std::string::npos) return "";
  return text.substr(start, text.find_last_not_of(" \t\n\r\f\v") - start + 1);
}

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

std::optional<calendar::Cron> cron_of(const Node& node, Findings& findings) {
  const std::string* text = node.text();
  if (!text) {
    findings.fatal(node.place, "a cron expression is a text, \"0 6 * * *\", not " + node.what());
    return std::nullopt;
  }
  auto cron = calendar::Cron::parse(*text);
  if (cron) return *std::move(cron);
  findings.fatal(node.place, "the schedule `" + *text + "`: " + cron.error().what);
  return std::nullopt;
}

std::optional<Schedule> timed(Timetable::Kind kind) {
  return Schedule{.timetable = Timetable(std::move(kind)), .by_time = true};
}

/// `run_immediately` and `interval` of the cron triggers.
bool read_trigger(const Bound& bound, calendar::CronTrigger& trigger, Findings& findings) {
  if (const Node* interval = bound.find("interval")) {
    const auto delta = delta_of(*interval, findings);
    if (!delta) return false;
    trigger.interval = *delta;
  }
  const Node* immediately = bound.find("run_immediately");
  if (!immediately || immediately->is_none()) return true;
  if (const bool* value = immediately->scalar.boolean()) {
    trigger.run_immediately = *value;
    return true;
  }
  trigger.run_immediately_within = timedelta_of(*immediately, findings);
  return trigger.run_immediately_within.has_value();
}

std::optional<Schedule> cron_trigger(const Node& node, Findings& findings) {
  const bool core = node.type.starts_with("airflow.timetables.");
  const Bound bound =
      core
          ? Bound(node, {"!cron", "/", "!timezone", "interval", "run_immediately"}, findings)
          : Bound(node, {"!expression", "!timezone", "/", "interval", "run_immediately"}, findings);
  if (!bound.ok()) return std::nullopt;
  auto cron = cron_of(*bound.find(core ? "cron" : "expression"), findings);
  const auto zone = zone_of(*bound.find("timezone"), findings);
  if (!cron || !zone) return std::nullopt;
  calendar::CronTrigger trigger;
  trigger.crons.push_back(*std::move(cron));
  trigger.zone = *zone;
  if (!read_trigger(bound, trigger, findings)) return std::nullopt;
  return timed(std::move(trigger));
}

std::optional<Schedule> multiple_crons(const Node& node, Findings& findings) {
  Node named = node;
  named.positional.clear();
  const Bound bound(named, {"/", "!timezone", "interval", "run_immediately"}, findings);
  if (!bound.ok()) return std::nullopt;
  if (node.positional.empty()) {
    findings.fatal(node.place, node.type + " lacks its crons, as a list in `__args__`");
    return std::nullopt;
  }
  calendar::CronTrigger trigger;
  const auto zone = zone_of(*bound.find("timezone"), findings);
  if (!zone) return std::nullopt;
  trigger.zone = *zone;
  for (const Node& each : node.positional) {
    auto cron = cron_of(each, findings);
    if (!cron) return std::nullopt;
    trigger.crons.push_back(*std::move(cron));
  }
  if (!read_trigger(bound, trigger, findings)) return std::nullopt;
  return timed(std::move(trigger));
}

std::optional<Schedule> cron_interval(const Node& node, Findings& findings) {
  const bool core = node.type.starts_with("airflow.timetables.");
  const char* name = core ? "cron" : "expression";
  const Bound bound = core ? Bound(node, {"!cron", "!timezone"}, findings)
                           : Bound(node, {"!expression", "!timezone"}, findings);
  if (!bound.ok()) return std::nullopt;
  auto cron = cron_of(*bound.find(name), findings);
  const auto zone = zone_of(*bound.find("timezone"), findings);
  if (!cron || !zone) return std::nullopt;
  return timed(calendar::CronInterval{*std::move(cron), *zone});
}

std::optional<calendar::Delta> positive_delta(const Node& node, Findings& findings) {
  const auto delta = delta_of(node, findings);
  if (delta && delta->micros <= 0 && delta->months <= 0 && delta->years <= 0) {
    findings.fatal(node.place, "a schedule's interval must be positive");
    return std::nullopt;
  }
  return delta;
}

std::optional<Schedule> delta_trigger(const Node& node, Findings& findings) {
  const Bound bound(node, {"!delta", "/", "interval"}, findings);
  if (!bound.ok()) return std::nullopt;
  const auto delta = positive_delta(*bound.find("delta"), findings);
  if (!delta) return std::nullopt;
  calendar::DeltaTrigger trigger;
  trigger.delta = *delta;
  if (const Node* given = bound.find("interval")) {
    const auto interval = delta_of(*given, findings);
    if (!interval) return std::nullopt;
    trigger.interval = *interval;
  }
  return timed(trigger);
}

std::optional<Schedule> delta_interval(const Node& node, Findings& findings) {
  const Bound bound(node, {"!delta"}, findings);
  if (!bound.ok()) return std::nullopt;
  const auto delta = positive_delta(*bound.find("delta"), findings);
  return delta ? timed(calendar::DeltaInterval{*delta}) : std::nullopt;
}

std::optional<Schedule> events(const Node& node, Findings& findings) {
  const Bound bound(node, {"!event_dates", "/", "restrict_to_events", "presorted", "description"},
                    findings);
  if (!bound.ok()) return std::nullopt;
  const Node& dates = *bound.find("event_dates");
  if (!dates.is_list()) {
    findings.fatal(dates.place, "`event_dates` is a list of dates, not " + dates.what());
    return std::nullopt;
  }
  calendar::Events made;
  for (const Node& date : dates.items) {
    const auto moment = moment_of(date, calendar::Zone::utc());
    if (!moment || local_of(date.scalar)) {
      findings.fatal(date.place,
                     "an event date is {__type__: pendulum.datetime, __args__: [2026, 1, 31], tz: "
                     "UTC}, or a date and time with its offset, not " +
                         date.what());
      return std::nullopt;
    }
    made.times.push_back(moment->instant);
  }
  std::ranges::sort(made.times);
  made.times.erase(std::ranges::unique(made.times).begin(), made.times.end());
  if (const Node* restrict_to = bound.find("restrict_to_events"))
    made.restrict_to_events = to_value(*restrict_to).truth();
  if (const Node* words = bound.find("description"); words && words->text())
    made.description = *words->text();
  return timed(std::move(made));
}

std::optional<Schedule> assets_or_time(const Node& node, const calendar::Zone& zone,
                                       Findings& findings) {
  const Bound bound(node, {"/", "!timetable", "!assets"}, findings);
  if (!bound.ok()) return std::nullopt;
  const Node& inner = *bound.find("timetable");
  if (!inner.is_object()) {
    findings.fatal(inner.place,
                   "`timetable` is one of Airflow's timetables, {__type__: "
                   "airflow.sdk.CronTriggerTimetable, …}, not " +
                       inner.what());
    return std::nullopt;
  }
  auto made = schedule_of(inner, zone, findings);
  if (!made) return std::nullopt;
  const Node& assets = *bound.find("assets");
  if (assets.is_list()) {
    Node all;
    all.kind = Node::Kind::kObject;
    all.type = "airflow.sdk.AssetAll";
    all.place = assets.place;
    all.positional = assets.items;
    made->assets = condition_of(all, findings);
  } else if (assets.is_object()) {
    made->assets = condition_of(assets, findings);
  } else {
    findings.fatal(assets.place, "`assets` is an asset or a list of assets, not " + assets.what());
  }
  return made->assets ? std::move(made) : std::nullopt;
}

std::optional<Schedule> object(const Node& node, const calendar::Zone& zone, Findings& findings) {
  const std::string_view type = known_type(node);
  if (type == "CronTriggerTimetable") return cron_trigger(node, findings);
  if (type == "MultipleCronTriggerTimetable") return multiple_crons(node, findings);
  if (type == "CronDataIntervalTimetable") return cron_interval(node, findings);
  if (type == "DeltaTriggerTimetable") return delta_trigger(node, findings);
  if (type == "DeltaDataIntervalTimetable") return delta_interval(node, findings);
  if (type == "EventsTimetable") return events(node, findings);
  if (type == "AssetOrTimeSchedule") return assets_or_time(node, zone, findings);
  if (type == "NullTimetable") return Schedule{};
  if (type == "OnceTimetable") return timed(calendar::Once{});
  if (type == "ContinuousTimetable") {
    auto made = timed(calendar::Continuous{});
    made->active_runs = 1;
    return made;
  }
  if (type == "timedelta" || type == "relativedelta") {
    const auto delta = positive_delta(node, findings);
    return delta ? timed(calendar::DeltaTrigger{*delta, {}}) : std::nullopt;
  }
  if (type.starts_with("Asset") && type != "AssetWatcher") {
    Schedule made;
    made.assets = condition_of(node, findings);
    return made.assets ? std::optional(std::move(made)) : std::nullopt;
  }
  findings.fatal(
      node.place,
      "`" + node.type +
          "` is no schedule that is known here; take a cron, a timedelta, "
          "assets, or a timetable of airflow.sdk: CronTriggerTimetable, "
          "MultipleCronTriggerTimetable, CronDataIntervalTimetable, DeltaTriggerTimetable, "
          "DeltaDataIntervalTimetable, EventsTimetable, AssetOrTimeSchedule");
  return std::nullopt;
}

}  // namespace

std::optional<calendar::Zone> zone_of(const Node& node, Findings& findings) {
  const Node* name = &node;
  if (known_type(node) == "timezone")
    name = !node.positional.empty() ? &node.positional[0]
           : node.find("name")      ? node.find("name")
                                    : node.find("key");
  if (!name || !name->text()) {
    findings.fatal(node.place, "a time zone is a name such as Europe/Berlin, not " + node.what());
    return std::nullopt;
  }
  auto zone = calendar::Zone::find(*name->text());
  if (zone) return *zone;
  findings.fatal(name->place, zone.error().what);
  return std::nullopt;
}

std::optional<Schedule> schedule_of(const Node& node, const calendar::Zone& zone,
                                    Findings& findings) {
  if (node.is_none()) return Schedule{};
  if (node.is_object()) return object(node, zone, findings);
  if (node.is_list()) {
    Node all;
    all.kind = Node::Kind::kObject;
    all.type = "airflow.sdk.AssetAll";
    for (const Node& item : node.items) {
      if (item.is_none() || (item.text() && stripped(*item.text()).empty())) continue;
      Node part = item;
      if (const std::string* text = item.text()) {
        part = Node{.kind = Node::Kind::kObject, .type = "airflow.sdk.Asset", .place = item.place};
        part.positional.push_back(
            Node{.scalar = jinja::Value(stripped(*text)), .place = item.place});
      }
      all.positional.push_back(std::move(part));
    }
    Schedule made;
    made.assets = condition_of(all, findings);
    return made.assets ? std::optional(std::move(made)) : std::nullopt;
  }
  const std::string* text = node.text();
  if (!text) {
    findings.fatal(node.place,
                   node.find("datasets")
                       ? "`datasets` is of Airflow 2: write the schedule as a list of assets, or "
                         "as __or__ and __and__ of {__type__: airflow.sdk.Asset, uri: …}"
                       : "a schedule is a cron, a preset, `none`, a timedelta, a timetable or "
                         "assets, not " +
                             node.what());
    return std::nullopt;
  }
  if (lower(stripped(*text)) == "none") return Schedule{};
  if (*text == "@once") return timed(calendar::Once{});
  if (*text == "@continuous") {
    auto made = timed(calendar::Continuous{});
    made->active_runs = 1;
    return made;
  }
  auto cron = cron_of(node, findings);
  if (!cron) return std::nullopt;
  calendar::CronTrigger trigger;
  trigger.crons.push_back(*std::move(cron));
  trigger.zone = zone;
  return timed(std::move(trigger));
}

}  // namespace tailrace::dags
