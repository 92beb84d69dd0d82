// ApiVersions (KIP-35, 511): what is served, in which versions.
#include "kafka/broker.h"
#include "kafka/handlers.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/api_versions_request.h"
#include "kafka/messages/api_versions_response.h"

namespace tailrace::kafka {

void api_versions(Call call, const ApiVersionsRequest& request) {
  if (!request.client_software_name.empty()) {
    call.client().software = request.client_software_name + " " + request.client_software_version;
  }
  ApiVersionsResponse response;
  for (const auto& served : served_apis()) {
    const ApiInfo& api = *find_api(static_cast<std::int16_t>(served.key));
    response.api_keys.push_back(
        {static_cast<std::int16_t>(api.key), api.lowest.value, api.highest.value});
  }
  call.answer(response);
}

}  // namespace tailrace::kafka
