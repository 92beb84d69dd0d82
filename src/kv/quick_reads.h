// Reads that do not wait for the disk: a thread that serves many connections answers at once what
// is in memory, and leaves the rest to threads that may wait.
#pragma once

namespace tailrace::kv {

/// While one lives, its thread's reads of both stores fail instead of waiting for the disk
/// (kUnavailable, or a cursor that ends so): where the page cache does not have a piece of a
/// table's file, the kernel begins to read it (preadv2's RWF_NOWAIT), and refused() is true from
/// then on. A file system that does not know this flag is waited for. Failed or not: when refused()
/// is true, read again without it. One at a time in a thread.
class QuickReads {
 public:
  QuickReads();
  ~QuickReads();
  QuickReads(const QuickReads&) = delete;
  QuickReads& operator=(const QuickReads&) = delete;

  bool refused() const { return refused_; }

  /// The calling thread's; null: reads wait.
  static QuickReads* current();
  void refuse() { refused_ = true; }

 private:
  bool refused_ = false;
};

}  // namespace tailrace::kv
