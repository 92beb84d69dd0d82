// Quotas over a socket: what is set is told, and who takes more is told to wait, and made to.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "kafka/client.h"
#include "kafka/door.h"
#include "kafka/messages/all_messages.h"
#include "log/batch_builder.h"

namespace tailrace::kafka {
namespace {

class QuotaTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("quota_" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder_);
    log_ = log::Log::open(folder_.string(), {}).value();
    ASSERT_TRUE(log_->create_topic("here", {}));
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

  AlterClientQuotasResponse set(std::string key, double value, bool remove = false) {
    AlterClientQuotasRequest request;
    auto& entry = request.entries.emplace_back();
    entry.entity.push_back({"user", std::nullopt});
    entry.ops.push_back({std::move(key), value, remove});
    return client_->ask<AlterClientQuotasResponse>(request).value();
  }
  ProduceResponse produce(const std::string& value) {
    log::RecordBatchBuilder builder(log::Compression::kNone);
    builder.add({std::nullopt, value, TimestampMs(1000), {}});
    const std::string batch(builder.finish({}).value());
    ProduceRequest request;
    request.acks = 1;
    auto& topic = request.topic_data.emplace_back();
    topic.name = "here";
    topic.partition_data.push_back({0, Records{batch, {}}});
    return client_->ask<ProduceResponse>(request, Version(9)).value();
  }
  std::int16_t make_topic(const std::string& name, Version version, std::int32_t& throttle_ms) {
    CreateTopicsRequest request;
    request.timeout_ms = 10'000;
    auto& asked = request.topics.emplace_back();
    asked.name = name;
    asked.num_partitions = 12;
    asked.replication_factor = 1;
    const auto response = client_->ask<CreateTopicsResponse>(request, version).value();
    throttle_ms = response.throttle_time_ms;
    return response.topics.at(0).error_code;
  }
  FetchResponse fetch() {
    FetchRequest request;
    request.max_wait_ms = 10;
    request.topics.push_back({"here", {}, {}});
    request.topics[0].partitions.emplace_back().partition_max_bytes = 1 << 20;
    return client_->ask<FetchResponse>(request, Version(12)).value();
  }

  std::filesystem::path folder_;
  std::unique_ptr<log::Log> log_;
  std::unique_ptr<Door> door_;
  std::unique_ptr<Client> client_;
};

TEST_F(QuotaTest, who_writes_more_than_his_quota_waits) {
  EXPECT_EQ(produce(std::string(100'000, 'x')).throttle_time_ms, 0);
  EXPECT_EQ(set("producer_byte_rate", 10'000).entries.at(0).error_code, 0);
  EXPECT_EQ(produce("small").throttle_time_ms, 0);
  // 102,000 bytes in the ten seconds that are looked at are 200 a second too many: 200 ms.
  const auto told = produce(std::string(102'000, 'x')).throttle_time_ms;
  EXPECT_GE(told, 150);
  EXPECT_LE(told, 1000);
  const auto from = std::chrono::steady_clock::now();
  EXPECT_EQ(set("producer_byte_rate", 0, true).entries.at(0).error_code, 0);
  EXPECT_GE(std::chrono::steady_clock::now() - from, std::chrono::milliseconds(told - 50));
  EXPECT_EQ(produce(std::string(200'000, 'x')).throttle_time_ms, 0);
}

TEST_F(QuotaTest, who_reads_more_than_his_quota_waits) {
  produce(std::string(102'000, 'x'));
  set("consumer_byte_rate", 10'000);
  const auto response = fetch();
  EXPECT_GE(response.throttle_time_ms, 150);
  EXPECT_GT(response.responses.at(0).partitions.at(0).records->size_bytes(), 100'000u);
}

TEST_F(QuotaTest, the_time_of_requests_is_taken_from_their_share) {
  set("request_percentage", 0.000001);
  ApiVersionsRequest request;
  request.client_software_name = request.client_software_version = "test";
  std::int32_t told = 0;
  for (int i = 0; i < 3; ++i) {
    told = std::max(told, client_->ask<ApiVersionsResponse>(request)->throttle_time_ms);
  }
  EXPECT_EQ(told, 1000);
}

TEST_F(QuotaTest, who_makes_more_partitions_than_his_quota_is_refused_and_told_to_wait) {
  set("controller_mutation_rate", 0.01);  // 12 partitions overdraw it for twenty minutes
  std::int32_t throttle_ms = 0;
  EXPECT_EQ(make_topic("first", Version(6), throttle_ms), 0);
  EXPECT_EQ(throttle_ms, 0);
  const auto refused = wire(ErrorCode::kThrottlingQuotaExceeded);
  EXPECT_EQ(make_topic("second", Version(6), throttle_ms), refused);
  EXPECT_GT(throttle_ms, 0);
  EXPECT_FALSE(log_->topic("second"));
  // That connection has to wait; another one says that there is no quota any more.
  client_ = std::make_unique<Client>(Client::connect(door_->address()).value());
  set("controller_mutation_rate", 1, true);
  EXPECT_EQ(make_topic("second", Version(6), throttle_ms), 0);
}

TEST_F(QuotaTest, older_clients_have_their_partitions_and_wait) {
  set("controller_mutation_rate", 0.01);
  std::int32_t throttle_ms = 0;
  EXPECT_EQ(make_topic("large", Version(5), throttle_ms), 0);
  EXPECT_GT(throttle_ms, 0);
  EXPECT_TRUE(log_->topic("large"));
}

TEST_F(QuotaTest, what_cannot_be_a_quota_is_refused) {
  EXPECT_EQ(set("nonsense", 1).entries.at(0).error_message, "Invalid configuration key nonsense");
  EXPECT_EQ(set("producer_byte_rate", 0).entries.at(0).error_code,
            wire(ErrorCode::kInvalidRequest));
  const auto all = client_->ask<DescribeClientQuotasResponse>(DescribeClientQuotasRequest{});
  ASSERT_TRUE(all);
  EXPECT_TRUE(all->entries->empty());
}

}  // namespace
}  // namespace tailrace::kafka
