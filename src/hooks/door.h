// The door for what others push: webhooks of a project's sources, at
//
//   POST /hooks/PATH     hook.h says what is answered
//   GET  /hooks          the paths, for callers of this machine only
//   GET  /healthz        200 while it serves
//
// The order of calls: Door::start() → stop() or the destructor, before the sources stop: what came
// is answered when it is durable.
//
// On an address that others reach every hook needs a signature, a token, or `open: true`. Where all
// have one of the first two a page that a browser was led to cannot use them, and any Host is
// taken; else Host and Origin are checked by the server (net/http_server.h).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "hooks/hook.h"
#include "net/http_server.h"

namespace tailrace::hooks {

struct DoorConfig {
  std::string host = "127.0.0.1";
  std::uint16_t port = 9080;  ///< 0 picks a free one
  std::string flag = "--hooks";
  std::shared_ptr<const net::Tls> tls = {};
  std::vector<HookConfig> hooks = {};
};

class Door {
 public:
  /// kUnavailable, with the line to print, when the address is taken; kInvalidArgument: two hooks
  /// with one path, or one that anybody could send to.
  static Result<std::unique_ptr<Door>> start(DoorConfig config);

  /// "http://127.0.0.1:9080"
  std::string url() const { return server_->url(); }
  /// Answers what is under way.
  void stop() { server_->stop(); }
  void write_metrics(MetricsText& out) const;

 private:
  using Hooks = std::map<std::string, std::unique_ptr<Hook>>;  ///< by path

  Door() = default;
  void answer(const net::Request& request, const net::Respond& respond);
  net::Response unknown(const net::Request& request) const;

  Hooks hooks_;
  std::unique_ptr<net::HttpServer> server_;  ///< the first to go
};

}  // namespace tailrace::hooks
