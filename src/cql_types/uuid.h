// UUIDs: their orders, their text, and those of version 1 by time (timeuuid).
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace tailrace::cql_types {

/// 16 bytes as two numbers that compare as Cassandra orders uuid: by version, then version 1 by
/// time, the others by bytes. `from_…` gives the bytes back.
std::pair<std::uint64_t, std::uint64_t> uuid_order(std::string_view bytes);
std::string from_uuid_order(std::uint64_t high, std::uint64_t low);
/// The same of timeuuid: by time, then by the rest as signed bytes.
std::pair<std::uint64_t, std::uint64_t> timeuuid_order(std::string_view bytes);
std::string from_timeuuid_order(std::uint64_t high, std::uint64_t low);

/// "8-4-4-4-12" hexadecimal digits, in lower case when written.
std::string uuid_text(std::string_view bytes);
std::optional<std::string> parse_uuid(std::string_view text);

/// The smallest and the largest timeuuid of a millisecond since 1970 (CQL's minTimeuuid and
/// maxTimeuuid). Neither is one that a generator makes.
std::string min_timeuuid(std::int64_t unix_ms);
std::string max_timeuuid(std::int64_t unix_ms);

/// Milliseconds since 1970, cut off: CQL's toTimestamp, toUnixTimestamp, unixTimestampOf.
/// Microseconds likewise.
std::int64_t timeuuid_unix_ms(std::string_view bytes);
std::int64_t timeuuid_unix_us(std::string_view bytes);

/// CQL's now(): each timeuuid is later than the ones before. Threads may share one.
class TimeuuidSource {
 public:
  /// `random` becomes the clock sequence and the node: 62 bits that differ between programs.
  explicit TimeuuidSource(std::uint64_t random);
  std::string next(std::int64_t unix_ms);

 private:
  std::uint64_t low_;
  std::atomic<std::int64_t> last_us_{0};
};

}  // namespace tailrace::cql_types
