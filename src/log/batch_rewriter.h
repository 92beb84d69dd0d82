// A batch without some of its records, as Kafka's cleaner writes it: base offset, last offset
// delta, producer and sequence stay; the records that stay are copied as they are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "log/batch.h"

namespace tailrace::log {

/// A record as it lies in a batch's plain bytes.
struct RawRecord {
  std::string_view bytes;          ///< with its length
  std::string_view after_times{};  ///< of `bytes`: from the offset delta on
  std::optional<std::string_view> key;
  bool has_value = false;
  std::int64_t timestamp_delta = 0;
  Offset offset;
};

/// Iterates a batch's records without looking into values and headers. As RecordReader.
class RawRecords {
 public:
  /// `plain` are the records, decompressed (BatchView::plain).
  RawRecords(const BatchView& batch, std::string_view plain)
      : base_(batch.base_offset()), rest_(plain), left_(batch.record_count()) {}
  bool next(RawRecord& record);
  /// kDataLoss when a record was malformed.
  Status status() const;

 private:
  Offset base_;
  std::string_view rest_;
  std::int32_t left_;
  bool malformed_ = false;
};

class BatchRewriter {
 public:
  /// Appends `batch` with only the records of `kept` (which is not empty) to `out`. A horizon
  /// becomes the batch's delete horizon.
  Status append(const BatchView& batch, const std::vector<RawRecord>& kept,
                std::optional<TimestampMs> horizon, std::string& out);
  /// Appends `batch` without records.
  static void append_empty(const BatchView& batch, std::string& out);

 private:
  std::string plain_;
};

}  // namespace tailrace::log
