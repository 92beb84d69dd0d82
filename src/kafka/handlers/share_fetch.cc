// ShareFetch (KIP-932): records that nobody else of the group has, and on the way what became of
// earlier ones. A request that finds none parks until some are appended or come free, or until
// max.wait is over.
#include <algorithm>
#include <map>

#include "kafka/handlers/all.h"
#include "kafka/handlers/share_requests.h"
#include "kafka/messages/share_fetch_request.h"
#include "kafka/messages/share_fetch_response.h"

namespace tailrace::kafka {
namespace {

using PartitionAnswer = ShareFetchResponse::PartitionData;
using Place = ShareSession::Place;

constexpr std::int8_t kRecordLimit = 1;  // ShareAcquireMode (KIP-1206)

/// What one pass over the partitions found.
struct Pass {
  std::map<Place, PartitionAnswer> answers;
  std::shared_ptr<std::vector<log::ReadBuffer>> buffers =
      std::make_shared<std::vector<log::ReadBuffer>>();
  std::vector<std::shared_ptr<log::Partition>> partitions;
  std::vector<std::pair<Place, std::uint64_t>> freed;  // for ShareCoordinator::wait()
  std::vector<Place> served;
  std::vector<std::pair<Offset, Offset>> ends;  // of the partitions, before they were looked at
  std::int64_t bytes = 0;
  bool failed = false;
};

/// A request from its arrival to its answer.
struct Sharing : std::enable_shared_from_this<Sharing> {
  Call call;
  std::shared_ptr<ShareSession> session;
  ShareCoordinator::FetchTask task;
  bool first = false;  // of its session: the answer names every partition
  Parking::Clock::time_point deadline;
  ShareOutcomes acknowledged{};

