// Calls that nobody waits for (InvocationType Event): kept in a SQLite file before the caller is
// answered, called once, twice more after failures, then a dead letter.
//
//   call(id, function, request_id, event, client_context, tries, due_ms, at_ms, trace)
//
// `trace`: traceparent and tracestate of the request that brought it, a space between; each try is
// a span of it.
//
// A call that is under way when the program ends is begun again: handlers see an event at least
// once. What is refused because too much waits is tried again each second, and does not count; what
// is older than six hours is a dead letter.
//
// Threads: put() from any; `done` and calls from the queue's own, which commits all that came while
// the commit before ran at once.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "hooks/function.h"
#include "rt/clock.h"

namespace tailrace::sqlite {
class Database;
}

namespace tailrace::hooks {

struct LostCall {
  std::string function, request_id, event, why;
};

struct EventQueueConfig {
  std::string file;
  /// By name; they outlive the queue.
  std::function<Function*(const std::string& name)> function;
  /// Keeps what was given up; durable when it returns.
  std::function<Status(const LostCall&)> lost;
};

class EventQueue {
 public:
  static Result<std::unique_ptr<EventQueue>> open(EventQueueConfig config,
                                                  rt::Clock& clock = rt::system_clock());
  ~EventQueue();

  void start();
  /// Ends the thread; what is under way may still settle, and is begun again after the next start.
  void stop();
  /// `done` is told when the call is durable.
  void put(const std::string& function, Call call, std::function<void(Status)> done);
  /// Calls that are kept.
  std::int64_t waiting() const;

 private:
  struct New {
    std::string function;
    Call call;
    std::function<void(Status)> done;
  };
  struct Settled {
    std::int64_t id;
    std::string function;
    Returned returned;
  };
  struct Kept;
  /// What calls under way come back to; they may outlive the queue.
  struct Shared;

  EventQueue(EventQueueConfig config, std::unique_ptr<sqlite::Database> database, rt::Clock& clock);
  void run(const std::stop_token& stop);
  Status keep(std::vector<New>& news);
  Status settle(const Settled& one);
  Status give_up(const Kept& kept, const std::string& why);
  Result<std::int64_t> begin_due();
  Result<Kept> read(std::int64_t id);
  void begin(Function& function, Kept kept);

  const EventQueueConfig config_;
  const std::unique_ptr<sqlite::Database> database_;
  rt::Clock& clock_;
  const std::shared_ptr<Shared> shared_;
  std::map<std::int64_t, std::string> under_way_;  ///< the thread's own
  std::jthread thread_;
};

}  // namespace tailrace::hooks
