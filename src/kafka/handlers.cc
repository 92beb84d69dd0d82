#include "kafka/handlers.h"

#include <algorithm>

#include "kafka/guards.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/add_offsets_to_txn_request.h"
#include "kafka/messages/add_partitions_to_txn_request.h"
#include "kafka/messages/add_raft_voter_request.h"
#include "kafka/messages/alter_client_quotas_request.h"
#include "kafka/messages/alter_configs_request.h"
#include "kafka/messages/alter_partition_reassignments_request.h"
#include "kafka/messages/alter_replica_log_dirs_request.h"
#include "kafka/messages/alter_share_group_offsets_request.h"
#include "kafka/messages/alter_user_scram_credentials_request.h"
#include "kafka/messages/api_versions_request.h"
#include "kafka/messages/consumer_group_describe_request.h"
#include "kafka/messages/consumer_group_heartbeat_request.h"
#include "kafka/messages/create_acls_request.h"
#include "kafka/messages/create_delegation_token_request.h"
#include "kafka/messages/create_partitions_request.h"
#include "kafka/messages/create_topics_request.h"
#include "kafka/messages/delete_acls_request.h"
#include "kafka/messages/delete_groups_request.h"
#include "kafka/messages/delete_records_request.h"
#include "kafka/messages/delete_share_group_offsets_request.h"
#include "kafka/messages/delete_topics_request.h"
#include "kafka/messages/describe_acls_request.h"
#include "kafka/messages/describe_client_quotas_request.h"
#include "kafka/messages/describe_cluster_request.h"
#include "kafka/messages/describe_configs_request.h"
#include "kafka/messages/describe_delegation_token_request.h"
#include "kafka/messages/describe_groups_request.h"
#include "kafka/messages/describe_log_dirs_request.h"
#include "kafka/messages/describe_producers_request.h"
#include "kafka/messages/describe_quorum_request.h"
#include "kafka/messages/describe_share_group_offsets_request.h"
#include "kafka/messages/describe_topic_partitions_request.h"
#include "kafka/messages/describe_transactions_request.h"
#include "kafka/messages/describe_user_scram_credentials_request.h"
#include "kafka/messages/elect_leaders_request.h"
#include "kafka/messages/end_txn_request.h"
#include "kafka/messages/expire_delegation_token_request.h"
#include "kafka/messages/fetch_request.h"
#include "kafka/messages/find_coordinator_request.h"
#include "kafka/messages/heartbeat_request.h"
#include "kafka/messages/incremental_alter_configs_request.h"
#include "kafka/messages/init_producer_id_request.h"
#include "kafka/messages/join_group_request.h"
#include "kafka/messages/leave_group_request.h"
#include "kafka/messages/list_config_resources_request.h"
#include "kafka/messages/list_groups_request.h"
#include "kafka/messages/list_offsets_request.h"
#include "kafka/messages/list_partition_reassignments_request.h"
#include "kafka/messages/list_transactions_request.h"
#include "kafka/messages/metadata_request.h"
#include "kafka/messages/offset_commit_request.h"
#include "kafka/messages/offset_delete_request.h"
#include "kafka/messages/offset_fetch_request.h"
#include "kafka/messages/offset_for_leader_epoch_request.h"
#include "kafka/messages/produce_request.h"
#include "kafka/messages/remove_raft_voter_request.h"
#include "kafka/messages/renew_delegation_token_request.h"
#include "kafka/messages/sasl_authenticate_request.h"
#include "kafka/messages/sasl_handshake_request.h"
#include "kafka/messages/share_acknowledge_request.h"
#include "kafka/messages/share_fetch_request.h"
#include "kafka/messages/share_group_describe_request.h"
#include "kafka/messages/share_group_heartbeat_request.h"
#include "kafka/messages/streams_group_describe_request.h"
#include "kafka/messages/streams_group_heartbeat_request.h"
#include "kafka/messages/sync_group_request.h"
#include "kafka/messages/txn_offset_commit_request.h"
#include "kafka/messages/unregister_broker_request.h"
#include "kafka/messages/update_features_request.h"
#include "kafka/messages/write_txn_markers_request.h"

