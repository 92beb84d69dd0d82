// The grammar of cron expressions: text to sets (cron.h, CronFields).
//
//   expression = field field field field field [seconds [years]]
//   field      = item *( "," item ) | "?"              ; ? for days and weekdays
//   item       = "*" [ "/" step ] | value [ "/" step ] | value "-" value [ "/" step ]
//              | "L" | day "W" | "W" day               ; days
//              | weekdays "#" 1..5 | "L" weekday       ; weekdays
//   value      = number | name of a month or a weekday, three letters
//
// A range whose end is below its beginning wraps; one whose ends are equal is the whole field.
#pragma once

#include <string_view>

#include "base/result.h"
#include "calendar/cron.h"

namespace tailrace::calendar {

/// kInvalidArgument names the field and what it takes.
Result<CronFields> read_cron_fields(std::string_view expression);

}  // namespace tailrace::calendar
