#include "pipeline/rejected_topic.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/base64.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace tailrace::pipeline {
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
  letter.bytes = decode_base64(json.value("bytes", "")).value_or("");
  if (json.contains("truncated_from"))
    letter.detail += fmt::format("; only its first {} bytes are kept", letter.bytes.size());
  letter.time_ms = json.value("time_ms", std::int64_t{0});
  return letter;
}

std::optional<LoggedRecord> record_at(log::Log& log, const std::string& topic,
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
  while (records->next(record)) {
    if (record.offset.value != offset || !record.value) continue;
    LoggedRecord logged{std::nullopt, std::string(*record.value)};
    if (record.key) logged.key = std::string(*record.key);
    return logged;
  }
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
  const auto first = record_at(log, letter.topic, letter.partition, letter.offset);
  log::Record record{std::nullopt, letter.bytes, TimestampMs(-1), headers};
  if (first && first->key) record.key = *first->key;
  TRY(partition->append({&record, 1}, producer));
  return {};
}

}  // namespace tailrace::pipeline
