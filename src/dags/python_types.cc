#include "dags/python_types.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace tailrace::dags {
namespace {

using calendar::Local;
using calendar::Micros;
using jinja::Value;

constexpr double kSecond = 1e6;

struct KnownType {
  std::string_view path, name;
};
/// Every path that Airflow 3.3 imports for a class that the reader knows.
constexpr std::array kKnownTypes = std::to_array<KnownType>({
    {"datetime.timedelta", "timedelta"},
    {"pendulum.duration", "timedelta"},
    {"pendulum.Duration", "timedelta"},
    {"dateutil.relativedelta.relativedelta", "relativedelta"},
    {"datetime.datetime", "datetime"},
    {"pendulum.datetime", "datetime"},
    {"pendulum.DateTime", "datetime"},
    {"datetime.date", "date"},
    {"pendulum.date", "date"},
    {"pendulum.timezone", "timezone"},
    {"pendulum.Timezone", "timezone"},
    {"zoneinfo.ZoneInfo", "timezone"},
    {"airflow.Dataset", "Asset"},
    {"airflow.models.Param", "Param"},
    {"airflow.models.param.Param", "Param"},
    {"airflow.sdk.definitions.param.Param", "Param"},
});
/// Modules whose classes have the names that airflow.sdk gives them.
constexpr std::array<std::string_view, 15> kSdkModules = {
    "airflow.sdk",
    "airflow.sdk.definitions.asset",
    "airflow.sdk.definitions.deadline",
    "airflow.sdk.definitions.callback",
    "airflow.sdk.definitions.timetables.trigger",
    "airflow.sdk.definitions.timetables.interval",
    "airflow.sdk.definitions.timetables.events",
    "airflow.sdk.definitions.timetables.assets",
    "airflow.sdk.definitions.timetables.simple",
    "airflow.timetables.trigger",
    "airflow.timetables.interval",
    "airflow.timetables.events",
    "airflow.timetables.assets",
    "airflow.timetables.simple",
    "airflow.sdk.definitions.retry_policy",
};
constexpr std::array<std::string_view, 26> kSdkNames = {
    "Asset",
    "AssetAlias",
    "AssetAll",
    "AssetAny",
    "AssetWatcher",
    "AssetOrTimeSchedule",
    "AsyncCallback",
    "SyncCallback",
    "AverageRuntimeDeadline",
    "ContinuousTimetable",
    "CronDataIntervalTimetable",
    "CronPartitionTimetable",
    "CronTriggerTimetable",
    "DagRunLogicalDateDeadline",
    "DagRunQueuedAtDeadline",
    "DeadlineAlert",
    "DeltaDataIntervalTimetable",
    "DeltaTriggerTimetable",
    "EventsTimetable",
    "FixedDatetimeDeadline",
    "MultipleCronTriggerTimetable",
    "NullTimetable",
    "OnceTimetable",
    "Param",
    "PartitionedAssetTimetable",
    "PartitionedAtRuntime",
};

/// cast_with_type.
void make_objects(Node& node, Findings& findings) {
  for (Node& item : node.items) make_objects(item, findings);
  if (!node.is_map()) return;
  const Node* type = node.find("__type__");
  const Node* arguments = node.find("__args__");
  if (!type && !arguments) return;
  if (type && !type->text()) {
    findings.fatal(type->place,
                   "`__type__` is a dotted path such as datetime.timedelta, not " + type->what());
    return;
  }
  if (!type) {
    findings.doubt(arguments->place, "`__args__` without `__type__` means nothing; leave it out");
  } else if (*type->text() == "builtins.list" && node.find("items")) {
    Node items = std::move(*node.find("items"));
    if (!items.is_list())
      findings.fatal(items.place, "`items` of builtins.list is a list, not " + items.what());
    const Place place = node.place;
    node = std::move(items);
    node.place = place;
    return;
  } else {
    node.kind = Node::Kind::kObject;
    node.type = *type->text();
    if (node.type.find('.') == std::string::npos)
      findings.fatal(type->place,
                     "`" + node.type + "` is no dotted path, such as datetime.timedelta");
    if (arguments && !arguments->is_none()) {
      if (!arguments->is_list())
        findings.fatal(arguments->place, "`__args__` is a list, not " + arguments->what());
      node.positional = arguments->items;
    }
  }
  Node kept;
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    const std::string* key = node.keys[i].value.string();
    if (key && (*key == "__type__" || *key == "__args__")) continue;
    kept.keys.push_back(std::move(node.keys[i]));
    kept.items.push_back(std::move(node.items[i]));
  }
  node.keys = std::move(kept.keys);
  node.items = std::move(kept.items);
}

