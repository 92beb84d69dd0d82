// The memory of the store: a memtable for RocksDB that finds a key by its hash and sorts when an
// order is asked for.
//
// RocksDB's own skip list searches its place for every key, mostly through memory that no cache
// holds. Here an insert is one step in a hash table, and a read of a key another; the order is made
// for whoever iterates (a flush, a scan): the ascending stretches in which keys came are merged,
// and what was sorted before stays sorted.
//
// One thread inserts; any thread reads or iterates meanwhile, and waits for no insert. For a column
// family with the bytewise comparator and no prefix extractor.
#pragma once

#include <memory>

namespace rocksdb {
class MemTableRepFactory;
}

namespace tailrace::kv {

std::shared_ptr<rocksdb::MemTableRepFactory> hash_memtable();

}  // namespace tailrace::kv
