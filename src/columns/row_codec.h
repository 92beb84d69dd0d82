// Rows as bytes, in two forms.
//
// Keys (`KeyEncoder`): normalised, so that memcmp orders them as Spark's ORDER BY … ASC NULLS FIRST
// does and equal bytes are equal values (NaN is one value, the greatest; -0.0 equals 0.0). Per
// column: 0x00 for null, else 0x01 then
//   integers, dates, timestamps: big-endian with the sign bit flipped; floats: IEEE bits, flipped
//   when negative strings, binary: bytes with 0x00 written 0x00 0xFF, ended by 0x00 0x00; decimal:
//   16 bytes big-endian, sign flipped struct: its fields; list: 0x01 before each element, 0x00 at
//   the end. Descending columns have every byte inverted.
// Values (`encode_rows`/`RowDecoder`): compact, in no order; they give the same row back bit for
// bit.
//
// Neither is safe on bytes from outside: they read only what this file wrote (the store checks its
// own sums).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "columns/types.h"

namespace tailrace {

struct KeyColumn {
  int index;
  bool descending = false;
  bool nulls_first = true;
};

/// Encodes the key columns of every row of a batch at once: one arena, no allocation a row.
class EncodedRows {
 public:
  std::string_view operator[](std::int64_t row) const {
    return {arena_.get() + offsets_[row], offsets_[row + 1] - offsets_[row]};
  }
  std::int64_t size() const { return static_cast<std::int64_t>(offsets_.size()) - 1; }

 private:
  friend class RowEncoding;
  std::unique_ptr<char[]> arena_;  // not a string: a view must outlive a move, of few bytes too
  std::vector<std::uint64_t> offsets_{0};
};

/// Keys over `columns` of `rows`; kUnimplemented for a map column, which Spark cannot compare
/// either.
Result<EncodedRows> encode_keys(const arrow::RecordBatch& rows,
                                const std::vector<KeyColumn>& columns);

/// Compact values of every column of every row.
Result<EncodedRows> encode_rows(const arrow::RecordBatch& rows);

/// Row by row the bytes of `a`, then those of `b`.
EncodedRows append_bytes(const EncodedRows& a, const EncodedRows& b);

/// Builds a batch from encoded rows; append in any order, then finish.
class RowDecoder {
 public:
  explicit RowDecoder(Schema schema);
  ~RowDecoder();
  void append(std::string_view encoded);
  Result<Batch> finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailrace
