// Columns that grow row by row, as raw buffers that become Arrow's without a copy.
//
// A decoder writes values by inline calls: no virtual call, no allocation but when a buffer
// doubles. A column has children as Arrow has them: the fields of a struct, the element of a list,
// the entries (a struct of key and value) of a map. Each value of a struct or list is written after
// or beside its children's: append_struct() and then one value in every child; the elements and
// then close_list(). A row that went wrong is taken back whole, in every child, by truncate().
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

#include "columns/types.h"

namespace tailrace {

/// Bytes at the end of a buffer that doubles.
class GrowingBuffer {
 public:
  std::size_t size() const { return static_cast<std::size_t>(end_ - begin_); }
  std::uint8_t* data() { return begin_; }
  const std::uint8_t* data() const { return begin_; }
  /// Where the next bytes go; `ensure` says how many fit.
  std::uint8_t* end() { return end_; }
  void ensure(std::size_t bytes) {
    if (static_cast<std::size_t>(limit_ - end_) < bytes) [[unlikely]]
      grow(bytes);
  }
  void advance(std::size_t bytes) { end_ += bytes; }
  void truncate(std::size_t size) { end_ = begin_ + size; }

  template <typename T>
  void append(T value) {
    ensure(sizeof value);
    std::memcpy(end_, &value, sizeof value);
    end_ += sizeof value;
  }

  /// The bytes as Arrow's buffer; this one is empty then.
  std::shared_ptr<arrow::Buffer> finish();

 private:
  void grow(std::size_t bytes);

  std::uint8_t* begin_ = nullptr;
  std::uint8_t* end_ = nullptr;
  std::uint8_t* limit_ = nullptr;
  std::unique_ptr<arrow::ResizableBuffer> buffer_;
};

class ColumnBuilder {
 public:
  /// kUnimplemented for a type that is not Spark's.
  static Result<std::unique_ptr<ColumnBuilder>> make(const Type& type);

  const Type& type() const { return type_; }
  std::int64_t length() const { return length_; }
  std::vector<std::unique_ptr<ColumnBuilder>>& children() { return children_; }
  ColumnBuilder& child(std::size_t i) { return *children_[i]; }

  /// A value of the column's own width: int32_t for INT and DATE, 16 bytes for DECIMAL.
  template <typename T>
  void append(T value) {
    values_.append(value);
    append_valid();
  }
  void append_bool(bool value);
  void append_null();
  void append_struct() { append_valid(); }
  /// A list of the elements that were appended to the child since the last list.
  void close_list() {
    offsets_.append(static_cast<std::int32_t>(children_.front()->length_));
    append_valid();
  }

  /// Text or binary is written at values().end(), then closed; all of it stays below 2 GB.
  GrowingBuffer& values() { return values_; }
  bool has_room(std::size_t bytes) const {
    return values_.size() + bytes <= std::numeric_limits<std::int32_t>::max();
  }
  void close_bytes(std::size_t bytes) {
    values_.advance(bytes);
    offsets_.append(static_cast<std::int32_t>(values_.size()));
    append_valid();
  }
  void append_bytes(std::string_view bytes) {
    values_.ensure(bytes.size());
    if (!bytes.empty()) std::memcpy(values_.end(), bytes.data(), bytes.size());
    close_bytes(bytes.size());
  }

  /// Keeps the first `rows` rows.
  void truncate(std::int64_t rows);

  /// The rows as an array; the builder is empty then.
  Array finish();

 private:
  enum class Layout : std::uint8_t { kNull, kBits, kFixed, kBytes, kStruct, kList };

  ColumnBuilder() = default;
  void append_valid() {
    if (has_nulls_) [[unlikely]]
      append_bit(validity_, true);
    ++length_;
  }
  void append_bit(GrowingBuffer& bits, bool value) {
    const auto byte = static_cast<std::size_t>(length_ >> 3);
    if (byte == bits.size()) bits.append(std::uint8_t{0});
    const auto mask = static_cast<std::uint8_t>(1U << (length_ & 7));
    if (value)
      bits.data()[byte] |= mask;
    else
      bits.data()[byte] &= static_cast<std::uint8_t>(~mask);
  }
  void start_validity();
  std::shared_ptr<arrow::ArrayData> finish_data();

  Layout layout_ = Layout::kNull;
  bool has_nulls_ = false;
  int width_ = 0;
  std::int64_t length_ = 0;
  GrowingBuffer values_;
  GrowingBuffer offsets_;   ///< one more than rows
  GrowingBuffer validity_;  ///< bits, from the first null on
  std::vector<std::unique_ptr<ColumnBuilder>> children_;
  Type type_;
};

}  // namespace tailrace
