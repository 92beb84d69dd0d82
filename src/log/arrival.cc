#include "log/arrival.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "base/bytes.h"
#include "log/compression_level.h"
#include "log/setting_number.h"

namespace tailrace::log {
namespace {

constexpr std::size_t kLengthAt = 8;
constexpr std::size_t kCrcAt = 17;
constexpr std::size_t kAttributesAt = 21;
constexpr std::size_t kMaxTimestampAt = 35;
constexpr std::int16_t kCodecBits = 7;
constexpr std::int16_t kLogAppendTime = 8;

Status check_time(TimestampMs time, const ArrivalSettings& settings, TimestampMs now) {
  if (time.value < 0) return {};
  const bool early = now.value - time.value > settings.before_max_ms;
  const bool late = time.value - now.value > settings.after_max_ms;
  if (!early && !late) return {};
  return error(Code::kDeadlineExceeded,
               fmt::format("a record of time {}: that is more than message.timestamp.{}.max.ms={} "
                           "from now, {}",
                           time.value, early ? "before" : "after",
                           early ? settings.before_max_ms : settings.after_max_ms, now.value));
}

/// What is set for the codec of the topic; zstd's may be negative.
std::optional<int> level_of(const TopicSettings& settings) {
  const auto name = fmt::format("compression.{}.level", compression_name(settings.compression));
  const auto found = settings.extra.find(name);
  if (found == settings.extra.end()) return std::nullopt;
  int level = 0;
  const auto* const end = found->second.data() + found->second.size();
  const auto [at, failure] = std::from_chars(found->second.data(), end, level);
  return failure == std::errc() && at == end ? std::optional(level) : std::nullopt;
}

}  // namespace

ArrivalSettings arrival_settings(const TopicSettings& settings) {
  ArrivalSettings found;
  const auto type = settings.extra.find("message.timestamp.type");
  found.log_append_time = type != settings.extra.end() && type->second == "LogAppendTime";
  read_number(settings, "message.timestamp.before.max.ms", found.before_max_ms);
  read_number(settings, "message.timestamp.after.max.ms", found.after_max_ms);
  if (settings.uncompressed || settings.compression != Compression::kNone) {
    found.compression = settings.compression;
    found.level = level_of(settings);
  }
  return found;
}

Status check_times(const BatchView& batch, const ArrivalSettings& settings, TimestampMs now) {
  if (settings.log_append_time) return {};
  TRY(check_time(batch.max_timestamp(), settings, now));
  if (settings.before_max_ms == INT64_MAX) return {};
  std::string plain;
  ASSIGN(auto records, batch.records(plain));
  for (RecordView record; records.next(record);) {
    TRY(check_time(record.timestamp, settings, now));
  }
  return records.status();
}

Status store_arrived(const BatchView& batch, const ArrivalSettings& settings, TimestampMs now,
                     std::string& out) {
  const auto codec = settings.compression.value_or(batch.compression());
  const bool again = codec != batch.compression();
  const std::size_t at = out.size();
  if (again) {
    std::string buffer;
    ASSIGN(const auto plain, batch.plain(buffer));
    out.append(batch.bytes().substr(0, kBatchHeaderBytes));
    if (codec == Compression::kNone) {
      out.append(plain);
    } else if (settings.level) {
      TRY(compress_at(*settings.level, codec, plain, out));
    } else {
      TRY(compress(codec, plain, out));
    }
    store_be(out.data() + at + kLengthAt,
             static_cast<std::int32_t>(out.size() - at - kBatchPrefixBytes));
  } else {
    out.append(batch.bytes());
  }
  if (!again && !settings.log_append_time) return {};
  char* const header = out.data() + at;
  auto attributes = static_cast<std::int16_t>((batch.attributes() & ~kCodecBits) |
                                              static_cast<std::int16_t>(codec));
  if (settings.log_append_time) {
    attributes |= kLogAppendTime;
    store_be(header + kMaxTimestampAt, now.value);
  }
  store_be(header + kAttributesAt, attributes);
  store_be(header + kCrcAt, crc32c(std::string_view(out).substr(at + kAttributesAt)));
  return {};
}

}  // namespace tailrace::log
