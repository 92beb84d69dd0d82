// The queue's rows and its thread.
#include "hooks/event_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "sqlite/database.h"
#include "telemetry/context_text.h"
#include "telemetry/span.h"

namespace tailrace::hooks {
namespace {

constexpr int kTries = 3;
constexpr std::int64_t kMostAgeMs = 6 * 3'600'000;
constexpr std::int64_t kBusyMs = 1000;
/// Of one function at once, beyond what its workers take: the file is the queue.
constexpr std::size_t kUnderWay = 16;
constexpr std::size_t kMostNew = 10'000;
/// Of a failure, in its span.
constexpr std::size_t kMostWhy = 1000;
constexpr auto kAfterFault = std::chrono::seconds(1);

/// To a file of a program that did not know traces.
Status add_trace_column(sqlite::Database& database) {
  auto column =
      database.prepare("SELECT count(*) FROM pragma_table_info('call') WHERE name = 'trace'");
  TRY(column.step());
  if (column.integer(0) > 0) return {};
  return database.execute("ALTER TABLE call ADD COLUMN trace TEXT NOT NULL DEFAULT ''");
}

}  // namespace

struct EventQueue::Shared {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::vector<New> news;
  std::vector<Settled> settled;
  bool open = false;
  std::atomic<std::int64_t> kept = 0;
};

struct EventQueue::Kept {
  std::int64_t id = 0, tries = 0, at_ms = 0;
  std::string function;
  Call call;
};

EventQueue::EventQueue(EventQueueConfig config, std::unique_ptr<sqlite::Database> database,
                       rt::Clock& clock)
    : config_(std::move(config)),
      database_(std::move(database)),
      clock_(clock),
      shared_(std::make_shared<Shared>()) {}

EventQueue::~EventQueue() {
  stop();
}

Result<std::unique_ptr<EventQueue>> EventQueue::open(EventQueueConfig config, rt::Clock& clock) {
  ASSIGN(auto database, sqlite::Database::open(config.file));
  TRY(database->execute(
      "CREATE TABLE IF NOT EXISTS call (id INTEGER PRIMARY KEY, function TEXT NOT NULL, "
      "request_id TEXT NOT NULL, event TEXT NOT NULL, client_context TEXT NOT NULL, "
      "tries INTEGER NOT NULL, due_ms INTEGER NOT NULL, at_ms INTEGER NOT NULL, "
      "trace TEXT NOT NULL DEFAULT '');"
      "CREATE INDEX IF NOT EXISTS call_due ON call (due_ms)"));
  TRY(add_trace_column(*database));
  std::unique_ptr<EventQueue> queue(new EventQueue(std::move(config), std::move(database), clock));
  auto count = queue->database_->prepare("SELECT count(*) FROM call");
  TRY(count.step());
  queue->shared_->kept = count.integer(0);
  return queue;
}

void EventQueue::start() {
  shared_->open = true;
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void EventQueue::stop() {
  std::vector<New> refused;
  {
    std::lock_guard lock(shared_->mutex);
    shared_->open = false;
  }
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  {
    std::lock_guard lock(shared_->mutex);
    refused.swap(shared_->news);
  }
  for (const New& one : refused) one.done(error(Code::kUnavailable, "the program stops"));
}

void EventQueue::put(const std::string& function, Call call, std::function<void(Status)> done) {
  {
    std::lock_guard lock(shared_->mutex);
    if (shared_->open && shared_->news.size() < kMostNew) {
      shared_->news.push_back({function, std::move(call), std::move(done)});
      shared_->changed.notify_all();
      return;
    }
  }
  done(error(Code::kResourceExhausted, "too many calls wait"));
}

std::int64_t EventQueue::waiting() const {
  return shared_->kept;
}

Status EventQueue::keep(std::vector<New>& news) {
  if (news.empty()) return {};
  ASSIGN(auto transaction, sqlite::Transaction::begin(*database_));
  const std::int64_t now = clock_.now().value;
  for (const New& one : news) {
    auto row = database_->prepare(
        "INSERT INTO call (function, request_id, event, client_context, tries, due_ms, at_ms, "
        "trace) VALUES (?, ?, ?, ?, 0, ?, ?, ?)");
    const std::string trace = telemetry::context_text(one.call.trace);
    row.bind(std::string_view(one.function)).bind(std::string_view(one.call.request_id));
    row.bind(std::string_view(one.call.event)).bind(std::string_view(one.call.client_context));
    row.bind(now).bind(now).bind(std::string_view(trace));
    TRY(row.run());
  }
  TRY(transaction.commit());
  shared_->kept += static_cast<std::int64_t>(news.size());
  return {};
}

Result<EventQueue::Kept> EventQueue::read(std::int64_t id) {
  auto row = database_->prepare(
      "SELECT function, request_id, event, client_context, tries, at_ms, trace FROM call "
      "WHERE id = ?");
  row.bind(id);
  ASSIGN(const bool found, row.step());
  if (!found) return error(Code::kNotFound, fmt::format("no call {}", id));
  Kept kept{.id = id,
            .tries = row.integer(4),
            .at_ms = row.integer(5),
            .function = row.text(0),
            .call = {}};
  kept.call = {
      .request_id = row.text(1),
      .event = row.text(2),
      .client_context = row.text(3),

      .trace = telemetry::parse_context_text(row.text(6)).value_or(telemetry::SpanContext())};
  return kept;
}

Status EventQueue::give_up(const Kept& kept, const std::string& why) {
  TRY(config_.lost({.function = kept.function,
                    .request_id = kept.call.request_id,
                    .event = kept.call.event,
                    .why = why}));
  auto gone = database_->prepare("DELETE FROM call WHERE id = ?");
  gone.bind(kept.id);
  TRY(gone.run());
  --shared_->kept;
  return {};
}

Status EventQueue::settle(const Settled& one) {
  under_way_.erase(one.id);
  ASSIGN(const Kept kept, read(one.id));
  const Returned& returned = one.returned;
  if (returned.refused && !returned.failed) {
    auto gone = database_->prepare("DELETE FROM call WHERE id = ?");
    gone.bind(kept.id);
    TRY(gone.run());
    --shared_->kept;
    return {};
  }
  const std::int64_t now = clock_.now().value;
  const bool busy = !returned.refused;
  const Function* function = config_.function(kept.function);
  const std::int64_t tries = kept.tries + (busy ? 0 : 1);
  const std::string why = busy ? returned.refused.error().what : returned.payload;
  if (tries >= kTries || now - kept.at_ms > kMostAgeMs || function == nullptr)
    return give_up(kept, why);
  const std::int64_t wait = busy ? kBusyMs : function->info().retry_after_ms * tries;
  auto later = database_->prepare("UPDATE call SET tries = ?, due_ms = ? WHERE id = ?");
  later.bind(tries).bind(now + wait).bind(kept.id);
  return later.run();
}

// What the function sends on is of the try's span.
void EventQueue::begin(Function& function, Kept kept) {
  std::shared_ptr<telemetry::Span> span;
  if (telemetry::on() && kept.call.trace.valid()) {
    span = std::make_shared<telemetry::Span>(
        telemetry::begin("call " + kept.function, telemetry::SpanKind::kConsumer, kept.call.trace));
    span->set("faas.invoked_name", kept.function);
    span->set("faas.invocation_id", kept.call.request_id);
    span->set("tailrace.tries", kept.tries + 1);
    kept.call.trace = span->context();
  }
  function.call(std::move(kept.call),
                [shared = shared_, id = kept.id, name = kept.function, span](Returned returned) {
                  if (span && returned.failed) span->fail(returned.payload.substr(0, kMostWhy));
                  if (span && !returned.refused) span->fail(returned.refused.error().what);
                  if (span) span->end();
                  std::lock_guard lock(shared->mutex);
                  shared->settled.push_back({id, name, std::move(returned)});
                  shared->changed.notify_all();
                });
}

/// Calls what is due; when the next is.
Result<std::int64_t> EventQueue::begin_due() {
  const std::int64_t now = clock_.now().value;
  std::map<std::string, std::size_t> busy;
  for (const auto& [id, name] : under_way_) ++busy[name];
  std::vector<std::int64_t> due;
  std::int64_t next = now + 3'600'000;
  {
    auto rows =
        database_->prepare("SELECT id, function, due_ms FROM call ORDER BY due_ms LIMIT 1000");
    while (true) {
      ASSIGN(const bool more, rows.step());
      if (!more) break;
      if (rows.integer(2) > now) {
        next = rows.integer(2);
        break;
      }
      if (under_way_.contains(rows.integer(0))) continue;
      std::size_t& count = busy[rows.text(1)];
      if (count >= kUnderWay) continue;
      ++count;
      due.push_back(rows.integer(0));
      if (due.size() >= kUnderWay * 4) break;
    }
  }
  for (const std::int64_t id : due) {
    ASSIGN(Kept kept, read(id));
    Function* function = config_.function(kept.function);
    if (function == nullptr) {
      TRY(give_up(kept, "the project has no function of this name any more"));
      continue;
    }
    under_way_[id] = kept.function;
    begin(*function, std::move(kept));
  }
  return next;
}

void EventQueue::run(const std::stop_token& stop) {
  std::int64_t next = clock_.now().value;
  while (!stop.stop_requested()) {
    std::vector<New> news;
    std::vector<Settled> settled;
    {
      std::unique_lock lock(shared_->mutex);
      const auto patience =
          std::chrono::milliseconds(std::clamp<std::int64_t>(next - clock_.now().value, 0, 60'000));
      shared_->changed.wait_for(lock, stop, patience, [this] {
        return !shared_->news.empty() || !shared_->settled.empty();
      });
      news.swap(shared_->news);
      settled.swap(shared_->settled);
    }
    const Status kept = keep(news);
    for (const New& one : news) one.done(kept);
    Status fault = kept;
    for (const Settled& one : settled)
      if (auto done = settle(one); !done) fault = done;
    if (auto due = begin_due()) {
      next = *due;
    } else {
      fault = std::unexpected(due.error());
    }
    if (fault) continue;
    LOG(error, "the queue of functions' calls: {}", fault.error().what);
    next = clock_.now().value + 1000;
    std::unique_lock lock(shared_->mutex);
    shared_->changed.wait_for(lock, stop, kAfterFault, [] { return false; });
  }
}

}  // namespace tailrace::hooks
