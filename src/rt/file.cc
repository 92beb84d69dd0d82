#include "rt/file.h"

namespace tailrace::rt {
namespace {

Status write_synced(FileSystem& files, const std::string& path, std::string_view content) {
  ASSIGN(auto file, files.open_writable(path));
  TRY(file->truncate(0));
  TRY(file->append(content));
  TRY(file->sync());
  return file->close();
}

}  // namespace

Result<std::string> read_whole(FileSystem& files, const std::string& path, std::uint64_t limit) {
  ASSIGN(auto file, files.open_readable(path));
  ASSIGN(const auto size, file->size());
  if (size > limit) {
    return error(Code::kResourceExhausted, path + " has " + std::to_string(size) +
                                               " bytes, more than the limit of " +
                                               std::to_string(limit));
  }
  std::string content(size, '\0');
  ASSIGN(const auto got, file->read_at(0, content.data(), size));
  content.resize(got);
  return content;
}

Status write_atomically(FileSystem& files, const std::string& path, std::string_view content) {
  const std::string temporary = path + ".tmp";
  if (auto written = write_synced(files, temporary, content); !written) {
    (void)files.remove(temporary);
    return written;
  }
  return files.rename(temporary, path);
}

}  // namespace tailrace::rt
