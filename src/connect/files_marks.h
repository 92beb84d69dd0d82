// What was read of each file of a folder, for those that are not being read now: the file
// FOLDER/NAME.files (SQLite).
//
//   mark(name, id, size, mtime_ns, print, records, offset, line, flags)
//
// Files that are read now are in the source's position, with their marks, which come before those
// here. A mark whose file is no longer under its name, while another is, is kept by its id until
// the file is found under a new name.
//
// Threads: one.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "connect/files_position.h"
#include "sqlite/database.h"

namespace tailrace::connect {

class FileMarks {
 public:
  /// Those of other settings are forgotten, and all of them where the source is at its beginning.
  static Result<std::unique_ptr<FileMarks>> open(const std::string& path,
                                                 const std::string& fingerprint, bool beginning);

  /// Until commit() nothing is kept.
  Status begin();
  Status commit();

  Result<std::optional<FileMark>> find(const std::string& name);
  /// Under which names there are marks of a file; those that are kept by id alone have none ("").
  Result<std::vector<std::pair<std::string, FileMark>>> of_id(const std::string& id);
  Status put(const std::string& name, const FileMark& mark);
  /// Another file has its name now: the mark is kept by its id.
  Status displace(const std::string& name);
  /// The mark of a file goes with it to its new name; `from` is one of of_id()'s.
  Status rename(const std::string& from, const std::string& id, const std::string& to);

 private:
  explicit FileMarks(std::unique_ptr<sqlite::Database> database) : database_(std::move(database)) {}
  Status set_up(const std::string& fingerprint, bool beginning);

  const std::unique_ptr<sqlite::Database> database_;
  std::optional<sqlite::Transaction> transaction_;
};

}  // namespace tailrace::connect
