// Reads a topic of a real Kafka from its beginning to its end: kafka_log_bench kafka://HOST:PORT
// TOPIC. Records, MB and seconds, all partitions in turn on one thread.
#include <chrono>
#include <cstdio>

#include "base/check.h"
#include "kafka_log/kafka_log.h"

using namespace tailrace;

int main(int argc, char** argv) {
  CHECK(argc == 3);
  kafka_log::KafkaLogConfig config;
  config.url = argv[1];
  config.id = "bench";
  auto log = kafka_log::KafkaLog::open(config);
  CHECK(log.has_value());
  const auto topic = (*log)->topic(argv[2]);
  CHECK(topic.has_value());
  std::int64_t records = 0, bytes = 0;
  const auto begin = std::chrono::steady_clock::now();
  std::string plain;
  for (std::int32_t p = 0; p < topic->settings.partitions; ++p) {
    const auto partition = (*log)->partition(argv[2], PartitionId(p)).value();
    const Offset end = partition->next_offset();
    log::ReadBuffer buffer;
    for (Offset at = partition->log_start(); at < end;) {
      CHECK(partition->read(at, 1 << 20, buffer).has_value());
      auto batches = buffer.batches();
      log::BatchView batch;
      while (batches.next(batch)) {
        auto reader = batch.records(plain).value();
        log::RecordView record;
        while (reader.next(record)) {
          ++records;
          bytes += static_cast<std::int64_t>(record.value->size());
        }
        at = batch.next_offset();
      }
    }
  }
  const double s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf("%lld records, %.0f MB, %.2f s: %.0f records/s\n", static_cast<long long>(records),
              static_cast<double>(bytes) / 1e6, s, static_cast<double>(records) / s);
}
