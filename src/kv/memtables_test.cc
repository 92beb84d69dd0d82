// The memtables against RocksDB's own: databases that differ in nothing else answer alike.
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include <atomic>
#include <filesystem>
#include <random>
#include <thread>

#include "kv/hash_memtable.h"
#include "kv/ordered_memtable.h"

namespace tailrace::kv {
namespace {

/// Null: RocksDB's own memtable.
using Make = std::shared_ptr<rocksdb::MemTableRepFactory> (*)();

using rocksdb::Slice;

struct Database {
  Database(const std::string& name, Make memtable) : folder(testing::TempDir() + name) {
    std::filesystem::remove_all(folder);
    rocksdb::Options options;
    options.create_if_missing = true;
    options.allow_concurrent_memtable_write = false;
    if (memtable) options.memtable_factory = memtable();
    rocksdb::DB* opened = nullptr;
    EXPECT_TRUE(rocksdb::DB::Open(options, folder, &opened).ok());
    db.reset(opened);
  }
  ~Database() {
    db.reset();
    std::filesystem::remove_all(folder);
  }
  std::string folder;
  std::unique_ptr<rocksdb::DB> db;
};

/// Few keys, so that many are written again, one of them all the time; some longer than a length of
/// one byte can say.
std::string some_key(std::mt19937& random) {
  if (random() % 16 == 0) return "1000";
  std::string key = std::to_string(random() % 2000);
  if (random() % 16 == 0) key += '\0';
  if (random() % 32 == 0) key.append(200, 'x');
  return key;
}

/// What a walk from a key says, forwards and backwards.
std::string walk(rocksdb::DB& db, const rocksdb::Snapshot* snapshot, const std::string& from,
                 bool forwards) {
  rocksdb::ReadOptions read;
  read.snapshot = snapshot;
  const std::unique_ptr<rocksdb::Iterator> at(db.NewIterator(read));
  std::string seen;
  if (from.empty()) {
    forwards ? at->SeekToFirst() : at->SeekToLast();
  } else {
    forwards ? at->Seek(from) : at->SeekForPrev(from);
  }
  for (int i = 0; i < 20 && at->Valid(); ++i) {
    seen += at->key().ToString() + '=' + at->value().ToString() + ' ';
    forwards ? at->Next() : at->Prev();
  }
  return seen + at->status().ToString();
}

class Memtables : public ::testing::TestWithParam<Make> {};

TEST_P(Memtables, it_answers_as_the_skip_list_does) {
  Database ours("memtable", GetParam()), theirs("skip_list", nullptr);
  std::mt19937 random(3);
  std::vector<std::pair<const rocksdb::Snapshot*, const rocksdb::Snapshot*>> snapshots{
      {nullptr, nullptr}};
  for (int step = 0; step < 800; ++step) {
    rocksdb::WriteBatch batch;
    for (std::uint32_t i = 0, changes = 1 + random() % 40; i < changes; ++i) {
      const std::string key = some_key(random);
      const auto kind = random() % 100;
      if (kind < 70) {
        batch.Put(key, std::to_string(step) + std::string(random() % 50, 'v'));
      } else if (kind < 99) {
        batch.Delete(key);
      } else {
        batch.DeleteRange(key, key + "5");
      }
    }
    ASSERT_TRUE(ours.db->Write({}, &batch).ok() && theirs.db->Write({}, &batch).ok());
    if (step % 50 == 0) snapshots.emplace_back(ours.db->GetSnapshot(), theirs.db->GetSnapshot());
    if (step % 200 == 199) {
      ASSERT_TRUE(ours.db->Flush({}).ok() && theirs.db->Flush({}).ok());
    }
    const auto [our_snapshot, their_snapshot] = snapshots[random() % snapshots.size()];
    for (int i = 0; i < 4; ++i) {
      const std::string key = random() % 20 == 0 ? "" : some_key(random);
      for (const bool forwards : {true, false}) {
        ASSERT_EQ(walk(*ours.db, our_snapshot, key, forwards),
                  walk(*theirs.db, their_snapshot, key, forwards));
      }
      rocksdb::ReadOptions our_read, their_read;
      our_read.snapshot = our_snapshot;
      their_read.snapshot = their_snapshot;
      std::string our_value, their_value;
      ASSERT_EQ(ours.db->Get(our_read, key, &our_value),
                theirs.db->Get(their_read, key, &their_value));
      ASSERT_EQ(our_value, their_value);
    }
  }
  for (const auto& [our_snapshot, their_snapshot] : snapshots) {
    ours.db->ReleaseSnapshot(our_snapshot);
    theirs.db->ReleaseSnapshot(their_snapshot);
  }
}

TEST_P(Memtables, readers_see_whole_batches_while_one_writes) {
  Database database("memtable", GetParam());
  rocksdb::DB& db = *database.db;
  constexpr int kBatches = 4000;
  std::atomic<int> written = 0;
  std::thread writer([&] {
    for (int i = 0; i < kBatches; ++i) {
      rocksdb::WriteBatch batch;
      batch.Put("a" + std::to_string(i), std::to_string(i));
      batch.Put("b" + std::to_string(i), std::to_string(i));
      batch.Put("last", std::to_string(i));
      ASSERT_TRUE(db.Write({}, &batch).ok());
      written = i + 1;
    }
  });
  std::thread scanner([&] {
    for (int before = 0; before < kBatches; before = written) {
      const std::unique_ptr<rocksdb::Iterator> at(db.NewIterator({}));
      int a = 0, b = 0;
      for (at->SeekToFirst(); at->Valid(); at->Next()) {
        a += at->key().starts_with("a") ? 1 : 0;
        b += at->key().starts_with("b") ? 1 : 0;
      }
      ASSERT_EQ(a, b);
      ASSERT_GE(a, before);
    }
  });
  for (int before = 0; before < kBatches; before = written) {
    if (before == 0) continue;
    std::string value;
    ASSERT_TRUE(db.Get({}, "a" + std::to_string(before - 1), &value).ok());
    ASSERT_TRUE(db.Get({}, "last", &value).ok());
    ASSERT_GE(std::stoi(value), before - 1);
    ASSERT_TRUE(db.Get({}, "a" + std::to_string(kBatches), &value).IsNotFound());
  }
  writer.join();
  scanner.join();
}

INSTANTIATE_TEST_SUITE_P(Kinds, Memtables, ::testing::Values(hash_memtable, ordered_memtable),
                         [](const auto& kind) { return kind.index == 0 ? "hash" : "ordered"; });

}  // namespace
}  // namespace tailrace::kv