  explicit Sharing(Call c) : call(std::move(c)) {}
  void go_on();
  void answer(Pass pass);
  void park(std::shared_ptr<Parking::Parked> parked);
};

/// What the session was given may not be read any more.
bool denied(const Call& call, const Place& place) {
  if (!call.guarded()) return false;
  const auto name = call.broker().log().topic_name(place.first);
  return name && !call.allows(auth::Operation::kRead, auth::Resource::kTopic, *name);
}

/// One of the two moves when there is more to read.
std::pair<Offset, Offset> ends_of(const log::Partition& partition) {
  return {partition.high_watermark(), partition.last_stable_offset()};
}

void take(ShareCoordinator::Fetched fetched, const Place& place, ShareCoordinator::FetchTask& left,
          Pass& pass, PartitionAnswer& answer) {
  answer.error_code = wire(fetched.error);
  pass.freed.emplace_back(place, fetched.freed);
  if (fetched.acquired.empty()) return;
  pass.served.push_back(place);
  for (const auto& one : fetched.acquired) {
    answer.acquired_records.push_back({one.first.value, one.last.value, one.delivery_count});
    left.max_records -= static_cast<std::int32_t>(one.last - one.first + 1);
  }
  const auto size = fetched.records.size();
  left.max_bytes -= static_cast<std::int64_t>(size);
  pass.bytes += static_cast<std::int64_t>(size);
  pass.buffers->push_back(std::move(fetched.buffer));
  answer.records.first = pass.buffers->back().bytes().substr(0, size);
}

Pass pass_over(const Call& call, ShareSession& session, ShareCoordinator::FetchTask task) {
  Broker& broker = call.broker();
  Pass pass;
  task.max_bytes = std::min<std::int64_t>(task.max_bytes, broker.answer_memory().room());
  pass.buffers->reserve(session.places().size());
  for (const auto& place : session.places()) {
    auto& answer = pass.answers[place];
    answer.partition_index = place.second.value;
    auto error = ErrorCode::kNone;
    auto partition = shared_partition(broker, place, error);
    if (partition != nullptr && denied(call, place)) error = ErrorCode::kTopicAuthorizationFailed;
    answer.error_code = wire(error);
    if (error == ErrorCode::kNone) {
      pass.ends.push_back(ends_of(*partition));
      pass.partitions.push_back(partition);
      if (task.max_records > 0 && task.max_bytes > 0) {
        take(broker.share().fetch(session.key(place), partition, task), place, task, pass, answer);
      }
    }
    pass.failed |= answer.error_code != 0;
  }
  return pass;
}

void Sharing::go_on() {
  const std::unique_lock lock(session->mutex);
  auto& broker = call.broker();
  Pass pass = pass_over(call, *session, task);
  for (const auto& place : pass.served) session->served(place);
  const bool idle = pass.served.empty() && !pass.failed && !session->places().empty();
  if (!idle || task.max_records <= 0 || Parking::Clock::now() >= deadline) {
    return answer(std::move(pass));
  }
  auto parked = std::make_shared<Parking::Parked>();
  for (const auto& partition : pass.partitions) parked->partitions.push_back(partition.get());
  parked->deadline = deadline;
  park(parked);
  // What was appended or came free since the pass woke nobody.
  for (const auto& [place, freed] : pass.freed) {
    broker.share().wait(session->key(place), freed, parked);
  }
  for (std::size_t i = 0; i < pass.partitions.size(); ++i) {
    if (ends_of(*pass.partitions[i]) != pass.ends[i]) broker.parking().wake(parked);
  }
}

void Sharing::park(std::shared_ptr<Parking::Parked> parked) {
  parked->wake = [self = shared_from_this()] { self->go_on(); };
  call.broker().parking().park(std::move(parked));
}

/// Partitions of which there is nothing to say are left out, but in the first answer of a session.
void Sharing::answer(Pass pass) {
  auto& answers = pass.answers;
  std::map<Place, ShareOutcome*> said;
  for (auto& outcome : acknowledged) {
    said[outcome.place] = &outcome;
    answers[outcome.place].partition_index = outcome.place.second.value;
  }
  ShareFetchResponse response;
  response.acquisition_lock_timeout_ms =
      call.broker().share().settings(session->group).partition.record_lock_ms;
  for (auto& [place, answer] : answers) {
    const auto outcome = said.find(place);
    const bool news = answer.error_code != 0 || !answer.acquired_records.empty();
    if (!first && !news && outcome == said.end()) continue;
    if (outcome != said.end()) {
      answer.acknowledge_error_code = wire(outcome->second->error);
      answer.acknowledge_error_message = outcome->second->message;
    }
    auto& topics = response.responses;
    if (topics.empty() || topics.back().topic_id != place.first)
      topics.push_back({place.first, {}});
    topics.back().partitions.push_back(std::move(answer));
  }
  call.take("consumer_byte_rate", static_cast<double>(pass.bytes));
  auto& memory = call.broker().answer_memory();
  call.answer(response, memory.hold(pass.bytes, std::move(pass.buffers)));
}

/// Only a session that goes on has partitions to add.
void update(ShareSession& session, const ShareFetchRequest& request) {
  const std::unique_lock lock(session.mutex);
  for (const auto& topic : request.topics) {
    for (const auto& partition : topic.partitions) {
      session.add({topic.topic_id, PartitionId(partition.partition_index)});
    }
  }
  for (const auto& topic : request.forgotten_topics_data) {
    for (const auto partition : topic.partitions) {
      session.forget({topic.topic_id, PartitionId(partition)});
    }
  }
}

bool is_allowed(const ShareFetchRequest& request, bool acknowledges) {
  if (request.share_session_epoch == ShareSessions::kOpens && acknowledges) return false;
  // A renewal is not to wait for records (KIP-1222).
  return !request.is_renew_ack || (request.max_wait_ms == 0 && request.min_bytes == 0 &&
                                   request.max_bytes == 0 && request.max_records == 0);
}

}  // namespace

void share_fetch(Call call, const ShareFetchRequest& request) {
  const auto refuse = [&](ErrorCode error) {
    ShareFetchResponse response;
    response.error_code = wire(error);
    call.answer(response);
  };
  const auto epoch = request.share_session_epoch;
  auto said = acknowledgements_in(request.topics, request.is_renew_ack);
  if (!is_allowed(request, !said.empty())) return refuse(ErrorCode::kInvalidRequest);
  const auto found = share_session(call, request.group_id, request.member_id, epoch);
  if (!found.session) return refuse(found.error);
  Broker& broker = call.broker();
  const bool closes = epoch == ShareSessions::kCloses;
  if (!closes) update(*found.session, request);

  auto sharing = std::make_shared<Sharing>(std::move(call));
  sharing->session = found.session;
  sharing->first = epoch == ShareSessions::kOpens;
  sharing->task = {
      found.session->member, std::min(request.max_bytes, broker.config().fetch_max_bytes),
      request.max_records, request.batch_size, request.share_acquire_mode == kRecordLimit};
  const auto wait = std::chrono::milliseconds(std::clamp(request.max_wait_ms, 0, 600'000));
  sharing->deadline = Parking::Clock::now() + wait;
  if (said.empty() && !closes) return sharing->go_on();
  acknowledge_all(broker, *found.session, std::move(said),
                  [sharing, closes](ShareOutcomes outcomes) {
                    sharing->acknowledged = std::move(outcomes);
                    auto& to = sharing->call.broker();
                    if (closes) {
                      release_all(to, *sharing->session);
                      return sharing->answer({});
                    }
                    // Not here: this may be the committer's thread.
                    auto parked = std::make_shared<Parking::Parked>();
                    parked->deadline = sharing->deadline;
                    sharing->park(parked);
                    to.parking().wake(parked);
                  });
}

}  // namespace tailrace::kafka
