// A syslog message as JSON, by RFC 5424, else by RFC 3164 as senders write it.
//
//   {"facility": 4, "facility_name": "auth", "severity": 2, "severity_name": "crit",
//    "timestamp": "2003-10-11T22:14:15.003Z", "host": "mymachine", "app": "su", "procid": "12",
//    "msgid": "ID47", "structured_data": {"exampleSDID@32473": {"iut": "3"}}, "message": "…"}
//
// What a message does not say (the NILVALUE "-" included) is null; structured data is {}. A name
// that comes twice in an element of structured data has a list. Bytes that are not UTF-8 become
// U+FFFD. RFC 3164's times lack year and zone: the year is the one that brings them nearest to now,
// the zone is given; timestamps with a year, which senders put in that place, are taken as they
// are.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "calendar/zone.h"

namespace tailrace::connect {

/// The object without its closing brace, so that more members may follow. kInvalidArgument says
/// what is wrong.
Result<std::string> parse_syslog(std::string_view message, std::int64_t now_ms,
                                 const calendar::Zone& zone);

}  // namespace tailrace::connect
