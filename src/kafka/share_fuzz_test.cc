// Requests of share groups with fields at random and with damaged bytes: the broker answers or ends
// the connection, nothing crashes, and the members of another group get each record once all the
// while. TAILRACE_FUZZ_SECONDS goes on for longer, TAILRACE_FUZZ_SEED begins elsewhere.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>

#include "base/bytes.h"
#include "kafka/client.h"
#include "kafka/door.h"
#include "kafka/messages/all_messages.h"
#include "log/batch_builder.h"
#include "net/tls_socket.h"

namespace tailrace::kafka {
namespace {

constexpr std::int32_t kPartitions = 2;
constexpr int kRequestsARound = 250;
constexpr int kRecordsARound = 8;

class ShareFuzz : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("share_fuzz_" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder_);
    log_ = log::Log::open(folder_.string(), {}).value();
    log::TopicSettings settings;
    settings.partitions = kPartitions;
    ASSERT_TRUE(log_->create_topic("jobs", settings));
    BrokerConfig config;
    config.listen = "127.0.0.1:0";
    config.offsets_partitions = 1;
    config.share.partitions = 1;
    config.groups.share_assignment_interval_ms = 0;
    door_ = Door::start(*log_, config, folder_.string()).value();
    const char* seed = std::getenv("TAILRACE_FUZZ_SEED");
    random_.seed(seed != nullptr ? std::strtoull(seed, nullptr, 10) : 1);
  }
  void TearDown() override {
    if (door_) door_->stop();
    door_.reset();
    log_.reset();
    std::filesystem::remove_all(folder_);
  }

