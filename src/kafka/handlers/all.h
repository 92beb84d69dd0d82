// What handlers/*.cc define, for the table of handlers.cc.
#pragma once

#include "kafka/call.h"

namespace tailrace::kafka {

struct AddOffsetsToTxnRequest;
struct AddPartitionsToTxnRequest;
struct AlterConfigsRequest;
struct AlterPartitionReassignmentsRequest;
struct AlterReplicaLogDirsRequest;
struct ApiVersionsRequest;
struct ConsumerGroupDescribeRequest;
struct ConsumerGroupHeartbeatRequest;
struct CreatePartitionsRequest;
struct CreateTopicsRequest;
struct DeleteGroupsRequest;
struct DeleteRecordsRequest;
struct DeleteTopicsRequest;
struct DescribeClusterRequest;
struct DescribeConfigsRequest;
struct DescribeGroupsRequest;
struct DescribeLogDirsRequest;
struct DescribeProducersRequest;
struct DescribeQuorumRequest;
struct DescribeTopicPartitionsRequest;
struct DescribeTransactionsRequest;
struct ElectLeadersRequest;
struct EndTxnRequest;
struct FetchRequest;
struct FindCoordinatorRequest;
struct HeartbeatRequest;
struct IncrementalAlterConfigsRequest;
struct InitProducerIdRequest;
struct JoinGroupRequest;
struct LeaveGroupRequest;
struct ListConfigResourcesRequest;
struct ListGroupsRequest;
struct ListOffsetsRequest;
struct ListPartitionReassignmentsRequest;
struct ListTransactionsRequest;
struct MetadataRequest;
struct OffsetCommitRequest;
struct OffsetDeleteRequest;
struct OffsetFetchRequest;
struct OffsetForLeaderEpochRequest;
struct ProduceRequest;
struct SyncGroupRequest;
struct TxnOffsetCommitRequest;
struct UnregisterBrokerRequest;
struct UpdateFeaturesRequest;
struct WriteTxnMarkersRequest;

void add_offsets_to_txn(Call call, const AddOffsetsToTxnRequest& request);
void add_partitions_to_txn(Call call, const AddPartitionsToTxnRequest& request);
void alter_configs(Call call, const AlterConfigsRequest& request);
void alter_partition_reassignments(Call call, const AlterPartitionReassignmentsRequest& request);
void alter_replica_log_dirs(Call call, const AlterReplicaLogDirsRequest& request);
void api_versions(Call call, const ApiVersionsRequest& request);
void consumer_group_describe(Call call, const ConsumerGroupDescribeRequest& request);
void consumer_group_heartbeat(Call call, const ConsumerGroupHeartbeatRequest& request);
void create_partitions(Call call, const CreatePartitionsRequest& request);
void create_topics(Call call, const CreateTopicsRequest& request);
void delete_groups(Call call, const DeleteGroupsRequest& request);
void delete_records(Call call, const DeleteRecordsRequest& request);
void delete_topics(Call call, const DeleteTopicsRequest& request);
void describe_cluster(Call call, const DescribeClusterRequest& request);
void describe_configs(Call call, const DescribeConfigsRequest& request);
void describe_groups(Call call, const DescribeGroupsRequest& request);
void describe_log_dirs(Call call, const DescribeLogDirsRequest& request);
void describe_producers(Call call, const DescribeProducersRequest& request);
void describe_quorum(Call call, const DescribeQuorumRequest& request);
void describe_topic_partitions(Call call, const DescribeTopicPartitionsRequest& request);
void describe_transactions(Call call, const DescribeTransactionsRequest& request);
void elect_leaders(Call call, const ElectLeadersRequest& request);
void end_txn(Call call, const EndTxnRequest& request);
void fetch(Call call, const FetchRequest& request);
void find_coordinator(Call call, const FindCoordinatorRequest& request);
void heartbeat(Call call, const HeartbeatRequest& request);
void incremental_alter_configs(Call call, const IncrementalAlterConfigsRequest& request);
void init_producer_id(Call call, const InitProducerIdRequest& request);
void join_group(Call call, const JoinGroupRequest& request);
void leave_group(Call call, const LeaveGroupRequest& request);
void list_config_resources(Call call, const ListConfigResourcesRequest& request);
void list_groups(Call call, const ListGroupsRequest& request);
void list_offsets(Call call, const ListOffsetsRequest& request);
void list_partition_reassignments(Call call, const ListPartitionReassignmentsRequest& request);
void list_transactions(Call call, const ListTransactionsRequest& request);
void metadata(Call call, const MetadataRequest& request);
void offset_commit(Call call, const OffsetCommitRequest& request);
void offset_delete(Call call, const OffsetDeleteRequest& request);
void offset_fetch(Call call, const OffsetFetchRequest& request);
void offset_for_leader_epoch(Call call, const OffsetForLeaderEpochRequest& request);
void produce(Call call, const ProduceRequest& request);
void sync_group(Call call, const SyncGroupRequest& request);
void txn_offset_commit(Call call, const TxnOffsetCommitRequest& request);
void unregister_broker(Call call, const UnregisterBrokerRequest& request);
void update_features(Call call, const UpdateFeaturesRequest& request);
void write_txn_markers(Call call, const WriteTxnMarkersRequest& request);

}  // namespace tailrace::kafka
