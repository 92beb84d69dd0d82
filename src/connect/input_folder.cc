#include "connect/input_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

#include "log/batch.h"

namespace tailrace::connect {
namespace {

constexpr int kMaxDepth = 64;
constexpr std::int64_t kPrintBytes = 256;

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};

bool left_out(std::string_view name) {
  return name.starts_with('.') || name.starts_with('_') || name.ends_with(".tmp");
}

std::int64_t nanoseconds(const statx_timestamp& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

std::optional<SeenFile> look_at(const std::string& path) {
  struct statx info;
  if (statx(AT_FDCWD, path.c_str(), 0, STATX_BASIC_STATS | STATX_BTIME, &info) != 0)
    return std::nullopt;
  if (!S_ISREG(info.stx_mode)) return std::nullopt;
  const bool born = info.stx_mask & STATX_BTIME;
  return SeenFile{fmt::format("{}.{}", info.stx_ino, born ? nanoseconds(info.stx_btime) : 0),
                  static_cast<std::int64_t>(info.stx_size), nanoseconds(info.stx_mtime)};
}

bool is_folder(const std::string& path) {
  struct stat info;
  return lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

}  // namespace

bool path_fits(std::string_view path, std::string_view pattern) {
  const std::size_t slash = pattern.find('/');
  const std::string_view part = pattern.substr(0, slash);
  const std::size_t step = path.find('/');
  if (part == "**") {
    if (slash == std::string_view::npos) return true;
    if (path_fits(path, pattern.substr(slash + 1))) return true;
    return step != std::string_view::npos && path_fits(path.substr(step + 1), pattern);
  }
  if (fnmatch(std::string(part).c_str(), std::string(path.substr(0, step)).c_str(), 0) != 0)
    return false;
  const bool pattern_ends = slash == std::string_view::npos;
  if (pattern_ends || step == std::string_view::npos)
    return pattern_ends && step == std::string_view::npos;
  return path_fits(path.substr(step + 1), pattern.substr(slash + 1));
}

InputFolder::InputFolder(std::string path) : path_(std::move(path)) {
  while (path_.size() > 1 && path_.ends_with('/')) path_.pop_back();
  split();
}

/// Into base_ and pattern_: one file is a pattern without magic in its folder.
void InputFolder::split() {
  const std::size_t magic = path_.find_first_of("*?[");
  struct stat info;
  const bool one_file =
      magic == std::string::npos && stat(path_.c_str(), &info) == 0 && S_ISREG(info.st_mode);
  const bool whole = magic == std::string::npos && !one_file;
  const std::size_t slash = path_.rfind('/', magic);
  base_ = whole ? path_ : path_.substr(0, slash);
  pattern_ = whole ? "*" : path_.substr(slash + 1);
}

Status InputFolder::walk(const std::string& below, int depth,
                         const std::function<void(const std::string&)>& visit,
                         std::vector<std::string>& found) const {
  const std::string folder = below.empty() ? base_ : base_ + "/" + below;
  visit(folder);
  const std::unique_ptr<DIR, CloseFolder> open(opendir(folder.c_str()));
  if (!open)
    return error(Code::kUnavailable,
                 fmt::format("cannot list {}: {}", folder, std::strerror(errno)));
  const bool deep = pattern_.find('/') != std::string::npos || pattern_ == "**";
  while (const dirent* entry = readdir(open.get())) {
    if (left_out(entry->d_name)) continue;
    const std::string name = below.empty() ? entry->d_name : below + "/" + entry->d_name;
    const bool is_known = entry->d_type == DT_DIR || entry->d_type == DT_REG;
    if (is_known ? entry->d_type == DT_DIR : is_folder(path_of(name))) {
      if (deep && depth < kMaxDepth) TRY(walk(name, depth + 1, visit, found));
    } else if (path_fits(name, pattern_)) {
      found.push_back(name);
    }
  }
  return {};
}

Result<std::vector<std::string>> InputFolder::list(
    const std::function<void(const std::string&)>& visit) {
  split();  // what is a file now may have been nothing before
  std::vector<std::string> found;
  TRY(walk("", 0, visit, found));
  std::ranges::sort(found);
  return found;
}

std::optional<SeenFile> InputFolder::look(const std::string& name) const {
  for (std::size_t at = 0; at != name.npos; at = name.find('/', at), at += at != name.npos)
    if (left_out(std::string_view(name).substr(at, name.find('/', at) - at))) return std::nullopt;
  if (!path_fits(name, pattern_)) return std::nullopt;
  return look_at(path_of(name));
}

std::optional<std::string> InputFolder::name_of(std::string_view path) const {
  if (!path.starts_with(base_) || path.substr(base_.size(), 1) != "/") return std::nullopt;
  return std::string(path.substr(base_.size() + 1));
}

std::uint32_t print_of(const std::string& path, std::int64_t size_bytes) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  char bytes[2 * kPrintBytes];
  const auto most = std::min(size_bytes, kPrintBytes);
  const ssize_t head = pread(file, bytes, static_cast<std::size_t>(most), 0);
  const ssize_t tail = pread(file, bytes + most, static_cast<std::size_t>(most), size_bytes - most);
  close(file);
  if (head != most || tail != most) return 0;
  return log::crc32c({bytes, static_cast<std::size_t>(2 * most)}) | 1;
}

}  // namespace tailrace::connect
