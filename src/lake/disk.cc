// link(2) fails when the name exists, on every local file system: the put-if-absent of Delta's
// protocol.
#include "lake/disk.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace tailrace::lake {
namespace {

std::unexpected<Error> system_error(const std::string& what, int number) {
  const Code code = number == ENOENT                       ? Code::kNotFound
                    : number == ENOSPC || number == EDQUOT ? Code::kResourceExhausted
                    : number == EACCES || number == EPERM  ? Code::kPermissionDenied
                                                           : Code::kUnavailable;
  return error(code, fmt::format("{}: {}", what, std::strerror(number)));
}

Status sync_path(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC);
  if (fd < 0) return system_error(path, errno);
  const int failed = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  if (failed) return system_error(path, failed);
  return {};
}

Status write_new(const std::string& path, std::string_view content, bool sync) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) return system_error(path, errno);
  int failed = 0;
  while (!content.empty() && !failed) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written >= 0) {
      content.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      failed = errno;
    }
  }
  if (!failed && sync && ::fsync(fd) != 0) failed = errno;
  ::close(fd);
  if (!failed) return {};
  remove_quietly(path);
  return system_error(path, failed);
}

Result<bool> try_put(const std::string& folder, const std::string& name, std::string_view content,
                     bool sync) {
  const std::string temporary = fmt::format("{}/.{}.{}.tmp", folder, name, random_uuid());
  TRY(write_new(temporary, content, sync));
  const int failed = ::link(temporary.c_str(), (folder + "/" + name).c_str()) == 0 ? 0 : errno;
  remove_quietly(temporary);
  if (failed == EEXIST) return false;
  if (failed) return system_error(folder + "/" + name, failed);
  if (sync) TRY(sync_folder(folder));
  return true;
}

}  // namespace

Result<bool> put_if_absent(const std::string& folder, const std::string& name,
                           std::string_view content, bool sync, rt::RoomWatch* room) {
  for (;;) {
    auto put = try_put(folder, name, content, sync);
    const bool full = !put && put.error().code == Code::kResourceExhausted;
    if (full && room && room->wait_for_room(folder + "/" + name)) continue;
    if (put && room) room->got_room();
    return put;
  }
}

Status sync_file(const std::string& path) {
  return sync_path(path, O_RDONLY);
}
Status sync_folder(const std::string& folder) {
  return sync_path(folder, O_RDONLY | O_DIRECTORY);
}

Status make_folder(const std::string& folder) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) return system_error(folder, failed.value());
  return {};
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return system_error(path, errno ? errno : ENOENT);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

Result<std::vector<FileInfo>> list_files(const std::string& folder) {
  std::vector<FileInfo> files;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
    struct stat info {};
    if (::stat(entry.path().c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    files.push_back({entry.path().filename(), info.st_size,
                     info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1'000'000});
  }
  if (failed && failed.value() != ENOENT) return system_error(folder, failed.value());
  return files;
}

void remove_quietly(const std::string& path) {
  ::unlink(path.c_str());
}

std::int64_t now_ms() {
  using std::chrono::milliseconds, std::chrono::system_clock;
  return std::chrono::duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::string random_uuid() {
  unsigned char bytes[16] = {};
  if (::getentropy(bytes, sizeof bytes) != 0) std::abort();
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0F) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3F) | 0x80);
  std::string text;
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", bytes[i]);
  }
  return text;
}

}  // namespace tailrace::lake
