#include "cql_schema/compaction_unified.h"

#include <bit>
#include <cmath>

#include "cql_schema/refusal.h"
#include "cql_types/number.h"

namespace tailrace::cql_schema {
namespace {

using cql_types::Outcome;

constexpr double kMebibyte = 1048576;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::size_t digits_from(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

// The end of the number at the front, 0 where there is none; `plain`: without an exponent.
std::size_t number_end(std::string_view text, bool& plain) {
  plain = true;
  if (text.starts_with("NaN")) return 3;
  std::size_t at = text.starts_with('+') || text.starts_with('-') ? 1 : 0;
  if (text.substr(at).starts_with("Infinity")) return at + 8;
  const auto whole = digits_from(text, at);
  if (whole == at) return 0;
  at = whole;
  if (at < text.size() && text[at] == '.')
    if (const auto end = digits_from(text, at + 1); end > at + 1) at = end;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    auto from = at + 1;
    if (from < text.size() && (text[from] == '+' || text[from] == '-')) ++from;
    if (const auto end = digits_from(text, from); end > from) {
      at = end;
      plain = false;
    }
  }
  return at;
}

// A number of bytes, or what is wrong with its text (empty: nothing to say).
std::expected<double, std::string> human_readable(const std::string& text) {
  if (!text.ends_with("B")) return std::unexpected(text + " does not end in unit B");
  const auto end = text.size() - 1;
  const auto body = std::string_view(text).substr(0, end);
  bool plain = true;
  auto at = number_end(body, plain);
  if (at == 0) return std::unexpected(std::string("null"));
  double value = *cql_types::parse_double(body.substr(0, at));
  if (plain && body.substr(at).starts_with("*2^")) {
    auto from = at + 3;
    if (from < end && (body[from] == '+' || body[from] == '-')) ++from;
    if (const auto stop = digits_from(body, from); stop > from) {
      value = std::ldexp(value, java_int(body.substr(at + 3, stop - at - 3)).value_or(0));
      at = stop;
    }
  }
  while (at < end && (body[at] == ' ' || (body[at] >= '\t' && body[at] <= '\r'))) ++at;
  constexpr std::string_view kPrefixes = "qryzafpnum KMGTPEZYRQ";
  if (at < end) {
    const auto found = kPrefixes.find(body[at]);
    if (found != std::string_view::npos) {
      const int power = static_cast<int>(found) - static_cast<int>(kPrefixes.find(' '));
      ++at;
      if (at < end && body[at] == 'i') {
        ++at;
        value = std::ldexp(value, power * 10);
      } else {
        value *= std::exp(std::log(1000.0) * power);
      }
    }
  }
  if (at != end)
    return std::unexpected(
        fmt::format("Unexpected characters between pos {} and {} in {}", at, end, text));
  return value;
}

std::string memory_text(std::int64_t size) {
  const auto magnitude = static_cast<std::uint64_t>(size < 0 ? -size : size);
  const int prefix = magnitude == 0 ? 0 : (63 - std::countl_zero(magnitude)) / 10;
  if (prefix == 0) return fmt::format("{}B", size);
  return fmt::format("{:.3f}{}iB", std::ldexp(static_cast<double>(size), -prefix * 10),
                     " KMGTPE"[prefix]);
}

Outcome<void> check_scaling(const std::string& list) {
  for (std::size_t at = 0; at <= list.size();) {
    const auto comma = std::min(list.find(',', at), list.size());
    std::string one = list.substr(at, comma - at);
    at = comma + 1;
    one.erase(0, one.find_first_not_of(" \t\n\r"));
    one.erase(one.find_last_not_of(" \t\n\r") + 1);
    if (one.empty() && at > list.size() && comma != 0) break;  // Java's split leaves the end out
    if (one == "N") continue;
    const bool letter = one.starts_with('L') || one.starts_with('T');
    std::string_view digits = one;
    if (letter || one.starts_with('+') || one.starts_with('-')) digits.remove_prefix(1);
    if (digits.empty() || digits_from(digits, 0) != digits.size())
      return misconfigured("Scaling parameter {} must match N|L[0-9]+|T[0-9]+|[+-]?[0-9]+", one);
    if (letter && java_int(digits).value_or(2) < 2)
      return misconfigured("Fan factor cannot be lower than 2 in {}", one);
  }
  return {};
}

// The option's text, which leaves the options; nullopt where it is not there.
std::optional<std::string> taken(Options& options, const std::string& name) {
  const auto node = options.extract(name);
  if (node.empty()) return std::nullopt;
  return node.mapped();
}

Outcome<void> check_target_size(const std::string& text, double& size) {
  const auto value = human_readable(text);
  if (!value)
    return misconfigured("target_sstable_size {} is not a valid size in bytes: {}", text,
                         value.error());
  if (*value >= 0x1p63)
    return misconfigured("target_sstable_size {} is out of range of Long.", text);
  if (*value < kMebibyte)
    return misconfigured("target_sstable_size {} is not acceptable, size must be at least 1.000MiB",
                         text);
  size = std::ceil(*value);
  return {};
}

Outcome<void> check_least_size(const std::string& text, double target) {
  const auto value = human_readable(text);
  if (!value) return misconfigured("{} is not a valid size in bytes for min_sstable_size", text);
  if (*value < 0)
    return misconfigured(
        "Invalid configuration, min_sstable_size should be greater than or equal to 0 (zero)");
  if (std::trunc(*value) >= std::ceil(target * std::sqrt(0.5)))
    return misconfigured(
        "Invalid configuration, min_sstable_size ({}) should be less than 70% of the "
        "targetSSTableSize ({})",
        memory_text(static_cast<std::int64_t>(*value)),
        memory_text(static_cast<std::int64_t>(target)));
  return {};
}

Outcome<void> check_growth(const std::string& text) {
  std::string number = text;
  number.erase(number.find_last_not_of(" \t\n\r") + 1);
  const bool percent = number.ends_with('%');
  if (percent) number.pop_back();
  const auto value = cql_types::parse_double(number);
  if (!value)
    return misconfigured(
        "sstable_growth is not a valid number between 0 and 1: {}",
        number.empty() ? "empty String" : fmt::format("For input string: \"{}\"", number));
  const double growth = percent ? *value / 100 : *value;
  if (growth < 0 || growth > 1)
    return misconfigured("sstable_growth {} must be between 0 and 1", text);
  return {};
}

Outcome<void> check_counts(Options& options) {
  if (const auto text = taken(options, "max_sstables_to_compact"); text && !java_int(*text))
    return misconfigured("{} is not a parsable int (base10) for max_sstables_to_compact", *text);
  const std::string frequency = "expired_sstable_check_frequency_seconds";
  if (const auto text = taken(options, frequency)) {
    const auto value = java_long(*text);
    if (!value) return misconfigured("{} is not a parsable long (base10) for {}", *text, frequency);
    if (*value <= 0)
      return misconfigured("Invalid configuration, {} should be positive: {}", frequency, *value);
  }
  return {};
}

Outcome<void> check_words(Options& options) {
  const std::string unsafe = "unsafe_aggressive_sstable_expiration";
  if (const auto text = taken(options, unsafe);
      text && lower(*text) != "true" && lower(*text) != "false")
    return misconfigured("{} should either be 'true' or 'false', not {}", unsafe, *text);
  if (const auto text = taken(options, "overlap_inclusion_method")) {
    const auto word = lower(*text);
    if (word != "none" && word != "single" && word != "transitive")
      return misconfigured(
          "Invalid overlap inclusion method {}. The valid options are [NONE, SINGLE, TRANSITIVE].",
          *text);
  }
  return {};
}

}  // namespace

Outcome<void> check_unified(Options& options) {
  if (const auto text = taken(options, "scaling_parameters")) TRY(check_scaling(*text));
  if (const auto text = taken(options, "base_shard_count")) {
    const auto value = java_int(*text);
    if (!value)
      return misconfigured("{} is not a parsable int (base10) for base_shard_count", *text);
    if (*value <= 0)
      return misconfigured("Invalid configuration, base_shard_count should be positive: {}",
                           *value);
  }
  double target = 1024 * kMebibyte;
  if (const auto text = taken(options, "target_sstable_size"))
    TRY(check_target_size(*text, target));
  if (const auto text = taken(options, "flush_size_override")) {
    const auto value = human_readable(*text);
    if (!value)
      return misconfigured("flush_size_override {} is not a valid size in bytes: {}", *text,
                           value.error());
    if (*value < kMebibyte)
      return misconfigured(
          "flush_size_override {} is not acceptable, size must be at least 1.000MiB", *text);
  }
  TRY(check_counts(options));
  TRY(check_words(options));
  if (const auto text = taken(options, "min_sstable_size")) TRY(check_least_size(*text, target));
  if (const auto text = taken(options, "sstable_growth")) TRY(check_growth(*text));
  return {};
}

}  // namespace tailrace::cql_schema
