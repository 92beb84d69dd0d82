// What a client may: of each request, before its handler sees it, the parts are taken out that its
// client may not do, and told as Kafka tells them once the handler has answered for the rest. One
// function a request; a request without one does not compile, so that none is forgotten.
//
// False: all of it is denied, and answered. Handlers know nothing of it but for Fetch, whose
// session names partitions that its request does not.
#pragma once

#include "kafka/call.h"
#include "kafka/messages/all_messages.h"

namespace tailrace::kafka {

// Asked before it is known who asks.
inline bool guard(Call&, ApiVersionsRequest&) {
  return true;
}
inline bool guard(Call&, SaslHandshakeRequest&) {
  return true;
}
inline bool guard(Call&, SaslAuthenticateRequest&) {
  return true;
}
inline bool guard(Call&, FetchRequest&) {
  return true;
}

// guard_records.cc
bool guard(Call& call, ProduceRequest& request);
bool guard(Call& call, ListOffsetsRequest& request);
bool guard(Call& call, OffsetForLeaderEpochRequest& request);
bool guard(Call& call, DeleteRecordsRequest& request);
bool guard(Call& call, MetadataRequest& request);
bool guard(Call& call, DescribeTopicPartitionsRequest& request);
bool guard(Call& call, DescribeProducersRequest& request);

// guard_groups.cc
bool guard(Call& call, OffsetCommitRequest& request);
bool guard(Call& call, OffsetFetchRequest& request);
bool guard(Call& call, FindCoordinatorRequest& request);
bool guard(Call& call, JoinGroupRequest& request);
bool guard(Call& call, SyncGroupRequest& request);
bool guard(Call& call, HeartbeatRequest& request);
bool guard(Call& call, LeaveGroupRequest& request);
bool guard(Call& call, DescribeGroupsRequest& request);
bool guard(Call& call, ListGroupsRequest& request);
bool guard(Call& call, DeleteGroupsRequest& request);
bool guard(Call& call, OffsetDeleteRequest& request);
bool guard(Call& call, ConsumerGroupHeartbeatRequest& request);
bool guard(Call& call, ConsumerGroupDescribeRequest& request);

// guard_share_groups.cc
bool guard(Call& call, ShareGroupHeartbeatRequest& request);
bool guard(Call& call, ShareGroupDescribeRequest& request);
bool guard(Call& call, ShareFetchRequest& request);
bool guard(Call& call, ShareAcknowledgeRequest& request);
bool guard(Call& call, DescribeShareGroupOffsetsRequest& request);
bool guard(Call& call, AlterShareGroupOffsetsRequest& request);
bool guard(Call& call, DeleteShareGroupOffsetsRequest& request);

// guard_streams_groups.cc
bool guard(Call& call, StreamsGroupHeartbeatRequest& request);
bool guard(Call& call, StreamsGroupDescribeRequest& request);

// guard_transactions.cc
bool guard(Call& call, InitProducerIdRequest& request);
bool guard(Call& call, AddPartitionsToTxnRequest& request);
bool guard(Call& call, AddOffsetsToTxnRequest& request);
bool guard(Call& call, EndTxnRequest& request);
bool guard(Call& call, TxnOffsetCommitRequest& request);
bool guard(Call& call, WriteTxnMarkersRequest& request);
bool guard(Call& call, DescribeTransactionsRequest& request);
bool guard(Call& call, ListTransactionsRequest& request);

// guard_topics.cc
bool guard(Call& call, CreateTopicsRequest& request);
bool guard(Call& call, DeleteTopicsRequest& request);
bool guard(Call& call, CreatePartitionsRequest& request);
bool guard(Call& call, DescribeConfigsRequest& request);
bool guard(Call& call, AlterConfigsRequest& request);
bool guard(Call& call, IncrementalAlterConfigsRequest& request);
bool guard(Call& call, ListConfigResourcesRequest& request);

// guard_cluster.cc
bool guard(Call& call, AlterReplicaLogDirsRequest& request);
bool guard(Call& call, DescribeLogDirsRequest& request);
bool guard(Call& call, ElectLeadersRequest& request);
bool guard(Call& call, AlterPartitionReassignmentsRequest& request);
bool guard(Call& call, ListPartitionReassignmentsRequest& request);
bool guard(Call& call, DescribeQuorumRequest& request);
bool guard(Call& call, UpdateFeaturesRequest& request);
bool guard(Call& call, UnregisterBrokerRequest& request);
bool guard(Call& call, AddRaftVoterRequest& request);
bool guard(Call& call, RemoveRaftVoterRequest& request);
bool guard(Call& call, DescribeClusterRequest& request);
bool guard(Call& call, CreateAclsRequest& request);
bool guard(Call& call, DeleteAclsRequest& request);
bool guard(Call& call, DescribeAclsRequest& request);
bool guard(Call& call, DescribeClientQuotasRequest& request);
bool guard(Call& call, AlterClientQuotasRequest& request);
bool guard(Call& call, DescribeUserScramCredentialsRequest& request);
bool guard(Call& call, AlterUserScramCredentialsRequest& request);

// guard_tokens.cc
bool guard(Call& call, CreateDelegationTokenRequest& request);
bool guard(Call& call, RenewDelegationTokenRequest& request);
bool guard(Call& call, ExpireDelegationTokenRequest& request);
bool guard(Call& call, DescribeDelegationTokenRequest& request);

}  // namespace tailrace::kafka
