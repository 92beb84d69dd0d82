// ListConfigResources (KIP-1142): the names that have, or could have, settings.
#include <algorithm>

#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/list_config_resources_request.h"
#include "kafka/messages/list_config_resources_response.h"

namespace tailrace::kafka {
namespace {

constexpr ResourceType kAll[] = {ResourceType::kTopic, ResourceType::kBroker,
                                 ResourceType::kBrokerLogger, ResourceType::kClientMetrics,
                                 ResourceType::kGroup};

std::vector<std::string> names_of(Broker& broker, ResourceType type) {
  switch (type) {
    case ResourceType::kTopic: {
      std::vector<std::string> names;
      for (const auto& topic : broker.log().topics()) names.push_back(topic.name);
      return names;
    }
    case ResourceType::kBroker:
    case ResourceType::kBrokerLogger:
      return {std::to_string(broker.node_id())};
    default:
      return broker.config_store().resources(type);
  }
}

}  // namespace

void list_config_resources(Call call, const ListConfigResourcesRequest& request) {
  ListConfigResourcesResponse response;
  std::vector<ResourceType> types;
  for (const auto type : request.resource_types) types.push_back(static_cast<ResourceType>(type));
  // Version 0 knew of metrics subscriptions only.
  if (!call.since(1)) types = {ResourceType::kClientMetrics};
  if (types.empty()) types.assign(std::begin(kAll), std::end(kAll));
  for (const auto type : types) {
    if (std::ranges::find(kAll, type) == std::end(kAll)) {
      response.error_code = wire(ErrorCode::kUnsupportedVersion);
      response.config_resources.clear();
      break;
    }
    for (auto& name : names_of(call.broker(), type)) {
      response.config_resources.push_back({std::move(name), static_cast<std::int8_t>(type)});
    }
  }
  call.answer(response);
}

}  // namespace tailrace::kafka
