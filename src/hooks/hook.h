// One webhook: a request, once it is known to be from who may send, becomes deliveries to the
// source's inbox, and is answered when they are durable.
//
//   200 {"records": N}                          durable; also for what is sent again
//   200 {"records": N, "rejected": M, "lines": [{"line", "error"} …]}   NDJSON with bad lines,
//   which
//                                               are dead letters now
//   400 not what its format says · 401 token or signature · 405 · 413 · 415 · 429, 503 with
//   Retry-After: {"error": "…"}; nothing of it is kept, but after 503 it may be
//
// The order of checks: method, size, the address' rate, token, signature, the hook's rate, body.
// Threads: any.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "connect/inbox.h"
#include "connect/webhook_source.h"
#include "hooks/body.h"
#include "hooks/rate_limit.h"
#include "net/http_server.h"
#include "rt/clock.h"

namespace tailrace::hooks {

struct HookConfig {
  std::string name;  ///< of the source
  connect::WebhookOptions options;
  std::shared_ptr<connect::Inbox> inbox;
  /// Why it takes nothing now; empty: it does. May be absent.
  std::function<std::string()> closed = {};
};

/// {"error": "…"}
net::Response refusal(int status, std::string_view what);
/// The same with Retry-After, in whole seconds, at least one.
net::Response refusal_for_now(int status, std::string_view what, std::chrono::nanoseconds wait);

/// Gives deliveries to an inbox, one for each part, and tells `done` once when all are settled: the
/// worst news, where kAlreadyExists is good news, too.
void offer_parts(connect::Inbox& inbox, std::vector<Part> parts,
                 const std::function<void(Status)>& done, const telemetry::SpanContext& trace = {});

class Hook {
 public:
  explicit Hook(HookConfig config, rt::Clock& clock = rt::system_clock());

  /// `trace`: of the request's span; not valid: it has none.
  void accept(const net::Request& request, const net::Respond& respond,
              const telemetry::SpanContext& trace = {});

  const std::string& name() const { return config_.name; }
  const connect::WebhookOptions& options() const { return config_.options; }
  connect::Inbox& inbox() { return *config_.inbox; }
  /// Of answers, by what they were.
  struct Counts {
    Counter accepted, repeated, refused, limited, unavailable;
    Counter records, rejected, bytes;
    DurationHistogram durable;  ///< from the request to its records on disk
  };
  const Counts& counts() const { return *counts_; }

 private:
  net::Response check(const net::Request& request);
  bool answer_greeting(const net::Request& request, const net::Respond& respond) const;
  void set_id(const net::Request& request, Body& body) const;

  const HookConfig config_;
  rt::Clock& clock_;
  RateLimit limit_;
  std::shared_ptr<Counts> counts_ = std::make_shared<Counts>();  ///< answers may outlive the hook
};

}  // namespace tailrace::hooks
