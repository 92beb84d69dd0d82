#include "lambda/handler.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "lambda/records.h"

namespace tailrace::lambda {
namespace {

using Clock = std::chrono::steady_clock;
/// What a topic takes where nothing was set: an object's longer line is rejected alone.
constexpr std::size_t kLongestLine = 1'000'000;

}  // namespace

/// What is under way for an item. Its reject counts for it: an item is done when that is kept.
struct Handler::Pending {
  kafka_log::Delivery records, rejects;
  std::optional<Refusal> refused = {};
  bool is_object = false;
  std::optional<Error> failed = {};

  Outcome outcome() const {
    Outcome out{.records = records.acknowledged, .refused = refused, .failed = failed};
    const bool excused = refused && records.unfit && !is_object;
    if (!out.failed && records.failed && !excused) out.failed = records.failed;
    if (!out.failed) out.failed = rejects.failed;
    return out;
  }
};

Handler::Handler(const Settings& settings, kafka_log::RecordProducer& producer, FetchLines fetch,
                 std::function<std::int64_t()> now_ms)
    : settings_(settings),
      producer_(producer),
      fetch_(std::move(fetch)),
      now_ms_(std::move(now_ms)) {}

Handler::Time Handler::deadline_of(const Invocation& invocation) const {
  const std::int64_t left = std::max<std::int64_t>(invocation.deadline_ms - now_ms_(), 0);
  const std::int64_t margin = std::min<std::int64_t>(settings_.margin_ms, left / 4);
  return Clock::now() + std::chrono::milliseconds(left - margin);
}

void Handler::reject(const Event& event, const Item& item, Refusal refusal, Pending& pending,
                     Time deadline) {
  if (settings_.rejected.empty()) {
    pending.failed = Error{Code::kInvalidArgument, refusal.reason + ": " + refusal.detail};
  } else {
    producer_.send(reject_of(event, item, refusal, settings_, now_ms_()), pending.rejects,
                   deadline);
  }
  pending.refused = std::move(refusal);
}

void Handler::begin_object(const Event& event, const Item& item, Pending& pending, Time deadline) {
  pending.is_object = true;
  if (!item.type.contains("ObjectCreated")) return;
  std::int64_t number = 0;
  const auto take = [&](std::string_view text) -> Status {
    const Item line = line_item(item, text, ++number);
    if (Clock::now() >= deadline)
      return error(Code::kDeadlineExceeded,
                   fmt::format("{}: no time after line {}", item.id, number - 1));
    if (text.size() > kLongestLine) {
      reject(event, line, {"oversized", fmt::format("a line of {} bytes", text.size())}, pending,
             deadline);
      return {};
    }
    auto record = record_of(event, line, settings_, request_id_);
    if (!record) {
      reject(event, line, record.error(), pending, deadline);
    } else {
      producer_.send(*record, pending.records, deadline);
    }
    if (pending.records.failed) return std::unexpected(*pending.records.failed);
    return {};
  };
  auto fetched = fetch_(*item.object, deadline, take);
  if (fetched) return;
  const bool never =
      fetched.error().code == Code::kNotFound || fetched.error().code == Code::kDataLoss;
  if (never) {
    reject(event, item, {"object", fetched.error().what}, pending, deadline);
  } else {
    pending.failed = std::move(fetched.error());
  }
}

void Handler::begin(const Event& event, const Item& item, Pending& pending, Time deadline) {
  if (item.object && settings_.s3_lines && !item.refused) {
    begin_object(event, item, pending, deadline);
    return;
  }
  auto record = record_of(event, item, settings_, request_id_);
  if (record) {
    producer_.send(*record, pending.records, deadline);
  } else if (is_request(event.source) && event.items.size() == 1) {
    pending.refused = std::move(record.error());  // who asked is told
  } else {
    reject(event, item, std::move(record.error()), pending, deadline);
  }
}

/// A batch is refused whole for one record that is too large: alone, it is clear which.
void Handler::retry_alone(const Event& event, const Item& item, Pending& pending, Time deadline) {
  if (!pending.records.unfit || pending.is_object) return;
  pending.records = {};
  const auto record = record_of(event, item, settings_, request_id_);
  producer_.send(*record, pending.records, deadline);
  producer_.settle(deadline);
  if (!pending.records.unfit) return;
  if (is_request(event.source) && event.items.size() == 1) {
    pending.refused = Refusal{"oversized", pending.records.failed->what};
    return;
  }
  reject(event, item,
         {"oversized",
          fmt::format("{} bytes: {}", record->value.size(), pending.records.failed->what)},
         pending, deadline);
}

Answer Handler::handle(const Invocation& invocation, std::string& told) {
  const Time deadline = deadline_of(invocation);
  request_id_ = invocation.request_id;
  const Event event = read_event(invocation.body);
  std::deque<Pending> pending(event.items.size());
  for (std::size_t i = 0; i < event.items.size(); ++i)
    begin(event, event.items[i], pending[i], deadline);
  producer_.settle(deadline);
  for (std::size_t i = 0; i < event.items.size(); ++i)
    retry_alone(event, event.items[i], pending[i], deadline);
  producer_.settle(deadline);
  std::vector<Outcome> outcomes;
  std::size_t records = 0, refused = 0, failed = 0;
  std::string why;
  for (const Pending& one : pending) {
    outcomes.push_back(one.outcome());
    records += outcomes.back().records;
    refused += one.refused ? 1 : 0;
    failed += outcomes.back().failed ? 1 : 0;
    if (why.empty() && outcomes.back().failed) why = outcomes.back().failed->what;
    if (why.empty() && one.refused) why = one.refused->reason + ": " + one.refused->detail;
  }
  told.clear();
  if (refused > 0 || failed > 0)
    told = fmt::format("{}: {} items, {} records acknowledged, {} items rejected, {} failed: {}",
                       source_name(event.source), pending.size(), records, refused, failed, why);
  return answer_of(event, outcomes, settings_);
}

}  // namespace tailrace::lambda
