// What is read next of a folder, and what was read of those files: the position of a files source.
// The marks of all other files are beside it (files_marks.h).
//
//   {"files": {NAME: [id, size, mtime_ns, print, records, offset, line, flags]}, "queue": [NAME,
//   …]} flags: 1 the last line was open, 2 all was read, 4 and 8 what a last line is worth
//   (LastLine)
//
// The queue is decided once and noted before anything of it is read, with the size up to which each
// file is read: reading the queue again gives the same records.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "connect/record_file.h"

namespace tailrace::connect {

struct FileMark {
  std::string id;             ///< SeenFile::id
  std::int64_t mtime_ns = 0;  ///< when it was looked at
  std::uint32_t print = 0;    ///< print_of() part.end bytes
  std::int64_t records = 0;   ///< records and rejects that were emitted
  bool done = false;          ///< a file that does not grow: all of it was emitted, or given up
  FilePart part;              ///< end: its size when it was looked at

  bool operator==(const FileMark&) const = default;
};

class FilesPosition {
 public:
  static Result<FilesPosition> parse(std::string_view text);
  std::string encode() const;

  const FileMark* find(const std::string& name) const;
  void put(const std::string& name, const FileMark& mark);
  /// By name, those of the queue and of what was read since it was chosen.
  std::map<std::string, FileMark> marks() const;

  std::deque<std::string> queue;

 private:
  struct Entry {
    FileMark mark;
    std::string text;
  };
  std::map<std::string, Entry> files_;
};

}  // namespace tailrace::connect
