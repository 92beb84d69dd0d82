// Members of a share group over sockets, many at once: each record is processed once.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "kafka/client.h"
#include "kafka/door.h"
#include "kafka/messages/all_messages.h"
#include "log/batch_builder.h"

namespace tailrace::kafka {
namespace {

constexpr std::int32_t kPartitions = 2;
constexpr int kRecords = 4000;

class ShareDoorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("share_door_" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder_);
    log_ = log::Log::open(folder_.string(), {}).value();
    log::TopicSettings settings;
    settings.partitions = kPartitions;
    ASSERT_TRUE(log_->create_topic("jobs", settings));
    BrokerConfig config;
    config.listen = "127.0.0.1:0";
    config.offsets_partitions = 1;
    config.share.partitions = 1;
    config.share.updates = 50;
    config.share.prune_ms = 20;
    config.groups.share_assignment_interval_ms = 0;
    // Who goes with records again and again must not use up their deliveries.
    ASSERT_TRUE(config.set("group.share.delivery.count.limit", "10"));
    auto door = Door::start(*log_, config, folder_.string());
    ASSERT_TRUE(door) << door.error().what;
    door_ = std::move(*door);
  }
  void TearDown() override {
    if (door_) door_->stop();
    door_.reset();
    log_.reset();
    std::filesystem::remove_all(folder_);
  }

  Client connect() { return std::move(Client::connect(door_->address()).value()); }

  void produce(int records) {
    Client client = connect();
    for (int i = 0; i < records; i += 40) {
      log::RecordBatchBuilder builder(log::Compression::kNone);
      for (int n = 0; n < 20; ++n) builder.add({"key", "value", TimestampMs(1000), {}});
      const std::string batch(builder.finish({}).value());
      ProduceRequest request;
      request.acks = -1;
      auto& topic = request.topic_data.emplace_back();
      topic.topic_id = log_->topic("jobs")->id;
      for (std::int32_t p = 0; p < kPartitions; ++p) {
        topic.partition_data.push_back({p, Records{batch, {}}});
      }
      const auto response = client.ask<ProduceResponse>(request, Version(13));
      ASSERT_TRUE(response) << response.error().what;
      ASSERT_EQ(response->responses[0].partition_responses[0].error_code, 0);
    }
  }

  std::filesystem::path folder_;
  std::unique_ptr<log::Log> log_;
  std::unique_ptr<Door> door_;
};

/// A member that fetches from both partitions and says of some records that it has processed them.
class Member {
 public:
  Member(Client client, std::string id, Uuid topic)
      : client_(std::move(client)), id_(std::move(id)), topic_(topic) {}

  void join() {
    ShareGroupHeartbeatRequest request;
    request.group_id = "workers";
    request.member_id = id_;
    request.subscribed_topic_names = std::vector<std::string>{"jobs"};
    const auto response = client_.ask<ShareGroupHeartbeatResponse>(request, Version(1));
    ASSERT_TRUE(response) << response.error().what;
    ASSERT_EQ(response->error_code, 0);
  }

  struct Got {
    std::int32_t partition = 0;
    std::int64_t first = 0;
    std::int64_t last = 0;
  };
  std::vector<Got> fetch(const std::vector<Got>& accepted, std::int32_t wait_ms = 100) {
    ShareFetchRequest request;
    request.group_id = "workers";
    request.member_id = id_;
    request.share_session_epoch = epoch_;
    request.max_wait_ms = wait_ms;
    request.min_bytes = 1;
    request.max_records = 30;
    request.batch_size = 10;
    auto& topic = request.topics.emplace_back();
    topic.topic_id = topic_;
    for (std::int32_t p = 0; p < kPartitions; ++p) {
      auto& partition = topic.partitions.emplace_back();
      partition.partition_index = p;
      for (const auto& got : accepted) {
        if (got.partition == p)
          partition.acknowledgement_batches.push_back({got.first, got.last, {1}});
      }
    }
    const auto response = client_.ask<ShareFetchResponse>(request, Version(2));
    std::vector<Got> out;
    EXPECT_TRUE(response) << response.error().what;
    if (!response) return out;
    EXPECT_EQ(response->error_code, 0);
    ++epoch_;
    for (const auto& answer : response->responses) {
      for (const auto& partition : answer.partitions) {
        EXPECT_EQ(partition.error_code, 0);
        EXPECT_EQ(partition.acknowledge_error_code, 0);
        for (const auto& one : partition.acquired_records) {
          out.push_back({partition.partition_index, one.first_offset, one.last_offset});
        }
      }
    }
    return out;
  }

 private:
  Client client_;
  std::string id_;
  Uuid topic_;
  std::int32_t epoch_ = 0;
};

TEST_F(ShareDoorTest, many_members_process_each_record_once_while_more_come) {
  std::atomic<int> processed = 0;
  std::vector<std::atomic<int>> times(kPartitions * kRecords);
  const auto topic = log_->topic("jobs")->id;
  // The group begins where the log ends, and there is nothing yet.
  Member first(connect(), "m", topic);
  first.join();
  first.fetch({}, 0);
  std::vector<std::jthread> members;
  for (int i = 0; i < 6; ++i) {
    members.emplace_back([&, i] {
      // Each is gone now and then, and comes again with a new connection; what it has not told is
      // others' then.
      for (int life = 0; processed < kRecords; ++life) {
        Member member(connect(), "m" + std::to_string(i) + "-" + std::to_string(life), topic);
        member.join();
        std::vector<Member::Got> got;
        for (int n = 0; n < 8 && processed < kRecords; ++n) {
          const auto done = got;
          got = member.fetch(done);
          for (const auto& one : done) {
            for (auto at = one.first; at <= one.last; ++at) {
              ++times[static_cast<std::size_t>(one.partition * kRecords + at)];
              ++processed;
            }
          }
        }
      }
    });
  }
  produce(kRecords);
  members.clear();
  EXPECT_EQ(processed, kRecords);
  for (std::int32_t p = 0; p < kPartitions; ++p) {
    for (int at = 0; at < kRecords / kPartitions; ++at) {
      EXPECT_EQ(times[static_cast<std::size_t>(p * kRecords + at)], 1) << p << "@" << at;
    }
  }
}

}  // namespace
}  // namespace tailrace::kafka
