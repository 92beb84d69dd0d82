// Files of a folder as a source: those that are there and those that come, each once, in the order
// of their names.
//
// Options: path (a folder, or a pattern in its last part: input/*.json), format (auto, jsonl, json,
// csv, parquet), every (how often the folder is listed), key, settle. Position: {"done": {name:
// identity}, "current": {"name", "identity", "next"}}; an identity is size:mtime:inode.
//
// A file counts when it is complete: renamed in with an older mtime, or its size and mtime did not
// change for `settle`. A new file under a name that was read before (another inode) is a new file;
// one that was changed in place is not read again, and that is an error. Names that begin with "."
// or "_" or end in ".tmp" are left alone.
#pragma once

#include <memory>

#include "connect/source.h"
#include "rt/clock.h"

namespace tailrace::connect {

Result<std::unique_ptr<Source>> make_files_source(const SourceSpec& spec,
                                                  rt::Clock& clock = rt::system_clock());

}  // namespace tailrace::connect
