#include "pipeline/rejected_topic.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace tailrace::pipeline {
namespace {

/// RFC 4648 base64; what is no base64 ends the text.
std::string decode_base64(std::string_view text) {
  static constexpr auto kTable = [] {
    std::array<std::int8_t, 256> table{};
    table.fill(-1);
    constexpr std::string_view letters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (std::size_t i = 0; i < letters.size(); ++i)
      table[static_cast<unsigned char>(letters[i])] = static_cast<std::int8_t>(i);
    return table;
  }();
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (unsigned char c : text) {
    const int value = kTable[c];
    if (value < 0) break;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    if ((count += 6) >= 8) out += static_cast<char>(bits >> (count -= 8) & 0xff);
  }
  return out;
}

}  // namespace

DeadLetter rejected_letter(std::string_view text) {
  DeadLetter letter;
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) {
    letter.reason = "unreadable reject";
    letter.bytes = text;
    return letter;
  }
  letter.flow = json.value("source", "");
  letter.reason = json.value("reason", "");
  letter.detail = json.value("detail", "");
  letter.topic = json.value("topic", "");
  letter.origin = json.value("origin", "");
  letter.bytes = decode_base64(json.value("bytes", ""));
  letter.time_ms = json.value("time_ms", std::int64_t{0});
  return letter;
}

std::optional<std::string> record_value(log::Log& log, const std::string& topic,
                                        std::int32_t partition, std::int64_t offset) {
  auto found = log.partition(topic, PartitionId(partition));
  if (!found) return std::nullopt;
  log::ReadBuffer buffer;
  if (!(*found)->read(Offset(offset), 1, buffer)) return std::nullopt;
  log::BatchReader batches = buffer.batches();
  log::BatchView batch;
  std::string decompressed;
  if (!batches.next(batch)) return std::nullopt;
  auto records = batch.records(decompressed);
  if (!records) return std::nullopt;
  log::RecordView record;
  while (records->next(record))
    if (record.offset.value == offset && record.value) return std::string(*record.value);
  return std::nullopt;
}

Status send_back(log::Log& log, const DeadLetter& letter) {
  if (letter.topic.empty())
    return error(Code::kFailedPrecondition,
                 fmt::format("dead letter {} has no topic to go back to", letter.id));
  ASSIGN(auto partition, log.partition(letter.topic, PartitionId(std::max(letter.partition, 0))));
  // A producer of its own for each letter: the log drops the second copy if a crash came before the
  // mark.
  const std::string name =
      fmt::format("redrive {} {} {}", letter.id, letter.origin, letter.time_ms);
  const std::uint64_t hash = XXH3_64bits_withSeed(letter.bytes.data(), letter.bytes.size(),
                                                  XXH3_64bits(name.data(), name.size()));
  const log::Producer producer{static_cast<std::int64_t>(hash >> 1), 0, 0};
  const std::string origin = letter.origin;
  const log::Header headers[] = {{"tailrace.redriven-from", origin}};
  const log::Record record{std::nullopt, letter.bytes, TimestampMs(-1), headers};
  TRY(partition->append({&record, 1}, producer));
  return {};
}

}  // namespace tailrace::pipeline
