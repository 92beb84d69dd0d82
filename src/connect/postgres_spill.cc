#include "connect/postgres_spill.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/bytes.h"

namespace tailrace::connect {
namespace {

constexpr std::size_t kBufferBytes = 1 << 20;
constexpr std::size_t kHeadBytes = 16;

std::unexpected<Error> failed(const char* what) {
  const Code code = errno == ENOSPC ? Code::kResourceExhausted : Code::kInternal;
  return error(code, fmt::format("a large transaction is kept on disk until its end, but {}: {}",
                                 what, std::strerror(errno)));
}

}  // namespace

Result<std::unique_ptr<PostgresSpill>> PostgresSpill::make(const std::string& folder) {
  const char* given = std::getenv("TMPDIR");
  std::string place = !folder.empty() ? folder : given != nullptr ? given : "/tmp";
  int file = ::open(place.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file < 0) {
    place += "/spill-XXXXXX";
    file = ::mkostemp(place.data(), O_CLOEXEC);
    if (file >= 0) ::unlink(place.c_str());
  }
  if (file < 0) return failed("no file can be made");
  return std::unique_ptr<PostgresSpill>(new PostgresSpill(file));
}

PostgresSpill::~PostgresSpill() {
  ::close(file_);
}

Status PostgresSpill::write_out() {
  for (std::size_t done = 0; done < buffer_.size();) {
    const ssize_t wrote = ::pwrite(file_, buffer_.data() + done, buffer_.size() - done, written_);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return failed("it cannot be written");
    done += static_cast<std::size_t>(wrote);
    written_ += wrote;
  }
  buffer_.clear();
  return {};
}

Status PostgresSpill::add(postgres::Xid part, postgres::Lsn lsn, std::string_view message) {
  append_be<std::uint32_t>(buffer_, static_cast<std::uint32_t>(message.size()));
  append_be<std::uint64_t>(buffer_, lsn.value);
  append_be<std::uint32_t>(buffer_, part.value);
  buffer_.append(message);
  return buffer_.size() < kBufferBytes ? Status() : write_out();
}

// So many bytes from at_ on are in the buffer; false: the file ends there.
Result<bool> PostgresSpill::fill(std::size_t bytes) {
  if (buffer_.size() - at_ >= bytes) return true;
  buffer_.erase(0, at_);
  at_ = 0;
  while (buffer_.size() < bytes && read_ < written_) {
    const std::size_t before = buffer_.size();
    buffer_.resize(std::max(bytes, kBufferBytes));
    const ssize_t got = ::pread(file_, buffer_.data() + before, buffer_.size() - before, read_);
    buffer_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return failed("it cannot be read");
    read_ += got;
  }
  return buffer_.size() >= bytes;
}

Result<std::optional<PostgresSpill::Entry>> PostgresSpill::next() {
  if (!reading_) {
    reading_ = true;
    // What was never written is read where it is.
    if (written_ > 0) TRY(write_out());
  }
  while (true) {
    ASSIGN(const bool head, fill(kHeadBytes));
    if (!head) return std::nullopt;
    const auto size = load_be<std::uint32_t>(buffer_.data() + at_);
    ASSIGN(const bool whole, fill(kHeadBytes + size));
    if (!whole) return error(Code::kInternal, "a large transaction's file is cut short");
    const char* from = buffer_.data() + at_;
    at_ += kHeadBytes + size;
    if (aborted_.contains(postgres::Xid(load_be<std::uint32_t>(from + 12)))) continue;
    return Entry{postgres::Lsn(load_be<std::uint64_t>(from + 4)),
                 std::string_view(from + kHeadBytes, size)};
  }
}

}  // namespace tailrace::connect
