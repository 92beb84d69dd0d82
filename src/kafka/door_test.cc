// Every served api in every version, over a socket: each request is answered with what decodes as
// that version's response, for a topic that is there and for one that is not.
#include "kafka/door.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "kafka/client.h"
#include "kafka/handlers.h"
#include "kafka/messages/all_messages.h"
#include "kafka/messages/api_table.h"
#include "log/batch_builder.h"

namespace tailrace::kafka {
namespace {

class DoorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("door_" + std::to_string(::getpid()) + "_" +
               ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
    log_ = log::Log::open(folder_.string(), {}).value();
    log::TopicSettings settings;
    settings.partitions = 2;
    ASSERT_TRUE(log_->create_topic("here", settings));
    BrokerConfig config;
    config.listen = "127.0.0.1:0";
    config.offsets_partitions = 2;
    config.transaction_partitions = 2;
    auto door = Door::start(*log_, config, folder_.string());
    ASSERT_TRUE(door) << door.error().what;
    door_ = std::move(*door);
    auto client = Client::connect(door_->address());
    ASSERT_TRUE(client) << client.error().what;
    client_ = std::make_unique<Client>(std::move(*client));
  }
  void TearDown() override {
    client_.reset();
    if (door_) door_->stop();
    door_.reset();
    log_.reset();
    std::filesystem::remove_all(folder_);
  }

  Uuid id() const { return log_->topic("here")->id; }

  /// Asks in every version that is offered; `fill` sets the fields a version has.
  template <typename Request, typename Response, typename Fill, typename Check>
  void each_version(Fill fill, Check check) {
    const ApiInfo& api = *find_api(Request::kApiKey);
    for (Version version = api.lowest; version <= api.highest; ++version) {
      Request request;
      fill(request, version.value);
      auto response = client_->ask<Response>(request, version);
      ASSERT_TRUE(response) << api.name << " v" << version.value << ": " << response.error().what;
      check(*response, version.value);
    }
  }

