// DescribeConfigs: of topics, the broker, its logger, groups and metrics subscriptions.
#include <algorithm>

#include "kafka/config_entries.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/describe_configs_request.h"
#include "kafka/messages/describe_configs_response.h"

namespace tailrace::kafka {
namespace {

using Asked = DescribeConfigsRequest::DescribeConfigsResource;
using Answer = DescribeConfigsResponse::DescribeConfigsResult;
using Shown = DescribeConfigsResponse::DescribeConfigsResourceResult;

Shown shown(const ConfigEntry& entry, const DescribeConfigsRequest& request) {
  Shown config;
  config.name = entry.name;
  config.value = entry.value;
  config.read_only = entry.read_only;
  config.config_source = static_cast<std::int8_t>(entry.source);
  config.is_sensitive = entry.sensitive;
  config.config_type = static_cast<std::int8_t>(entry.type);
  config.documentation.reset();
  if (request.include_documentation && !entry.meaning.empty()) {
    config.documentation = entry.meaning;
  }
  if (!request.include_synonyms) return config;
  for (const auto& synonym : entry.synonyms) {
    config.synonyms.push_back({synonym.name,
                               entry.sensitive ? std::nullopt : std::optional(synonym.value),
                               static_cast<std::int8_t>(synonym.source)});
  }
  return config;
}

Answer describe(Broker& broker, const Asked& asked, const DescribeConfigsRequest& request) {
  Answer answer;
  answer.resource_type = asked.resource_type;
  answer.resource_name = asked.resource_name;
  const auto entries = config_entries(broker, {asked.resource_type, asked.resource_name});
  if (!entries) {
    answer.error_code = wire(entries.error().code);
    answer.error_message = entries.error().why;
    return answer;
  }
  answer.error_message.reset();
  const auto& keys = asked.configuration_keys;
  for (const auto& entry : *entries) {
    if (keys && !keys->empty() && std::ranges::find(*keys, entry.name) == keys->end()) continue;
    answer.configs.push_back(shown(entry, request));
  }
  return answer;
}

}  // namespace

void describe_configs(Call call, const DescribeConfigsRequest& request) {
  DescribeConfigsResponse response;
  for (const auto& asked : request.resources) {
    response.results.push_back(describe(call.broker(), asked, request));
  }
  call.answer(response);
}

}  // namespace tailrace::kafka
