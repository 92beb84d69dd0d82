#include "calendar/zone.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "base/edit_distance.h"
#include "calendar/civil.h"
#include "calendar/zone_rules.h"

namespace tailrace::calendar {
namespace {

constexpr int kMostEast = 24 * 3600 - 1;

/// The zones that were asked for, which nobody takes out again.
class Registry {
 public:
  template <typename Make>
  Result<const ZoneRules*> get(const std::string& name, Make&& make) {
    const std::lock_guard lock(mutex_);
    const auto found = zones_.find(name);
    if (found != zones_.end()) return found->second.get();
    ASSIGN(ZoneRules rules, make());
    const auto& kept =
        zones_.emplace(name, std::make_unique<ZoneRules>(std::move(rules))).first->second;
    return kept.get();
  }

  const ZoneRules* keep(ZoneRules rules) {
    const std::lock_guard lock(mutex_);
    return others_.emplace_back(std::make_unique<ZoneRules>(std::move(rules))).get();
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<ZoneRules>, std::less<>> zones_;
  std::vector<std::unique_ptr<ZoneRules>> others_;
};

Registry& registry() {
  static auto* const kRegistry = new Registry;
  return *kRegistry;
}

std::string folder() {
  const char* const told = std::getenv("TZDIR");
  return told != nullptr && *told != 0 ? told : "/usr/share/zoneinfo";
}

bool is_name(std::string_view name) {
  const auto allowed = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("_+-/").find(c) != std::string_view::npos;
  };
  return !name.empty() && name.size() < 100 && name.front() != '/' &&
         std::ranges::all_of(name, allowed);
}

/// Seconds east of `+hh:mm`, `-hhmm`, `+hh`.
bool read_offset(std::string_view text, int& east) {
  if (text.size() < 3 || (text[0] != '+' && text[0] != '-')) return false;
  std::string digits;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == ':' && i == 3 && text.size() == 6) continue;
    if (text[i] < '0' || text[i] > '9') return false;
    digits += text[i];
  }
  if (digits.size() != 2 && digits.size() != 4) return false;
  digits.resize(4, '0');
  const int hours = (digits[0] - '0') * 10 + digits[1] - '0';
  const int minutes = (digits[2] - '0') * 10 + digits[3] - '0';
  if (hours > 23 || minutes > 59) return false;
  east = (hours * 60 + minutes) * (text[0] == '-' ? -60 : 60);
  return true;
}

std::string lower(std::string_view text) {
  std::string lowered(text);
  std::ranges::transform(lowered, lowered.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lowered;
}

/// The zone of the database whose name is nearest, by its whole name or its last part (`Berlin`).
std::string nearest_zone(std::string_view wanted) {
  namespace fs = std::filesystem;
  const std::string root = folder();
  const std::string low = lower(wanted);
  std::string best;
  std::size_t best_distance = low.size() / 2 + 1;
  std::error_code failed;
  for (fs::recursive_directory_iterator it(root, failed), end; it != end; it.increment(failed)) {
    const std::string name = it->path().string().substr(root.size() + 1);
    if (it->is_directory(failed)) {
      if (name == "posix" || name == "right") it.disable_recursion_pending();
      continue;
    }
    if (!is_name(name) || std::isupper(static_cast<unsigned char>(name[0])) == 0) continue;
    const std::string candidate = lower(name);
    const std::string_view last = std::string_view(candidate).substr(candidate.rfind('/') + 1);
    const std::size_t found = std::min(edit_distance(low, candidate), edit_distance(low, last) + 1);
    if (found < best_distance || (found == best_distance && !best.empty() && name < best)) {
      best_distance = found;
      best = name;
    }
  }
  return best;
}

std::unexpected<Error> unknown(std::string_view name) {
  const std::string nearest = nearest_zone(name);
  return error(Code::kNotFound,
               nearest.empty()
                   ? fmt::format("no time zone is called \"{}\"", name)
                   : fmt::format("no time zone is called \"{}\"; do you mean {}?", name, nearest));
}

Result<ZoneRules> read_file(const std::string& name) {
  if (!is_name(name)) return unknown(name);
  const std::string path = folder() + "/" + name;
  std::error_code failed;
  if (!std::filesystem::is_regular_file(path, failed)) return unknown(name);
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (!bytes.starts_with("TZif")) return unknown(name);
  return ZoneRules::read(name, bytes);
}

std::int64_t wall_seconds(const Local& local) {
  return days_of({local.year, local.month, local.day}) * kSecondsPerDay + local.hour * 3600 +
         local.minute * 60 + local.second;
}

}  // namespace

int weekday(const Local& local) {
  return weekday_of(days_of({local.year, local.month, local.day}));
}

Zone Zone::utc() {
  static const auto* const kUtc = new ZoneRules("UTC", Offset{});
  return Zone(kUtc);
}

Zone Zone::fixed(int seconds_east) {
  const int east = std::clamp(seconds_east, -kMostEast, kMostEast);
  const int minutes = std::abs(east) / 60;
  std::string name = fmt::format("{}{:02}:{:02}", east < 0 ? '-' : '+', minutes / 60, minutes % 60);
  if (east % 60 != 0) name += fmt::format(":{:02}", std::abs(east) % 60);
  const auto made = registry().get(name, [&]() -> Result<ZoneRules> {
    return ZoneRules(name, Offset{east, false, name});
  });
  return Zone(*made);
}

Result<Zone> Zone::find(std::string_view name) {
  if (lower(name) == "utc") return utc();
  int east = 0;
  if (read_offset(name, east)) return fixed(east);
  const std::string wanted(name);
  ASSIGN(const ZoneRules* rules, registry().get(wanted, [&] { return read_file(wanted); }));
  return Zone(rules);
}

Result<Zone> Zone::read(std::string_view name, std::string_view tzif) {
  ASSIGN(ZoneRules rules, ZoneRules::read(std::string(name), tzif));
  return Zone(registry().keep(std::move(rules)));
}

std::string_view Zone::name() const {
  return rules_->name();
}

Local Zone::to_local(Micros instant) const {
  const std::int64_t seconds = floor_div(instant, kMicrosPerSecond);
  const Offset& offset = rules_->at(seconds);
  const std::int64_t wall = seconds + offset.east;
  const std::int64_t days = floor_div(wall, kSecondsPerDay);
  const auto of_day = static_cast<int>(wall - days * kSecondsPerDay);
  const Date date = date_of(days);
  return {.year = date.year,
          .month = date.month,
          .day = date.day,
          .hour = of_day / 3600,
          .minute = of_day / 60 % 60,
          .second = of_day % 60,
          .micro = static_cast<int>(instant - seconds * kMicrosPerSecond),
          .fold = rules_->at_wall(wall, 0).east != offset.east ? 1 : 0};
}

Micros Zone::to_instant(const Local& local) const {
  const std::int64_t wall = wall_seconds(local);
  return (wall - rules_->at_wall(wall, local.fold).east) * kMicrosPerSecond + local.micro;
}

int Zone::offset_seconds(Micros instant) const {
  return rules_->at(floor_div(instant, kMicrosPerSecond)).east;
}

bool Zone::is_daylight(Micros instant) const {
  return rules_->at(floor_div(instant, kMicrosPerSecond)).daylight;
}

std::string_view Zone::abbreviation(Micros instant) const {
  return rules_->at(floor_div(instant, kMicrosPerSecond)).abbreviation;
}

}  // namespace tailrace::calendar