  std::filesystem::path folder_;
  std::unique_ptr<log::Log> log_;
  std::unique_ptr<Door> door_;
  std::unique_ptr<Client> client_;
};

std::string batch_of(std::string_view value) {
  log::RecordBatchBuilder builder(log::Compression::kNone);
  builder.add({"key", value, TimestampMs(1000), {}});
  return std::string(builder.finish({}).value());
}

TEST_F(DoorTest, records_are_produced_and_fetched_in_every_version) {
  const std::string batch = batch_of("value");
  std::int64_t produced = 0;
  each_version<ProduceRequest, ProduceResponse>(
      [&](ProduceRequest& request, int v) {
        request.acks = -1;
        for (const auto* name : {"here", "missing"}) {
          auto& topic = request.topic_data.emplace_back();
          if (v < 13) topic.name = name;
          if (v >= 13 && std::string(name) == "here") topic.topic_id = id();
          topic.partition_data.push_back({0, Records{batch, {}}});
        }
      },
      [&](const ProduceResponse& response, int v) {
        ASSERT_EQ(response.responses.size(), 2u) << v;
        const auto& here = response.responses[0].partition_responses[0];
        EXPECT_EQ(here.error_code, 0) << v;
        EXPECT_EQ(here.base_offset, produced++) << v;
        const auto& missing = response.responses[1].partition_responses[0];
        EXPECT_EQ(missing.error_code,
                  wire(v < 13 ? ErrorCode::kUnknownTopicOrPartition : ErrorCode::kUnknownTopicId))
            << v;
      });
  each_version<FetchRequest, FetchResponse>(
      [&](FetchRequest& request, int v) {
        request.max_wait_ms = 1000;
        request.min_bytes = 1;
        auto& topic = request.topics.emplace_back();
        if (v < 13) topic.topic = "here";
        if (v >= 13) topic.topic_id = id();
        auto& partition = topic.partitions.emplace_back();
        partition.fetch_offset = 1;
        partition.partition_max_bytes = 1 << 20;
      },
      [&](const FetchResponse& response, int v) {
        const auto& partition = response.responses.at(0).partitions.at(0);
        EXPECT_EQ(partition.error_code, 0) << v;
        EXPECT_EQ(partition.high_watermark, produced) << v;
        log::BatchReader batches(partition.records->first);
        log::BatchView one;
        ASSERT_TRUE(batches.next(one)) << v;
        EXPECT_EQ(one.base_offset(), Offset(1)) << v;
        EXPECT_TRUE(one.crc_matches()) << v;
      });
}

TEST_F(DoorTest, a_fetch_session_names_only_what_changed) {
  FetchRequest first;
  first.session_epoch = 0;
  for (int i = 0; i < 2; ++i) {
    if (first.topics.empty()) first.topics.push_back({"", id(), {}});
    auto& partition = first.topics[0].partitions.emplace_back();
    partition.partition = i;
    partition.partition_max_bytes = 1 << 20;
  }
  auto opened = client_->ask<FetchResponse>(first, Version(17));
  ASSERT_TRUE(opened) << opened.error().what;
  ASSERT_NE(opened->session_id, 0);
  EXPECT_EQ(opened->responses.at(0).partitions.size(), 2u);
  FetchRequest next;
  next.session_id = opened->session_id;
  next.session_epoch = 1;
  auto nothing = client_->ask<FetchResponse>(next, Version(17));
  ASSERT_TRUE(nothing) << nothing.error().what;
  EXPECT_TRUE(nothing->responses.empty());
  const std::string batch = batch_of("news");
  auto appended = log_->partition("here", PartitionId(1)).value()->append_batches(batch);
  ASSERT_TRUE(appended);
  next.session_epoch = 2;
  auto news = client_->ask<FetchResponse>(next, Version(17));
  ASSERT_TRUE(news) << news.error().what;
  ASSERT_EQ(news->responses.size(), 1u);
  ASSERT_EQ(news->responses[0].partitions.size(), 1u);
  EXPECT_EQ(news->responses[0].partitions[0].partition_index, 1);
  next.session_epoch = 2;
  EXPECT_EQ(client_->ask<FetchResponse>(next, Version(17))->error_code,
            wire(ErrorCode::kInvalidFetchSessionEpoch));
  next.session_id ^= 1;
  EXPECT_EQ(client_->ask<FetchResponse>(next, Version(17))->error_code,
            wire(ErrorCode::kFetchSessionIdNotFound));
}

TEST_F(DoorTest, topics_are_asked_for_in_every_version) {
  each_version<MetadataRequest, MetadataResponse>(
      [&](MetadataRequest& request, int v) {
        if (v >= 4) request.allow_auto_topic_creation = false;
        request.topics->push_back({{}, "here"});
        if (v >= 4) request.topics->push_back({{}, "missing"});
        if (v >= 12) request.topics->push_back({id(), std::nullopt});
      },
      [&](const MetadataResponse& response, int v) {
        ASSERT_EQ(response.brokers.size(), 1u);
        EXPECT_EQ(response.topics.at(0).partitions.size(), 2u) << v;
        if (v >= 4) {
          EXPECT_EQ(response.topics.at(1).error_code, wire(ErrorCode::kUnknownTopicOrPartition));
        }
        if (v >= 12) {
          EXPECT_EQ(response.topics.at(2).name, "here");
        }
      });
  each_version<ListOffsetsRequest, ListOffsetsResponse>(
      [&](ListOffsetsRequest& request, int) {
        request.topics.push_back({"here", {{0, -1, -1}, {9, -1, -1}}});
      },
      [&](const ListOffsetsResponse& response, int) {
        EXPECT_EQ(response.topics.at(0).partitions.at(0).offset, 0);
        EXPECT_EQ(response.topics.at(0).partitions.at(1).error_code,
                  wire(ErrorCode::kUnknownTopicOrPartition));
      });
  each_version<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>(
      [&](OffsetForLeaderEpochRequest& request, int) {
        request.topics.push_back({"here", {{0, -1, 0}}});
      },
      [&](const OffsetForLeaderEpochResponse& response, int) {
        EXPECT_EQ(response.topics.at(0).partitions.at(0).end_offset, 0);
      });
  each_version<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>(
      [&](DescribeTopicPartitionsRequest& request, int) { request.response_partition_limit = 1; },
      [&](const DescribeTopicPartitionsResponse& response, int) {
        ASSERT_TRUE(response.next_cursor);
        EXPECT_EQ(response.next_cursor->partition_index, 1);
      });
  each_version<DescribeLogDirsRequest, DescribeLogDirsResponse>(
      [&](DescribeLogDirsRequest& request, int) { request.topics.reset(); },
      [&](const DescribeLogDirsResponse& response, int) {
        EXPECT_EQ(response.results.at(0).topics.at(0).partitions.size(), 2u);
      });
}

TEST_F(DoorTest, topics_are_made_changed_and_deleted_in_every_version) {
  each_version<CreateTopicsRequest, CreateTopicsResponse>(
      [&](CreateTopicsRequest& request, int v) {
        auto& topic = request.topics.emplace_back();
        topic.name = "made" + std::to_string(v);
        topic.num_partitions = 1;
        topic.replication_factor = 1;
        request.topics.push_back(topic);
        request.topics.back().name = "here";
      },
      [&](const CreateTopicsResponse& response, int v) {
        EXPECT_EQ(response.topics.at(0).error_code, 0) << v;
        EXPECT_EQ(response.topics.at(1).error_code, wire(ErrorCode::kTopicAlreadyExists)) << v;
      });
  each_version<CreatePartitionsRequest, CreatePartitionsResponse>(
      [&](CreatePartitionsRequest& request, int v) {
        request.topics.push_back({"made7", v + 2, std::nullopt});
      },
      [&](const CreatePartitionsResponse& response, int v) {
        EXPECT_EQ(response.results.at(0).error_code, 0) << v;
      });
  each_version<DeleteTopicsRequest, DeleteTopicsResponse>(
      [&](DeleteTopicsRequest& request, int v) {
        const std::string name = "made" + std::to_string(v);
        if (v < 6) request.topic_names = {name, "missing"};
        if (v >= 6) request.topics = {{name, {}}, {"missing", {}}};
      },
      [&](const DeleteTopicsResponse& response, int v) {
        EXPECT_EQ(response.responses.at(0).error_code,
                  wire(v == 1 ? ErrorCode::kUnknownTopicOrPartition : ErrorCode::kNone))
            << v;
        EXPECT_EQ(response.responses.at(1).error_code, wire(ErrorCode::kUnknownTopicOrPartition));
      });
  each_version<DeleteRecordsRequest, DeleteRecordsResponse>(
      [&](DeleteRecordsRequest& request, int) {
        request.topics.push_back({"here", {{0, 0}, {7, 0}}});
      },
      [&](const DeleteRecordsResponse& response, int) {
        EXPECT_EQ(response.topics.at(0).partitions.at(0).low_watermark, 0);
        EXPECT_NE(response.topics.at(0).partitions.at(1).error_code, 0);
      });
}

TEST_F(DoorTest, the_cluster_is_described_in_every_version) {
  each_version<ApiVersionsRequest, ApiVersionsResponse>(
      [&](ApiVersionsRequest& request, int v) {
        if (v >= 3) request.client_software_name = request.client_software_version = "test";
      },
      [&](const ApiVersionsResponse& response, int) {
        EXPECT_EQ(response.api_keys.size(), served_apis().size());
      });
  each_version<DescribeClusterRequest, DescribeClusterResponse>(
      [&](DescribeClusterRequest&, int) {},
      [&](const DescribeClusterResponse& response, int) {
        EXPECT_EQ(response.cluster_id.size(), 22u);
      });
  each_version<InitProducerIdRequest, InitProducerIdResponse>(
      [&](InitProducerIdRequest& request, int) { request.transactional_id.reset(); },
      [&, next = std::int64_t{0}](const InitProducerIdResponse& response, int) mutable {
        EXPECT_EQ(response.producer_id, next++);
      });
  each_version<FindCoordinatorRequest, FindCoordinatorResponse>(
      [&](FindCoordinatorRequest& request, int v) {
        if (v < 4) request.key = "group";
        if (v >= 4) request.coordinator_keys = {"group"};
      },
      [&](const FindCoordinatorResponse& response, int v) {
        EXPECT_EQ(v < 4 ? response.port : response.coordinators.at(0).port,
                  door_->broker().listeners()[0]->advertised.port);
      });
}

TEST_F(DoorTest, a_group_lives_in_every_version) {
  each_version<OffsetCommitRequest, OffsetCommitResponse>(
      [&](OffsetCommitRequest& request, int v) {
        request.group_id = "group";
        for (const auto* name : {"here", "missing"}) {
          auto& topic = request.topics.emplace_back();
          if (v < 10) topic.name = name;
          if (v >= 10 && std::string(name) == "here") topic.topic_id = id();
          topic.partitions.push_back({1, 40 + v, -1, "note"});
        }
      },
      [&](const OffsetCommitResponse& response, int v) {
        ASSERT_EQ(response.topics.size(), 2u) << v;
        for (const auto& topic : response.topics) {
          const bool known = v < 10 ? topic.name == "here" : topic.topic_id == id();
          EXPECT_EQ(topic.partitions.at(0).error_code == 0, known) << v;
        }
      });
  each_version<OffsetFetchRequest, OffsetFetchResponse>(
      [&](OffsetFetchRequest& request, int v) {
        if (v < 8) {
          request.group_id = "group";
          request.topics->push_back({"here", {1}});
        } else {
          auto& group = request.groups.emplace_back();
          group.group_id = "group";
          group.topics->push_back({v < 10 ? "here" : "", v < 10 ? Uuid{} : id(), {1}});
        }
      },
      [&](const OffsetFetchResponse& response, int v) {
        EXPECT_EQ(v < 8 ? response.topics.at(0).partitions.at(0).committed_offset
                        : response.groups.at(0).topics.at(0).partitions.at(0).committed_offset,
                  50)
            << v;
      });
  each_version<DescribeGroupsRequest, DescribeGroupsResponse>(
      [&](DescribeGroupsRequest& request, int) {
        request.groups = {"group", "none"};
      },
      [&](const DescribeGroupsResponse& response, int v) {
        EXPECT_EQ(response.groups.at(0).group_state, "Empty") << v;
        EXPECT_EQ(response.groups.at(1).group_state, "Dead") << v;
      });
  each_version<ListGroupsRequest, ListGroupsResponse>(
      [&](ListGroupsRequest&, int) {},
      [&](const ListGroupsResponse& response, int v) {
        EXPECT_EQ(response.groups.at(0).group_id, "group") << v;
      });
  each_version<OffsetDeleteRequest, OffsetDeleteResponse>(
      [&](OffsetDeleteRequest& request, int) {
        request.group_id = "group";
        request.topics.push_back({"here", {{1}}});
      },
      [&](const OffsetDeleteResponse& response, int) {
        EXPECT_EQ(response.error_code, 0);
        EXPECT_EQ(response.topics.at(0).partitions.at(0).error_code, 0);
      });
}

TEST_F(DoorTest, members_come_and_go_in_every_version) {
  std::string member;
  each_version<JoinGroupRequest, JoinGroupResponse>(
      [&](JoinGroupRequest& request, int v) {
        request.group_id = "members" + std::to_string(v);
        request.session_timeout_ms = 10'000;
        if (v >= 1) request.rebalance_timeout_ms = 10'000;
        request.protocol_type = "consumer";
        request.protocols.push_back({"range", "meta"});
      },
      [&](const JoinGroupResponse& response, int v) {
        EXPECT_EQ(response.error_code, v < 4 ? 0 : wire(ErrorCode::kMemberIdRequired)) << v;
        EXPECT_FALSE(response.member_id.empty()) << v;
        if (v == 0) member = response.member_id;
      });
  each_version<SyncGroupRequest, SyncGroupResponse>(
      [&](SyncGroupRequest& request, int v) {
        request.group_id = "members0";
        request.member_id = member;
        request.generation_id = 1;
        if (v >= 5) {
          request.protocol_type = "consumer";
          request.protocol_name = "range";
        }
        request.assignments.push_back({member, "mine"});
      },
      [&](const SyncGroupResponse& response, int v) {
        EXPECT_EQ(response.error_code, 0) << v;
        EXPECT_EQ(response.assignment, "mine") << v;
      });
  each_version<HeartbeatRequest, HeartbeatResponse>(
      [&](HeartbeatRequest& request, int) {
        request.group_id = "members0";
        request.member_id = member;
        request.generation_id = 1;
      },
      [&](const HeartbeatResponse& response, int v) { EXPECT_EQ(response.error_code, 0) << v; });
  each_version<LeaveGroupRequest, LeaveGroupResponse>(
      [&](LeaveGroupRequest& request, int v) {
        request.group_id = "members0";
        if (v < 3) request.member_id = member;
        if (v >= 3) request.members.push_back({member, std::nullopt, std::nullopt});
      },
      [&](const LeaveGroupResponse& response, int v) {
        const auto code = v < 3 ? response.error_code : response.members.at(0).error_code;
        EXPECT_EQ(code, v == 0 ? 0 : wire(ErrorCode::kUnknownMemberId)) << v;
      });
  each_version<DeleteGroupsRequest, DeleteGroupsResponse>(
      [&](DeleteGroupsRequest& request, int) { request.groups_names = {"members0"}; },
      [&](const DeleteGroupsResponse& response, int v) {
        EXPECT_EQ(response.results.at(0).error_code,
                  wire(v == 0 ? ErrorCode::kNone : ErrorCode::kGroupIdNotFound))
            << v;
      });
  each_version<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse>(
      [&](ConsumerGroupHeartbeatRequest& request, int v) {
        request.group_id = "new" + std::to_string(v);
        request.member_id = "5f3c1c55-0000-4000-8000-00000000000" + std::to_string(v);
        request.rebalance_timeout_ms = 10'000;
        request.subscribed_topic_names = {"here"};
        request.topic_partitions.emplace();
      },
      [&](const ConsumerGroupHeartbeatResponse& response, int v) {
        EXPECT_EQ(response.error_code, 0) << v << response.error_message.value_or("");
        EXPECT_EQ(response.assignment->topic_partitions.at(0).partitions.size(), 2u) << v;
      });
  each_version<StreamsGroupHeartbeatRequest, StreamsGroupHeartbeatResponse>(
      [&](StreamsGroupHeartbeatRequest& request, int) {
        request.group_id = "program";
        request.member_id = "one";
        request.process_id = "process";
        request.rebalance_timeout_ms = 10'000;
        request.active_tasks.emplace();
        request.standby_tasks.emplace();
        request.warmup_tasks.emplace();
        auto& part = request.topology.emplace().subtopologies.emplace_back();
        part.subtopology_id = "0";
        part.source_topics = {"here"};
        part.state_changelog_topics = {{"changes", 0, 0, {{"cleanup.policy", "compact"}}}};
      },
      [&](const StreamsGroupHeartbeatResponse& response, int) {
        EXPECT_EQ(response.error_code, 0) << response.error_message.value_or("");
        EXPECT_EQ(response.status->at(0).status_code, 5);  // the first assignment is delayed
        EXPECT_EQ(response.status->at(1).status_detail, "Internal topics are missing: changes");
      });
  each_version<StreamsGroupDescribeRequest, StreamsGroupDescribeResponse>(
      [&](StreamsGroupDescribeRequest& request, int) {
        request.group_ids = {"program", "none"};
      },
      [&](const StreamsGroupDescribeResponse& response, int) {
        EXPECT_EQ(response.groups.at(0).topology->subtopologies->at(0).source_topics,
                  std::vector<std::string>{"here"});
        EXPECT_EQ(response.groups.at(0).members.at(0).process_id, "process");
        EXPECT_EQ(response.groups.at(1).error_code, wire(ErrorCode::kGroupIdNotFound));
      });
  each_version<AddRaftVoterRequest, AddRaftVoterResponse>(
      [&](AddRaftVoterRequest& request, int) { request.cluster_id = "another"; },
      [&](const AddRaftVoterResponse& response, int v) {
        EXPECT_EQ(response.error_code, wire(ErrorCode::kInconsistentClusterId)) << v;
      });
  each_version<RemoveRaftVoterRequest, RemoveRaftVoterResponse>(
      [&](RemoveRaftVoterRequest& request, int) { request.cluster_id = "another"; },
      [&](const RemoveRaftVoterResponse& response, int v) {
        EXPECT_EQ(response.error_code, wire(ErrorCode::kInconsistentClusterId)) << v;
      });
  each_version<ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse>(
      [&](ConsumerGroupDescribeRequest& request, int) {
        request.group_ids = {"new0", "none"};
      },
      [&](const ConsumerGroupDescribeResponse& response, int v) {
        EXPECT_EQ(response.groups.at(0).members.size(), 1u) << v;
        EXPECT_EQ(response.groups.at(1).error_code, wire(ErrorCode::kGroupIdNotFound)) << v;
      });
}

std::string batch_in_transaction(std::int64_t id, std::int16_t epoch, std::int32_t sequence) {
  log::RecordBatchBuilder builder(log::Compression::kNone);
  builder.add({"key", "value", TimestampMs(1000), {}});
  return std::string(builder.finish({id, epoch, sequence, true}).value());
}

/// What a fetch sees of partition 0 of "here".
FetchRequest fetch_all(const Uuid& id, std::int8_t isolation) {
  FetchRequest request;
  request.isolation_level = isolation;
  request.topics.push_back({"", id, {}});
  request.topics[0].partitions.emplace_back().partition_max_bytes = 1 << 20;
  return request;
}

TEST_F(DoorTest, a_transaction_goes_its_way_in_every_version) {
  InitProducerIdRequest init;
  init.transactional_id = "tx";
  init.transaction_timeout_ms = 60'000;
  std::int64_t id = -1;
  std::int16_t epoch = -1;
  each_version<InitProducerIdRequest, InitProducerIdResponse>(
      [&](InitProducerIdRequest& request, int) { request = init; },
      [&](const InitProducerIdResponse& response, int v) {
        ASSERT_EQ(response.error_code, 0) << v;
        EXPECT_EQ(response.producer_epoch, v);
        id = response.producer_id;
        epoch = response.producer_epoch;
      });
  each_version<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse>(
      [&](AddPartitionsToTxnRequest& request, int v) {
        const std::vector<AddPartitionsToTxnRequest::AddPartitionsToTxnTopic> topics{{"here", {0}}};
        if (v >= 4) request.transactions.push_back({"tx", id, epoch, v == 5, topics});
        if (v >= 4) return;
        request.v3_and_below_transactional_id = "tx";
        request.v3_and_below_producer_id = id;
        request.v3_and_below_producer_epoch = epoch;
        request.v3_and_below_topics = topics;
      },
      [&](const AddPartitionsToTxnResponse& response, int v) {
        const auto& topics = v < 4 ? response.results_by_topic_v3_and_below
                                   : response.results_by_transaction.at(0).topic_results;
        EXPECT_EQ(topics.at(0).results_by_partition.at(0).partition_error_code, 0) << v;
      });
  each_version<AddOffsetsToTxnRequest, AddOffsetsToTxnResponse>(
      [&](AddOffsetsToTxnRequest& request, int) {
        request = {"tx", id, epoch, "group"};
      },
      [&](const AddOffsetsToTxnResponse& response, int v) {
        EXPECT_EQ(response.error_code, 0) << v;
      });
  each_version<TxnOffsetCommitRequest, TxnOffsetCommitResponse>(
      [&](TxnOffsetCommitRequest& request, int) {
        request.transactional_id = "tx";
        request.group_id = "group";
        request.producer_id = id;
        request.producer_epoch = epoch;
        auto& topic = request.topics.emplace_back();
        topic.name = "here";
        topic.partitions.emplace_back().committed_offset = 7;
        topic.partitions.emplace_back().partition_index = 9;
      },
      [&](const TxnOffsetCommitResponse& response, int v) {
        ASSERT_EQ(response.topics.at(0).partitions.size(), 2u) << v;
        for (const auto& one : response.topics[0].partitions) {
          EXPECT_EQ(one.error_code, one.partition_index == 9
                                        ? wire(ErrorCode::kUnknownTopicOrPartition)
                                        : wire(ErrorCode::kNone))
              << v;
        }
      });
  each_version<DescribeTransactionsRequest, DescribeTransactionsResponse>(
      [&](DescribeTransactionsRequest& request, int) {
        request.transactional_ids = {"tx", "no"};
      },
      [&](const DescribeTransactionsResponse& response, int) {
        EXPECT_EQ(response.transaction_states.at(0).transaction_state, "Ongoing");
        EXPECT_EQ(response.transaction_states.at(0).topics.size(), 2u);
        EXPECT_EQ(response.transaction_states.at(1).error_code,
                  wire(ErrorCode::kTransactionalIdNotFound));
      });
  each_version<ListTransactionsRequest, ListTransactionsResponse>(
      [&](ListTransactionsRequest& request, int v) {
        request.state_filters = {"Ongoing", "Sleeping"};
        if (v >= 2) request.transactional_id_pattern = "t.*";
      },
      [&](const ListTransactionsResponse& response, int v) {
        EXPECT_EQ(response.transaction_states.at(0).transactional_id, "tx") << v;
        EXPECT_EQ(response.unknown_state_filters, std::vector<std::string>{"Sleeping"}) << v;
      });
  // An older client may repeat itself; to the newest version the same epoch is another transaction.
  each_version<EndTxnRequest, EndTxnResponse>(
      [&](EndTxnRequest& request, int) {
        request = {"tx", id, epoch, true};
      },
      [&](const EndTxnResponse& response, int v) {
        if (v < 5) {
          EXPECT_TRUE(response.error_code == 0 ||
                      response.error_code == wire(ErrorCode::kConcurrentTransactions))
              << v << " " << response.error_code;
        } else {
          EXPECT_NE(response.error_code, 0);
        }
      });
}

TEST_F(DoorTest, an_open_transaction_is_seen_and_ended_from_outside_in_every_version) {
  InitProducerIdRequest init;
  init.transactional_id = "tx";
  init.transaction_timeout_ms = 60'000;
  const auto producer = client_->ask<InitProducerIdResponse>(init, Version(5)).value();
  ProduceRequest produce;
  produce.transactional_id = "tx";
  produce.acks = -1;
  const std::string batch = batch_in_transaction(producer.producer_id, producer.producer_epoch, 0);
  produce.topic_data.emplace_back().topic_id = id();
  produce.topic_data[0].partition_data.push_back({0, Records{batch, {}}});
  const auto produced = client_->ask<ProduceResponse>(produce, Version(13)).value();
  ASSERT_EQ(produced.responses.at(0).partition_responses.at(0).error_code, 0);

  auto fetched = client_->ask<FetchResponse>(fetch_all(id(), 1), Version(17)).value();
  EXPECT_EQ(fetched.responses.at(0).partitions.at(0).last_stable_offset, 0);
  EXPECT_EQ(fetched.responses[0].partitions[0].high_watermark, 1);
  EXPECT_EQ(fetched.responses[0].partitions[0].records->size_bytes(), 0u);
  fetched = client_->ask<FetchResponse>(fetch_all(id(), 0), Version(17)).value();
  EXPECT_GT(fetched.responses.at(0).partitions.at(0).records->size_bytes(), 0u);
  ListOffsetsRequest list;
  list.isolation_level = 1;
  list.topics.push_back({"here", {{0, -1, -1}}});
  EXPECT_EQ(
      client_->ask<ListOffsetsResponse>(list, Version(7))->topics.at(0).partitions.at(0).offset, 0);

  each_version<DescribeProducersRequest, DescribeProducersResponse>(
      [&](DescribeProducersRequest& request, int) {
        request.topics.push_back({"here", {0, 9}});
      },
      [&](const DescribeProducersResponse& response, int) {
        const auto& partitions = response.topics.at(0).partitions;
        ASSERT_EQ(partitions.at(0).active_producers.size(), 1u);
        EXPECT_EQ(partitions[0].active_producers[0].current_txn_start_offset, 0);
        EXPECT_EQ(partitions[0].active_producers[0].producer_id, producer.producer_id);
        EXPECT_EQ(partitions.at(1).error_code, wire(ErrorCode::kUnknownTopicOrPartition));
      });
  each_version<WriteTxnMarkersRequest, WriteTxnMarkersResponse>(
      [&](WriteTxnMarkersRequest& request, int) {
        auto& marker = request.markers.emplace_back();
        marker.producer_id = producer.producer_id;
        marker.producer_epoch = producer.producer_epoch;
        marker.topics.push_back({"here", {0, 9}});
      },
      [&](const WriteTxnMarkersResponse& response, int v) {
        const auto& partitions = response.markers.at(0).topics.at(0).partitions;
        EXPECT_EQ(partitions.at(0).error_code, 0) << v;
        EXPECT_EQ(partitions.at(1).error_code, wire(ErrorCode::kUnknownTopicOrPartition)) << v;
      });
  fetched = client_->ask<FetchResponse>(fetch_all(id(), 1), Version(17)).value();
  const auto& partition = fetched.responses.at(0).partitions.at(0);
  EXPECT_EQ(partition.last_stable_offset, partition.high_watermark);
  ASSERT_EQ(partition.aborted_transactions->size(), 1u);
  EXPECT_EQ(partition.aborted_transactions->at(0).producer_id, producer.producer_id);
}

TEST_F(DoorTest, records_of_a_transaction_that_is_not_ones_own_are_refused) {
  const std::string batch = batch_in_transaction(77, 0, 0);
  each_version<ProduceRequest, ProduceResponse>(
      [&](ProduceRequest& request, int v) {
        request.acks = -1;
        if (v % 2 == 0) request.transactional_id = "never";
        auto& topic = request.topic_data.emplace_back();
        if (v < 13) topic.name = "here";
        if (v >= 13) topic.topic_id = id();
        topic.partition_data.push_back({0, Records{batch, {}}});
      },
      [&](const ProduceResponse& response, int v) {
        EXPECT_EQ(response.responses.at(0).partition_responses.at(0).error_code,
                  wire(v % 2 == 0 ? ErrorCode::kInvalidProducerIdMapping
                                  : ErrorCode::kTransactionalIdAuthorizationFailed))
            << v;
      });
  EXPECT_EQ(log_->partition("here", PartitionId(0)).value()->next_offset(), Offset(0));
}

}  // namespace
}  // namespace tailrace::kafka
