// Guards of requests that make, change and delete topics, and of those about settings.
#include "kafka/config_store.h"
#include "kafka/guarding.h"

namespace tailrace::kafka {
namespace {

using CreatedTopic = CreateTopicsResponse::CreatableTopicResult;

CreatedTopic denied_topic(const std::string& name) {
  CreatedTopic answer;
  answer.name = name;
  answer.error_code = kTopicDenied;
  answer.error_message = "Authorization failed.";
  answer.num_partitions = answer.replication_factor = -1;
  return answer;
}

}  // namespace

bool guard(Call& call, CreateTopicsRequest& request) {
  if (!call.guarded()) return true;
  std::vector<CreatedTopic> denied;
  if (!call.allows(Operation::kCreate, Resource::kCluster, auth::kClusterName, false)) {
    for (const auto& topic : take_out(request.topics, [&](const auto& one) {
           return may(call, Operation::kCreate, one.name);
         })) {
      denied.push_back(denied_topic(topic.name));
    }
  }
  const auto change = [denied](const Call& by, CreateTopicsResponse& response) {
    for (auto& topic : response.topics) {
      if (topic.error_code != 0 ||
          by.allows(Operation::kDescribeConfigs, Resource::kTopic, topic.name, false)) {
        continue;
      }
      topic.topic_config_error_code = kTopicDenied;
      topic.num_partitions = topic.replication_factor = -1;
      topic.configs->clear();
    }
    response.topics.insert(response.topics.end(), denied.begin(), denied.end());
  };
  call.on_answer<CreateTopicsResponse>(change);
  return true;
}

bool guard(Call& call, DeleteTopicsRequest& request) {
  DeleteTopicsResponse denied;
  const auto deny_one = [&](const std::optional<std::string>& name, const Uuid& id) {
    auto& answer = denied.responses.emplace_back();
    answer.name = name;
    answer.topic_id = id;
    answer.error_code = kTopicDenied;
    answer.error_message = "Topic authorization failed.";
  };
  for (const auto& topic : take_out(request.topics, [&](const auto& one) {
         return may(call, Operation::kDelete,
                    topic_name(call, one.name.value_or(""), one.topic_id));
       })) {
    deny_one(topic.name, topic.topic_id);
  }
  for (const auto& name : take_out(request.topic_names, [&](const auto& one) {
         return may(call, Operation::kDelete, one);
       })) {
    deny_one(name, {});
  }
  if (denied.responses.empty()) return true;
  const auto change = [denied](const Call&, DeleteTopicsResponse& response) {
    response.responses.insert(response.responses.end(), denied.responses.begin(),
                              denied.responses.end());
  };
  call.on_answer<DeleteTopicsResponse>(change);
  return true;
}

bool guard(Call& call, CreatePartitionsRequest& request) {
  const auto denied = take_out(
      request.topics, [&](const auto& topic) { return may(call, Operation::kAlter, topic.name); });
  if (denied.empty()) return true;
  call.on_answer<CreatePartitionsResponse>(
      [denied](const Call&, CreatePartitionsResponse& response) {
        for (const auto& topic : denied) {
          response.results.push_back({topic.name, kTopicDenied, "Topic authorization failed."});
        }
      });
  return true;
}

namespace {

/// 0, or the error of a resource whose settings may not be shown or changed.
std::int16_t configs_denied(const Call& call, Operation operation, std::int8_t type,
                            const std::string& name) {
  switch (static_cast<ResourceType>(type)) {
    case ResourceType::kTopic:
      return may(call, operation, name) ? 0 : kTopicDenied;
    case ResourceType::kGroup:
      return call.allows(operation, Resource::kGroup, name) ? 0 : kGroupDenied;
    default:
      return call.allows_on_cluster(operation) ? 0 : kClusterDenied;
  }
}

/// Takes the resources out that are denied; what they are answered.
template <typename Answer, typename Asked>
std::vector<Answer> denied_configs(const Call& call, Operation operation,
                                   std::vector<Asked>& resources) {
  std::vector<Answer> answers;
  std::erase_if(resources, [&](const Asked& asked) {
    const auto code = configs_denied(call, operation, asked.resource_type, asked.resource_name);
    if (code == 0) return false;
    auto& answer = answers.emplace_back();
    answer.error_code = code;
    answer.error_message = code == kTopicDenied   ? "Topic authorization failed."
                           : code == kGroupDenied ? "Group authorization failed."
                                                  : "Cluster authorization failed.";
    answer.resource_type = asked.resource_type;
    answer.resource_name = asked.resource_name;
    return true;
  });
  return answers;
}

template <typename Response, typename Answer, typename Request>
bool guard_changes(Call& call, Request& request) {
  const auto denied = denied_configs<Answer>(call, Operation::kAlterConfigs, request.resources);
  if (denied.empty()) return true;
  const auto change = [denied](const Call&, Response& response) {
    response.responses.insert(response.responses.end(), denied.begin(), denied.end());
  };
  call.on_answer<Response>(change);
  return true;
}

}  // namespace

bool guard(Call& call, DescribeConfigsRequest& request) {
  const auto denied = denied_configs<DescribeConfigsResponse::DescribeConfigsResult>(
      call, Operation::kDescribeConfigs, request.resources);
  if (denied.empty()) return true;
  const auto change = [denied](const Call&, DescribeConfigsResponse& response) {
    response.results.insert(response.results.end(), denied.begin(), denied.end());
  };
  call.on_answer<DescribeConfigsResponse>(change);
  return true;
}

bool guard(Call& call, AlterConfigsRequest& request) {
  return guard_changes<AlterConfigsResponse, AlterConfigsResponse::AlterConfigsResourceResponse>(
      call, request);
}

bool guard(Call& call, IncrementalAlterConfigsRequest& request) {
  return guard_changes<IncrementalAlterConfigsResponse,
                       IncrementalAlterConfigsResponse::AlterConfigsResourceResponse>(call,
                                                                                      request);
}

bool guard(Call& call, ListConfigResourcesRequest& /*request*/) {
  if (call.allows_on_cluster(Operation::kDescribeConfigs)) return true;
  return deny<ListConfigResourcesResponse>(call, kClusterDenied);
}

}  // namespace tailrace::kafka
