// Every byte of every file of a partition, cut there and flipped: after the next start a reader has
// the records that were written, in their places, or an end before them, or a refusal that names
// the place. Never another record, and never one in another's place.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "log/log.h"
#include "log/testing/committed_view.h"
#include "rt/simulated_files.h"

namespace tailrace::log {
namespace {

constexpr const char* kFolder = "/data/log";
constexpr int kBatches = 12;
constexpr int kRecords = 2 * kBatches;

std::string value_of(std::int64_t offset) {
  return fmt::format("value {:03}", offset);
}

TimestampMs time_of(std::int64_t offset) {
  return TimestampMs(1000 + offset);
}

/// Some segments with indexes, a producer, and how the log was left.
void write_log(rt::SimulatedFiles& files, bool close) {
  auto log = Log::open(kFolder, {.checkpoint_interval_bytes = 700, .seed = 1}, files).value();
  TopicSettings settings;
  settings.segment_bytes = 1024;
  settings.index_interval_bytes = 100;
  ASSERT_TRUE(log->create_topic("t", settings));
  const auto partition = log->partition("t", PartitionId(0)).value();
  for (std::int64_t i = 0; i < kRecords; i += 2) {
    const std::string first = value_of(i);
    const std::string second = value_of(i + 1);
    const std::vector<Record> records = {{"k", first, time_of(i), {}},
                                         {"k", second, time_of(i + 1), {}}};
    ASSERT_TRUE(partition->append(records, {5, 0, i}));
  }
  if (close) {
    ASSERT_TRUE(log->close());
  } else {
    files.crash_at(1);
  }
  log.reset();
  files.restart();
}

/// What a reader is given, checked; false when he was refused.
bool read_all(Partition& partition, std::int64_t& seen) {
  ReadBuffer buffer;
  std::string plain;
  for (Offset at = partition.log_start(); at < partition.next_offset();) {
    const auto done = partition.read(at, 200, buffer);
    if (!done) {
      EXPECT_EQ(done.error().code, Code::kDataLoss) << done.error().what;
      EXPECT_NE(done.error().what.find("t-0@"), std::string::npos) << done.error().what;
      return false;
    }
    if (buffer.empty()) break;
    auto batches = buffer.batches();
    for (BatchView batch; batches.next(batch);) {
      EXPECT_TRUE(batch.crc_matches());
      auto records = batch.records(plain).value();
      for (RecordView record; records.next(record);) {
        EXPECT_EQ(*record.value, value_of(record.offset.value));
        EXPECT_EQ(record.timestamp, time_of(record.offset.value));
        seen += record.offset >= at ? 1 : 0;
      }
      EXPECT_GT(batch.next_offset(), at);
      at = batch.next_offset();
    }
  }
  return true;
}

/// A time leads to a record that has it, or to a later one where something was lost.
void look_up(Partition& partition, bool exact) {
  for (std::int64_t i = 0; i < kRecords; ++i) {
    const auto found = partition.offset_for_time(time_of(i));
    if (!found || !*found) {
      EXPECT_FALSE(exact) << i;
      continue;
    }
    EXPECT_EQ((*found)->timestamp, time_of((*found)->offset.value));
    EXPECT_GE((*found)->offset.value, i);
    EXPECT_TRUE(!exact || (*found)->offset.value == i) << i;
  }
}

/// What a damage may do at most.
enum class Harm {
  kRecords,  ///< to records: they are gone, or refused
  kLookups,  ///< to an index: each record is there and is read
  kNothing,  ///< to what is made again
};

struct Outcome {
  int opened = 0;
  int refused = 0;
};

/// Opens what is left, twice.
void check(rt::SimulatedFiles& files, Harm harm, Outcome& outcome) {
  for (int start = 0; start < 2; ++start) {
    auto log = Log::open(kFolder, {.seed = 1}, files);
    ASSERT_TRUE(log) << log.error().what;
    const auto opened = (*log)->partition("t", PartitionId(0));
    if (!opened) {
      EXPECT_EQ(opened.error().code, Code::kDataLoss) << opened.error().what;
      EXPECT_EQ(harm, Harm::kRecords) << opened.error().what;
      ++outcome.refused;
      EXPECT_TRUE((*log)->close());
      continue;
    }
    ++outcome.opened;
    Partition& partition = **opened;
    std::int64_t seen = 0;
    const bool all = read_all(partition, seen) && seen == kRecords;
    EXPECT_TRUE(all || harm == Harm::kRecords) << seen;
    look_up(partition, all && harm == Harm::kNothing);
    EXPECT_TRUE((*log)->close());
  }
}

/// Cuts a file at a byte, or flips bits of the byte.
void spoil(rt::SimulatedFiles& files, const std::string& path, std::size_t at, int flip) {
  if (flip == 0) {
    const auto file = files.open_writable(path).value();
    ASSERT_TRUE(file->truncate(at));
    ASSERT_TRUE(file->sync());
  } else {
    files.overwrite(path, at, std::string(1, static_cast<char>(files.content(path)[at] ^ flip)));
  }
}

/// Damages every byte of a file of the log, in every way; `outcome` of all of it.
void damage(const std::string& path, bool closed, Harm harm, Outcome& outcome) {
  rt::SimulatedFiles pattern(1);
  write_log(pattern, closed);
  const std::string content = pattern.content(path);
  for (std::size_t at = 0; at < content.size(); ++at) {
    for (const int flip : {0, 0x01, 0x80}) {
      SCOPED_TRACE(fmt::format("{} {} byte {}, {}", path, flip != 0 ? "flipped at" : "cut at", at,
                               closed ? "closed" : "crashed"));
      rt::SimulatedFiles files(1);
      write_log(files, closed);
      spoil(files, path, at, flip);
      check(files, harm, outcome);
      if (::testing::Test::HasFailure()) return;
    }
  }
}

std::vector<std::string> files_that_end_with(std::string_view suffix, bool closed) {
  rt::SimulatedFiles files(1);
  write_log(files, closed);
  std::vector<std::string> found;
  const std::string folder = std::string(kFolder) + "/t-0";
  const auto names = files.list(folder).value();
  for (const auto& name : names) {
    if (name.ends_with(suffix)) found.push_back(folder + "/" + name);
  }
  return found;
}

std::vector<std::string> transaction_files(rt::SimulatedFiles& files) {
  std::vector<std::string> found;
  const std::string folder = std::string(kFolder) + "/t-0";
  const auto names = files.list(folder).value();
  for (const auto& name : names) {
    if (name.ends_with(".txnindex") || name.ends_with(".txncheck")) {
      if (!files.content(folder + "/" + name).empty()) found.push_back(folder + "/" + name);
    }
  }
  std::ranges::sort(found, std::greater());  // the .txnindex of a segment first
  return found;
}

class Damage : public ::testing::TestWithParam<bool> {};

TEST_P(Damage, of_records_is_never_read_as_other_records) {
  const auto segments = files_that_end_with(".log", GetParam());
  ASSERT_GE(segments.size(), 2u);
  Outcome outcome;
  for (const auto& path : segments) damage(path, GetParam(), Harm::kRecords, outcome);
  EXPECT_GT(outcome.opened, 1000);
  EXPECT_GT(outcome.refused, 100);
}

TEST_P(Damage, of_the_offset_index_costs_no_record) {
  Outcome outcome;
  for (const auto& path : files_that_end_with(".index", GetParam()))
    damage(path, GetParam(), Harm::kLookups, outcome);
  EXPECT_GT(outcome.opened, 20);
}

TEST_P(Damage, of_the_time_index_costs_no_record) {
  Outcome outcome;
  for (const auto& path : files_that_end_with(".timeindex", GetParam()))
    damage(path, GetParam(), Harm::kLookups, outcome);
  EXPECT_GT(outcome.opened, 20);
}

TEST_P(Damage, of_a_producer_snapshot_costs_nothing) {
  Outcome outcome;
  for (const auto& path : files_that_end_with(".snapshot", GetParam()))
    damage(path, GetParam(), Harm::kNothing, outcome);
  EXPECT_GT(outcome.opened, 20);
}

/// Over some segments: a transaction that aborts, and one around it that commits.
void write_transactions(rt::SimulatedFiles& files, bool close) {
  auto log = Log::open(kFolder, {.checkpoint_interval_bytes = 700, .seed = 1}, files).value();
  TopicSettings settings;
  settings.segment_bytes = 1024;
  ASSERT_TRUE(log->create_topic("t", settings));
  const auto partition = log->partition("t", PartitionId(0)).value();
  for (std::int64_t i = 0; i < 6; ++i) {
    const std::vector<Record> good = {{"k", "committed", time_of(i), {}}};
    const std::vector<Record> bad = {{"k", "aborted", time_of(i), {}}};
    ASSERT_TRUE(partition->append(good, {8, 0, i, true}));
    ASSERT_TRUE(partition->append(bad, {7, 0, i, true}));
    ASSERT_TRUE(partition->end_transaction({7, 0, TransactionEnd::kAbort}));
    ASSERT_TRUE(partition->end_transaction({8, 0, TransactionEnd::kCommit}));
  }
  if (close) {
    ASSERT_TRUE(log->close());
  } else {
    ASSERT_TRUE(partition->sync());
    files.crash_at(1);
  }
  log.reset();
  files.restart();
}

TEST_P(Damage, of_an_index_of_aborted_transactions_shows_none_of_their_records) {
  rt::SimulatedFiles pattern(1);
  write_transactions(pattern, GetParam());
  int damaged = 0;
  for (const auto& path : transaction_files(pattern)) {
    const std::string content = pattern.content(path);
    for (std::size_t at = 0; at < content.size(); ++at) {
      for (const int flip : {0, 0x01, 0x80}) {
        SCOPED_TRACE(fmt::format("{} byte {} flip {}", path, at, flip));
        rt::SimulatedFiles files(1);
        write_transactions(files, GetParam());
        spoil(files, path, at, flip);
        ++damaged;
        for (int start = 0; start < 2; ++start) {
          auto log = Log::open(kFolder, {.seed = 1}, files);
          ASSERT_TRUE(log) << log.error().what;
          const auto partition = (*log)->partition("t", PartitionId(0)).value();
          const auto seen = testing::committed_by_index(*partition);
          EXPECT_EQ(seen.size(), 6u);
          for (const auto& one : seen) EXPECT_EQ(one.value, "committed");
          ASSERT_EQ(seen, testing::committed_by_markers(*partition));
          ASSERT_TRUE((*log)->close());
        }
      }
    }
  }
  EXPECT_GT(damaged, 200);
}

/// While it runs: what was right at the start and is not any more is refused.
TEST(DamageOfAborted, that_comes_while_the_log_is_open_is_refused) {
  rt::SimulatedFiles files(1);
  write_transactions(files, true);
  auto log = Log::open(kFolder, {.seed = 1}, files).value();
  const auto partition = log->partition("t", PartitionId(0)).value();
  const auto path = transaction_files(files).front();
  files.overwrite(path, 9, "x");
  const auto found = partition->aborted_transactions(Offset(0), partition->next_offset());
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::kDataLoss);
  EXPECT_NE(found.error().what.find(".txnindex"), std::string::npos) << found.error().what;
}

/// Every byte of the checkpoint files: the log starts, with all its records.
TEST_P(Damage, of_a_checkpoint_costs_no_record) {
  for (const char* name : {"recovery-point-offset-checkpoint", "log-start-offset-checkpoint"}) {
    const std::string path = std::string(kFolder) + "/" + name;
    rt::SimulatedFiles pattern(1);
    write_log(pattern, GetParam());
    const auto size = pattern.content(path).size();
    for (std::size_t at = 0; at < size; ++at) {
      for (const std::string_view wrong : {"", "x", "9"}) {
        SCOPED_TRACE(fmt::format("{} byte {}: '{}'", name, at, wrong));
        rt::SimulatedFiles files(1);
        write_log(files, GetParam());
        if (wrong.empty()) {
          spoil(files, path, at, 0);
        } else {
          files.overwrite(path, at, std::string(wrong));
        }
        auto log = Log::open(kFolder, {.seed = 1}, files);
        ASSERT_TRUE(log) << log.error().what;
        EXPECT_TRUE((*log)->close());
      }
    }
  }
}

TEST(DamageOfATopic, makes_it_alone_go_offline_and_keeps_its_records) {
  rt::SimulatedFiles files(1);
  write_log(files, true);
  {
    auto log = Log::open(kFolder, {.seed = 1}, files).value();
    ASSERT_TRUE(log->create_topic("other", {}));
    ASSERT_TRUE(log->close());
  }
  const std::string meta = std::string(kFolder) + "/t.meta";
  const std::string good = files.content(meta);
  files.overwrite(meta, 0, "garbage\n");
  const std::string bad = files.content(meta);
  for (int start = 0; start < 2; ++start) {
    auto log = Log::open(kFolder, {.seed = 1}, files).value();
    EXPECT_TRUE(log->partition("other", PartitionId(0)));
    EXPECT_FALSE(log->topic("t"));
    const auto partition = log->partition("t", PartitionId(0));
    ASSERT_FALSE(partition);
    EXPECT_EQ(partition.error().code, Code::kDataLoss);
    EXPECT_NE(partition.error().what.find("t.meta"), std::string::npos) << partition.error().what;
    // Another of that name would take its files away.
    EXPECT_EQ(log->create_topic("t", {}).error().code, Code::kDataLoss);
    EXPECT_EQ(log->ensure_topic("t", {}).error().code, Code::kDataLoss);
    ASSERT_TRUE(log->close());
  }
  files.overwrite(meta, 0, good.substr(0, bad.size()));
  {
    auto log = Log::open(kFolder, {.seed = 1}, files).value();
    std::int64_t seen = 0;
    EXPECT_TRUE(read_all(*log->partition("t", PartitionId(0)).value(), seen));
    EXPECT_EQ(seen, kRecords);
    ASSERT_TRUE(log->close());
  }
  files.overwrite(meta, 0, "garbage\n");
  auto log = Log::open(kFolder, {.seed = 1}, files).value();
  ASSERT_TRUE(log->delete_topic("t"));
  EXPECT_TRUE(
      files.list(std::string(kFolder) + "/t-0").value_or(std::vector<std::string>{}).empty());
  EXPECT_TRUE(log->create_topic("t", {}));
}

void append_one(Partition& partition, std::int64_t i) {
  const std::string value = value_of(i);
  const std::vector<Record> records = {{"k", value, time_of(i), {}}};
  ASSERT_TRUE(partition.append(records, {5, 0, i}));
}

/// A topic of two partitions, the first with some sealed segments.
void write_two_partitions(rt::SimulatedFiles& files) {
  auto log = Log::open(kFolder, {.seed = 1}, files).value();
  TopicSettings settings;
  settings.partitions = 2;
  settings.segment_bytes = 1024;
  ASSERT_TRUE(log->create_topic("t", settings));
  for (std::int32_t p = 0; p < 2; ++p) {
    const auto partition = log->partition("t", PartitionId(p)).value();
    for (std::int64_t i = 0; i < kRecords; ++i) append_one(*partition, i);
    ASSERT_TRUE(partition->delete_records(Offset(1)));
  }
  ASSERT_TRUE(log->close());
}

TEST(DamageOfAPartition, makes_it_alone_go_offline_and_keeps_its_records) {
  rt::SimulatedFiles files(1);
  write_two_partitions(files);
  const std::string sealed = std::string(kFolder) + "/t-0/00000000000000000000.log";
  const std::string good = files.content(sealed);
  const auto damage = [&] {
    files.overwrite(sealed, good.size() - 40, std::string(40, '!'));
    // Its time index gone as well, it is read whole at the start.
    ASSERT_TRUE(files.remove(std::string(kFolder) + "/t-0/00000000000000000000.timeindex"));
  };
  damage();
  for (int start = 0; start < 2; ++start) {
    auto log = Log::open(kFolder, {.seed = 1}, files).value();
    const auto offline = log->partition("t", PartitionId(0));
    ASSERT_FALSE(offline);
    EXPECT_EQ(offline.error().code, Code::kDataLoss);
    EXPECT_NE(offline.error().what.find("partition t-0 is offline: t-0"), std::string::npos)
        << offline.error().what;
    EXPECT_NE(offline.error().what.find(sealed), std::string::npos) << offline.error().what;
    // The topic is there, and its other partition takes records.
    TopicSettings settings = log->topic("t")->settings;
    settings.retention_ms = -1;
    EXPECT_TRUE(log->alter_topic("t", settings));
    append_one(*log->partition("t", PartitionId(1)).value(), kRecords + start);
    EXPECT_EQ(log->create_topic("t", {}).error().code, Code::kAlreadyExists);
    EXPECT_TRUE(log->sync());
    EXPECT_TRUE(log->apply_retention());
    EXPECT_TRUE(log->clean());
    ASSERT_TRUE(log->close());
  }
  // The file put back, all is as it was, the checkpoints too.
  files.overwrite(sealed, 0, good);
  {
    auto log = Log::open(kFolder, {.seed = 1}, files).value();
    const auto partition = log->partition("t", PartitionId(0)).value();
    EXPECT_EQ(partition->log_start(), Offset(1));
    EXPECT_EQ(partition->next_offset(), Offset(kRecords));
    ASSERT_TRUE(log->close());
  }
  damage();
  auto log = Log::open(kFolder, {.seed = 1}, files).value();
  ASSERT_TRUE(log->delete_topic("t"));
  EXPECT_TRUE(
      files.list(std::string(kFolder) + "/t-0").value_or(std::vector<std::string>{}).empty());
  EXPECT_TRUE(log->create_topic("t", {}));
  EXPECT_TRUE(log->partition("t", PartitionId(0)));
}

INSTANTIATE_TEST_SUITE_P(Log, Damage, ::testing::Bool(), [](const auto& one) {
  return one.param ? "after_a_stop" : "after_a_crash";
});

}  // namespace
}  // namespace tailrace::log
