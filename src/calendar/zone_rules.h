// What a time zone is made of: its transitions, read from a TZif file (RFC 9636), and carried on
// for ever by the file's rule.
//
// A table holds the file's transitions and those of the rule (the POSIX TZ text in its footer) for
// 400 years and a bit; after `cycle_begin` times fall back by 400 years, when the calendar repeats.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tailrace::calendar {

struct Offset {
  int east = 0;  ///< seconds
  bool daylight = false;
  std::string abbreviation = "UTC";
  bool operator==(const Offset&) const = default;
};

class ZoneRules {
 public:
  /// One offset for ever.
  ZoneRules(std::string name, Offset offset);
  /// The bytes of a TZif file, version 1 to 4. kDataLoss where they are none.
  static Result<ZoneRules> read(std::string name, std::string_view tzif);

  const std::string& name() const { return name_; }
  /// Of an instant, in seconds since 1970 UTC.
  const Offset& at(std::int64_t instant) const;
  /// Of a local time, in seconds since a local 1970-01-01. In a gap: the offset before it; where
  /// clocks were put back, the offset before (fold 0) or after (1).
  const Offset& at_wall(std::int64_t wall, int fold) const;

 private:
  friend class TzifReader;

  std::string name_;
  std::vector<Offset> offsets_;  ///< all there are; `first_` holds before all transitions
  std::vector<std::int64_t> begins_;
  std::vector<std::int64_t> walls_[2];
  std::vector<std::uint16_t> after_;  ///< index into offsets_ of each transition
  std::uint16_t first_ = 0;
  std::int64_t cycle_begin_ = std::numeric_limits<std::int64_t>::max();
};

}  // namespace tailrace::calendar