namespace tailrace::kafka {
namespace {

template <typename Request, void (*handle)(Call, const Request&)>
void decoded(Call call, Reader& reader) {
  auto request = Request::decode(reader, call.version());
  if (!request) {
    call.refuse(request.error().what);
  } else if (guard(call, *request)) {
    handle(std::move(call), *request);
  }
}

constexpr ServedApi kServed[] = {
    {ApiKey::kProduce, decoded<ProduceRequest, produce>},
    {ApiKey::kFetch, decoded<FetchRequest, fetch>},
    {ApiKey::kListOffsets, decoded<ListOffsetsRequest, list_offsets>},
    {ApiKey::kMetadata, decoded<MetadataRequest, metadata>},
    {ApiKey::kOffsetCommit, decoded<OffsetCommitRequest, offset_commit>},
    {ApiKey::kOffsetFetch, decoded<OffsetFetchRequest, offset_fetch>},
    {ApiKey::kFindCoordinator, decoded<FindCoordinatorRequest, find_coordinator>},
    {ApiKey::kJoinGroup, decoded<JoinGroupRequest, join_group>},
    {ApiKey::kHeartbeat, decoded<HeartbeatRequest, heartbeat>},
    {ApiKey::kLeaveGroup, decoded<LeaveGroupRequest, leave_group>},
    {ApiKey::kSyncGroup, decoded<SyncGroupRequest, sync_group>},
    {ApiKey::kDescribeGroups, decoded<DescribeGroupsRequest, describe_groups>},
    {ApiKey::kListGroups, decoded<ListGroupsRequest, list_groups>},
    {ApiKey::kSaslHandshake, decoded<SaslHandshakeRequest, sasl_handshake>},
    {ApiKey::kApiVersions, decoded<ApiVersionsRequest, api_versions>},
    {ApiKey::kCreateTopics, decoded<CreateTopicsRequest, create_topics>},
    {ApiKey::kDeleteTopics, decoded<DeleteTopicsRequest, delete_topics>},
    {ApiKey::kDeleteRecords, decoded<DeleteRecordsRequest, delete_records>},
    {ApiKey::kInitProducerId, decoded<InitProducerIdRequest, init_producer_id>},
    {ApiKey::kOffsetForLeaderEpoch, decoded<OffsetForLeaderEpochRequest, offset_for_leader_epoch>},
    {ApiKey::kAddPartitionsToTxn, decoded<AddPartitionsToTxnRequest, add_partitions_to_txn>},
    {ApiKey::kAddOffsetsToTxn, decoded<AddOffsetsToTxnRequest, add_offsets_to_txn>},
    {ApiKey::kEndTxn, decoded<EndTxnRequest, end_txn>},
    {ApiKey::kWriteTxnMarkers, decoded<WriteTxnMarkersRequest, write_txn_markers>},
    {ApiKey::kTxnOffsetCommit, decoded<TxnOffsetCommitRequest, txn_offset_commit>},
    {ApiKey::kDescribeAcls, decoded<DescribeAclsRequest, describe_acls>},
    {ApiKey::kCreateAcls, decoded<CreateAclsRequest, create_acls>},
    {ApiKey::kDeleteAcls, decoded<DeleteAclsRequest, delete_acls>},
    {ApiKey::kDescribeConfigs, decoded<DescribeConfigsRequest, describe_configs>},
    {ApiKey::kAlterConfigs, decoded<AlterConfigsRequest, alter_configs>},
    {ApiKey::kAlterReplicaLogDirs, decoded<AlterReplicaLogDirsRequest, alter_replica_log_dirs>},
    {ApiKey::kDescribeLogDirs, decoded<DescribeLogDirsRequest, describe_log_dirs>},
    {ApiKey::kSaslAuthenticate, decoded<SaslAuthenticateRequest, sasl_authenticate>},
    {ApiKey::kCreatePartitions, decoded<CreatePartitionsRequest, create_partitions>},
    {ApiKey::kCreateDelegationToken,
     decoded<CreateDelegationTokenRequest, create_delegation_token>},
    {ApiKey::kRenewDelegationToken, decoded<RenewDelegationTokenRequest, renew_delegation_token>},
    {ApiKey::kExpireDelegationToken,
     decoded<ExpireDelegationTokenRequest, expire_delegation_token>},
    {ApiKey::kDescribeDelegationToken,
     decoded<DescribeDelegationTokenRequest, describe_delegation_token>},
    {ApiKey::kDeleteGroups, decoded<DeleteGroupsRequest, delete_groups>},
    {ApiKey::kElectLeaders, decoded<ElectLeadersRequest, elect_leaders>},
    {ApiKey::kIncrementalAlterConfigs,
     decoded<IncrementalAlterConfigsRequest, incremental_alter_configs>},
    {ApiKey::kAlterPartitionReassignments,
     decoded<AlterPartitionReassignmentsRequest, alter_partition_reassignments>},
    {ApiKey::kListPartitionReassignments,
     decoded<ListPartitionReassignmentsRequest, list_partition_reassignments>},
    {ApiKey::kOffsetDelete, decoded<OffsetDeleteRequest, offset_delete>},
    {ApiKey::kDescribeClientQuotas, decoded<DescribeClientQuotasRequest, describe_client_quotas>},
    {ApiKey::kAlterClientQuotas, decoded<AlterClientQuotasRequest, alter_client_quotas>},
    {ApiKey::kDescribeUserScramCredentials,
     decoded<DescribeUserScramCredentialsRequest, describe_user_scram_credentials>},
    {ApiKey::kAlterUserScramCredentials,
     decoded<AlterUserScramCredentialsRequest, alter_user_scram_credentials>},
    {ApiKey::kDescribeQuorum, decoded<DescribeQuorumRequest, describe_quorum>},
    {ApiKey::kUpdateFeatures, decoded<UpdateFeaturesRequest, update_features>},
    {ApiKey::kDescribeCluster, decoded<DescribeClusterRequest, describe_cluster>},
    {ApiKey::kDescribeProducers, decoded<DescribeProducersRequest, describe_producers>},
    {ApiKey::kUnregisterBroker, decoded<UnregisterBrokerRequest, unregister_broker>},
    {ApiKey::kDescribeTransactions, decoded<DescribeTransactionsRequest, describe_transactions>},
    {ApiKey::kListTransactions, decoded<ListTransactionsRequest, list_transactions>},
    {ApiKey::kConsumerGroupHeartbeat,
     decoded<ConsumerGroupHeartbeatRequest, consumer_group_heartbeat>},
    {ApiKey::kConsumerGroupDescribe,
     decoded<ConsumerGroupDescribeRequest, consumer_group_describe>},
    {ApiKey::kListConfigResources, decoded<ListConfigResourcesRequest, list_config_resources>},
    {ApiKey::kDescribeTopicPartitions,
     decoded<DescribeTopicPartitionsRequest, describe_topic_partitions>},
    {ApiKey::kShareGroupHeartbeat, decoded<ShareGroupHeartbeatRequest, share_group_heartbeat>},
    {ApiKey::kShareGroupDescribe, decoded<ShareGroupDescribeRequest, share_group_describe>},
    {ApiKey::kShareFetch, decoded<ShareFetchRequest, share_fetch>},
    {ApiKey::kShareAcknowledge, decoded<ShareAcknowledgeRequest, share_acknowledge>},
    {ApiKey::kAddRaftVoter, decoded<AddRaftVoterRequest, add_raft_voter>},
    {ApiKey::kRemoveRaftVoter, decoded<RemoveRaftVoterRequest, remove_raft_voter>},
    {ApiKey::kStreamsGroupHeartbeat,
     decoded<StreamsGroupHeartbeatRequest, streams_group_heartbeat>},
    {ApiKey::kStreamsGroupDescribe, decoded<StreamsGroupDescribeRequest, streams_group_describe>},
    {ApiKey::kDescribeShareGroupOffsets,
     decoded<DescribeShareGroupOffsetsRequest, describe_share_group_offsets>},
    {ApiKey::kAlterShareGroupOffsets,
     decoded<AlterShareGroupOffsetsRequest, alter_share_group_offsets>},
    {ApiKey::kDeleteShareGroupOffsets,
     decoded<DeleteShareGroupOffsetsRequest, delete_share_group_offsets>},
};

}  // namespace

std::span<const ServedApi> served_apis() {
  return kServed;
}

Handler find_handler(ApiKey key) {
  const auto* found = std::ranges::lower_bound(kServed, key, {}, &ServedApi::key);
  return found != std::end(kServed) && found->key == key ? found->handler : nullptr;
}

}  // namespace tailrace::kafka
