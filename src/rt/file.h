// Files behind one seam: posix_files() is the machine's, SimulatedFiles (simulated_files.h) lives
// in memory
// and crashes or runs out of space when a test says so.
//
// Durability: bytes are safe after WritableFile::sync(); a created, renamed or removed name is safe
// after
// sync_folder() of its folder. rename() and write_atomically() include it. Nothing else promises
// anything.
// Errors: a missing file is kNotFound, no space (ENOSPC, EDQUOT) kResourceExhausted, no permission
// kPermissionDenied, everything else the system says kUnavailable. The message names operation and
// path.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tailrace::rt {

/// An append-only file. One thread appends; sync() may run beside it in another thread.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  /// Appends all of `data`. After an Error any prefix of it may be there: truncate() to size().
  virtual Status append(std::string_view data) = 0;
  /// fdatasync: everything appended before the call is durable after it.
  virtual Status sync() = 0;
  /// Cuts the file to `size` bytes; the next append goes there.
  virtual Status truncate(std::uint64_t size) = 0;
  /// Without sync. The destructor closes too, but cannot report.
  virtual Status close() = 0;
  /// Bytes of all appends that succeeded, and of what the file held when it was opened.
  virtual std::uint64_t size() const = 0;
};

/// Positional reads, from any thread. It keeps reading a file that was removed meanwhile.
class ReadableFile {
 public:
  virtual ~ReadableFile() = default;
  /// Reads up to `length` bytes at `offset`; fewer only at the end of the file.
  virtual Result<std::size_t> read_at(std::uint64_t offset, char* to, std::size_t length) const = 0;
  virtual Result<std::uint64_t> size() const = 0;
  /// That these bytes will be read soon: the disk may begin. Costs little where they are in memory.
  virtual void will_read(std::uint64_t offset, std::size_t length) const = 0;
};

/// A file system as a whole, held open: its sync() takes no further file.
class Disk {
 public:
  virtual ~Disk() = default;
  /// All that was written to any of its files is durable afterwards.
  virtual Status sync() = 0;
};

/// Held until destroyed.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  /// Opens for appending, creates when missing.
  virtual Result<std::unique_ptr<WritableFile>> open_writable(const std::string& path) = 0;
  virtual Result<std::unique_ptr<ReadableFile>> open_readable(const std::string& path) = 0;
  virtual Result<bool> exists(const std::string& path) = 0;
  /// Names (not paths) in a folder, sorted.
  virtual Result<std::vector<std::string>> list(const std::string& folder) = 0;
  /// Replaces `to` in one step, then syncs its folder.
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  /// A missing file is not an Error.
  virtual Status remove(const std::string& path) = 0;
  /// Removes a folder and all in it; a missing folder is not an Error.
  virtual Status remove_folder(const std::string& folder) = 0;
  /// With its parents; an existing folder is not an Error.
  virtual Status make_folder(const std::string& folder) = 0;
  virtual Status sync_folder(const std::string& folder) = 0;
  /// The one that holds `folder`.
  virtual Result<std::unique_ptr<Disk>> open_disk(const std::string& folder) = 0;
  /// Locks `folder` by the file `folder/.lock`, which holds our process id. When another holds it:
  /// kFailedPrecondition "data folder X is in use by process N"; at once when N lives.
  virtual Result<std::unique_ptr<FileLock>> lock_folder(const std::string& folder) = 0;
};

/// The machine's files.
FileSystem& posix_files();

/// The whole file; kResourceExhausted when it is larger than `limit` bytes.
Result<std::string> read_whole(FileSystem& files, const std::string& path,
                               std::uint64_t limit = 1ULL << 30);

/// Writes `path`.tmp, syncs it and renames it over `path`: readers see the old content or the new.
Status write_atomically(FileSystem& files, const std::string& path, std::string_view content);

}  // namespace tailrace::rt
