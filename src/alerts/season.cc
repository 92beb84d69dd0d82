#include "alerts/season.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace tailrace::alerts {
namespace {

constexpr Ms kQuarter = 900'000, kHour = 3'600'000, kDay = 86'400'000;
/// A mean distance from the level is smaller than a standard deviation of what is normally spread.
constexpr double kToDeviation = 1.2533;
constexpr double kWholeRate = 0.05, kSlotRate = 0.2;

std::size_t slots_of(Season season) {
  return season == Season::kNone ? 1 : season == Season::kDay ? 96 : 168;
}

}  // namespace

SeasonModel::SeasonModel(Season season, calendar::Zone zone)
    : season_(season), zone_(zone), slots_(slots_of(season)) {}

std::size_t SeasonModel::slot_of(Ms at) const {
  if (season_ == Season::kNone) return 0;
  at = local(at);
  if (season_ == Season::kDay) return static_cast<std::size_t>(at % kDay / kQuarter);
  // 1970-01-01 was a Thursday; a week begins on Monday.
  return static_cast<std::size_t>((at + 3 * kDay) % (7 * kDay) / kHour);
}

std::string SeasonModel::slot_text(std::size_t slot) const {
  constexpr std::string_view kDays[] = {"Mondays", "Tuesdays",  "Wednesdays", "Thursdays",
                                        "Fridays", "Saturdays", "Sundays"};
  if (season_ == Season::kDay)
    return fmt::format("at {:02}:{:02} {}", slot / 4, slot % 4 * 15, zone_.name());
  if (season_ == Season::kWeek)
    return fmt::format("at {:02}:00 {} on {}", slot % 24, zone_.name(), kDays[slot / 24]);
  return "lately";
}

void SeasonModel::Slot::learn(double value, double rate, std::int64_t on) {
  if (day != on) ++days;
  day = on;
  ++seen;
  // The first values count alike, so that it is soon near.
  const double weight = std::max(rate, 1.0 / static_cast<double>(seen));
  if (seen == 1) {
    level = value;
    return;
  }
  double off = value - level;
  const double most = kClip * std::max(spread * kToDeviation, std::abs(level) * 0.01);
  if (seen > kWarm / 3 && most > 0) off = std::clamp(off, -most, most);
  level += weight * off;
  spread += weight * (std::abs(off) - spread);
}

SeasonModel::Verdict SeasonModel::add(double value, Ms at, double deviations, double floor) {
  Slot& slot = slots_[slot_of(at)];
  const bool by_slot = season_ != Season::kNone && slot.days > kSlotWarm;
  const Slot& judge = by_slot ? slot : whole_;
  Verdict verdict;
  verdict.known =
      by_slot || (whole_.seen >= kWarm && season_ == Season::kNone) || whole_.seen >= kWarm;
  verdict.expected = judge.level;
  verdict.learnt = judge.seen;
  verdict.spread = std::max({judge.spread * kToDeviation, floor, std::abs(judge.level) * 0.02});
  verdict.of = by_slot ? slot_text(slot_of(at)) : "lately";
  const double off = std::abs(value - judge.level);
  verdict.deviations = verdict.spread > 0 ? off / verdict.spread : off > 0 ? 1e9 : 0;
  verdict.anomaly = verdict.known && verdict.deviations > deviations;
  whole_.learn(value, kWholeRate, local(at) / kDay);
  if (season_ != Season::kNone) slot.learn(value, kSlotRate, local(at) / kDay);
  return verdict;
}

std::string SeasonModel::json() const {
  nlohmann::json slots = nlohmann::json::array();
  const auto row = [](const Slot& slot) {
    return nlohmann::json::array({slot.level, slot.spread, slot.seen, slot.day, slot.days});
  };
  for (const Slot& slot : slots_) slots.push_back(row(slot));
  return nlohmann::json{
      {"season", name(season_)}, {"zone", zone_.name()}, {"whole", row(whole_)}, {"slots", slots}}
      .dump();
}

Result<SeasonModel> SeasonModel::parse(Season season, std::string_view text, calendar::Zone zone) {
  const auto wrong = error(Code::kDataLoss, "no model of this season and time zone");
  const auto json = nlohmann::json::parse(text, nullptr, false);
  SeasonModel model(season, zone);
  const auto read = [](const nlohmann::json& row, Slot& slot) {
    if (!row.is_array() || row.size() != 5 ||
        !std::ranges::all_of(row, [](const auto& one) { return one.is_number(); }))
      return false;
    slot = {row[0], row[1], row[2], row[3], row[4]};
    return true;
  };
  if (!json.is_object() || json.value("season", "") != name(season) ||
      json.value("zone", "UTC") != zone.name() || !json.contains("whole") ||
      !json.contains("slots") || json["slots"].size() != model.slots_.size() ||
      !read(json["whole"], model.whole_))
    return wrong;
  for (std::size_t i = 0; i < model.slots_.size(); ++i)
    if (!read(json["slots"][i], model.slots_[i])) return wrong;
  return model;
}

std::string number_text(double value) {
  if (!std::isfinite(value)) return fmt::format("{}", value);
  if (std::abs(value) < 100 && value != std::round(value)) return fmt::format("{:.3g}", value);
  std::string digits = fmt::format("{:.0f}", std::abs(value));
  for (std::ptrdiff_t at = std::ssize(digits) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), ",");
  return (value < 0 && digits != "0" ? "-" : "") + digits;
}

std::string verdict_text(const SeasonModel::Verdict& verdict, double value, std::string_view unit) {
  return fmt::format("{}{}, expected {} ±{}{} {}", number_text(value), unit,
                     number_text(verdict.expected), number_text(verdict.spread), unit, verdict.of);
}

}  // namespace tailrace::alerts
