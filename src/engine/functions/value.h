// Values as kernels see them: an argument is a column, or one constant read at every row; a result
// is written row by row through a Sink. Readers<T> and Sink<T> know how T lies in Arrow, so that
// kernels are loops over plain values.
//
// T is bool, an integer, float, double, Decimal128 or std::string_view (STRING and BINARY); DATE is
// int32, TIMESTAMP and INTERVAL are int64.
#pragma once

#include <arrow/api.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/decimal.h>

#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "columns/types.h"

namespace tailrace::engine {

using arrow::Decimal128;

/// A column, or a constant: an array of length 1 that stands for every row.
struct Value {
  Array array;
  bool constant = false;

  std::int64_t at(std::int64_t row) const { return constant ? 0 : row; }
  const arrow::DataType& type() const { return *array->type(); }
  bool always_null() const { return array->null_count() == array->length(); }
};

/// Which rows of a value are null.
class Nulls {
 public:
  explicit Nulls(const Value& value)
      : bits_(value.array->null_bitmap_data()),
        offset_(value.array->offset()),
        step_(value.constant ? 0 : 1),
        all_(value.array->type_id() == arrow::Type::NA) {}

  bool operator[](std::int64_t row) const {
    return bits_ ? !arrow::bit_util::GetBit(bits_, offset_ + row * step_) : all_;
  }
  bool any() const { return bits_ || all_; }

 private:
  const std::uint8_t* bits_;
  std::int64_t offset_;
  std::int64_t step_;
  bool all_;
};

/// Values of a column of T by row; what stands at a null row is meaningless but readable.
template <typename T>
class Reader {
 public:
  explicit Reader(const Value& value)
      : nulls(value),
        values_(value.array->data()->GetValues<T>(1)),
        step_(value.constant ? 0 : 1) {}
  T operator[](std::int64_t row) const { return values_[row * step_]; }
  Nulls nulls;

 private:
  const T* values_;
  std::int64_t step_;
};

template <>
class Reader<bool> {
 public:
  explicit Reader(const Value& value)
      : nulls(value),
        bits_(value.array->data()->buffers[1]->data()),
        offset_(value.array->offset()),
        step_(value.constant ? 0 : 1) {}
  bool operator[](std::int64_t row) const {
    return arrow::bit_util::GetBit(bits_, offset_ + row * step_);
  }
  Nulls nulls;

 private:
  const std::uint8_t* bits_;
  std::int64_t offset_;
  std::int64_t step_;
};

template <>
class Reader<std::string_view> {
 public:
  explicit Reader(const Value& value) : nulls(value), step_(value.constant ? 0 : 1) {
    const auto& data = *value.array->data();
    offsets_ = data.GetValues<std::int32_t>(1);
    chars_ = data.buffers[2] ? reinterpret_cast<const char*>(data.buffers[2]->data()) : "";
  }
  std::string_view operator[](std::int64_t row) const {
    row *= step_;
    return {chars_ + offsets_[row], static_cast<std::size_t>(offsets_[row + 1] - offsets_[row])};
  }
  Nulls nulls;

 private:
  const std::int32_t* offsets_;
  const char* chars_;
  std::int64_t step_;
};

template <>
class Reader<Decimal128> {
 public:
  explicit Reader(const Value& value)
      : nulls(value),
        bytes_(value.array->data()->GetValues<std::uint8_t>(1, value.array->offset() * 16)),
        step_(value.constant ? 0 : 16) {}
  Decimal128 operator[](std::int64_t row) const { return Decimal128(bytes_ + row * step_); }
  Nulls nulls;

 private:
  const std::uint8_t* bytes_;
  std::int64_t step_;
};

/// Validity bits that cost nothing until the first null.
class NullBits {
 public:
  explicit NullBits(std::int64_t rows) : rows_(rows) {}
  void set_null(std::int64_t row) {
    if (!bits_) allocate();
    arrow::bit_util::ClearBit(bits_->mutable_data(), row);
    ++count_;
  }
  std::shared_ptr<arrow::Buffer> bits() const { return bits_; }
  std::int64_t count() const { return count_; }

