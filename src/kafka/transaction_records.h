// The records of __transaction_state as bytes, in Kafka's own form, and back.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kafka/coordinator_topic.h"
#include "kafka/wire.h"
#include "transactions/records.h"

namespace tailrace::kafka {

/// Version 1 of the value is for a cluster whose transaction.version is at least 1 (KIP-890).
Result<RecordBytes> encode_transaction_record(const transactions::Record& record, Version version);

/// Nothing for a record of a type unknown here (a newer Kafka's): it is skipped.
Result<std::optional<transactions::Record>> decode_transaction_record(
    std::string_view key, std::optional<std::string_view> value);

}  // namespace tailrace::kafka
