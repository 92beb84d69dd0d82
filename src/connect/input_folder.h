// The files below a folder that a pattern names, and what tells one file from another over time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tailrace::connect {

/// A file as it is now.
struct SeenFile {
  std::string id;  ///< inode and time of birth: stays when it is renamed, appended to or truncated
  std::int64_t size_bytes = 0;
  std::int64_t mtime_ns = 0;
};

/// A folder, one file, or a pattern: `*`, `?` and `[…]` within a name, `**` for any folders
/// between. Names that begin with `.` or `_` or end in `.tmp` are left out; links to folders are
/// not followed.
class InputFolder {
 public:
  explicit InputFolder(std::string path);

  /// By path below base(), in order. kUnavailable when the folder cannot be listed.
  Result<std::map<std::string, SeenFile>> list();
  std::string path_of(std::string_view name) const { return base_ + "/" + std::string(name); }

 private:
  void split();
  Status walk(const std::string& below, int depth, std::map<std::string, SeenFile>& found) const;

  std::string path_;
  std::string base_;
  std::string pattern_;
};

/// Whether a relative path fits a pattern.
bool path_fits(std::string_view path, std::string_view pattern);

/// A checksum of the first and last bytes before `size_bytes`: when it stays, the file was only
/// appended to. 0 when it cannot be read that far.
std::uint32_t print_of(const std::string& path, std::int64_t size_bytes);

}  // namespace tailrace::connect