bool is_asset(const Node& node) {
  const std::string_view type = known_type(node);
  return type == "Asset" || type == "AssetAlias" || type == "AssetAll" || type == "AssetAny";
}

/// `a & b & c` as Airflow's assets add them up: to an AssetAll on the left the right is appended.
Node combine(std::vector<Node> parts, const char* type, const Place& place) {
  Node made = std::move(parts[0]);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (known_type(made) == type) {
      made.positional.push_back(std::move(parts[i]));
      continue;
    }
    Node both;
    both.kind = Node::Kind::kObject;
    both.type = std::string("airflow.sdk.") + type;
    both.place = place;
    both.positional.push_back(std::move(made));
    both.positional.push_back(std::move(parts[i]));
    made = std::move(both);
  }
  return made;
}

/// Dag-factory's logical expressions; it does not look into objects.
void join(Node& node, Findings& findings) {
  if (node.is_object()) return;
  for (Node& item : node.items) join(item, findings);
  if (!node.is_map()) return;
  for (const auto& [word, type] : {std::pair("__and__", "AssetAll"),
                                   std::pair("__or__", "AssetAny"), std::pair("__join__", "")}) {
    Node* parts = node.find(word);
    if (!parts) continue;
    const Place place = node.place;
    if (!parts->is_list() || parts->items.empty()) {
      findings.fatal(parts->place, "`" + std::string(word) +
                                       "` is a list with at least one part, not " + parts->what());
      return;
    }
    Node made;
    if (!*type) {
      std::string text;
      for (const Node& item : parts->items) text += to_value(item).text();
      made.scalar = Value(std::move(text));
    } else {
      const auto odd = std::ranges::find_if_not(parts->items, is_asset);
      if (odd != parts->items.end()) {
        findings.fatal(odd->place, "`" + std::string(word) +
                                       "` joins assets, {__type__: airflow.sdk.Asset, uri: …}, "
                                       "not " +
                                       odd->what());
        return;
      }
      made = combine(std::move(parts->items), type, place);
    }
    made.place = place;
    node = std::move(made);
    return;
  }
}

std::optional<double> number(const Node* node) {
  if (!node || node->kind != Node::Kind::kScalar) return std::nullopt;
  if (const bool* value = node->scalar.boolean()) return *value;
  if (const std::int64_t* value = node->scalar.integer()) return static_cast<double>(*value);
  if (const double* value = node->scalar.real()) return *value;
  return std::nullopt;
}

struct Unit {
  std::string_view name;
  double seconds;
};
constexpr std::array<Unit, 7> kUnits = {{{"days", 86400},
                                         {"seconds", 1},
                                         {"microseconds", 1e-6},
                                         {"milliseconds", 1e-3},
                                         {"minutes", 60},
                                         {"hours", 3600},
                                         {"weeks", 604800}}};

/// The sum of the units that a call names.
std::optional<Micros> sum_of_units(const Node& node, const Bound& bound, Findings& findings) {
  double whole_micros = 0;
  for (const Unit& unit : kUnits) {
    const Node* given = bound.find(unit.name);
    if (!given) continue;
    const auto value = number(given);
    if (!value) {
      findings.fatal(given->place,
                     "`" + std::string(unit.name) + "` is a number, not " + given->what());
      return std::nullopt;
    }
    whole_micros += *value * unit.seconds * kSecond;
  }
  if (std::abs(whole_micros) > 8.64e19 / 10) {
    findings.fatal(node.place, "a timedelta of more than 999999999 days");
    return std::nullopt;
  }
  return static_cast<Micros>(std::llround(whole_micros));
}

