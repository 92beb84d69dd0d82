// The memory of a durable store: a memtable for RocksDB that finds a key by its hash and is always
// in order.
//
// RocksDB's skip list finds its way to a key through memory that no cache holds; a read of a key
// here is one step in a hash table. Beside it stands a skip list, for who goes over keys in order
// while others write.
//
// One thread inserts; any thread reads or iterates meanwhile. For a column family with the bytewise
// comparator.
#pragma once

#include <memory>

namespace rocksdb {
class MemTableRepFactory;
}

namespace tailrace::kv {

std::shared_ptr<rocksdb::MemTableRepFactory> ordered_memtable();

}  // namespace tailrace::kv
