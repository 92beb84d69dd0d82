// What a number usually is at this time: an online model with a sentence for its verdict.
//
// A season is parted into slots: a day into quarters of an hour, a week into hours, none is one
// slot. Each slot, and the whole, learn a level and a spread: exponentially weighted means of the
// values and of their distances from the level, where a value further than kClip spreads off is
// taken as that far (Huber), so that an anomaly moves little and a new normal is learnt in time. A
// slot that has seen kSlotWarm of its days speaks for itself; before, the whole does, once it has
// seen kWarm values; before that nothing is an anomaly. Pure.
#pragma once

#include <string>
#include <vector>

#include "alerts/settings.h"
#include "base/result.h"

namespace tailrace::alerts {

class SeasonModel {
 public:
  static constexpr int kWarm = 30, kSlotWarm = 3;
  static constexpr double kClip = 3;

  /// Days and hours are those of `zone`.
  explicit SeasonModel(Season season, calendar::Zone zone = {});

  struct Verdict {
    bool known = false;  ///< false: it is warming up
    bool anomaly = false;
    double expected = 0, spread = 0;
    double deviations = 0;    ///< how many spreads the value is off
    std::string of;           ///< "at 14:00 UTC on Sundays", "at 14:15 Europe/Berlin", "lately"
    std::int64_t learnt = 0;  ///< values that the expectation is made of
  };
  /// What it thinks of a value, then learns it. `floor`: no spread is smaller.
  Verdict add(double value, Ms at, double deviations, double floor);

  std::string json() const;
  /// kDataLoss when the text is none of a model of the same season and zone.
  static Result<SeasonModel> parse(Season season, std::string_view json, calendar::Zone zone = {});

 private:
  struct Slot {
    double level = 0, spread = 0;
    std::int64_t seen = 0;
    std::int64_t day = -1;  ///< of the last value
    std::int64_t days = 0;  ///< different days with values
    void learn(double value, double rate, std::int64_t on);
  };
  /// `at` as a clock on the wall there shows it.
  Ms local(Ms at) const { return at + zone_.offset_seconds(at * 1000) * Ms{1000}; }
  std::size_t slot_of(Ms at) const;
  std::string slot_text(std::size_t slot) const;

  Season season_;
  calendar::Zone zone_;
  Slot whole_;
  std::vector<Slot> slots_;
};

/// "412.0, expected 1,000 ±60 at 14:00 on Sundays": `unit` stands behind the numbers ("/min").
std::string verdict_text(const SeasonModel::Verdict& verdict, double value, std::string_view unit);
/// 1234567.8 → "1,234,568"; small numbers with three digits.
std::string number_text(double value);

}  // namespace tailrace::alerts
