// Record batches, version 2 (magic 2), as Kafka writes them to disk and wire. Big-endian.
//
//   baseOffset i64 · batchLength i32 (bytes after this field) · partitionLeaderEpoch i32 · magic i8
//   = 2 · crc u32 · attributes i16 · lastOffsetDelta i32 · baseTimestamp i64 · maxTimestamp i64 ·
//   producerId i64 · producerEpoch i16 · baseSequence i32 · recordCount i32 · records (compressed
//   as a whole when attributes say so) record: length varint · attributes i8 · timestampDelta
//   varlong · offsetDelta varint · keyLength varint (-1 = null) · key · valueLength varint · value
//   · headerCount varint · (keyLength varint · key · valueLength varint · value)*
//
// crc is CRC32C from attributes to the end, so offset and leader epoch are stamped without touching
// it. Varints are zigzag.
// Attributes: bits 0–2 compression, 3 log-append time, 4 transactional, 5 control, 6 delete
// horizon.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "log/compression.h"
#include "log/record.h"

namespace tailrace::log {

inline constexpr std::size_t kBatchHeaderBytes = 61;
/// Bytes before what batchLength counts.
inline constexpr std::size_t kBatchPrefixBytes = 12;
/// The largest plain size of one batch's records that is decompressed.
inline constexpr std::size_t kMaxPlainBatchBytes = 256 << 20;

/// CRC32C (Castagnoli), the usual init and final inversion.
std::uint32_t crc32c(std::string_view bytes);

class RecordReader;

/// One whole batch in memory. Nothing is copied; the bytes must outlive it.
class BatchView {
 public:
  BatchView() = default;

  /// The batch at the front of `bytes`. kOutOfRange when it is cut short there, kDataLoss when the
  /// header is not a
  /// possible one. The CRC is not checked.
  static Result<BatchView> parse(std::string_view bytes);

  bool crc_matches() const;

  std::string_view bytes() const { return bytes_; }
  Offset base_offset() const;
  Offset last_offset() const { return base_offset() + last_offset_delta(); }
  Offset next_offset() const { return last_offset() + 1; }
  std::int32_t leader_epoch() const;
  std::uint32_t crc() const;
  std::int16_t attributes() const;
  Compression compression() const { return static_cast<Compression>(attributes() & 7); }
  bool log_append_time() const { return attributes() & 8; }
  bool transactional() const { return attributes() & 16; }
  bool control() const { return attributes() & 32; }
  /// From when on the cleaner may drop the batch's tombstones or marker (KIP-534); then
  /// base_timestamp() is that time.
  std::optional<TimestampMs> delete_horizon() const;
  std::int32_t last_offset_delta() const;
  TimestampMs base_timestamp() const;
  TimestampMs max_timestamp() const;
  std::int64_t producer_id() const;
  std::int16_t producer_epoch() const;
  std::int32_t base_sequence() const;
  /// The sequence of the last record; wraps from 2^31-1 to 0.
  std::int32_t last_sequence() const;
  std::int32_t record_count() const;

  /// The records' bytes, decompressed into `buffer` where they are compressed.
  Result<std::string_view> plain(std::string& buffer) const;
  /// Iterates the records; decompresses into `buffer`, which must outlive the reader and its views.
  Result<RecordReader> records(std::string& buffer) const;

 private:
  explicit BatchView(std::string_view bytes) : bytes_(bytes) {}
  std::string_view bytes_;
};

/// `while (reader.next(record)) …; TRY(reader.status());`
class RecordReader {
 public:
  /// False at the end and at the first malformed record; status() tells which.
  bool next(RecordView& record);
  /// kDataLoss naming the offset when a record was malformed, or when bytes were left over.
  Status status() const;

 private:
  friend class BatchView;
  RecordReader(const BatchView& batch, std::string_view plain);
  bool parse(std::string_view body, RecordView& record);

  std::string_view rest_;
  Offset base_offset_;
  std::int64_t base_timestamp_ = 0;
  std::int64_t fixed_timestamp_ = -1;  // log-append time: all records have it
  std::int32_t left_ = 0;
  std::int32_t last_delta_ = -1;
  std::int32_t max_delta_ = 0;
  std::string failure_;
};

/// What the first bytes of a batch say; nothing is checked beyond that they are possible.
struct BatchFacts {
  Offset base;
  Offset last;
  std::size_t size = 0;
};
/// Nothing when `header` has not kBatchHeaderBytes or cannot begin a batch.
std::optional<BatchFacts> peek_batch(std::string_view header);

/// Iterates whole batches laid end to end, as read() returns them.
class BatchReader {
 public:
  explicit BatchReader(std::string_view bytes) : rest_(bytes) {}
  /// False at the end, or where the rest is no whole batch (`rest()` is not empty then).
  bool next(BatchView& batch);
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

}  // namespace tailrace::log