/// The numbers of a date's or datetime's arguments, from year to microsecond.
std::optional<Local> numbers_of(const Node& node) {
  static constexpr std::array<std::string_view, 7> kNames = {
      "year", "month", "day", "hour", "minute", "second", "microsecond"};
  Local local{.year = 0, .month = 0, .day = 0};
  const std::array<int*, 7> fields = {&local.year,   &local.month,  &local.day,  &local.hour,
                                      &local.minute, &local.second, &local.micro};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const Node* given = i < node.positional.size() ? &node.positional[i] : node.find(kNames[i]);
    if (!given) continue;
    const std::int64_t* value = given->scalar.integer();
    if (!value || *value < 0 || *value > 999'999) return std::nullopt;
    *fields[i] = static_cast<int>(*value);
  }
  return is_date(local) ? std::optional(local) : std::nullopt;
}

std::shared_ptr<const jinja::Object> numbers_object(const char* path, std::vector<int> numbers) {
  auto object = std::make_shared<PythonObject>();
  object->path = path;
  for (const int value : numbers) object->arguments.emplace_back(value);
  return object;
}

}  // namespace

void cast(Node& node, Findings& findings) {
  make_objects(node, findings);
  join(node, findings);
}

std::string_view known_type(const Node& node) {
  if (!node.is_object()) return "";
  for (const KnownType& known : kKnownTypes)
    if (known.path == node.type) return known.name;
  const std::size_t dot = node.type.rfind('.');
  if (dot == std::string::npos) return "";
  const std::string_view module = std::string_view(node.type).substr(0, dot);
  const std::string_view name = std::string_view(node.type).substr(dot + 1);
  if (std::ranges::find(kSdkModules, module) == kSdkModules.end()) return "";
  const auto found = std::ranges::find(kSdkNames, name);
  return found == kSdkNames.end() ? "" : *found;
}

std::optional<Value> plain_object(const Node& node) {
  const std::string_view type = known_type(node);
  if (type == "timedelta") {
    Findings none;
    if (const auto delta = timedelta_of(node, none)) return Value(jinja::TimeDelta{*delta});
  } else if (type == "datetime") {
    const bool aware = node.type.starts_with("pendulum.") || node.find("tzinfo");
    const auto local = numbers_of(node);
    if (!local) return std::nullopt;
    if (!aware) return naive_value(*local);
    if (const auto moment = moment_of(node, calendar::Zone::utc())) return Value(*moment);
  } else if (type == "date") {
    if (const auto local = numbers_of(node)) return date_value(*local);
  }
  return std::nullopt;
}

std::optional<Micros> timedelta_of(const Node& node, Findings& findings) {
  if (known_type(node) != "timedelta") {
    if (const jinja::TimeDelta* delta = node.scalar.delta()) return delta->micros;
    findings.fatal(node.place,
                   "a timedelta is expected, {__type__: datetime.timedelta, minutes: "
                   "5}, not " +
                       node.what());
    return std::nullopt;
  }
  const Bound bound(
      node, {"days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks"},
      findings);
  return bound.ok() ? sum_of_units(node, bound, findings) : std::nullopt;
}

std::optional<calendar::Delta> delta_of(const Node& node, Findings& findings) {
  if (known_type(node) != "relativedelta") {
    const auto micros = timedelta_of(node, findings);
    return micros ? std::optional(calendar::Delta{.micros = *micros}) : std::nullopt;
  }
  const Bound bound(node,
                    {"/", "years", "months", "days", "leapdays", "weeks", "hours", "minutes",
                     "seconds", "microseconds"},
                    findings);
  if (!bound.ok()) return std::nullopt;
  const auto micros = sum_of_units(node, bound, findings);
  if (!micros) return std::nullopt;
  calendar::Delta delta{.micros = *micros};
  for (const auto& [name, field] :
       {std::pair("years", &delta.years), std::pair("months", &delta.months)}) {
    const Node* given = bound.find(name);
    if (!given) continue;
    const std::int64_t* value = given->scalar.integer();
    if (!value) {
      findings.fatal(given->place,
                     "`" + std::string(name) + "` is a whole number, not " + given->what());
      return std::nullopt;
    }
    *field = static_cast<int>(*value);
  }
  return delta;
}