 private:
  void allocate();
  std::int64_t rows_;
  std::int64_t count_ = 0;
  std::shared_ptr<arrow::Buffer> bits_;
};

std::shared_ptr<arrow::Buffer> zeroed_buffer(std::int64_t size_bytes);

/// Writes a column of T: each row once, set or null, in any order.
template <typename T>
class Sink {
 public:
  Sink(Type type, std::int64_t rows)
      : type_(std::move(type)),
        rows_(rows),
        nulls_(rows),
        buffer_(zeroed_buffer(rows * sizeof(T))),
        values_(reinterpret_cast<T*>(buffer_->mutable_data())) {}
  void set(std::int64_t row, T value) { values_[row] = value; }
  void null(std::int64_t row) { nulls_.set_null(row); }
  Result<Array> finish() {
    return arrow::MakeArray(
        arrow::ArrayData::Make(type_, rows_, {nulls_.bits(), buffer_}, nulls_.count()));
  }

 private:
  Type type_;
  std::int64_t rows_;
  NullBits nulls_;
  std::shared_ptr<arrow::Buffer> buffer_;
  T* values_;
};

template <>
class Sink<bool> {
 public:
  Sink(Type type, std::int64_t rows)
      : type_(std::move(type)), rows_(rows), nulls_(rows), buffer_(zeroed_buffer((rows + 7) / 8)) {}
  void set(std::int64_t row, bool value) {
    arrow::bit_util::SetBitTo(buffer_->mutable_data(), row, value);
  }
  void null(std::int64_t row) { nulls_.set_null(row); }
  Result<Array> finish() {
    return arrow::MakeArray(
        arrow::ArrayData::Make(type_, rows_, {nulls_.bits(), buffer_}, nulls_.count()));
  }

 private:
  Type type_;
  std::int64_t rows_;
  NullBits nulls_;
  std::shared_ptr<arrow::Buffer> buffer_;
};

/// Strings and binary: rows come in order.
template <>
class Sink<std::string_view> {
 public:
  Sink(Type type, std::int64_t rows);
  void set(std::int64_t row, std::string_view value) {
    if (chars_.size() + value.size() > kLimit) [[unlikely]] {
      too_large_ = true;
      value = {};
    }
    chars_.append(value);
    offsets_[row + 1] = static_cast<std::int32_t>(chars_.size());
  }
  void null(std::int64_t row) {
    nulls_.set_null(row);
    offsets_[row + 1] = static_cast<std::int32_t>(chars_.size());
  }
  Result<Array> finish();

 private:
  static constexpr std::size_t kLimit = (std::size_t{1} << 31) - 1;
  Type type_;
  std::int64_t rows_;
  NullBits nulls_;
  std::shared_ptr<arrow::Buffer> offsets_buffer_;
  std::int32_t* offsets_;
  std::string chars_;
  bool too_large_ = false;
};

template <>
class Sink<Decimal128> {
 public:
  Sink(Type type, std::int64_t rows)
      : type_(std::move(type)), rows_(rows), nulls_(rows), buffer_(zeroed_buffer(rows * 16)) {}
  void set(std::int64_t row, const Decimal128& value) {
    value.ToBytes(buffer_->mutable_data() + row * 16);
  }
  void null(std::int64_t row) { nulls_.set_null(row); }
  Result<Array> finish() {
    return arrow::MakeArray(
        arrow::ArrayData::Make(type_, rows_, {nulls_.bits(), buffer_}, nulls_.count()));
  }

 private:
  Type type_;
  std::int64_t rows_;
  NullBits nulls_;
  std::shared_ptr<arrow::Buffer> buffer_;
};

}  // namespace tailrace::engine
