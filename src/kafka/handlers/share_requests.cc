#include "kafka/handlers/share_requests.h"

#include <mutex>
#include <utility>

namespace tailrace::kafka {
namespace {

constexpr std::int8_t kLastType = static_cast<std::int8_t>(share::AcknowledgeType::kRenew);

/// What goes with a connection, when it goes.
struct ConnectionEnd {
  Broker& broker;
  const void* connection;

  ConnectionEnd(Broker& b, const void* c) : broker(b), connection(c) {}
  ConnectionEnd(const ConnectionEnd&) = delete;
  ConnectionEnd& operator=(const ConnectionEnd&) = delete;
  ~ConnectionEnd() {
    auto closed = broker.share_sessions().close_all(connection);
    if (closed.empty()) return;
    broker.later([&to = broker, closed = std::move(closed)] {
      for (const auto& session : closed) release_all(to, *session);
    });
  }
};

/// The outcomes of one request's acknowledgements, while they come.
struct Gathering {
  std::mutex mutex;
  ShareOutcomes outcomes;
  std::size_t missing = 0;
  std::move_only_function<void(ShareOutcomes)> done;

  void take(std::size_t index, ErrorCode error, std::string_view message) {
    {
      const std::unique_lock lock(mutex);
      outcomes[index].error = error;
      if (!message.empty()) outcomes[index].message = message;
      if (--missing > 0) return;
    }
    done(std::move(outcomes));
  }
};

}  // namespace

ShareSessions::Found share_session(const Call& call, const std::optional<std::string>& group,
                                   const std::optional<std::string>& member, std::int32_t epoch) {
  if (call.broker().features().level("share.version") == 0) {
    return {ErrorCode::kUnsupportedVersion, nullptr};
  }
  if (group.value_or("").empty() || member.value_or("").empty()) {
    return {ErrorCode::kInvalidRequest, nullptr};
  }
  auto& client = call.client();
  auto found = call.broker().share_sessions().of(*group, *member, epoch, &client);
  if (found.session && epoch == ShareSessions::kOpens && client.at_end == nullptr) {
    client.at_end = std::make_shared<ConnectionEnd>(call.broker(), &client);
  }
  return found;
}

share::Acknowledgement acknowledgement_of(std::int64_t first, std::int64_t last,
                                          const std::vector<std::int8_t>& types) {
  share::Acknowledgement out{Offset(first), Offset(last), {}};
  for (const auto type : types) out.types.push_back(static_cast<share::AcknowledgeType>(type));
  return out;
}

bool is_well_formed(const std::vector<share::Acknowledgement>& batches, bool may_renew) {
  Offset after(0);
  for (const auto& batch : batches) {
    if (batch.first < after || batch.last < batch.first || batch.last.value == INT64_MAX) {
      return false;
    }
    if (batch.types.size() != 1 && std::ssize(batch.types) != batch.last - batch.first + 1) {
      return false;
    }
    for (const auto type : batch.types) {
      const auto number = static_cast<std::int8_t>(type);
      if (number < 0 || number > kLastType) return false;
      if (type == share::AcknowledgeType::kRenew && !may_renew) return false;
    }
    after = batch.last + 1;
  }
  return true;
}

std::shared_ptr<log::Partition> shared_partition(Broker& broker, const ShareSession::Place& place,
                                                 ErrorCode& error) {
  const auto topic = broker.log().topic_name(place.first);
  error = ErrorCode::kUnknownTopicId;
  if (!topic) return nullptr;
  auto partition = broker.log().partition(*topic, place.second);
  error = partition ? ErrorCode::kNone : read_error(partition.error().code);
  return partition ? std::move(*partition) : nullptr;
}

void acknowledge_all(Broker& broker, const ShareSession& session,
                     std::vector<SharedAcknowledgements> said,
                     std::move_only_function<void(ShareOutcomes outcomes)> done) {
  if (said.empty()) return done({});
  auto all = std::make_shared<Gathering>();
  all->missing = said.size();
  all->done = std::move(done);
  for (const auto& one : said) all->outcomes.push_back({one.place, ErrorCode::kNone, {}});
  for (std::size_t i = 0; i < said.size(); ++i) {
    auto error = ErrorCode::kInvalidRequest;
    std::shared_ptr<log::Partition> partition;
    if (said[i].well_formed) partition = shared_partition(broker, said[i].place, error);
    if (partition == nullptr) {
      all->take(i, error, {});
      continue;
    }
    broker.share().acknowledge(
        session.key(said[i].place), partition, session.member, said[i].batches,
        [all, i](ErrorCode code, std::string_view message) { all->take(i, code, message); });
  }
}

void release_all(Broker& broker, ShareSession& session) {
  const std::unique_lock lock(session.mutex);
  for (const auto& place : session.places()) {
    broker.share().release(session.key(place), session.member);
  }
}

}  // namespace tailrace::kafka
