#include "kafka/producer_ids.h"

#include <fmt/format.h>

#include <charconv>

namespace tailrace::kafka {
namespace {

constexpr std::int64_t kBlock = 1000;

}  // namespace

Result<std::int64_t> ProducerIds::next() {
  const std::unique_lock lock(mutex_);
  if (next_ == end_) TRY(take_block());
  return next_++;
}

Status ProducerIds::take_block() {
  std::int64_t from = end_;
  if (auto text = rt::read_whole(files_, path_, 64)) {
    const auto* end = text->data() + text->size();
    if (std::from_chars(text->data(), end, from).ec != std::errc()) {
      return error(Code::kDataLoss, path_ + " does not hold a number");
    }
  } else if (text.error().code != Code::kNotFound) {
    return std::unexpected(text.error());
  }
  TRY(rt::write_atomically(files_, path_, fmt::format("{}\n", from + kBlock)));
  next_ = from;
  end_ = from + kBlock;
  return {};
}

}  // namespace tailrace::kafka
