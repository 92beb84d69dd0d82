#include "cql_schema/retry_policy.h"

#include <algorithm>
#include <limits>

#include "cql_schema/properties.h"
#include "cql_schema/refusal.h"
#include "cql_types/number.h"

namespace tailrace::cql_schema {
namespace {

using cql_types::Outcome;

enum class Kind { kOther, kPercentile, kFixed };

std::unexpected<cql_types::Failure> wrong(const std::string& text) {
  return misconfigured("Invalid value {} for option 'speculative_retry'", text);
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos;
}

// At most four digits behind the point, of halves the even one, and none that say nothing.
std::string short_number(double value) {
  std::string text = fmt::format("{:.4f}", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  if (text.starts_with("0.")) text.erase(0, 1);
  return text.empty() ? "0" : text;
}

// What is before one of the suffixes, where that is a number's text.
std::optional<std::string> before(const std::string& text, std::string_view suffix) {
  if (!lower(text).ends_with(suffix)) return std::nullopt;
  auto number = text.substr(0, text.size() - suffix.size());
  if (!is_number(number)) return std::nullopt;
  return number;
}

Outcome<std::string> percentile(const std::string& text, const std::string& number) {
  const auto value = cql_types::parse_double(number);
  if (!value) return wrong(text);
  if (*value <= 0 || *value >= 100)
    return misconfigured(
        "Invalid value {} for PERCENTILE option 'speculative_retry': must be between (0.0 and "
        "100.0)",
        text);
  return short_number(*value) + "p";
}

Outcome<std::string> fixed(const std::string& text, const std::string& number) {
  const auto value = cql_types::parse_double(number);
  if (!value) return wrong(text);
  constexpr double kMost = std::numeric_limits<std::int32_t>::max();
  return fmt::format("{}ms", static_cast<std::int32_t>(std::min(*value, kMost)));
}

Outcome<std::string> simple(const std::string& text, Kind& kind) {
  kind = Kind::kPercentile;
  if (const auto number = before(text, "percentile")) return percentile(text, *number);
  if (const auto number = before(text, "p")) return percentile(text, *number);
  kind = Kind::kFixed;
  if (const auto number = before(text, "ms")) return fixed(text, *number);
  return wrong(text);
}

bool is_argument(std::string_view text) {
  const auto digits = text.find_first_not_of("0123456789.");
  if (digits == 0 || digits == std::string_view::npos) return false;
  return lower(text).find_first_not_of("abcdefghijklmnopqrstuvwxyz", digits) == std::string::npos;
}

// The smaller or the larger of a percentile and a time.
Outcome<std::string> hybrid(const std::string& text, const std::string& name) {
  const auto comma = text.find(',');
  if (!text.ends_with(')') || comma == std::string::npos) return wrong(text);
  // Spaces may stand around the comma only.
  std::string first(text, 4, comma - 4);
  std::string second(text, comma + 1, text.size() - comma - 2);
  first.erase(first.find_last_not_of(" \t") + 1);
  second.erase(0, std::min(second.find_first_not_of(" \t"), second.size()));
  if (!is_argument(first) || !is_argument(second)) return wrong(text);
  Kind kinds[2] = {};
  const auto one = simple(first, kinds[0]);
  const auto two = simple(second, kinds[1]);
  if (!one || !two) return wrong(text);
  if (kinds[0] == kinds[1])
    return misconfigured(
        "Invalid value {} for option 'speculative_retry': MIN()/MAX() arguments should be of "
        "different types, but both are of type {}",
        text, kinds[0] == Kind::kFixed ? "FIXED" : "PERCENTILE");
  const bool in_order = kinds[0] == Kind::kPercentile;
  return fmt::format("{}({},{})", name, in_order ? *one : *two, in_order ? *two : *one);
}

}  // namespace

Outcome<std::string> retry_policy(const std::string& text) {
  const auto word = lower(text);
  if (word == "always") return "ALWAYS";
  if (word == "never" || word == "none") return "NEVER";
  if (word.starts_with("min(")) return hybrid(text, "MIN");
  if (word.starts_with("max(")) return hybrid(text, "MAX");
  Kind kind = Kind::kOther;
  return simple(text, kind);
}

}  // namespace tailrace::cql_schema
