// RocksDB's files, patient with a full disk: an append that finds no room waits and tries again
// instead of failing; and read as table_file.h does.
//
// RocksDB answers a failed flush by refusing all work and, on recovery, by flushing whatever is in
// memory, which would make a point between two checkpoints durable. A flush that only takes longer
// keeps the store's promise.
#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <atomic>
#include <memory>

#include "rt/room_watch.h"

namespace tailrace::kv {

/// An append waits at `watch` while there is no room; once `refuses` is set no file is made any
/// more.
std::shared_ptr<rocksdb::FileSystem> patient_files(
    std::shared_ptr<rt::RoomWatch> watch, std::shared_ptr<const std::atomic<bool>> refuses);

}  // namespace tailrace::kv
