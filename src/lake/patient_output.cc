#include "lake/patient_output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tailrace::lake {
namespace {

bool no_space(int number) {
  return number == ENOSPC || number == EDQUOT;
}

}  // namespace

Result<std::shared_ptr<PatientOutput>> PatientOutput::create(
    std::string path, std::shared_ptr<rt::RoomWatch> room) {
  for (;;) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
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

arrow::Status PatientOutput::Write(const void* data, std::int64_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t done = ::write(fd_, at, static_cast<std::size_t>(size));
    if (done >= 0) {
      at += done;
      size -= done;
      written_ += done;
      if (room_) room_->got_room();
    } else if (const int number = errno; number != EINTR) {
      if (no_space(number) && room_ && room_->wait_for_room(path_)) continue;
      return arrow::Status::IOError(path_, ": ", std::strerror(number));
    }
  }
  return arrow::Status::OK();
}

arrow::Status PatientOutput::Close() {
  if (fd_ < 0) return arrow::Status::OK();
  const int failed = ::close(fd_) == 0 ? 0 : errno;
  fd_ = -1;
  if (failed) return arrow::Status::IOError(path_, ": ", std::strerror(failed));
  return arrow::Status::OK();
}

}  // namespace tailrace::lake
