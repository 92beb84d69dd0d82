// What ShareFetch and ShareAcknowledge have in common: whose session it is, and what became of
// records.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kafka/broker.h"
#include "kafka/call.h"
#include "kafka/share_sessions.h"

namespace tailrace::kafka {

/// What a request says of the records of one partition.
struct SharedAcknowledgements {
  ShareSession::Place place;
  std::vector<share::Acknowledgement> batches;
  bool well_formed = true;
};

struct ShareOutcome {
  ShareSession::Place place;
  ErrorCode error = ErrorCode::kNone;
  std::optional<std::string> message;
};

/// The session of a request, or why there is none. The connection's end ends what it opened.
ShareSessions::Found share_session(const Call& call, const std::optional<std::string>& group,
                                   const std::optional<std::string>& member, std::int32_t epoch);

/// Renewals are taken from requests that say they have some (KIP-1222).
share::Acknowledgement acknowledgement_of(std::int64_t first, std::int64_t last,
                                          const std::vector<std::int8_t>& types);
bool is_well_formed(const std::vector<share::Acknowledgement>& batches, bool may_renew);

/// Of the partitions with acknowledgements, in the order of the request.
template <typename Topics>
std::vector<SharedAcknowledgements> acknowledgements_in(const Topics& topics, bool may_renew) {
  std::vector<SharedAcknowledgements> out;
  for (const auto& topic : topics) {
    for (const auto& partition : topic.partitions) {
      if (partition.acknowledgement_batches.empty()) continue;
      auto& one = out.emplace_back();
      one.place = {topic.topic_id, PartitionId(partition.partition_index)};
      for (const auto& batch : partition.acknowledgement_batches) {
        one.batches.push_back(
            acknowledgement_of(batch.first_offset, batch.last_offset, batch.acknowledge_types));
      }
      one.well_formed = is_well_formed(one.batches, may_renew);
    }
  }
  return out;
}

using ShareOutcomes = std::vector<ShareOutcome>;
/// `done` when all is durable or refused.
void acknowledge_all(Broker& broker, const ShareSession& session,
                     std::vector<SharedAcknowledgements> said,
                     std::move_only_function<void(ShareOutcomes outcomes)> done);

/// The member's records in all of the session's partitions are others'.
void release_all(Broker& broker, ShareSession& session);

/// A partition by its topic's id; null, with the code to answer.
std::shared_ptr<log::Partition> shared_partition(Broker& broker, const ShareSession::Place& place,
                                                 ErrorCode& error);

}  // namespace tailrace::kafka
