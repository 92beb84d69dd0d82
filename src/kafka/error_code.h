// The numbers of errors on the wire, and what failures of this program become there.
#pragma once

#include <cstdint>

#include "base/kafka_error.h"
#include "base/result.h"

namespace tailrace::kafka {

using ErrorCode = KafkaError;

constexpr std::int16_t wire(ErrorCode code) {
  return static_cast<std::int16_t>(code);
}

/// A failure of log::Partition::append_batches.
ErrorCode append_error(Code code);
/// A failure of reading a partition.
ErrorCode read_error(Code code);
/// A failure of creating, changing or deleting a topic.
ErrorCode topic_error(Code code);

}  // namespace tailrace::kafka
