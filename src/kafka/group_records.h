// The records of __consumer_offsets as bytes, in Kafka's own form, and back.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "groups/records.h"
#include "kafka/coordinator_topic.h"

namespace tailrace::kafka {

Result<RecordBytes> encode_group_record(const groups::Record& record);

/// Nothing for a record of a type unknown here (a newer Kafka's): it is skipped.
Result<std::optional<groups::Record>> decode_group_record(std::string_view key,
                                                          std::optional<std::string_view> value);

}  // namespace tailrace::kafka
