// ApiVersions (KIP-35, 511, 584): what is served, in which versions, and the cluster's features.
#include "kafka/broker.h"
#include "kafka/handlers.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/api_versions_request.h"
#include "kafka/messages/api_versions_response.h"

namespace tailrace::kafka {
namespace {

void add_features(const Features& features, bool with_lowest_zero, ApiVersionsResponse& response) {
  for (const auto& feature : Features::known()) {
    const std::string name(feature.name);
    // Clients of version 3 stumble over a lowest level of 0 (KAFKA-17011).
    if (with_lowest_zero || feature.lowest > 0) {
      response.supported_features.push_back({name, feature.lowest, feature.highest});
    }
    const auto level = features.level(feature.name);
    if (level > 0) response.finalized_features.push_back({name, level, level});
  }
  response.finalized_features_epoch = features.epoch();
}

}  // namespace

void api_versions(Call call, const ApiVersionsRequest& request) {
  if (!request.client_software_name.empty()) {
    call.client().software = request.client_software_name + " " + request.client_software_version;
  }
  ApiVersionsResponse response;
  for (const auto& served : served_apis()) {
    const ApiInfo& api = *find_api(static_cast<std::int16_t>(served.key));
    response.api_keys.push_back(
        {static_cast<std::int16_t>(api.key), api.offered_lowest().value, api.highest.value});
  }
  if (call.since(3)) add_features(call.broker().features(), call.since(4), response);
  call.answer(response);
}

}  // namespace tailrace::kafka