  bool one_in(unsigned n) { return random_() % n == 0; }
  std::int64_t number() {
    static constexpr std::int64_t kNumbers[] = {0,  1,   2,  3,         5,         7,
                                                -1, -2,  10, 100,       INT32_MAX, INT32_MIN,
                                                19, 255, 64, INT64_MAX, INT64_MIN, 1 << 20};
    return kNumbers[random_() % std::size(kNumbers)];
  }
  /// Mostly 0 to 3.
  std::int32_t small() {
    return one_in(6) ? static_cast<std::int32_t>(number())
                     : static_cast<std::int32_t>(random_() % 4);
  }
  /// May wrap around.
  std::int64_t near(std::int64_t offset) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(offset) +
                                     static_cast<std::uint64_t>(small()));
  }
  std::string text() {
    static const std::string kTexts[] = {"strange",
                                         "strange",
                                         "strange",
                                         "jobs",
                                         "",
                                         std::string(300, 'x'),
                                         std::string("\xff\0", 2)};
    return kTexts[random_() % std::size(kTexts)];
  }
  Uuid topic() { return one_in(8) ? Uuid{} : log_->topic("jobs")->id; }
  std::string member() { return one_in(8) ? text() : "member-" + std::to_string(random_() % 3); }

  template <typename Batch>
  void add_batches(std::vector<Batch>& batches) {
    for (auto n = random_() % 3; n > 0; --n) {
      auto& one = batches.emplace_back();
      one.first_offset = one_in(4) ? number() : static_cast<std::int64_t>(random_() % 20);
      one.last_offset = one_in(4) ? number() : near(one.first_offset);
      for (auto types = random_() % 4; types > 0; --types) {
        one.acknowledge_types.push_back(static_cast<std::int8_t>(one_in(5) ? number() : small()));
      }
    }
  }

  ShareFetchRequest fetch() {
    ShareFetchRequest request;
    request.group_id = text();
    request.member_id = member();
    request.share_session_epoch = small();
    request.max_wait_ms = one_in(4) ? static_cast<std::int32_t>(number()) : 0;
    if (request.max_wait_ms > 10) request.max_wait_ms = 10;
    request.min_bytes = small();
    request.max_bytes = one_in(3) ? small() : 1 << 20;
    request.max_records = small();
    request.batch_size = small();
    request.share_acquire_mode = static_cast<std::int8_t>(one_in(3) ? small() : 0);
    request.is_renew_ack = one_in(4);
    for (auto n = random_() % 3; n > 0; --n) {
      auto& asked = request.topics.emplace_back();
      asked.topic_id = topic();
      for (auto parts = random_() % 3; parts > 0; --parts) {
        auto& partition = asked.partitions.emplace_back();
        partition.partition_index = small();
        add_batches(partition.acknowledgement_batches);
      }
    }
    if (one_in(3)) request.forgotten_topics_data.push_back({topic(), {small(), small()}});
    return request;
  }

  ShareAcknowledgeRequest acknowledge() {
    ShareAcknowledgeRequest request;
    request.group_id = text();
    request.member_id = member();
    request.share_session_epoch = small();
    request.is_renew_ack = one_in(4);
    for (auto n = random_() % 3; n > 0; --n) {
      auto& asked = request.topics.emplace_back();
      asked.topic_id = topic();
      auto& partition = asked.partitions.emplace_back();
      partition.partition_index = small();
      add_batches(partition.acknowledgement_batches);
    }
    return request;
  }

  ShareGroupHeartbeatRequest heartbeat() {
    ShareGroupHeartbeatRequest request;
    request.group_id = text();
    request.member_id = member();
    request.member_epoch = small();
    if (one_in(2)) request.subscribed_topic_names = std::vector<std::string>{"jobs", text()};
    return request;
  }

  AlterShareGroupOffsetsRequest alter() {
    AlterShareGroupOffsetsRequest request;
    request.group_id = text();
    auto& asked = request.topics.emplace_back();
    asked.topic_name = one_in(3) ? text() : "jobs";
    auto& partition = asked.partitions.emplace_back();
    partition.partition_index = small();
    partition.start_offset = number();
    return request;
  }

  DeleteShareGroupOffsetsRequest remove() {
    DeleteShareGroupOffsetsRequest request;
    request.group_id = text();
    request.topics.emplace_back().topic_name = one_in(3) ? text() : "jobs";
    return request;
  }

  ShareGroupDescribeRequest describe() {
    ShareGroupDescribeRequest request;
    request.group_ids = {text(), text()};
    return request;
  }

  template <typename Request>
  std::string frame_of(const Request& request) {
    const ApiInfo& api = *find_api(Request::kApiKey);
    Writer writer(Framing::kLengthPrefixed);
    RequestHeader header;
    header.request_api_key = static_cast<std::int16_t>(api.key);
    header.request_api_version = api.highest.value;
    header.correlation_id = 7;
    header.client_id = "fuzz";
    EXPECT_TRUE(header.encode(writer, api.request_header(api.highest)));
    EXPECT_TRUE(request.encode(writer, api.highest));
    return std::string(writer.finish().value().joined());
  }

  std::string any_frame() {
    switch (random_() % 10) {
      case 0:
      case 1:
        return frame_of(heartbeat());
      case 2:
      case 3:
        return frame_of(acknowledge());
      case 4:
        return frame_of(alter());
      case 5:
        return frame_of(remove());
      case 6:
        return frame_of(describe());
      default:
        return frame_of(fetch());
    }
  }

  /// Behind the api's key: whose requests they are is not what is damaged.
  std::string damaged(std::string frame) {
    constexpr std::size_t kFrom = 8;
    for (auto times = random_() % 3 + 1; times > 0; --times) {
      const auto at = kFrom + random_() % (frame.size() - kFrom);
      const auto how = random_() % 4;
      if (how == 0) frame[at] = static_cast<char>(frame[at] ^ (1 << random_() % 8));
      if (how == 1) frame[at] = static_cast<char>(random_());
      if (how == 2 && frame.size() > kFrom + 8) frame.resize(std::max(at, kFrom + 4));
      if (how == 3) frame.insert(at, random_() % 5 + 1, static_cast<char>(random_()));
    }
    store_be(frame.data(), static_cast<std::uint32_t>(frame.size() - 4));
    return frame;
  }

  /// Whether the broker answers; it may end the connection instead.
  bool answered(net::TlsSocket& socket, const std::string& frame) {
    char head[8];
    if (!socket.send(frame) || !socket.receive(head, sizeof head)) return false;
    const auto size = load_be<std::int32_t>(head);
    EXPECT_GE(size, 4);
    EXPECT_LE(size, 64 << 20);
    std::string rest(static_cast<std::size_t>(size - 4), '\0');
    return static_cast<bool>(socket.receive(rest.data(), rest.size()));
  }

  /// Some requests that were damaged may wait for records for days.
  net::TlsSocket connect() {
    return std::move(
        net::TlsSocket::connect(door_->address(), std::chrono::seconds(1), nullptr).value());
  }

  void produce(Client& client) {
    log::RecordBatchBuilder builder(log::Compression::kNone);
    for (int n = 0; n < kRecordsARound / kPartitions; ++n)
      builder.add({"key", "value", TimestampMs(1000), {}});
    const std::string batch(builder.finish({}).value());
    ProduceRequest request;
    request.acks = -1;
    auto& to = request.topic_data.emplace_back();
    to.topic_id = log_->topic("jobs")->id;
    for (std::int32_t p = 0; p < kPartitions; ++p)
      to.partition_data.push_back({p, Records{batch, {}}});
    const auto response = client.ask<ProduceResponse>(request, Version(13));
    ASSERT_TRUE(response) << response.error().what;
  }

  std::filesystem::path folder_;
  std::unique_ptr<log::Log> log_;
  std::unique_ptr<Door> door_;
  std::mt19937_64 random_;
};

