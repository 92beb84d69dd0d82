// Walking a segment's bytes: the scan of recovery, and the search that tells a torn tail from a
// rotten middle.
#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "log/segment.h"

namespace tailrace::log {
namespace {

constexpr std::size_t kWindowBytes = 1 << 20;

/// A sliding view of a file.
class Window {
 public:
  Window(const rt::ReadableFile& file, std::uint64_t limit) : file_(file), limit_(limit) {}

  /// Bytes from `at`: at least `wanted` of them unless the limit comes first.
  Result<std::string_view> at(std::uint64_t position, std::size_t wanted) {
    wanted = static_cast<std::size_t>(std::min<std::uint64_t>(wanted, limit_ - position));
    if (position < begin_ || position + wanted > begin_ + held_) {
      const auto length = static_cast<std::size_t>(
          std::min<std::uint64_t>(std::max(wanted, kWindowBytes), limit_ - position));
      if (buffer_.size() < length) buffer_.resize(length);
      ASSIGN(held_, file_.read_at(position, buffer_.data(), length));
      begin_ = position;
    }
    return std::string_view(buffer_).substr(0, held_).substr(position - begin_);
  }

 private:
  const rt::ReadableFile& file_;
  const std::uint64_t limit_;
  std::string buffer_;
  std::uint64_t begin_ = 0;
  std::size_t held_ = 0;
};

std::size_t claimed_bytes(std::string_view header) {
  const auto length = load_be<std::int32_t>(header.data() + 8);
  return length < 0 ? 0 : kBatchPrefixBytes + static_cast<std::size_t>(length);
}

/// The whole batch at `position`, or an Error that says why there is none.
Result<BatchView> batch_at(Window& window, std::uint64_t position, std::uint64_t limit,
                           Offset least) {
  ASSIGN(auto bytes, window.at(position, kBatchHeaderBytes));
  auto batch = BatchView::parse(bytes);
  if (!batch && batch.error().code == Code::kOutOfRange && bytes.size() >= kBatchHeaderBytes &&
      claimed_bytes(bytes) <= limit - position) {
    ASSIGN(bytes, window.at(position, claimed_bytes(bytes)));
    batch = BatchView::parse(bytes);
  }
  if (!batch) return batch;
  if (batch->base_offset() < least) {
    return error(Code::kDataLoss, fmt::format("offset {} where at least {} is expected",
                                              batch->base_offset().value, least.value));
  }
  if (!batch->crc_matches()) return error(Code::kDataLoss, "the CRC does not match");
  return batch;
}

}  // namespace

Result<ScanEnd> scan_batches(const rt::ReadableFile& file, SegmentPlace from, std::uint64_t limit,
                             Gaps gaps, const BatchSeen& seen) {
  Window window(file, limit);
  ScanEnd scan{from, {}};
  while (scan.end.position < limit) {
    auto batch = batch_at(window, scan.end.position, limit, scan.end.offset);
    if (batch && batch->base_offset() != scan.end.offset && gaps == Gaps::kRefused) {
      // The CRC does not cover the base offset.
      batch =
          error(Code::kDataLoss, fmt::format("offset {} where {} is expected",
                                             batch->base_offset().value, scan.end.offset.value));
    }
    if (!batch) {
      if (batch.error().code != Code::kDataLoss && batch.error().code != Code::kOutOfRange) {
        return std::unexpected(batch.error());
      }
      scan.flaw = batch.error().what;
      break;
    }
    TRY(seen(*batch, scan.end.position));
    scan.end.position += batch->bytes().size();
    scan.end.offset = batch->next_offset();
  }
  return scan;
}

Result<std::optional<std::uint64_t>> find_batch(const rt::ReadableFile& file, std::uint64_t from,
                                                std::uint64_t limit, Offset least) {
  Window window(file, limit);
  Window candidates(file, limit);
  while (from + kBatchHeaderBytes <= limit) {
    ASSIGN(const auto bytes, window.at(from, kBatchHeaderBytes));
    // The magic byte is the 17th of a batch.
    const std::size_t magic = bytes.find('\x02', 16);
    if (magic == std::string_view::npos) {
      from += bytes.size() - 16;
      continue;
    }
    from += magic - 16;
    if (from + kBatchHeaderBytes > limit) break;
    const auto header = bytes.substr(magic - 16);
    if (header.size() >= kBatchPrefixBytes + 5 &&
        load_be<std::int64_t>(header.data()) >= least.value &&
        claimed_bytes(header) <= limit - from && batch_at(candidates, from, limit, least)) {
      return from;
    }
    ++from;
  }
  return std::nullopt;
}

}  // namespace tailrace::log
