// RocksDB's files, patient with a full disk: an append that finds no room waits and tries again
// instead of failing.
//
// RocksDB answers a failed flush by refusing all work and, on recovery, by flushing whatever is in
// memory, which would make a point between two checkpoints durable. A flush that only takes longer
// keeps the store's promise.
#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>

namespace tailrace::kv {

/// Shared by the files and the store: whether someone waits for room, and whether to stop waiting.
class RoomWatch {
 public:
  /// Waits a moment; false when the store closes and the write should fail.
  bool wait_for_room();
  void got_room() { waiting_ = false; }
  bool waiting() const { return waiting_; }
  /// From now on a full disk is waited for (while opening it is an error).
  void arm() { armed_ = true; }
  void close();

 private:
  std::atomic<bool> armed_ = false;
  std::atomic<bool> waiting_ = false;
  std::mutex mutex_;
  std::condition_variable closed_changed_;
  bool closed_ = false;
};

std::shared_ptr<rocksdb::FileSystem> patient_files(std::shared_ptr<RoomWatch> watch);

}  // namespace tailrace::kv
