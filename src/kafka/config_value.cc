// Values of settings: read as Kafka's ConfigDef reads them, refused in its words.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "kafka/config_table.h"

namespace tailrace::kafka {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string low(text);
  for (auto& c : low) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return low;
}

std::unexpected<Error> refused(const ConfigInfo& config, std::string_view value,
                               std::string_view why) {
  return error(Code::kInvalidArgument,
               fmt::format("Invalid value {} for configuration {}: {}", value, config.name, why));
}

Status check_range(const ConfigInfo& config, double number, std::string_view shown) {
  if (config.rule == ConfigRule::kGzipLevel && number != -1 && (number < 1 || number > 9)) {
    return refused(config, shown, "Value must be between 1 and 9 or equal to -1");
  }
  if (config.min && number < *config.min) {
    return refused(config, shown, fmt::format("Value must be at least {}", *config.min));
  }
  if (config.max && number > *config.max) {
    return refused(config, shown, fmt::format("Value must be no more than {}", *config.max));
  }
  return {};
}

template <typename Number>
Result<std::string> read_whole(const ConfigInfo& config, std::string_view value,
                               std::string_view type) {
  auto text = trimmed(value);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  Number number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size()) {
    return refused(config, value, fmt::format("Not a number of type {}", type));
  }
  auto shown = fmt::format("{}", number);
  TRY(check_range(config, static_cast<double>(number), shown));
  return shown;
}

/// As Java prints a double: 0.5, 1.0, 1.0E-5.
std::string java_double(double number) {
  const double size = std::fabs(number);
  if (size == 0 || (size >= 1e-3 && size < 1e7)) {
    const auto shown = fmt::format("{}", number);
    return shown.find('.') == std::string::npos ? shown + ".0" : shown;
  }
  char digits[64];
  const auto written =
      std::to_chars(digits, digits + sizeof digits, number, std::chars_format::scientific);
  std::string shown(digits, written.ptr);
  const auto e = shown.find('e');
  if (e == std::string::npos) return shown;
  auto mantissa = shown.substr(0, e);
  if (mantissa.find('.') == std::string::npos) mantissa += ".0";
  return fmt::format("{}E{}", mantissa, std::stoi(shown.substr(e + 1)));
}

Result<std::string> read_double(const ConfigInfo& config, std::string_view value) {
  auto text = trimmed(value);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  double number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) {
    return refused(config, value, "Not a number of type DOUBLE");
  }
  auto shown = java_double(number);
  TRY(check_range(config, number, shown));
  return shown;
}

Result<std::string> read_boolean(const ConfigInfo& config, std::string_view value) {
  auto low = lower(trimmed(value));
  if (low == "true" || low == "false") return low;
  return refused(config, value, "Expected value to be either true or false");
}

Status check_word(const ConfigInfo& config, std::string_view word) {
  if (config.valid.empty()) return {};
  const bool known = std::ranges::any_of(config.valid, [&](std::string_view valid) {
    return valid == word || (config.any_case && lower(valid) == lower(word));
  });
  if (known) return {};
  return refused(
      config, word,
      fmt::format("String must be one of{}: {}", config.any_case ? " (case insensitive)" : "",
                  fmt::join(config.valid, ", ")));
}

/// One partition:broker of a list of throttled replicas.
bool is_replica(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  const auto digits = [](std::string_view part) {
    return !part.empty() && std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
  };
  return digits(text.substr(0, colon)) && digits(text.substr(colon + 1));
}

