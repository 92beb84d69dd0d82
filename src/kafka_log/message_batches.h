// Messages as librdkafka gives them, as record batches with their true offsets. Where offsets are
// missing (transaction markers, compaction) a batch ends, so that within a batch none is.
#pragma once

#include <librdkafka/rdkafka.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "log/batch_builder.h"

namespace tailrace::kafka_log {

class MessageBatches {
 public:
  /// Adds a message; offsets must grow.
  Status add(const rd_kafka_message_t& message);
  /// Ends the last batch. The bytes are valid until clear().
  Result<std::string_view> finish();
  void clear();
  std::int64_t count() const { return count_; }

 private:
  void read_headers(const rd_kafka_message_t& message);

  log::RecordBatchBuilder builder_;
  std::vector<log::Header> headers_;
  Offset base_, next_;
  std::int64_t count_ = 0;
};

/// Batches without records for the offsets in [from, to), which hold none that can be read.
std::string empty_offsets(Offset from, Offset to);

}  // namespace tailrace::kafka_log
