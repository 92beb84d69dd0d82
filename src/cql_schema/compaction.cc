#include "cql_schema/compaction.h"

#include <algorithm>
#include <cmath>

#include "cql_schema/compaction_unified.h"
#include "cql_schema/java_order.h"
#include "cql_schema/refusal.h"
#include "cql_types/number.h"

namespace tailrace::cql_schema {
namespace {

using cql_types::Outcome;

constexpr std::string_view kPackage = "org.apache.cassandra.db.compaction.";
constexpr std::string_view kSizeTiered = "SizeTieredCompactionStrategy";
constexpr std::string_view kLeveled = "LeveledCompactionStrategy";
constexpr std::string_view kTimeWindow = "TimeWindowCompactionStrategy";
constexpr std::string_view kUnified = "UnifiedCompactionStrategy";

const std::string* find(const Options& options, const std::string& name) {
  const auto found = options.find(name);
  return found == options.end() ? nullptr : &found->second;
}

bool is_boolean(const std::string& text) {
  const auto word = lower(text);
  return word == "true" || word == "false";
}

Outcome<void> check_whole(const std::string& text, std::string_view name) {
  if (java_int(text)) return {};
  return misconfigured("{} is not a parsable int (base10) for {}", text, name);
}

// What every strategy knows; takes it out of `left`.
Outcome<void> check_common(const Options& options, Options& left) {
  if (const auto* text = find(options, "tombstone_threshold")) {
    const auto value = cql_types::parse_float(*text);
    if (!value)
      return misconfigured("{} is not a parsable int (base10) for tombstone_threshold", *text);
    if (*value < 0)
      return misconfigured("tombstone_threshold must be greater than 0, but was {:f}", *value);
  }
  if (const auto* text = find(options, "tombstone_compaction_interval")) {
    const auto value = java_long(*text);
    if (!value)
      return misconfigured("{} is not a parsable int (base10) for tombstone_compaction_interval",
                           *text);
    if (*value < 0)
      return misconfigured("tombstone_compaction_interval must be greater than 0, but was {}",
                           *value);
  }
  const auto* unchecked = find(options, "unchecked_tombstone_compaction");
  if (unchecked && !is_boolean(*unchecked))
    return misconfigured(
        "'unchecked_tombstone_compaction' should be either 'true' or 'false', not '{}'",
        *unchecked);
  const auto* log_all = find(options, "log_all");
  if (log_all && !is_boolean(*log_all))
    return misconfigured("'log_all' should either be 'true' or 'false', not {}", *log_all);
  const auto* enabled = find(options, "enabled");
  if (enabled && !is_boolean(*enabled))
    return misconfigured("enabled should either be 'true' or 'false', not {}", *enabled);
  for (const auto* name :
       {"tombstone_threshold", "tombstone_compaction_interval", "unchecked_tombstone_compaction",
        "log_all", "enabled", "only_purge_repaired_tombstones", "provide_overlapping_tombstones"})
    left.erase(name);
  return {};
}

Outcome<double> read_double(const Options& options, const std::string& name, double by_default) {
  const auto* text = find(options, name);
  if (!text) return by_default;
  const auto value = cql_types::parse_double(*text);
  if (!value) return misconfigured("{} is not a parsable float for {}", *text, name);
  return *value;
}

Outcome<void> check_size_tiered(const Options& options, Options& left) {
  if (const auto* text = find(options, "min_sstable_size")) {
    const auto value = java_long(*text);
    if (!value)
      return misconfigured("{} is not a parsable int (base10) for min_sstable_size", *text);
    if (*value < 0) return misconfigured("min_sstable_size must be non negative: {}", *value);
  }
  ASSIGN(const double low, read_double(options, "bucket_low", 0.5));
  ASSIGN(const double high, read_double(options, "bucket_high", 1.5));
  if (high <= low)
    return misconfigured(
        "bucket_high value ({}) is less than or equal to the bucket_low value ({})",
        cql_types::double_text(high), cql_types::double_text(low));
  for (const auto* name : {"min_sstable_size", "bucket_low", "bucket_high"}) left.erase(name);
  return {};
}

// Digits of fanout^8 × size × 2^20.
std::string largest_level(long long fanout, long long size_mb) {
  std::vector<std::uint64_t> limbs = {1};  // by billions, the lowest first
  const auto multiply = [&limbs](std::uint64_t by) {
    std::uint64_t carry = 0;
    for (auto& limb : limbs) {
      carry += limb * by;
      limb = carry % 1'000'000'000;
      carry /= 1'000'000'000;
    }
    for (; carry > 0; carry /= 1'000'000'000) limbs.push_back(carry % 1'000'000'000);
  };
  for (int i = 0; i < 8; ++i) multiply(static_cast<std::uint64_t>(fanout));
  multiply(static_cast<std::uint64_t>(size_mb));
  multiply(1 << 20);
  std::string text = std::to_string(limbs.back());
  for (auto i = limbs.size() - 1; i-- > 0;) text += fmt::format("{:09}", limbs[i]);
  return text;
}

Outcome<void> check_leveled(const Options& options, Options& left) {
  long long sizes[2] = {1, 10};
  const std::string names[2] = {"sstable_size_in_mb", "fanout_size"};
  for (int i = 0; i < 2; ++i) {
    const auto* text = find(options, names[i]);
    if (!text) continue;
    TRY(check_whole(*text, names[i]));
    sizes[i] = *java_int(*text);
    if (sizes[i] < 1)
      return misconfigured("{} must be larger than 0, but was {}", names[i], sizes[i]);
  }
  // The largest level, whose size is the eighth power of the fanout, must fit 64 bits.
  const auto most = largest_level(sizes[1], sizes[0]);
  if (most.size() > 19 || (most.size() == 19 && most > "9223372036854775807"))
    return misconfigured(
        "At most 9223372036854775807 bytes may be in a compaction level; your maxSSTableSize must "
        "be absurdly high to compute {}",
        most);
  for (const auto* name : {"sstable_size_in_mb", "fanout_size", "single_sstable_uplevel",
                           "min_threshold", "max_threshold"})
    left.erase(name);
  return check_size_tiered(options, left);
}

Outcome<void> check_unit(const Options& options, const std::string& name,
                         std::initializer_list<std::string_view> units) {
  const auto* text = find(options, name);
  if (!text || std::find(units.begin(), units.end(), *text) != units.end()) return {};
  return misconfigured("{} is not valid for {}", *text, name);
}

Outcome<void> check_time_window(const Options& options, Options& left) {
  TRY(check_unit(options, "timestamp_resolution",
                 {"SECONDS", "MILLISECONDS", "MICROSECONDS", "NANOSECONDS"}));
  TRY(check_unit(options, "compaction_window_unit", {"MINUTES", "HOURS", "DAYS"}));
  if (const auto* text = find(options, "compaction_window_size")) {
    TRY(check_whole(*text, "compaction_window_size"));
    if (*java_int(*text) < 1)
      return misconfigured("{} must be greater than 1 for compaction_window_size",
                           *java_int(*text));
  }
  if (const auto* text = find(options, "expired_sstable_check_frequency_seconds")) {
    const auto value = java_long(*text);
    if (!value)
      return misconfigured(
          "{} is not a parsable int (base10) for expired_sstable_check_frequency_seconds", *text);
    if (*value < 0)
      return misconfigured(
          "expired_sstable_check_frequency_seconds must not be negative, but was {}", *value);
  }
  if (const auto* text = find(options, "unsafe_aggressive_sstable_expiration")) {
    if (!is_boolean(*text))
      return misconfigured("unsafe_aggressive_sstable_expiration is not 'true' or 'false' ({})",
                           *text);
    if (lower(*text) == "true")
      return misconfigured(
          "unsafe_aggressive_sstable_expiration is requested but not allowed, restart cassandra "
          "with -Dcassandra.allow_unsafe_aggressive_sstable_expiration=true to allow it");
  }
  for (const auto* name :
       {"compaction_window_size", "compaction_window_unit", "timestamp_resolution",
        "expired_sstable_check_frequency_seconds", "unsafe_aggressive_sstable_expiration"})
    left.erase(name);
  return check_size_tiered(options, left);
}

Outcome<void> check_thresholds(const Options& options) {
  int thresholds[2] = {4, 32};
  const std::string names[2] = {"min_threshold", "max_threshold"};
  for (int i = 0; i < 2; ++i) {
    const auto* text = find(options, names[i]);
    if (!text) continue;
    const bool digits =
        !text->empty() && text->find_first_not_of("0123456789") == std::string::npos;
    if (!digits)
      return misconfigured("Invalid value {} for '{}' compaction sub-option - must be an integer",
                           *text, names[i]);
    const auto value = java_int(*text);
    if (!value) return crashed("java.lang.NumberFormatException: For input string: \"{}\"", *text);
    thresholds[i] = *value;
  }
  if (thresholds[0] <= 0 || thresholds[1] <= 0)
    return misconfigured(
        "Disabling compaction by setting compaction thresholds to 0 has been removed, set the "
        "compaction option 'enabled' to false instead.");
  if (thresholds[0] <= 1)
    return misconfigured("Min compaction threshold cannot be less than 2 (got {})", thresholds[0]);
  if (thresholds[0] > thresholds[1])
    return misconfigured(
        "Min compaction threshold (got {}) cannot be greater than max compaction threshold (got "
        "{})",
        thresholds[0], thresholds[1]);
  return {};
}

}  // namespace

bool is_compaction(const Options& compaction, std::string_view name) {
  const auto* whole = find(compaction, "class");
  return whole && *whole == std::string(kPackage) + std::string(name);
}

Outcome<Options> made_compaction(Options given) {
  const auto* named = find(given, "class");
  if (!named) return misconfigured("Missing sub-option 'class' for the 'compaction' option");
  const auto whole =
      named->find('.') == std::string::npos ? std::string(kPackage) + *named : *named;
  given["class"] = whole;
  const bool known = is_compaction(given, kSizeTiered) || is_compaction(given, kLeveled) ||
                     is_compaction(given, kTimeWindow) || is_compaction(given, kUnified);
  if (!known) return misconfigured("Unable to find compaction strategy class '{}'", whole);
  if (const auto* overlapping = find(given, "provide_overlapping_tombstones")) {
    const auto word = lower(*overlapping);
    if (word != "none" && word != "row" && word != "cell") {
      std::string upper = *overlapping;
      for (char& c : upper)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
      return misconfigured(
          "Invalid value {} for 'provide_overlapping_tombstones' compaction sub-option - must be "
          "one of the following [NONE, ROW, CELL].",
          upper);
    }
  }
  if (!is_compaction(given, kUnified)) {
    given.try_emplace("min_threshold", "4");
    given.try_emplace("max_threshold", "32");
  }
  return given;
}

Outcome<void> check_compaction(const Options& compaction) {
  Options options = compaction;
  options.erase("class");
  Options left = options;
  TRY(check_common(options, left));
  std::string_view name = kSizeTiered;
  if (is_compaction(compaction, kLeveled)) {
    name = kLeveled;
    TRY(check_leveled(options, left));
  } else if (is_compaction(compaction, kTimeWindow)) {
    name = kTimeWindow;
    TRY(check_time_window(options, left));
  } else if (is_compaction(compaction, kUnified)) {
    name = kUnified;
    TRY(check_unified(left));
  } else {
    TRY(check_size_tiered(options, left));
  }
  if (name != kUnified) {
    left.erase("min_threshold");
    left.erase("max_threshold");
  }
  if (!left.empty())
    return misconfigured("Properties specified {} are not understood by {}",
                         java_list(java_copy_order(keys_of(left), options.size())), name);
  return check_thresholds(options);
}

}  // namespace tailrace::cql_schema
