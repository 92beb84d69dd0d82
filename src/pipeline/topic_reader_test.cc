// Which records of a topic a pipeline takes: those a read_committed consumer sees, each once.
#include "pipeline/topic_reader.h"

#include <gtest/gtest.h>

#include "rt/simulated_files.h"

namespace tailrace::pipeline {
namespace {

std::unique_ptr<log::Log> open(rt::SimulatedFiles& files, const log::TopicSettings& settings) {
  auto log = log::Log::open("/log", {.seed = 1}, files).value();
  log->create_topic("t", settings).value();
  return log;
}

void put(log::Partition& partition, std::string_view key, const log::Producer& producer,
         int count) {
  log::RecordBatchBuilder builder;
  for (int i = 0; i < count; ++i) builder.add({key, "\"v\"", TimestampMs(1), {}});
  partition.append_batches(builder.finish(producer).value()).value();
}

TopicReader reader(log::Log& log, Positions from = {}) {
  TopicRelation relation;
  relation.topic = "t";
  return TopicReader::open(log, relation, std::move(from)).value();
}

TEST(TopicReader, waits_for_open_transactions_and_leaves_aborted_ones_out) {
  rt::SimulatedFiles files(1);
  auto log = open(files, {});
  auto partition = log->partition("t", PartitionId(0)).value();
  put(*partition, "plain", {}, 2);
  put(*partition, "aborted", {7, 0, 0, true}, 3);
  put(*partition, "committed", {8, 0, 0, true}, 4);
  auto from_start = reader(*log);
  EXPECT_EQ(from_start.read(100)->records, 2);
  EXPECT_EQ(from_start.lag(), 0);
  partition->end_transaction({7, 0, log::TransactionEnd::kAbort}).value();
  EXPECT_EQ(from_start.read(100)->records, 0);
  partition->end_transaction({8, 0, log::TransactionEnd::kCommit}).value();
  const auto step = from_start.read(100).value();
  EXPECT_EQ(step.records, 4);
  EXPECT_EQ(step.next, Positions{partition->next_offset()});
  EXPECT_EQ(reader(*log).read(100)->records, 6);
}

TEST(TopicReader, reads_up_to_an_offset_that_compaction_took) {
  rt::SimulatedFiles files(1);
  log::TopicSettings settings;
  settings.segment_bytes = 1024;
  settings.extra = {{"cleanup.policy", "compact"}, {"min.cleanable.dirty.ratio", "0"}};
  auto log = open(files, settings);
  auto partition = log->partition("t", PartitionId(0)).value();
  log::RecordBatchBuilder builder;
  for (const char* key : {"a", "b", "b", "c"}) builder.add({key, "1", TimestampMs(1), {}});
  partition->append_batches(builder.finish().value()).value();
  for (int i = 0; i < 30; ++i) put(*partition, "z", {}, 1);
  ASSERT_TRUE(log->clean().value());
  auto again = reader(*log);
  EXPECT_EQ(again.read_until({Offset(2)}, 100)->records, 1);  // "b" of offset 1 is gone
  EXPECT_EQ(again.positions(), Positions{Offset(2)});
  EXPECT_EQ(again.read_until({Offset(4)}, 100)->records, 2);
}

}  // namespace
}  // namespace tailrace::pipeline
