// A function of a project, called with one event: what answers Lambda's Invoke API.
//
//   sql      a SELECT over the relation `event`; its rows are the answer
//   python   a handler(event, context), in a process that is kept warm (python_function.h)
//   ingest   the event becomes records of a webhook's source; with one of the others what that one
//            gives does
//
// Threads: call() from any; it does not block. `done` is called once, from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "hooks/hook.h"
#include "hooks/work_queue.h"

namespace tailrace::hooks {

struct FunctionInfo {
  std::string name = {};
  std::string description = {};
  std::string runtime = {};  ///< "python3.12", "provided.al2023"
  std::string handler = {};
  std::string code = {};  ///< its text
  std::int64_t timeout_ms = 3000;
  std::int64_t memory_bytes = 128 << 20;
  std::map<std::string, std::string> environment = {};
  std::int64_t modified_ms = 0;
  /// Of calls that nobody waits for: how long after a failure the first of two more tries begins;
  /// the second waits twice as long.
  std::int64_t retry_after_ms = 60'000;

  std::string arn() const;
};

struct Call {
  std::string request_id;
  std::string event;                ///< JSON
  std::string client_context = {};  ///< base64 of JSON, as it was sent
  telemetry::SpanContext trace = {};
};

struct Returned {
  std::string payload = "null";  ///< JSON; of a failure {"errorMessage", "errorType", …}
  bool failed = false;           ///< the function, not the call
  std::string log = {};          ///< its last lines
  Status refused = {};           ///< the call itself: kResourceExhausted, kUnavailable
  std::int64_t took_us = 0;
  std::int64_t most_memory_kb = 0;
};
using Done = std::function<void(Returned)>;

class Function {
 public:
  virtual ~Function() = default;
  virtual void call(Call call, Done done) = 0;
  const FunctionInfo& info() const { return info_; }

 protected:
  explicit Function(FunctionInfo info) : info_(std::move(info)) {}
  const FunctionInfo info_;
};

/// {"errorMessage", "errorType"}
Returned failure(std::string_view type, std::string_view message);

/// Ends as Lambda's sandbox ends a call.
Returned timed_out(const std::string& request_id, std::int64_t timeout_ms);

/// The rows of `text` over an event, as JSON; kDeadlineExceeded: not by `until`.
using AskSql = std::function<Result<std::string>(const std::string& text, const std::string& event,
                                                 std::chrono::steady_clock::time_point until)>;
std::unique_ptr<Function> sql_function(FunctionInfo info, AskSql ask,
                                       std::shared_ptr<WorkQueue> workers);

/// Records of what `inner` gives (an array: each of its elements) or, without one, of the event go
/// to the source, and the answer {"records": N} comes when they are durable. A request id that came
/// before gives none.
std::unique_ptr<Function> ingest_function(FunctionInfo info, std::unique_ptr<Function> inner,
                                          HookConfig source);

}  // namespace tailrace::hooks
