// The records of __share_group_state as bytes, in Kafka's own form, and back.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kafka/coordinator_topic.h"
#include "share/records.h"

namespace tailrace::kafka {

Result<RecordBytes> encode_share_record(const share::Record& record);

/// Nothing for a record of a type unknown here (a newer Kafka's): it is skipped.
Result<std::optional<share::Record>> decode_share_record(std::string_view key,
                                                         std::optional<std::string_view> value);

/// How FindCoordinator names a share partition, and what decides the partition of the topic:
/// "group:topic id:partition".
std::string share_key_text(const share::Key& key);
/// Whether a text is such a name.
bool is_share_key_text(std::string_view text);

}  // namespace tailrace::kafka
