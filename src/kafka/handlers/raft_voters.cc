// AddRaftVoter, RemoveRaftVoter (KIP-853): the one node is the quorum's one voter, and stays it.
#include <fmt/format.h>

#include <algorithm>

#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/add_raft_voter_request.h"
#include "kafka/messages/add_raft_voter_response.h"
#include "kafka/messages/remove_raft_voter_request.h"
#include "kafka/messages/remove_raft_voter_response.h"
#include "kafka/refusal.h"

namespace tailrace::kafka {
namespace {

constexpr std::string_view kListener = "CONTROLLER";

std::string voter_text(std::int32_t id, const Uuid& folder) {
  return fmt::format("ReplicaKey(id={}, directoryId={})", id,
                     folder == Uuid{} ? "<undefined>" : log::topic_id_text(folder));
}

std::string voters_text(const Broker& broker) {
  return "[" + voter_text(broker.node_id(), Uuid{}) + "]";
}

/// What both are refused for, in the order in which Kafka looks.
template <typename Request>
std::optional<Refusal> check_voter(const Broker& broker, const Request& request,
                                   std::string_view doing) {
  if (request.cluster_id && *request.cluster_id != broker.cluster_id()) {
    return Refusal{ErrorCode::kInconsistentClusterId,
                   fmt::format(R"(The given id "{}" doesn't match the cluster id "{}")",
                               *request.cluster_id, broker.cluster_id())};
  }
  if (request.voter_id >= 0 && request.voter_directory_id != Uuid{}) return std::nullopt;
  return Refusal{ErrorCode::kInvalidRequest,
                 fmt::format("{} voter request didn't include a valid voter", doing)};
}

std::optional<Refusal> check_level(const Broker& broker, std::string_view doing) {
  const auto level = broker.features().level("kraft.version");
  if (level > 0) return std::nullopt;
  return Refusal{ErrorCode::kUnsupportedVersion,
                 fmt::format("Cluster doesn't support {} voter because the kraft.version feature "
                             "is {}",
                             doing, level)};
}

std::string endpoints_text(const AddRaftVoterRequest& request) {
  std::string out;
  for (const auto& one : request.listeners) {
    out += fmt::format("{}ListenerName({})={}/<unresolved>:{}", out.empty() ? "" : ", ", one.name,
                       one.host, one.port);
  }
  return "Endpoints(endpoints={" + out + "})";
}

/// Why the voter is not added: there is nobody else.
Refusal refuse(const Broker& broker, const AddRaftVoterRequest& request) {
  if (auto refusal = check_voter(broker, request, "Add")) return *refusal;
  if (std::ranges::find(request.listeners, kListener, &AddRaftVoterRequest::Listener::name) ==
      request.listeners.end()) {
    return {ErrorCode::kInvalidRequest,
            fmt::format("Add voter request didn't include the endpoint ({}) for the default "
                        "listener ListenerName({})",
                        endpoints_text(request), kListener)};
  }
  if (auto refusal = check_level(broker, "adding")) return *refusal;
  const auto voter = voter_text(request.voter_id, request.voter_directory_id);
  if (request.voter_id == broker.node_id()) {
    return {ErrorCode::kDuplicateVoter,
            fmt::format("The voter id for {} is already part of the set of voters {}.", voter,
                        voters_text(broker))};
  }
  return {ErrorCode::kRequestTimedOut,
          fmt::format("New voter {} is not ready to receive requests", voter)};
}

/// The last voter cannot go.
Refusal refuse(const Broker& broker, const RemoveRaftVoterRequest& request) {
  if (auto refusal = check_voter(broker, request, "Remove")) return *refusal;
  if (auto refusal = check_level(broker, "removing")) return *refusal;
  return {
      ErrorCode::kVoterNotFound,
      fmt::format("Cannot remove voter {} from the set of voters {}",
                  voter_text(request.voter_id, request.voter_directory_id), voters_text(broker))};
}

template <typename Response>
Response answer_of(Refusal refusal) {
  Response response;
  response.error_code = wire(refusal.code);
  response.error_message = std::move(refusal.why);
  return response;
}

}  // namespace

void add_raft_voter(Call call, const AddRaftVoterRequest& request) {
  call.answer(answer_of<AddRaftVoterResponse>(refuse(call.broker(), request)));
}

void remove_raft_voter(Call call, const RemoveRaftVoterRequest& request) {
  call.answer(answer_of<RemoveRaftVoterResponse>(refuse(call.broker(), request)));
}

}  // namespace tailrace::kafka
