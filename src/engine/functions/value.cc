// Buffers of the sinks.
#include "engine/functions/value.h"

#include "base/check.h"

namespace tailrace::engine {

std::shared_ptr<arrow::Buffer> zeroed_buffer(std::int64_t size_bytes) {
  auto buffer = arrow::AllocateBuffer(size_bytes);
  CHECK(buffer.ok());
  std::shared_ptr<arrow::Buffer> made = std::move(buffer).ValueUnsafe();
  if (size_bytes > 0) std::memset(made->mutable_data(), 0, static_cast<std::size_t>(size_bytes));
  return made;
}

void NullBits::allocate() {
  bits_ = zeroed_buffer((rows_ + 7) / 8);
  arrow::bit_util::SetBitsTo(bits_->mutable_data(), 0, rows_, true);
}

Sink<std::string_view>::Sink(Type type, std::int64_t rows)
    : type_(std::move(type)),
      rows_(rows),
      nulls_(rows),
      offsets_buffer_(zeroed_buffer((rows + 1) * 4)),
      offsets_(reinterpret_cast<std::int32_t*>(offsets_buffer_->mutable_data())) {}

Result<Array> Sink<std::string_view>::finish() {
  if (too_large_) {
    return error(Code::kResourceExhausted, "a batch's strings exceed 2 GiB: use smaller batches");
  }
  auto chars = arrow::Buffer::FromString(std::move(chars_));
  return arrow::MakeArray(arrow::ArrayData::Make(
      type_, rows_, {nulls_.bits(), offsets_buffer_, chars}, nulls_.count()));
}

}  // namespace tailrace::engine
