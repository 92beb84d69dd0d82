// flush.messages and flush.ms over a socket: what acks=1 and acks=0 may leave unsynced.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "kafka/client.h"
#include "kafka/door.h"
#include "kafka/messages/all_messages.h"
#include "log/batch_builder.h"

namespace tailrace::kafka {
namespace {

class FlushBoundsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("flush_" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder_);
    log_ = log::Log::open(folder_.string(), {}).value();
  }
  void TearDown() override {
    client_.reset();
    door_.reset();
    log_.reset();
    std::filesystem::remove_all(folder_);
  }
  void start(const ConfigMap& settings = {}) {
    BrokerConfig config;
    config.listen = "127.0.0.1:0";
    for (const auto& [name, value] : settings) ASSERT_TRUE(config.set(name, value));
    door_ = Door::start(*log_, config, folder_.string()).value();
    client_ = std::make_unique<Client>(Client::connect(door_->address()).value());
  }
  void make(const std::string& topic, const ConfigMap& settings = {}) {
    CreateTopicsRequest request;
    request.timeout_ms = 10'000;
    auto& asked = request.topics.emplace_back();
    asked.name = topic;
    asked.num_partitions = 1;
    asked.replication_factor = 1;
    for (const auto& [name, value] : settings) asked.configs.push_back({name, value});
    ASSERT_EQ(client_->ask<CreateTopicsResponse>(request)->topics.at(0).error_code, 0);
  }
  void change(const std::string& topic, const std::string& name, const std::string& value) {
    IncrementalAlterConfigsRequest request;
    auto& resource = request.resources.emplace_back();
    resource.resource_type = 2;
    resource.resource_name = topic;
    resource.configs.push_back({name, 0, value});
    const auto done = client_->ask<IncrementalAlterConfigsResponse>(request);
    ASSERT_EQ(done->responses.at(0).error_code, 0);
  }
  void produce(const std::string& topic, int records, std::int16_t acks = 1) {
    log::RecordBatchBuilder builder(log::Compression::kNone);
    for (int i = 0; i < records; ++i) builder.add({std::nullopt, "value", TimestampMs(1000), {}});
    const std::string batch(builder.finish({}).value());
    ProduceRequest request;
    request.acks = acks;
    auto& data = request.topic_data.emplace_back();
    data.name = topic;
    data.partition_data.push_back({0, Records{batch, {}}});
    const auto answer = client_->ask<ProduceResponse>(request, Version(9));
    ASSERT_EQ(answer->responses.at(0).partition_responses.at(0).error_code, 0);
  }
  std::int64_t unsynced(const std::string& topic) {
    const auto partition = log_->partition(topic, PartitionId(0)).value();
    return partition->next_offset() - partition->durable_end();
  }
  /// Waits until all of a topic is on disk.
  bool synced(const std::string& topic) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (unsynced(topic) > 0) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::yield();
    }
    return true;
  }

  std::filesystem::path folder_;
  std::unique_ptr<log::Log> log_;
  std::unique_ptr<Door> door_;
  std::unique_ptr<Client> client_;
};

TEST_F(FlushBoundsTest, without_bounds_one_ack_is_given_before_the_disk_has_it) {
  start();
  make("free");
  produce("free", 10);
  EXPECT_EQ(unsynced("free"), 10);
  produce("free", 1, -1);
  EXPECT_EQ(unsynced("free"), 0);
}

TEST_F(FlushBoundsTest, no_more_than_flush_messages_are_unsynced_when_one_ack_is_given) {
  start();
  make("bounded", {{"flush.messages", "5"}});
  produce("bounded", 4);
  EXPECT_EQ(unsynced("bounded"), 4);
  produce("bounded", 1);
  EXPECT_EQ(unsynced("bounded"), 0);
  produce("bounded", 100);
  EXPECT_EQ(unsynced("bounded"), 0);
  make("other");
  produce("other", 100);
  EXPECT_EQ(unsynced("other"), 100);
}

TEST_F(FlushBoundsTest, what_is_old_as_flush_ms_is_synced_though_nothing_more_comes) {
  start();
  make("timed", {{"flush.ms", "20"}});
  for (int i = 0; i < 3; ++i) {
    produce("timed", 1);
    EXPECT_TRUE(synced("timed"));
  }
}

TEST_F(FlushBoundsTest, the_brokers_settings_hold_for_topics_that_say_nothing) {
  start({{"log.flush.interval.messages", "1"}});
  make("of-broker");
  produce("of-broker", 1);
  EXPECT_EQ(unsynced("of-broker"), 0);
  make("of-itself", {{"flush.messages", "1000"}});
  produce("of-itself", 1);
  EXPECT_EQ(unsynced("of-itself"), 1);
}

TEST_F(FlushBoundsTest, a_bound_that_is_set_while_it_runs_holds_from_then_on) {
  start();
  make("changed");
  produce("changed", 1);
  EXPECT_EQ(unsynced("changed"), 1);
  change("changed", "flush.messages", "1");
  produce("changed", 1);
  EXPECT_EQ(unsynced("changed"), 0);
  change("changed", "flush.messages", "1000");
  produce("changed", 1);
  EXPECT_EQ(unsynced("changed"), 1);
  change("changed", "flush.ms", "0");
  produce("changed", 1);
  EXPECT_TRUE(synced("changed"));
}

TEST_F(FlushBoundsTest, bounds_hold_after_a_new_start) {
  start();
  make("kept", {{"flush.messages", "1"}});
  client_.reset();
  door_.reset();
  start();
  produce("kept", 1);
  EXPECT_EQ(unsynced("kept"), 0);
}

}  // namespace
}  // namespace tailrace::kafka
