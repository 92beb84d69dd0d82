// How fast batches are built, appended, read, recovered and compacted: `log_bench [FOLDER]`, 1 KB
// records, 1 GB; a million keys.
#include <fmt/format.h>

#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include "base/check.h"
#include "log/log.h"

namespace {

using namespace tailrace;
using namespace tailrace::log;

double seconds_since(std::chrono::nanoseconds start) {
  return std::chrono::duration<double>(rt::system_clock().monotonic() - start).count();
}

void bench_build(Compression compression, const std::vector<Record>& records, int rounds) {
  RecordBatchBuilder builder(compression);
  const auto start = rt::system_clock().monotonic();
  std::size_t bytes = 0;
  for (int round = 0; round < rounds; ++round) {
    builder.clear();
    for (const auto& record : records) builder.add(record);
    bytes += builder.finish().value().size();
  }
  const double count = static_cast<double>(records.size()) * rounds;
  fmt::print("build {}: {:.0f} records/s, {:.2f} B a record\n", compression_name(compression),
             count / seconds_since(start), static_cast<double>(bytes) / count);
}

void bench_log(const std::string& folder, const std::vector<Record>& records) {
  constexpr int kAppends = 2000;
  std::filesystem::remove_all(folder);
  auto log = Log::open(folder, {.checkpoint_interval_bytes = 4ULL << 30}).value();
  TopicSettings settings;
  settings.segment_bytes = INT32_MAX;
  log->create_topic("t", settings).value();
  auto partition = log->partition("t", PartitionId(0)).value();
  const double count = static_cast<double>(records.size()) * kAppends;
  auto start = rt::system_clock().monotonic();
  for (int i = 0; i < kAppends; ++i) partition->append(records, {}, Durability::kNoSync).value();
  fmt::print("append: {:.0f} records/s\n", count / seconds_since(start));
  start = rt::system_clock().monotonic();
  partition->sync().value();
  fmt::print("sync: {:.3f} s\n", seconds_since(start));

  start = rt::system_clock().monotonic();
  ReadBuffer buffer;
  std::string plain;
  std::size_t seen = 0;
  for (Offset at; at < partition->next_offset();) {
    partition->read(at, 1 << 20, buffer).value();
    auto batches = buffer.batches();
    for (BatchView batch; batches.next(batch); at = batch.next_offset()) {
      auto reader = batch.records(plain).value();
      for (RecordView record; reader.next(record);) seen += record.value->size();
    }
  }
  CHECK(seen > 0);
  fmt::print("read: {:.0f} records/s\n", count / seconds_since(start));

  // A copy of the files without the checkpoint is what a crash leaves.
  const std::string crashed = folder + ".crashed";
  std::filesystem::remove_all(crashed);
  std::filesystem::copy(folder, crashed, std::filesystem::copy_options::recursive);
  start = rt::system_clock().monotonic();
  auto again = Log::open(crashed, {}).value();
  const auto recovered = again->partition("t", PartitionId(0)).value();
  fmt::print("recovery: {:.3f} s for {} MB\n", seconds_since(start),
             recovered->recovery().scanned_bytes >> 20);
  again.reset();
  std::filesystem::remove_all(crashed);
  log.reset();
  std::filesystem::remove_all(folder);
}

/// `writes` records of 100 bytes over `keys` keys, in batches of 16 kB, cleaned in one round.
void bench_clean(const std::string& folder, int keys, int writes, Compression compression) {
  std::filesystem::remove_all(folder);
  auto log = Log::open(folder, {.checkpoint_interval_bytes = 4ULL << 30}).value();
  TopicSettings settings;
  settings.segment_bytes = 64 << 20;
  settings.extra = {{"cleanup.policy", "compact"}, {"min.cleanable.dirty.ratio", "0"}};
  log->create_topic("t", settings).value();
  const auto partition = log->partition("t", PartitionId(0)).value();
  const std::string value(84, 'v');
  RecordBatchBuilder builder(compression);
  for (int i = 0; i < writes;) {
    builder.clear();
    for (const int end = std::min(writes, i + 160); i < end; ++i) {
      const std::string key = fmt::format("key-{:012}", (std::int64_t{i} * 7919) % keys);
      builder.add({key, value, TimestampMs(1700000000000 + i), {}});
    }
    partition->append_batches(builder.finish().value(), Durability::kNoSync).value();
  }
  // What follows makes the last segment of them a sealed one.
  settings.segment_ms = 1;
  log->alter_topic("t", settings).value();
  builder.clear();
  builder.add({"end", value, TimestampMs(1800000000000), {}});
  partition->append_batches(builder.finish().value()).value();
  const auto start = rt::system_clock().monotonic();
  const auto cpu = std::clock();
  const auto report = log->clean().value().value();
  fmt::print("clean {}: {} of {} records stay, {:.3f} s, {:.3f} s of CPU\n",
             compression_name(compression), report.counts.records_kept, report.counts.records_read,
             seconds_since(start), static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC);
  log.reset();
  std::filesystem::remove_all(folder);
}

}  // namespace

int main(int argc, char** argv) {
  std::string value;
  for (int i = 0; value.size() < 1024; ++i)
    value += fmt::format("\"field {}\":{},", i, i * 7919 % 1000);
  value.resize(1024);
  const std::vector<Record> records(500, Record{"key", value, TimestampMs(1700000000000), {}});
  for (const auto compression : {Compression::kNone, Compression::kLz4, Compression::kZstd}) {
    bench_build(compression, records, compression == Compression::kNone ? 4000 : 400);
  }
  const std::string folder = argc > 1 ? argv[1] : "/tmp/tailrace_log_bench";
  bench_log(folder, records);
  for (const auto compression : {Compression::kNone, Compression::kLz4}) {
    bench_clean(folder, 1'000'000, 1'000'000, compression);
    bench_clean(folder, 1'000'000, 2'000'000, compression);
  }
}
