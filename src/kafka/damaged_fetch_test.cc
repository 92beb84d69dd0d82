// A disk that rots under a running broker: whatever byte of a segment is another one, a fetch gives
// records as they were written, fewer of them, or an error; never other ones.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "kafka/client.h"
#include "kafka/door.h"
#include "kafka/messages/all_messages.h"
#include "log/batch.h"
#include "rt/simulated_files.h"

namespace tailrace::kafka {
namespace {

constexpr int kRecords = 24;
const std::string kFolder = "/data/log";

std::string value_of(std::int64_t offset) {
  return fmt::format("value {:03}", offset);
}

class DamagedFetchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("rot_" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    log_ = log::Log::open(kFolder, {.seed = 1}, files_).value();
    log::TopicSettings settings;
    settings.segment_bytes = 1024;
    settings.index_interval_bytes = 100;
    ASSERT_TRUE(log_->create_topic("t", settings));
    const auto partition = log_->partition("t", PartitionId(0)).value();
    for (std::int64_t i = 0; i < kRecords; i += 2) {
      const std::string first = value_of(i);
      const std::string second = value_of(i + 1);
      const std::vector<log::Record> records = {{"k", first, TimestampMs(1000 + i), {}},
                                                {"k", second, TimestampMs(1001 + i), {}}};
      ASSERT_TRUE(partition->append(records, {}));
    }
    BrokerConfig config;
    config.listen = "127.0.0.1:0";
    door_ = Door::start(*log_, config, folder_.string()).value();
    client_ = std::make_unique<Client>(Client::connect(door_->address()).value());
  }
  void TearDown() override {
    client_.reset();
    door_.reset();
    log_.reset();
    std::filesystem::remove_all(folder_);
  }

  FetchResponse::PartitionData fetch(std::int64_t from) {
    FetchRequest request;
    request.max_wait_ms = 0;
    request.max_bytes = 1 << 20;
    request.topics.push_back({"t", {}, {}});
    auto& asked = request.topics[0].partitions.emplace_back();
    asked.fetch_offset = from;
    asked.partition_max_bytes = 1 << 20;
    answer_ = client_->ask<FetchResponse>(request, Version(12)).value();
    return answer_.responses.at(0).partitions.at(0);
  }

  /// Reads to the end; how many records there were before it, or before an error.
  int read_all() {
    int seen = 0;
    for (std::int64_t at = 0; at < kRecords;) {
      const auto part = fetch(at);
      if (part.error_code != 0) {
        EXPECT_TRUE(part.error_code == wire(ErrorCode::kKafkaStorageError) ||
                    part.error_code == wire(ErrorCode::kCorruptMessage))
            << part.error_code;
        return seen;
      }
      const auto before = at;
      log::BatchReader batches(part.records ? part.records->first : std::string_view());
      for (log::BatchView batch; batches.next(batch);) {
        // What is damaged a client sees by the CRC, and an offset that is not under it by its
        // place.
        if (!batch.crc_matches()) return seen;
        EXPECT_EQ(batch.base_offset().value, at);
        auto records = batch.records(plain_).value();
        for (log::RecordView record; records.next(record); ++seen)
          EXPECT_EQ(*record.value, value_of(record.offset.value));
        at = batch.next_offset().value;
      }
      if (at == before) return seen;
    }
    return seen;
  }

  rt::SimulatedFiles files_{1};
  std::filesystem::path folder_;
  std::unique_ptr<log::Log> log_;
  std::unique_ptr<Door> door_;
  std::unique_ptr<Client> client_;
  FetchResponse answer_;
  std::string plain_;
};

TEST_F(DamagedFetchTest, no_byte_of_a_segment_that_rots_is_given_out_as_another_record) {
  ASSERT_EQ(read_all(), kRecords);
  std::size_t segments = 0;
  int unseen = 0;
  std::set<int> outcomes;
  const auto names = files_.list(kFolder + "/t-0").value();
  for (const auto& name : names) {
    if (!name.ends_with(".log")) continue;
    ++segments;
    const auto path = kFolder + "/t-0/" + name;
    const auto content = files_.content(path);
    for (std::size_t at = 0; at < content.size(); ++at) {
      SCOPED_TRACE(fmt::format("{} byte {}", path, at));
      files_.overwrite(path, at, std::string(1, static_cast<char>(content[at] ^ 0x11)));
      const int seen = read_all();
      unseen += seen == kRecords ? 1 : 0;
      outcomes.insert(seen);
      files_.overwrite(path, at, content.substr(at, 1));
      ASSERT_FALSE(HasFailure());
    }
  }
  EXPECT_GE(segments, 2u);
  EXPECT_GE(outcomes.size(), 5u);
  // The leader's epoch is under no CRC, and says nothing of records.
  constexpr int kEpochBytes = 4;
  EXPECT_LE(unseen, kEpochBytes * kRecords / 2);
  EXPECT_EQ(read_all(), kRecords);
}

}  // namespace
}  // namespace tailrace::kafka
