// AWS Lambda's Invoke API (2015-03-31) for a project's functions, so that boto3 and the AWS CLI
// call them with --endpoint-url:
//
//   POST /2015-03-31/functions/NAME/invocations[?Qualifier=]   X-Amz-Invocation-Type:
//   RequestResponse
//        (default), Event (202 when it is durable), DryRun (204); X-Amz-Log-Type: Tail;
//        X-Amz-Client-Context. X-Amz-Function-Error: Unhandled says that the function failed
//   GET  /2015-03-31/functions[?MaxItems=&Marker=], /functions/NAME, /functions/NAME/configuration
//
// NAME is a name, a partial or a whole ARN, with or without a qualifier; there is only $LATEST.
// Errors are {"Type", "Message"} with x-amzn-ErrorType. Events are JSON of at most 6 MB, 1 MB of
// those that nobody waits for. Who may call: aws_login.h.
//
// Threads: answer() from any; it does not block.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "hooks/aws_login.h"
#include "hooks/event_queue.h"
#include "hooks/function.h"

namespace tailrace::hooks {

inline constexpr std::string_view kInvokePath = "/2015-03-31/functions";
inline constexpr std::size_t kMostEventBytes = 6'291'456;
inline constexpr std::size_t kMostQueuedBytes = 1'048'576;

struct FunctionsConfig {
  std::vector<std::unique_ptr<Function>> functions;
  InvokeLogin login = {};
  std::string queue_file;  ///< DATA/functions/queue.db
  std::function<Status(const LostCall&)> lost;
};

class Functions {
 public:
  static Result<std::unique_ptr<Functions>> open(FunctionsConfig config,
                                                 rt::Clock& clock = rt::system_clock());
  ~Functions();

  /// Queued calls are taken up.
  void start() { queue_->start(); }
  void stop() { queue_->stop(); }
  void answer(const net::Request& request, const net::Respond& respond,
              const telemetry::SpanContext& trace = {});
  /// Queues a call; durable when it returns. kNotFound: there is no such function.
  Status queue(const std::string& name, Call call);

  const InvokeLogin& login() const { return login_; }
  std::int64_t longest_ms() const;
  void write_metrics(MetricsText& out) const;

 private:
  struct Entry {
    std::unique_ptr<Function> function;
    std::shared_ptr<Counter> calls = std::make_shared<Counter>();
    std::shared_ptr<Counter> failures = std::make_shared<Counter>();
    std::shared_ptr<DurationHistogram> took = std::make_shared<DurationHistogram>();
  };
  Functions(InvokeLogin login, rt::Clock& clock) : login_(std::move(login)), clock_(clock) {}
  net::Response read(const net::Request& request) const;
  void invoke(const net::Request& request, const std::string& id, const net::Respond& respond,
              const telemetry::SpanContext& trace);
  void call_now(Entry& entry, Call call, bool with_log, const net::Respond& respond);

  const InvokeLogin login_;
  rt::Clock& clock_;
  std::map<std::string, Entry, std::less<>> functions_;
  std::unique_ptr<EventQueue> queue_;  ///< the first to go: it calls them
};

}  // namespace tailrace::hooks
