// Records that never reached a topic (oversized, a line that is no JSON) wait in the internal topic
// of rejects; here they become dead letters. And the way back from an origin to a record's bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "log/log.h"
#include "pipeline/dead_letters.h"

namespace tailrace::pipeline {

/// The letter of one record of the topic of rejects (connect/runner.h says its JSON).
DeadLetter rejected_letter(std::string_view json);

struct LoggedRecord {
  std::optional<std::string> key;
  std::string value;
};

/// The record at topic-partition@offset; nullopt when it is no longer there or has no value.
std::optional<LoggedRecord> record_at(log::Log& log, const std::string& topic,
                                      std::int32_t partition, std::int64_t offset);

/// Appends a letter's bytes to its topic again, with the key its record had, once however often it
/// is called for the same letter.
Status send_back(log::Log& log, const DeadLetter& letter);

}  // namespace tailrace::pipeline
