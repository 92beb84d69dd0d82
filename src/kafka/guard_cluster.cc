// Guards of requests about the cluster as a whole: what is denied is denied whole.
#include "kafka/guarding.h"

namespace tailrace::kafka {
namespace {

template <typename Response>
bool on_cluster(Call& call, Operation operation) {
  return call.allows_on_cluster(operation) || deny<Response>(call, kClusterDenied);
}

}  // namespace

bool guard(Call& call, AlterReplicaLogDirsRequest& request) {
  if (call.allows_on_cluster(Operation::kAlter)) return true;
  AlterReplicaLogDirsResponse response;
  for (const auto& folder : request.dirs) {
    for (const auto& topic : folder.topics) {
      auto& answer = response.results.emplace_back();
      answer.topic_name = topic.name;
      for (const auto index : topic.partitions)
        answer.partitions.push_back({index, kClusterDenied});
    }
  }
  call.answer(response);
  return false;
}

bool guard(Call& call, DescribeLogDirsRequest& /*request*/) {
  if (call.allows_on_cluster(Operation::kDescribe)) return true;
  DescribeLogDirsResponse response;
  if (call.since(3)) response.error_code = kClusterDenied;
  call.answer(response);
  return false;
}

bool guard(Call& call, ElectLeadersRequest& request) {
  if (call.allows_on_cluster(Operation::kAlter)) return true;
  ElectLeadersResponse response;
  if (call.since(1)) response.error_code = kClusterDenied;
  if (request.topic_partitions) {
    for (const auto& topic : *request.topic_partitions) {
      auto& answer = response.replica_election_results.emplace_back();
      answer.topic = topic.topic;
      for (const auto index : topic.partitions) {
        answer.partition_result.push_back({index, kClusterDenied, "Cluster authorization failed."});
      }
    }
  }
  call.answer(response);
  return false;
}

bool guard(Call& call, AlterPartitionReassignmentsRequest& /*request*/) {
  return on_cluster<AlterPartitionReassignmentsResponse>(call, Operation::kAlter);
}

bool guard(Call& call, ListPartitionReassignmentsRequest& /*request*/) {
  return on_cluster<ListPartitionReassignmentsResponse>(call, Operation::kDescribe);
}

bool guard(Call& call, DescribeQuorumRequest& /*request*/) {
  if (call.allows_on_cluster(Operation::kDescribe)) return true;
  DescribeQuorumResponse response;
  response.error_code = kClusterDenied;
  response.error_message.reset();
  call.answer(response);
  return false;
}

bool guard(Call& call, UpdateFeaturesRequest& /*request*/) {
  return on_cluster<UpdateFeaturesResponse>(call, Operation::kAlter);
}

bool guard(Call& call, AddRaftVoterRequest& /*request*/) {
  return on_cluster<AddRaftVoterResponse>(call, Operation::kAlter);
}

bool guard(Call& call, RemoveRaftVoterRequest& /*request*/) {
  return on_cluster<RemoveRaftVoterResponse>(call, Operation::kAlter);
}

bool guard(Call& call, UnregisterBrokerRequest& /*request*/) {
  return on_cluster<UnregisterBrokerResponse>(call, Operation::kAlter);
}

bool guard(Call& call, DescribeClusterRequest& request) {
  if (!request.include_cluster_authorized_operations) return true;
  call.on_answer<DescribeClusterResponse>([](const Call& by, DescribeClusterResponse& response) {
    response.cluster_authorized_operations =
        by.allowed_operations(Resource::kCluster, auth::kClusterName);
  });
  return true;
}

bool guard(Call& call, CreateAclsRequest& request) {
  if (call.allows_on_cluster(Operation::kAlter)) return true;
  CreateAclsResponse response;
  response.results.resize(request.creations.size());
  for (auto& result : response.results) {
    result.error_code = kClusterDenied;
    result.error_message = "Cluster authorization failed.";
  }
  call.answer(response);
  return false;
}

bool guard(Call& call, DeleteAclsRequest& request) {
  if (call.allows_on_cluster(Operation::kAlter)) return true;
  DeleteAclsResponse response;
  response.filter_results.resize(request.filters.size());
  for (auto& result : response.filter_results) {
    result.error_code = kClusterDenied;
    result.error_message = "Cluster authorization failed.";
  }
  call.answer(response);
  return false;
}

bool guard(Call& call, DescribeAclsRequest& /*request*/) {
  return on_cluster<DescribeAclsResponse>(call, Operation::kDescribe);
}

bool guard(Call& call, DescribeClientQuotasRequest& /*request*/) {
  if (call.allows_on_cluster(Operation::kDescribeConfigs)) return true;
  DescribeClientQuotasResponse response;
  response.error_code = kClusterDenied;
  response.error_message = "Cluster authorization failed.";
  response.entries.reset();
  call.answer(response);
  return false;
}

bool guard(Call& call, AlterClientQuotasRequest& request) {
  if (call.allows_on_cluster(Operation::kAlterConfigs)) return true;
  AlterClientQuotasResponse response;
  for (const auto& entry : request.entries) {
    auto& answer = response.entries.emplace_back();
    answer.error_code = kClusterDenied;
    answer.error_message = "Cluster authorization failed.";
    for (const auto& part : entry.entity) {
      answer.entity.push_back({part.entity_type, part.entity_name});
    }
  }
  call.answer(response);
  return false;
}

bool guard(Call& call, DescribeUserScramCredentialsRequest& /*request*/) {
  return on_cluster<DescribeUserScramCredentialsResponse>(call, Operation::kDescribe);
}

bool guard(Call& call, AlterUserScramCredentialsRequest& request) {
  if (call.allows_on_cluster(Operation::kAlter)) return true;
  AlterUserScramCredentialsResponse response;
  for (const auto& one : request.deletions) {
    response.results.push_back({one.name, kClusterDenied, "Cluster authorization failed."});
  }
  for (const auto& one : request.upsertions) {
    response.results.push_back({one.name, kClusterDenied, "Cluster authorization failed."});
  }
  call.answer(response);
  return false;
}

}  // namespace tailrace::kafka