std::optional<calendar::Moment> moment_of(const Node& node, const calendar::Zone& zone) {
  if (const calendar::Moment* moment = node.scalar.moment()) return *moment;
  if (const auto local = local_of(node.scalar))
    return calendar::Moment{zone.to_instant(*local), zone};
  if (known_type(node) != "datetime") return std::nullopt;
  const auto local = numbers_of(node);
  if (!local) return std::nullopt;
  const Node* named = node.find(node.type.starts_with("pendulum.") ? "tz" : "tzinfo");
  calendar::Zone own = node.type.starts_with("pendulum.") ? calendar::Zone::utc() : zone;
  if (named) {
    const Node* text = known_type(*named) == "timezone" && !named->positional.empty()
                           ? &named->positional[0]
                           : named;
    if (!text->text()) return std::nullopt;
    auto found = calendar::Zone::find(*text->text());
    if (!found) return std::nullopt;
    own = *found;
  }
  return calendar::Moment{own.to_instant(*local), own};
}

bool is_date(const Local& local) {
  static constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (local.year < 1 || local.year > 9999 || local.month < 1 || local.month > 12) return false;
  const bool leap = local.year % 4 == 0 && (local.year % 100 != 0 || local.year % 400 == 0);
  const int days =
      kDays[static_cast<std::size_t>(local.month) - 1] + (leap && local.month == 2 ? 1 : 0);
  return local.day >= 1 && local.day <= days && local.hour < 24 && local.minute < 60 &&
         local.second < 60;
}

Value date_value(const Local& local) {
  return numbers_object("datetime.date", {local.year, local.month, local.day});
}

Value naive_value(const Local& local) {
  return numbers_object("datetime.datetime", {local.year, local.month, local.day, local.hour,
                                              local.minute, local.second, local.micro});
}

std::optional<Local> local_of(const Value& value) {
  const auto* object = value.as<PythonObject>();
  if (!object || (object->path != "datetime.date" && object->path != "datetime.datetime") ||
      object->named.size() > 0)
    return std::nullopt;
  Node node;
  for (const Value& each : object->arguments) {
    node.positional.emplace_back();
    node.positional.back().scalar = each;
  }
  return numbers_of(node);
}

Bound::Bound(const Node& object, std::initializer_list<std::string_view> names,
             Findings& findings) {
  std::vector<std::string> known, order, required;
  bool positional = true;
  for (std::string_view name : names) {
    if (name == "/") {
      positional = false;
      continue;
    }
    const bool needed = name.starts_with('!');
    if (needed) name.remove_prefix(1);
    known.emplace_back(name);
    if (positional) order.emplace_back(name);
    if (needed) required.emplace_back(name);
  }
  const auto fail = [&](const Place& place, std::string what) {
    findings.fatal(place, object.type + ": " + std::move(what));
    ok_ = false;
  };
  for (std::size_t i = 0; i < object.positional.size(); ++i) {
    if (i < order.size())
      given_[order[i]] = &object.positional[i];
    else
      fail(object.positional[i].place, "takes at most " + std::to_string(order.size()) +
                                           " arguments without a name in `__args__`");
  }
  for (std::size_t i = 0; i < object.keys.size(); ++i) {
    const std::string key = object.keys[i].text();
    if (std::ranges::find(known, key) == known.end())
      fail(object.keys[i].place, "has no argument `" + key + "`" + suggestion(key, known));
    else if (!given_.emplace(key, &object.items[i]).second)
      fail(object.keys[i].place, "`" + key + "` is given twice, in `__args__` and by name");
  }
  for (const std::string& name : required)
    if (!given_.contains(name)) fail(object.place, "lacks its argument `" + name + "`");
}

const Node* Bound::find(std::string_view name) const {
  const auto found = given_.find(name);
  return found == given_.end() ? nullptr : found->second;
}

}  // namespace tailrace::dags