/// A member that does all as it should.
class Honest {
 public:
  Honest(Client client, Uuid topic) : client_(std::move(client)), topic_(topic) {}

  Client& client() { return client_; }

  void join() {
    ShareGroupHeartbeatRequest request;
    request.group_id = "honest";
    request.member_id = "honest-1";
    request.subscribed_topic_names = std::vector<std::string>{"jobs"};
    const auto response = client_.ask<ShareGroupHeartbeatResponse>(request);
    ASSERT_TRUE(response) << response.error().what;
    ASSERT_EQ(response->error_code, 0);
  }

  /// Counts what it gets, and says that it is processed.
  void fetch() {
    ShareFetchRequest request;
    request.group_id = "honest";
    request.member_id = "honest-1";
    request.share_session_epoch = epoch_++;
    request.max_wait_ms = 100;
    request.min_bytes = 1;
    request.max_bytes = 1 << 20;
    request.max_records = 100;
    request.batch_size = 10;
    auto& asked = request.topics.emplace_back();
    asked.topic_id = topic_;
    for (std::int32_t p = 0; p < kPartitions; ++p) {
      auto& partition = asked.partitions.emplace_back();
      partition.partition_index = p;
      for (const auto& [first, last] : got_[p])
        partition.acknowledgement_batches.push_back({first, last, {1}});
      got_[p].clear();
    }
    const auto response = client_.ask<ShareFetchResponse>(request);
    ASSERT_TRUE(response) << response.error().what;
    ASSERT_EQ(response->error_code, 0);
    for (const auto& of_topic : response->responses) {
      for (const auto& partition : of_topic.partitions) {
        ASSERT_EQ(partition.error_code, 0);
        ASSERT_EQ(partition.acknowledge_error_code, 0);
        for (const auto& one : partition.acquired_records) {
          got_[partition.partition_index].emplace_back(one.first_offset, one.last_offset);
          for (auto at = one.first_offset; at <= one.last_offset; ++at)
            ++times_[{partition.partition_index, at}];
        }
      }
    }
  }

  const std::map<std::pair<std::int32_t, std::int64_t>, int>& times() const { return times_; }

 private:
  Client client_;
  const Uuid topic_;
  std::int32_t epoch_ = 0;
  std::map<std::int32_t, std::vector<std::pair<std::int64_t, std::int64_t>>> got_;
  std::map<std::pair<std::int32_t, std::int64_t>, int> times_;
};

TEST_F(ShareFuzz, no_request_crashes_the_broker_or_costs_another_group_a_record) {
  const char* seconds = std::getenv("TAILRACE_FUZZ_SECONDS");
  const auto until = std::chrono::steady_clock::now() +
                     std::chrono::seconds(seconds != nullptr ? std::atoi(seconds) : 0);
  Honest honest(Client::connect(door_->address()).value(), log_->topic("jobs")->id);
  honest.join();
  honest.fetch();  // from here on its group reads
  auto strange = connect();
  std::size_t produced = 0;
  int answers = 0;
  int ends = 0;
  do {
    produce(honest.client());
    produced += kRecordsARound;
    for (int i = 0; i < kRequestsARound; ++i) {
      const auto whole = any_frame();
      if (answered(strange, one_in(2) ? damaged(whole) : whole)) {
        ++answers;
      } else {
        ++ends;
        strange = connect();
      }
    }
    honest.fetch();
    ASSERT_FALSE(HasFailure()) << "after " << answers << " answers";
  } while (std::chrono::steady_clock::now() < until);
  for (int tries = 0; honest.times().size() < produced && tries < 100; ++tries) honest.fetch();
  EXPECT_EQ(honest.times().size(), produced);
  for (const auto& [record, times] : honest.times()) EXPECT_EQ(times, 1) << record.second;
  // Both happen, or it is not what it says.
  EXPECT_GT(answers, 50);
  EXPECT_GT(ends, 5);
}

}  // namespace
}  // namespace tailrace::kafka
