// Fetch: whole record batches as they lie on disk, from as many partitions as max.bytes lets in. A
// request that finds less than min.bytes parks until more was appended or max.wait is over.
#include <algorithm>
#include <memory>

#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/fetch_request.h"
#include "kafka/messages/fetch_response.h"

namespace tailrace::kafka {
namespace {

using PartitionAnswer = FetchResponse::PartitionData;

/// A fetch from its arrival to its answer.
struct Fetching : std::enable_shared_from_this<Fetching> {
  Call call;
  FetchSessions::Found found;
  std::int64_t min_bytes = 0;
  std::int32_t max_bytes = 0;
  bool committed = false;  // isolation level read_committed (KIP-98)
  Parking::Clock::time_point deadline;

  explicit Fetching(Call c) : call(std::move(c)) {}
  void go_on(bool last_try);
};

/// What one pass over the partitions found.
struct Pass {
  FetchResponse response;
  std::shared_ptr<std::vector<log::ReadBuffer>> buffers =
      std::make_shared<std::vector<log::ReadBuffer>>();
  std::vector<const log::Partition*> partitions;
  std::vector<std::pair<std::shared_ptr<log::Partition>, std::int64_t>> ends;  // as they were seen
  std::vector<log::Traffic*> traffic;  // of each partition answered; none where there is none
  std::int64_t bytes = 0;
  bool failed = false;  // some partition: the answer goes at once
};

Result<std::shared_ptr<log::Partition>> find(const Call& call, const FetchWant& want,
                                             PartitionAnswer& answer) {
  Broker& broker = call.broker();
  std::string name = want.topic;
  if (call.since(13)) {
    auto found = broker.log().topic_name(want.id);
    answer.error_code = wire(ErrorCode::kUnknownTopicId);
    if (!found) return error(Code::kNotFound, "no topic has this id");
    name = std::move(*found);
  }
  if (!call.allows(auth::Operation::kRead, auth::Resource::kTopic, name)) {
    answer.error_code = wire(ErrorCode::kTopicAuthorizationFailed);
    return error(Code::kPermissionDenied, "may not be read");
  }
  auto partition = broker.log().partition(name, PartitionId(want.request.partition));
  answer.error_code = wire(partition ? ErrorCode::kNone : read_error(partition.error().code));
  return partition;
}

/// The transactions of whose records a read_committed reader shall drop what was read.
void tell_aborted(log::Partition& partition, const log::ReadBuffer& read, Offset from,
                  PartitionAnswer& answer) {
  auto& told = answer.aborted_transactions.emplace();
  Offset end = from;
  auto batches = read.batches();
  for (log::BatchView batch; batches.next(batch);) end = batch.next_offset();
  end = std::min(end, Offset(answer.last_stable_offset));
  const auto aborted = partition.aborted_transactions(from, end);
  if (!aborted) {
    answer.error_code = wire(read_error(aborted.error().code));
    answer.records = Records{};
    return;
  }
  for (const auto& one : *aborted) told.push_back({one.producer_id, one.first.value});
}

void read(log::Partition& partition, const FetchWant& want, bool committed, std::int64_t room,
          Pass& pass, PartitionAnswer& answer) {
  const auto epoch = check_epoch(want.request.current_leader_epoch);
  if (epoch != ErrorCode::kNone) {
    answer.error_code = wire(epoch);
    return;
  }
  answer.last_stable_offset = partition.last_stable_offset().value;
  answer.high_watermark = partition.high_watermark().value;
  answer.log_start_offset = partition.log_start().value;
  answer.records = Records{};
  const Offset from(want.request.fetch_offset);
  const Offset upto(committed ? answer.last_stable_offset : answer.high_watermark);
  if (committed) answer.aborted_transactions.emplace();
  // Beyond the end is an error; between the last stable offset and the end there is nothing yet.
  if (from >= upto && from.value <= answer.high_watermark) return;
  if (pass.bytes > 0 && room <= 0) return;
  const auto most = std::min<std::int64_t>(room, want.request.partition_max_bytes);
  log::ReadBuffer buffer;
  const auto done =
      partition.read(from, static_cast<std::size_t>(std::max<std::int64_t>(most, 0)), buffer, upto);
  if (!done) {
    answer.error_code = wire(read_error(done.error().code));
    answer.high_watermark = answer.last_stable_offset = answer.log_start_offset = -1;
    return;
  }
  // One batch may be larger than what there is room for: only the first of an answer may.
  if (pass.bytes > 0 && static_cast<std::int64_t>(buffer.size_bytes()) > room) return;
  pass.bytes += static_cast<std::int64_t>(buffer.size_bytes());
  pass.buffers->push_back(std::move(buffer));
  answer.records->first = pass.buffers->back().bytes();
  if (committed) tell_aborted(partition, pass.buffers->back(), from, answer);
}

void add(FetchResponse& response, const FetchWant& want, PartitionAnswer answer) {
  auto& topics = response.responses;
  if (topics.empty() || topics.back().topic != want.topic || topics.back().topic_id != want.id) {
    topics.push_back({want.topic, want.id, {}});
  }
  topics.back().partitions.push_back(std::move(answer));
}

Pass pass_over(Fetching& fetching, std::int64_t max_bytes) {
  Pass pass;
  auto& wants = fetching.found.session->wants();
  pass.buffers->reserve(wants.size());
  for (auto& want : wants) {
    PartitionAnswer answer;
    answer.partition_index = want.request.partition;
    answer.aborted_transactions.reset();
    auto& traffic = pass.traffic.emplace_back(nullptr);
    if (auto partition = find(fetching.call, want, answer)) {
      traffic = &(*partition)->traffic();
      pass.partitions.push_back(partition->get());
      read(**partition, want, fetching.committed, max_bytes - pass.bytes, pass, answer);
      pass.ends.emplace_back(std::move(*partition), fetching.committed ? answer.last_stable_offset
                                                                       : answer.high_watermark);
    }
    pass.failed |= answer.error_code != 0;
    add(pass.response, want, std::move(answer));
  }
  return pass;
}

/// Leaves out the partitions of which the client knows all, and notes what it is told.
void keep_news(FetchSession& session, FetchResponse& response, bool incremental) {
  auto want = session.wants().begin();
  std::vector<std::list<FetchWant>::iterator> served;
  for (auto& topic : response.responses) {
    std::erase_if(topic.partitions, [&](const PartitionAnswer& answer) {
      const auto here = want++;
      const bool records = answer.records && answer.records->size_bytes() > 0;
      const bool news = records || answer.error_code != 0 ||
                        here->told_high_watermark != answer.high_watermark ||
                        here->told_log_start != answer.log_start_offset;
      here->told_high_watermark = answer.error_code != 0 ? -1 : answer.high_watermark;
      here->told_log_start = answer.error_code != 0 ? -1 : answer.log_start_offset;
      if (records) served.push_back(here);
      return incremental && !news;
    });
  }
  std::erase_if(response.responses, [](const auto& topic) { return topic.partitions.empty(); });
  for (const auto& one : served) session.served(one);
}

void count(const Pass& pass) {
  auto next = pass.traffic.begin();
  for (const auto& topic : pass.response.responses) {
    for (const auto& answer : topic.partitions) {
      log::Traffic* traffic = *next++;
      if (traffic == nullptr) continue;
      traffic->fetch_requests.add();
      if (answer.error_code != 0) traffic->failed_fetch_requests.add();
      if (answer.records) traffic->bytes_out.add(answer.records->size_bytes());
    }
  }
}

void Fetching::go_on(bool last_try) {
  const std::unique_lock lock(found.session->mutex);
  auto& memory = call.broker().answer_memory();
  const std::int64_t most = std::min<std::int64_t>(max_bytes, memory.room());
  Pass pass = pass_over(*this, most);
  const bool enough =
      pass.bytes >= std::min(min_bytes, most) || pass.failed || found.session->wants().empty();
  if (enough || last_try || Parking::Clock::now() >= deadline) {
    count(pass);
    keep_news(*found.session, pass.response, found.incremental);
    pass.response.session_id = found.session->id;
    call.take("consumer_byte_rate", static_cast<double>(pass.bytes));
    return call.answer(pass.response, memory.hold(pass.bytes, std::move(pass.buffers)));
  }
  auto& parking = call.broker().parking();
  auto parked = std::make_shared<Parking::Parked>();
  parked->partitions = std::move(pass.partitions);
  // A marker of few bytes makes many readable.
  parked->bytes = committed ? 1 : min_bytes - pass.bytes;
  parked->deadline = deadline;
  parked->wake = [self = shared_from_this()] { self->go_on(false); };
  parking.park(parked);
  // What was appended between the pass and the parking woke nobody.
  const bool moved = std::ranges::any_of(pass.ends, [this](const auto& end) {
    const auto& [partition, seen] = end;
    return seen !=
           (committed ? partition->last_stable_offset() : partition->high_watermark()).value;
  });
  if (moved) parking.wake(parked);
}

}  // namespace

void fetch(Call call, const FetchRequest& request) {
  Broker& broker = call.broker();
  auto fetching = std::make_shared<Fetching>(std::move(call));
  fetching->found = broker.fetch_sessions().of(request);
  if (!fetching->found.session) {
    FetchResponse response;
    response.error_code = wire(fetching->found.error);
    return fetching->call.answer(response);
  }
  fetching->committed = request.isolation_level == 1;
  fetching->min_bytes = request.min_bytes;
  fetching->max_bytes = std::min(request.max_bytes, broker.config().fetch_max_bytes);
  const auto wait = std::chrono::milliseconds(std::clamp(request.max_wait_ms, 0, 600'000));
  fetching->deadline = Parking::Clock::now() + wait;
  fetching->go_on(wait.count() == 0);
}

}  // namespace tailrace::kafka
