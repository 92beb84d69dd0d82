// IncrementalAlterConfigs (KIP-339): single settings are set, unset, appended to and taken from.
#include <map>

#include "kafka/config_changes.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/incremental_alter_configs_request.h"
#include "kafka/messages/incremental_alter_configs_response.h"

namespace tailrace::kafka {
namespace {

using Asked = IncrementalAlterConfigsRequest::AlterConfigsResource;

std::optional<Refusal> alter_one(Broker& broker, const Asked& asked, bool validate_only) {
  std::vector<ConfigChange> changes;
  for (const auto& config : asked.configs) {
    if (config.config_operation < 0 || config.config_operation > 3) {
      return Refusal{ErrorCode::kInvalidRequest,
                     "Unknown operation type " + std::to_string(config.config_operation)};
    }
    changes.push_back({static_cast<ConfigOp>(config.config_operation), config.name, config.value});
  }
  return change_configs(broker, {asked.resource_type, asked.resource_name}, changes, validate_only);
}

IncrementalAlterConfigsResponse alter(Broker& broker,
                                      const IncrementalAlterConfigsRequest& request) {
  IncrementalAlterConfigsResponse response;
  std::map<ConfigTarget, int> times;
  for (const auto& asked : request.resources) ++times[{asked.resource_type, asked.resource_name}];
  for (const auto& asked : request.resources) {
    auto& answer = response.responses.emplace_back();
    answer.resource_type = asked.resource_type;
    answer.resource_name = asked.resource_name;
    answer.error_message.reset();
    std::optional<Refusal> refusal;
    if (times[{asked.resource_type, asked.resource_name}] > 1) {
      refusal = {ErrorCode::kInvalidRequest, "Each resource must appear at most once."};
    } else {
      refusal = alter_one(broker, asked, request.validate_only);
    }
    if (!refusal) continue;
    answer.error_code = wire(refusal->code);
    answer.error_message = std::move(refusal->why);
  }
  return response;
}

}  // namespace

void incremental_alter_configs(Call call, const IncrementalAlterConfigsRequest& request) {
  call.broker().later(
      [call = std::move(call), request]() mutable { call.answer(alter(call.broker(), request)); });
}

}  // namespace tailrace::kafka
