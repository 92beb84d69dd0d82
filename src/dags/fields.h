// Typed reads of a DAG file's nodes: each says at its place what it takes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calendar/timetable.h"
#include "dags/tree.h"

namespace tailrace::dags {

/// Each is none after a finding that names `name`. None (null) is the caller's to look for.
std::optional<std::string> text_field(const Node& node, std::string_view name, Findings& findings);
std::optional<bool> bool_field(const Node& node, std::string_view name, Findings& findings);
std::optional<std::int64_t> integer_field(const Node& node, std::string_view name,
                                          Findings& findings);
/// A timedelta, or seconds as a number.
std::optional<calendar::Micros> seconds_field(const Node& node, std::string_view name,
                                              Findings& findings);

/// dag-factory's get_datetime: a date, a datetime, an ISO text, or `2 days` before the start of
/// today; its wall clock is read in `zone`, whatever offset it says.
std::optional<calendar::Moment> date_field(const Node& node, std::string_view name,
                                           const calendar::Zone& zone, calendar::Micros now,
                                           Findings& findings);

/// `2 days`, `1 hour` as dag-factory's get_time_delta reads it.
std::optional<calendar::Micros> relative_time(const std::string& text);

/// dag-factory's set_callback: a dotted path, or {callback: dotted path, arguments…}; in the form
/// of Task's callbacks.
std::optional<jinja::Value> callback_field(const Node& node, std::string_view name,
                                           Findings& findings);

/// A mapping of params: plain values, or airflow.sdk.Param.
std::vector<Param> params_field(const Node& node, Findings& findings);

/// Airflow's validate_key, and of a group's: no dots. False after a finding.
bool check_key(const std::string& key, bool group, const Place& place, Findings& findings);

}  // namespace tailrace::dags
