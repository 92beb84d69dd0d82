#include "postgres/replication.h"

#include "base/bytes.h"

namespace tailrace::postgres {

Result<StreamFrame> parse_frame(std::string_view bytes) {
  constexpr std::size_t kDataHead = 25;
  constexpr std::size_t kKeepaliveBytes = 18;
  StreamFrame frame;
  const char* at = bytes.data() + 1;
  if (bytes.starts_with('w') && bytes.size() >= kDataHead) {
    frame.start = Lsn(load_be<std::uint64_t>(at));
    frame.server_end = Lsn(load_be<std::uint64_t>(at + 8));
    frame.time_us = load_be<std::int64_t>(at + 16) + kEpochUs;
    frame.message = bytes.substr(kDataHead);
    return frame;
  }
  if (bytes.starts_with('k') && bytes.size() >= kKeepaliveBytes) {
    frame.keepalive = true;
    frame.server_end = Lsn(load_be<std::uint64_t>(at));
    frame.time_us = load_be<std::int64_t>(at + 8) + kEpochUs;
    frame.answer_now = at[16] != 0;
    return frame;
  }
  return error(Code::kDataLoss, "PostgreSQL: the stream of the slot has a frame of no known kind");
}

std::string encode_status(Lsn written, Lsn flushed, std::int64_t now_us, bool answer_now) {
  std::string bytes = "r";
  append_be<std::uint64_t>(bytes, written.value);
  append_be<std::uint64_t>(bytes, flushed.value);
  append_be<std::uint64_t>(bytes, flushed.value);
  append_be<std::int64_t>(bytes, now_us - kEpochUs);
  bytes += static_cast<char>(answer_now ? 1 : 0);
  return bytes;
}

}  // namespace tailrace::postgres
