#include "columns/column_builder.h"

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "columns/column_view.h"

namespace tailrace {
namespace {

constexpr std::size_t kFirstBytes = 256;

// The bits in front of `length`.
std::int64_t count_ones(const std::uint8_t* bits, std::int64_t length) {
  std::int64_t ones = 0;
  for (std::int64_t byte = 0; byte < length / 8; ++byte) ones += std::popcount(bits[byte]);
  const auto rest = static_cast<unsigned>(length % 8);
  if (rest != 0)
    ones += std::popcount(static_cast<std::uint8_t>(bits[length / 8] & ((1U << rest) - 1)));
  return ones;
}

}  // namespace

void GrowingBuffer::grow(std::size_t bytes) {
  const std::size_t used = size();
  const std::size_t wanted = std::max({kFirstBytes, 2 * used, used + bytes});
  if (!buffer_) {
    auto made = arrow::AllocateResizableBuffer(static_cast<std::int64_t>(wanted));
    CHECK(made.ok());
    buffer_ = std::move(made).ValueUnsafe();
  } else {
    CHECK(buffer_->Resize(static_cast<std::int64_t>(wanted), false).ok());
  }
  begin_ = buffer_->mutable_data();
  end_ = begin_ + used;
  limit_ = begin_ + buffer_->size();
}

std::shared_ptr<arrow::Buffer> GrowingBuffer::finish() {
  const auto used = static_cast<std::int64_t>(size());
  if (!buffer_) grow(0);
  CHECK(buffer_->Resize(used, false).ok());
  buffer_->ZeroPadding();
  begin_ = end_ = limit_ = nullptr;
  return std::shared_ptr<arrow::Buffer>(std::move(buffer_));
}

Result<std::unique_ptr<ColumnBuilder>> ColumnBuilder::make(const Type& type) {
  ASSIGN(const auto kind, column_kind(*type));
  std::unique_ptr<ColumnBuilder> made(new ColumnBuilder);
  made->type_ = type;
  using Kind = ColumnView::Kind;
  switch (kind) {
    case Kind::kNull:
      made->layout_ = Layout::kNull;
      break;
    case Kind::kBool:
      made->layout_ = Layout::kBits;
      break;
    case Kind::kBytes:
      made->layout_ = Layout::kBytes;
      break;
    case Kind::kStruct:
      made->layout_ = Layout::kStruct;
      break;
    case Kind::kList:
      made->layout_ = Layout::kList;
      break;
    case Kind::kInt:
    case Kind::kFloat:
    case Kind::kDouble:
    case Kind::kDecimal:
      made->layout_ = Layout::kFixed;
      made->width_ = type->byte_width();
      break;
  }
  for (const auto& field : type->fields()) {
    ASSIGN(auto child, make(field->type()));
    made->children_.push_back(std::move(child));
  }
  if (made->layout_ == Layout::kBytes || made->layout_ == Layout::kList)
    made->offsets_.append(std::int32_t{0});
  return made;
}

void ColumnBuilder::append_bool(bool value) {
  append_bit(values_, value);
  append_valid();
}

// All rows so far hold values.
void ColumnBuilder::start_validity() {
  const auto bytes = static_cast<std::size_t>((length_ + 7) / 8);
  validity_.truncate(0);
  validity_.ensure(bytes);
  if (bytes > 0) std::memset(validity_.end(), 0xff, bytes);
  validity_.advance(bytes);
  has_nulls_ = true;
}

void ColumnBuilder::append_null() {
  if (layout_ == Layout::kNull) return void(++length_);
  if (!has_nulls_) start_validity();
  append_bit(validity_, false);
  if (layout_ == Layout::kBits) append_bit(values_, false);
  if (layout_ == Layout::kFixed) {
    const auto width = static_cast<std::size_t>(width_);
    values_.ensure(width);
    std::memset(values_.end(), 0, width);
    values_.advance(width);
  }
  if (layout_ == Layout::kBytes) offsets_.append(static_cast<std::int32_t>(values_.size()));
  if (layout_ == Layout::kList)
    offsets_.append(static_cast<std::int32_t>(children_.front()->length_));
  if (layout_ == Layout::kStruct)
    for (auto& one : children_) one->append_null();
  ++length_;
}

void ColumnBuilder::truncate(std::int64_t rows) {
  if (rows >= length_ && layout_ != Layout::kList && layout_ != Layout::kStruct &&
      layout_ != Layout::kBytes)
    return;
  const auto bits = static_cast<std::size_t>((rows + 7) / 8);
  if (has_nulls_) validity_.truncate(bits);
  if (layout_ == Layout::kBits) values_.truncate(bits);
  if (layout_ == Layout::kFixed) values_.truncate(static_cast<std::size_t>(rows * width_));
  if (layout_ == Layout::kBytes || layout_ == Layout::kList) {
    const auto* offsets = reinterpret_cast<const std::int32_t*>(offsets_.data());
    const std::int32_t kept = offsets[rows];
    offsets_.truncate(static_cast<std::size_t>(rows + 1) * sizeof kept);
    if (layout_ == Layout::kBytes)
      values_.truncate(static_cast<std::size_t>(kept));
    else
      children_.front()->truncate(kept);
  }
  if (layout_ == Layout::kStruct)
    for (auto& one : children_) one->truncate(rows);
  length_ = rows;
}

std::shared_ptr<arrow::ArrayData> ColumnBuilder::finish_data() {
  std::int64_t nulls = layout_ == Layout::kNull ? length_ : 0;
  if (has_nulls_) nulls = length_ - count_ones(validity_.data(), length_);
  auto data = arrow::ArrayData::Make(type_, length_, {nullptr}, nulls);
  if (nulls > 0 && layout_ != Layout::kNull) data->buffers[0] = validity_.finish();
  const bool has_offsets = layout_ == Layout::kBytes || layout_ == Layout::kList;
  if (has_offsets) data->buffers.push_back(offsets_.finish());
  if (layout_ == Layout::kBits || layout_ == Layout::kFixed || layout_ == Layout::kBytes)
    data->buffers.push_back(values_.finish());
  for (auto& one : children_) data->child_data.push_back(one->finish_data());
  validity_.truncate(0);
  has_nulls_ = false;
  length_ = 0;
  if (has_offsets) offsets_.append(std::int32_t{0});
  return data;
}

Array ColumnBuilder::finish() {
  return arrow::MakeArray(finish_data());
}

}  // namespace tailrace
