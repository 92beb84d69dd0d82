// Records and answers as one line of text each, for conversations.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>

#include "transactions/actions.h"

namespace tailrace::transactions::testing {

inline std::string text_of(const Producer& producer) {
  return fmt::format("{}:{}", producer.id, producer.epoch);
}

/// "t:0+1,u:3"
inline std::string text_of(const Partitions& partitions) {
  std::string out;
  for (const auto& [topic, some] : partitions)
    out += fmt::format("{}{}:{}", out.empty() ? "" : ",", topic, fmt::join(some, "+"));
  return out.empty() ? "nothing" : out;
}

inline std::string text_of(const Transaction& now) {
  std::string out = fmt::format("{} {}", state_name(now.state), text_of(now.producer));
  if (now.previous_id != now.producer.id) out += fmt::format(" before={}", now.previous_id);
  if (now.next_id != kNoProducerId) out += fmt::format(" next={}", now.next_id);
  if (!now.partitions.empty()) out += " " + text_of(now.partitions);
  out += fmt::format(" timeout={} started={} v{}", now.timeout_ms, now.started.value,
                     now.version.value);
  return out;
}

inline std::string text_of(const InitAnswer& answer) {
  if (answer.error != ErrorCode::kNone) return std::string(error_name(answer.error));
  return "is " + text_of(answer.producer);
}
inline std::string text_of(const AddAnswer& answer) {
  return answer.error == ErrorCode::kNone ? "added" : std::string(error_name(answer.error));
}
inline std::string text_of(const VerifyAnswer& answer) {
  std::string out = "verified";
  for (const auto& one : answer.partitions)
    out += fmt::format(" {}:{}={}", one.topic, one.partition, error_name(one.error));
  return out;
}
inline std::string text_of(const EndAnswer& answer) {
  if (answer.error != ErrorCode::kNone) return std::string(error_name(answer.error));
  return answer.producer.id == kNoProducerId ? "ended" : "ended, is " + text_of(answer.producer);
}
inline std::string text_of(const DescribeAnswer& answer) {
  std::string out = "described";
  for (const auto& one : answer.transactions)
    out += fmt::format(
        " [{} {}]", one.id,
        one.error == ErrorCode::kNone ? text_of(one.transaction) : error_name(one.error));
  return out;
}
inline std::string text_of(const ListAnswer& answer) {
  if (answer.error != ErrorCode::kNone) return std::string(error_name(answer.error));
  std::string out = "listed";
  for (const auto& name : answer.unknown_states) out += fmt::format(" unknown={}", name);
  for (const auto& one : answer.transactions)
    out += fmt::format(" [{} {} {}]", one.id, one.producer_id, state_name(one.state));
  return out;
}
inline std::string text_of(const Answer& answer) {
  return std::visit([](const auto& one) { return text_of(one); }, answer);
}

inline std::string text_of(const Record& record) {
  return record.id + " " + (record.value ? text_of(*record.value) : "gone");
}
inline std::string text_of(const WriteMarkers& markers) {
  return fmt::format("mark {} {} {} {} v{}", markers.id, text_of(markers.producer),
                     markers.commit ? "commit" : "abort", text_of(markers.partitions),
                     markers.version.value);
}

}  // namespace tailrace::transactions::testing
