// Values as Airflow's API writes them.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "calendar/zone.h"
#include "jinja/value.h"

namespace tailrace::airflow {

/// Members stay in the order in which they were set.
using Json = nlohmann::ordered_json;

/// `2026-01-02T03:04:05.000006Z`, as pydantic writes a time; null where there is none.
Json time_json(std::optional<calendar::Micros> time);
/// Seconds between two times, as Airflow's `duration`; null where one is missing.
Json duration_json(std::optional<calendar::Micros> start, std::optional<calendar::Micros> end);
/// ISO 8601 (`PT1H30M`), as pydantic writes a timedelta.
std::string iso_duration(calendar::Micros micros);
/// `{"__type": "TimeDelta", "days": 0, "seconds": 300, "microseconds": 0}`; null where there is
/// none.
Json delta_json(std::optional<calendar::Micros> micros);

/// Of a template's or an XCom's value; what JSON has no word for is its text.
Json value_json(const jinja::Value& value);
jinja::Value json_value(const Json& json);

/// The text, or null when it is empty.
Json text_or_null(std::string_view text);

/// As Python's json.dumps writes it: a space after commas and colons, ASCII alone.
std::string python_dump(const Json& json);
/// One line, with what is no UTF-8 replaced.
std::string dump(const Json& json);

}  // namespace tailrace::airflow
