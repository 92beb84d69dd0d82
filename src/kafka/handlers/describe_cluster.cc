// DescribeCluster (KIP-700): a cluster of one, which is its own controller.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/describe_cluster_request.h"
#include "kafka/messages/describe_cluster_response.h"

namespace tailrace::kafka {
namespace {

constexpr std::int8_t kBrokers = 1;

}  // namespace

void describe_cluster(Call call, const DescribeClusterRequest& request) {
  const Broker& broker = call.broker();
  DescribeClusterResponse response;
  response.endpoint_type = request.endpoint_type;
  if (request.endpoint_type != kBrokers) {
    response.error_code = wire(ErrorCode::kMismatchedEndpointType);
    response.error_message = "The request was sent to an endpoint of type BROKER";
    return call.answer(response);
  }
  response.cluster_id = broker.cluster_id();
  response.controller_id = broker.node_id();
  auto& one = response.brokers.emplace_back();
  one.broker_id = broker.node_id();
  one.host = call.endpoint().host;
  one.port = call.endpoint().port;
  call.answer(response);
}

}  // namespace tailrace::kafka
