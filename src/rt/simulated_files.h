// Files in memory for tests, with the losses a real disk may have.
//
// Every mutating call (create, append, sync, truncate, rename, remove, sync_folder) is counted.
// After
// crash_at(k), the k-th one from then on is done in part (an append keeps a random prefix) and
// fails, and
// so does everything after it, until restart(). restart() then loses what was not made durable: of
// each file
// the synced bytes stay and a random prefix of the rest; a name whose folder was not synced may be
// gone.
// Locks are released. Random choices come from the seed. Safe from several threads.
#pragma once

#include <map>
#include <mutex>
#include <set>

#include "rt/file.h"
#include "rt/random.h"

namespace tailrace::rt {

class SimulatedFiles final : public FileSystem {
 public:
  explicit SimulatedFiles(std::uint64_t seed) : random_(seed) {}

  /// The `k`-th mutating call from now (1 = the next) crashes the machine.
  void crash_at(std::uint64_t k);
  bool crashed() const;
  /// Mutating calls so far, to learn how many crash points a run has.
  std::uint64_t calls() const;
  /// Comes back after a crash (or a power cut right now) with what the disk kept.
  void restart();
  /// Appends beyond this many bytes in all fail with kResourceExhausted, after a partial write.
  void set_capacity(std::uint64_t bytes);
  /// The content of a file as it is now, for tests that look or corrupt.
  std::string content(const std::string& path) const;
  /// Replaces bytes in place, durably: a rotten disk.
  void overwrite(const std::string& path, std::uint64_t at, std::string_view bytes);

  Result<std::unique_ptr<WritableFile>> open_writable(const std::string& path) override;
  Result<std::unique_ptr<ReadableFile>> open_readable(const std::string& path) override;
  Result<bool> exists(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& folder) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status remove_folder(const std::string& folder) override;
  Status make_folder(const std::string& folder) override;
  Status sync_folder(const std::string& folder) override;
  Result<std::unique_ptr<Disk>> open_disk(const std::string& folder) override;
  Result<std::unique_ptr<FileLock>> lock_folder(const std::string& folder) override;

 private:
  struct Node {
    std::string content;
    std::string durable;
  };
  using Names = std::map<std::string, std::shared_ptr<Node>>;
  class Writable;
  class Readable;
  class WholeDisk;
  class Lock;

  /// Counts a mutating call; an Error when the machine is down. `dying` says that this call is the
  /// one.
  Status enter(const std::string& what, bool* dying);
  std::uint64_t used() const;
  Status append(Node& node, const std::string& path, std::string_view data);
  void lose_unsynced(Node& node);

  /// What a folder's sync keeps: its files' names as they are.
  void keep_names(const std::string& folder);

  mutable std::mutex mutex_;
  Random random_;
  Names names_;
  Names durable_names_;
  std::set<std::string> folders_;
  std::set<std::string> locked_;
  std::uint64_t calls_ = 0;
  std::uint64_t crash_at_ = 0;
  std::uint64_t capacity_ = UINT64_MAX;
  std::uint64_t epoch_ = 0;
  bool crashed_ = false;
};

}  // namespace tailrace::rt
