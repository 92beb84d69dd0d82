// AlterConfigs: a resource is given all its settings; what is not among them is unset.
#include "kafka/config_changes.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/alter_configs_request.h"
#include "kafka/messages/alter_configs_response.h"

namespace tailrace::kafka {
namespace {

std::vector<ConfigChange> changes_of(Broker& broker, const ConfigTarget& target,
                                     const AlterConfigsRequest::AlterConfigsResource& asked) {
  auto unset = set_configs(broker, target);
  std::vector<ConfigChange> changes;
  for (const auto& config : asked.configs) {
    unset.erase(config.name);
    changes.push_back({ConfigOp::kSet, config.name, config.value});
  }
  for (const auto& [name, value] : unset) changes.push_back({ConfigOp::kDelete, name, {}});
  return changes;
}

AlterConfigsResponse alter(Broker& broker, const AlterConfigsRequest& request) {
  AlterConfigsResponse response;
  for (const auto& asked : request.resources) {
    const ConfigTarget target{asked.resource_type, asked.resource_name};
    auto& answer = response.responses.emplace_back();
    answer.resource_type = asked.resource_type;
    answer.resource_name = asked.resource_name;
    answer.error_message.reset();
    const auto refusal =
        change_configs(broker, target, changes_of(broker, target, asked), request.validate_only);
    if (!refusal) continue;
    answer.error_code = wire(refusal->code);
    answer.error_message = refusal->why;
  }
  return response;
}

}  // namespace

void alter_configs(Call call, const AlterConfigsRequest& request) {
  call.broker().later(
      [call = std::move(call), request]() mutable { call.answer(alter(call.broker(), request)); });
}

}  // namespace tailrace::kafka
