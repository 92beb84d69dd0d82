#include "kafka_log/positions.h"

#include <fmt/format.h>

#include <charconv>

#include "log/batch_builder.h"

namespace tailrace::kafka_log {
namespace {

template <typename T>
bool parse(std::string_view text, T& value) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failed == std::errc() && end == text.data() + text.size();
}

bool parse_lane(std::string_view key, Lane& lane) {
  const std::size_t first = key.find(' '), last = key.rfind(' ');
  if (first == std::string_view::npos || last == first) return false;
  lane.topic = key.substr(first + 1, last - first - 1);
  return parse(key.substr(0, first), lane.producer) && parse(key.substr(last + 1), lane.partition);
}

}  // namespace

std::string lane_key(const Lane& lane) {
  return fmt::format("{} {} {}", lane.producer, lane.topic, lane.partition);
}

Result<Positions> read_positions(Looker& looker, const std::string& real_topic) {
  Positions positions;
  const auto take = [&](const rd_kafka_message_t& message) -> Result<bool> {
    if (!message.key || !message.payload) return true;
    const std::string_view key(static_cast<const char*>(message.key), message.key_len);
    const std::string_view value(static_cast<const char*>(message.payload), message.len);
    if (key == kOwnerKey) {
      positions.owner = value;
      return true;
    }
    Lane lane;
    std::int32_t next = 0;
    if (!parse_lane(key, lane) || !parse(value, next) || next < 0)
      return error(Code::kDataLoss, fmt::format("the record at offset {} is no position; is this "
                                                "topic written by somebody else?",
                                                message.offset));
    positions.next[lane] = next;
    return true;
  };
  TRY(looker.look(real_topic, PartitionId(0), Offset(RD_KAFKA_OFFSET_BEGINNING), take));
  return positions;
}

}  // namespace tailrace::kafka_log
