// What goes over the stream of a replication slot (PostgreSQL 15, §55.4): frames around the output
// plugin's messages, and our answers. Big-endian; times are microseconds since 2000-01-01 UTC.
//
//   from the server   'w' start i64 · end of the log there i64 · time i64 · message
//                     'k' end of the log there i64 · time i64 · answer at once i8
//   from us           'r' written i64 · flushed i64 · applied i64 · time i64 · answer at once i8
//
// What is flushed the server need not send again: it frees its log up to there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "postgres/lsn.h"

namespace tailrace::postgres {

/// Microseconds from 1970 to PostgreSQL's 2000-01-01.
inline constexpr std::int64_t kEpochUs = 946'684'800'000'000;

struct StreamFrame {
  bool keepalive = false;
  bool answer_now = false;   ///< of a keepalive
  Lsn start;                 ///< of the message
  Lsn server_end;            ///< how far the server has sent
  std::int64_t time_us = 0;  ///< since 1970
  std::string_view message;
};

/// kDataLoss: not a frame.
Result<StreamFrame> parse_frame(std::string_view bytes);

std::string encode_status(Lsn written, Lsn flushed, std::int64_t now_us, bool answer_now);

}  // namespace tailrace::postgres
