#include "kafka/share_settings.h"

#include <cctype>
#include <charconv>
#include <string>

namespace tailrace::kafka {
namespace {

constexpr std::string_view kByDuration = "by_duration:";

std::string value_of(const ConfigLayers& layers, const ConfigMap& own, std::string_view name) {
  if (const auto found = own.find(name); found != own.end()) return found->second;
  const auto* config = find_config(ConfigKind::kGroup, name);
  return config == nullptr ? std::string() : layers.fallback(*config).value;
}

std::int32_t number(std::string_view text) {
  std::int32_t value = 0;  // checked when it was set
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// Of PnDTnHnMn.nS, whose form was checked when it was set.
std::int64_t milliseconds(std::string_view text) {
  double total = 0;
  std::string digits;
  for (const char c : text) {
    const char unit = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (unit == '.' || std::isdigit(static_cast<unsigned char>(unit)) != 0) {
      digits += unit;
      continue;
    }
    const double seconds = unit == 'd' ? 86'400 : unit == 'h' ? 3'600 : unit == 'm' ? 60 : 1;
    if (!digits.empty()) total += std::stod(digits) * seconds * 1000;
    digits.clear();
  }
  return static_cast<std::int64_t>(total);
}

}  // namespace

ShareSettings share_settings(const ConfigLayers& layers, const ConfigMap& own) {
  const auto value = [&](std::string_view name) { return value_of(layers, own, name); };
  ShareSettings out;
  out.partition.record_lock_ms = number(value("share.record.lock.duration.ms"));
  out.partition.delivery_count_limit = number(value("share.delivery.count.limit"));
  out.partition.max_record_locks = number(value("share.partition.max.record.locks"));
  out.partition.renewals = value("share.renew.acknowledge.enable") != "false";
  out.committed = value("share.isolation.level") == "read_committed";
  const auto reset = value("share.auto.offset.reset");
  if (reset == "earliest") out.reset = ShareSettings::Reset::kEarliest;
  if (reset.starts_with(kByDuration)) {
    out.reset = ShareSettings::Reset::kByDuration;
    out.back_ms = milliseconds(std::string_view(reset).substr(kByDuration.size()));
  }
  return out;
}

}  // namespace tailrace::kafka
