// The files of RocksDB's tables, as read: by place, and without waiting where quick_reads.h says
// so.
#pragma once

#include <rocksdb/file_system.h>

#include <memory>
#include <string>

namespace tailrace::kv {

/// Opens `name` through the page cache; an IOError or PathNotFound with the system's words.
rocksdb::IOStatus open_table_file(const std::string& name,
                                  std::unique_ptr<rocksdb::FSRandomAccessFile>* file);

}  // namespace tailrace::kv