Result<std::string> read_list(const ConfigInfo& config, std::string_view value) {
  std::vector<std::string> elements;
  for (auto& element : config_list(value)) {
    if (config.checked_list && element.empty()) {
      return error(Code::kInvalidArgument,
                   fmt::format("Configuration '{}' values must not be empty.", config.name));
    }
    if (std::ranges::find(elements, element) == elements.end()) {
      elements.push_back(std::move(element));
    }
  }
  if (elements.empty() && !config.empty_allowed) {
    return error(
        Code::kInvalidArgument,
        fmt::format("Configuration '{}' must not be empty. Valid values include: [{}]", config.name,
                    config.valid.empty() ? "any non-empty value"
                                         : fmt::format("{}", fmt::join(config.valid, ", "))));
  }
  for (const auto& element : elements) TRY(check_word(config, element));
  const bool throttled = config.rule == ConfigRule::kThrottledReplicaList;
  if (throttled && elements != std::vector<std::string>{"*"} &&
      !std::ranges::all_of(elements, is_replica)) {
    return refused(config, fmt::format("[{}]", fmt::join(elements, ", ")),
                   fmt::format("{} must be the literal '*' or a list of replicas in the following "
                               "format: [partitionId]:[brokerId],[partitionId]:[brokerId],...",
                               config.name));
  }
  return fmt::format("{}", fmt::join(elements, ","));
}

/// PnDTnHnMn.nS, with at least one part and none empty, as java.time.Duration reads it.
bool is_duration(std::string_view text) {
  auto rest = lower(text);
  if (!rest.starts_with("p")) return false;
  rest.erase(0, 1);
  std::string_view units = "dthms";
  bool any = false;
  bool time = false;
  std::size_t at = 0;
  while (at < rest.size()) {
    if (rest[at] == 't' && !time) {
      time = true;
      units = "hms";
      if (++at == rest.size()) return false;
      continue;
    }
    const auto end = rest.find_first_not_of("0123456789.", at);
    if (end == at || end == std::string::npos) return false;
    const auto unit = units.find(rest[end]);
    if (unit == std::string_view::npos || (rest[end] != 'd' && !time)) return false;
    if (rest[end] != 's' && rest.substr(at, end - at).find('.') != std::string::npos) return false;
    units.remove_prefix(unit + 1);
    any = true;
    at = end + 1;
  }
  return any;
}

Status check_offset_reset(const ConfigInfo& config, std::string_view value) {
  constexpr std::string_view kByDuration = "by_duration:";
  if (value == "earliest" || value == "latest") return {};
  if (value.starts_with(kByDuration) && is_duration(value.substr(kByDuration.size()))) return {};
  return refused(config, value,
                 fmt::format("Invalid value `{}` for configuration {}. The value must be either "
                             "'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.",
                             value, config.name));
}

Result<std::string> read_string(const ConfigInfo& config, std::string_view value) {
  const auto text = trimmed(value);
  TRY(check_word(config, text));
  if (config.rule == ConfigRule::kOffsetReset) TRY(check_offset_reset(config, text));
  if (config.rule == ConfigRule::kNonEmptyString && text.empty()) {
    return refused(config, text, "String must be non-empty");
  }
  return std::string(text);
}

}  // namespace

std::vector<std::string> config_list(std::string_view value) {
  std::vector<std::string> elements;
  auto rest = trimmed(value);
  if (rest.empty()) return elements;
  while (true) {
    const auto comma = rest.find(',');
    elements.emplace_back(trimmed(rest.substr(0, comma)));
    if (comma == std::string_view::npos) return elements;
    rest.remove_prefix(comma + 1);
  }
}

Result<std::string> read_config(const ConfigInfo& config, std::string_view value) {
  switch (config.type) {
    case ConfigType::kBoolean:
      return read_boolean(config, value);
    case ConfigType::kInt:
      return read_whole<std::int32_t>(config, value, "INT");
    case ConfigType::kShort:
      return read_whole<std::int16_t>(config, value, "SHORT");
    case ConfigType::kLong:
      return read_whole<std::int64_t>(config, value, "LONG");
    case ConfigType::kDouble:
      return read_double(config, value);
    case ConfigType::kList:
      return read_list(config, value);
    default:
      return read_string(config, value);
  }
}

}  // namespace tailrace::kafka
