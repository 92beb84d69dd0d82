// Files of a folder as a source: those that are there and those that come, each record once, in the
// order of the files' names.
//
// Options: README.md has the table. Position: files_position.h. A file is what its inode and time
// of birth say: renamed, it is the same one; another one under an old name is a new file.
//
//   JSON lines and CSV, not packed    read as far as whole lines go, and on from there when they
//   grow JSON values, Parquet, .gz, .zst   read when size and mtime stood still for `settle`; a
//   packed one
//                                     that was cut short is read on when it has grown
// What is unfinished (a line without its end, a packed file cut short) waits; when the file stood
// still for `unfinished` it is a reject. A file changed in place is not read again, and that is an
// error.
#pragma once

#include <memory>

#include "connect/source_types.h"
#include "rt/clock.h"

namespace tailrace::connect {

/// `use: files`
extern const SourceType kFilesSource;

Result<std::unique_ptr<Source>> make_files_source(const SourceSpec& spec,
                                                  rt::Clock& clock = rt::system_clock());

}  // namespace tailrace::connect
