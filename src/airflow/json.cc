#include "airflow/json.h"

#include <fmt/format.h>

#include <cmath>

namespace tailrace::airflow {
namespace {

constexpr calendar::Micros kSecond = 1'000'000;
constexpr calendar::Micros kDay = 86'400 * kSecond;

}  // namespace

Json time_json(std::optional<calendar::Micros> time) {
  if (!time) return nullptr;
  std::string text = calendar::isoformat({.instant = *time, .zone = calendar::Zone::utc()});
  constexpr std::string_view kOffset = "+00:00";
  if (text.ends_with(kOffset)) text.replace(text.size() - kOffset.size(), kOffset.size(), "Z");
  return text;
}

Json duration_json(std::optional<calendar::Micros> start, std::optional<calendar::Micros> end) {
  if (!start || !end) return nullptr;
  return static_cast<double>(*end - *start) / static_cast<double>(kSecond);
}

std::string iso_duration(calendar::Micros micros) {
  std::string text = micros < 0 ? "-P" : "P";
  micros = std::abs(micros);
  if (micros >= kDay) text += fmt::format("{}D", micros / kDay);
  micros %= kDay;
  if (micros == 0 && text.back() != 'P') return text;
  text += 'T';
  const auto hours = micros / (3600 * kSecond), minutes = micros / (60 * kSecond) % 60;
  const auto rest = micros % (60 * kSecond);
  if (hours > 0) text += fmt::format("{}H", hours);
  if (minutes > 0) text += fmt::format("{}M", minutes);
  if (rest % kSecond != 0) {
    std::string fraction = fmt::format("{:06}", rest % kSecond);
    while (fraction.ends_with('0')) fraction.pop_back();
    text += fmt::format("{}.{}S", rest / kSecond, fraction);
  } else if (rest > 0 || text.ends_with('T')) {
    text += fmt::format("{}S", rest / kSecond);
  }
  return text;
}

Json delta_json(std::optional<calendar::Micros> micros) {
  if (!micros) return nullptr;
  // Python's timedelta: only the days are negative.
  const auto days = *micros >= 0 ? *micros / kDay : -((-*micros + kDay - 1) / kDay);
  const auto rest = *micros - days * kDay;
  return {{"__type", "TimeDelta"},
          {"days", days},
          {"seconds", rest / kSecond},
          {"microseconds", rest % kSecond}};
}

Json value_json(const jinja::Value& value) {
  if (value.is_none() || value.is_undefined()) return nullptr;
  if (const bool* one = value.boolean()) return *one;
  if (const auto* one = value.integer()) return *one;
  if (const double* one = value.real()) return std::isfinite(*one) ? Json(*one) : Json(nullptr);
  if (const auto* one = value.string()) return *one;
  const auto list = [](const jinja::List& items) {
    Json all = Json::array();
    for (const auto& item : items) all.push_back(value_json(item));
    return all;
  };
  if (const auto* one = value.list()) return list(*one);
  if (const auto* one = value.tuple()) return list(one->items);
  if (const auto* one = value.dict()) {
    Json all = Json::object();
    for (const auto& [name, item] : one->items()) all[name.text()] = value_json(item);
    return all;
  }
  if (const auto* one = value.moment()) return time_json(one->instant);
  if (const auto* one = value.delta())
    return static_cast<double>(one->micros) / static_cast<double>(kSecond);
  return value.text();
}

jinja::Value json_value(const Json& json) {
  switch (json.type()) {
    case Json::value_t::boolean:
      return json.get<bool>();
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return json.get<std::int64_t>();
    case Json::value_t::number_float:
      return json.get<double>();
    case Json::value_t::string:
      return json.get<std::string>();
    case Json::value_t::array: {
      jinja::List list;
      for (const auto& item : json) list.push_back(json_value(item));
      return list;
    }
    case Json::value_t::object: {
      jinja::Dict dict;
      for (const auto& [name, item] : json.items()) dict.set(jinja::Value(name), json_value(item));
      return dict;
    }
    case Json::value_t::null:
    case Json::value_t::binary:
    case Json::value_t::discarded:
      break;
  }
  return {};
}

Json text_or_null(std::string_view text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

std::string python_dump(const Json& json) {
  std::string text;
  if (json.is_object()) {
    for (const auto& [name, value] : json.items())
      text += (text.empty() ? "" : ", ") + python_dump(name) + ": " + python_dump(value);
    return "{" + text + "}";
  }
  if (json.is_array()) {
    for (const auto& value : json) text += (text.empty() ? "" : ", ") + python_dump(value);
    return "[" + text + "]";
  }
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tailrace::airflow
