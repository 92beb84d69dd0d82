#include "lake/patient_output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace tailrace::lake {
namespace {

bool no_space(int number) {
  return number == ENOSPC || number == EDQUOT;
}

}  // namespace

Result<std::shared_ptr<PatientOutput>> PatientOutput::create(std::string path,
                                                             std::shared_ptr<rt::RoomWatch> room) {
  for (;;) {
    const int fd = rt::open_direct(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC);
    if (fd >= 0)
      return std::shared_ptr<PatientOutput>(
          new PatientOutput(std::move(path), fd, std::move(room)));
    const int number = errno;
    if (number == EINTR) continue;
    if (no_space(number) && room && room->wait_for_room(path)) continue;
    return error(no_space(number) ? Code::kResourceExhausted : Code::kUnavailable,
                 fmt::format("{}: {}", path, std::strerror(number)));
  }
}

PatientOutput::~PatientOutput() {
  if (fd_ >= 0) ::close(fd_);
}

arrow::Status PatientOutput::put(const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t done = ::write(fd_, data, size);
    if (done >= 0) {
      data += done;
      size -= static_cast<std::size_t>(done);
      if (size > 0) rt::leave_direct(fd_);  // cut short: the rest need not be whole blocks
      if (room_) room_->got_room();
    } else if (const int number = errno; number != EINTR) {
      if (no_space(number) && room_ && room_->wait_for_room(path_)) continue;
      return arrow::Status::IOError(path_, ": ", std::strerror(number));
    }
  }
  return arrow::Status::OK();
}

arrow::Status PatientOutput::Write(const void* data, std::int64_t size) {
  const char* at = static_cast<const char*>(data);
  std::size_t left = static_cast<std::size_t>(size);
  while (left > 0) {
    const std::size_t part = std::min(left, kBlockBytes - block_used_);
    std::memcpy(block_.get() + block_used_, at, part);
    at += part;
    left -= part;
    block_used_ += part;
    if (block_used_ < kBlockBytes) break;
    ARROW_RETURN_NOT_OK(put(block_.get(), kBlockBytes));
    block_used_ = 0;
  }
  written_ += size;
  return arrow::Status::OK();
}

arrow::Status PatientOutput::Close() {
  if (fd_ < 0) return arrow::Status::OK();
  rt::leave_direct(fd_);
  const arrow::Status last = put(block_.get(), block_used_);
  block_used_ = 0;
  const int failed = ::close(fd_) == 0 ? 0 : errno;
  fd_ = -1;
  if (failed && last.ok()) return arrow::Status::IOError(path_, ": ", std::strerror(failed));
  return last;
}

}  // namespace tailrace::lake
