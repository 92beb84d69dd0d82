// The files below a folder that a pattern names, and what tells one file from another over time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

  /// Paths below the folder, in order, of what may be files. `visit` is shown each folder before it
  /// is read. kUnavailable when a folder cannot be listed.
  Result<std::vector<std::string>> list(const std::function<void(const std::string&)>& visit);
  /// The file as it is now; none when there is none, or the pattern does not fit.
  std::optional<SeenFile> look(const std::string& name) const;
  std::string path_of(std::string_view name) const { return base_ + "/" + std::string(name); }
  /// The name of a path_of(); none when the path is elsewhere.
  std::optional<std::string> name_of(std::string_view path) const;

 private:
  void split();
  Status walk(const std::string& below, int depth,
              const std::function<void(const std::string&)>& visit,
              std::vector<std::string>& found) const;

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
