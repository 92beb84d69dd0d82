// A small HTTP/1.1 server for loopback doors: the control centre, the registry, webhooks.
//
// Order of calls: HttpServer::start(config, handler) → port() … → stop() (or the destructor).
// Threads: one thread does all sockets; `limits.workers` threads run the handler and the streams,
// so a handler may take its time. The handler is called from several threads at once. A
// LaterHandler is for a door whose answers come from elsewhere: it hands the request on and
// returns, no thread waits for the answer, and what is small is not even given to another thread.
//
// What it refuses by itself, before the handler sees anything: a head over `limits.head_bytes`
// (431), a body over `limits.body_bytes` (413), a head or body that does not arrive in time
// (connection closed), malformed requests (400), a Host that is neither an address, localhost nor
// configured (421: DNS rebinding), a request that changes something and comes from another origin
// (403). More than `limits.connections` connections get 503.
//
// A body packed with gzip reaches the handler plain, within the same limit; one packed otherwise is
// refused with 415. With `tls` every connection speaks TLS, and its handshake has a deadline.
//
// It does not do HTTP/2, trailers, ranges or CORS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "net/tls.h"

namespace tailrace::net {

struct HttpLimits {
  std::size_t head_bytes = 32 << 10;
  std::size_t body_bytes = 16 << 20;
  std::size_t connections = 1024;
  /// A kept-alive connection without a request is closed after this.
  int idle_timeout_ms = 60'000;
  /// A request's head must be whole this long after its first byte, however slowly it drips.
  int head_timeout_ms = 10'000;
  int body_timeout_ms = 30'000;
  int write_timeout_ms = 30'000;
  int handshake_timeout_ms = 10'000;
  /// A LaterHandler's answer; 503 after it.
  int answer_timeout_ms = 30'000;
  /// How long stop() waits for requests in flight.
  int drain_timeout_ms = 2'000;
  int workers = 4;
};

/// A request whose path and query are decoded; header names are in lower case. HEAD reaches the
/// handler as GET.
struct Request {
  std::string method;
  std::string path;         ///< decoded, without the query: "/api/tables/a b"
  std::string target = {};  ///< path and query as they were sent
  std::string peer = {};    ///< the client's address: "127.0.0.1"
  std::vector<std::string>
      segments;  ///< the path split at "/" before decoding, so a key may hold "/"
  std::multimap<std::string, std::string> query;  ///< a name's values in the order they came
  std::map<std::string, std::string> headers;
  std::string body;

  /// The header's value, or "" when it is absent; `name` in lower case.
  std::string_view header(std::string_view name) const;
  /// The first value of a query parameter.
  std::optional<std::string> param(std::string_view name) const;
  /// Every value of it.
  std::vector<std::string> params(const std::string& name) const;
};

/// Text pushed to the client until `next` says the end (nullopt) or the client leaves. `next` is
/// called every `every_ms` on a worker thread, never twice at once; "" means nothing new.
struct TextStream {
  int every_ms = 500;
  std::function<std::optional<std::string>()> next = {};
};

struct Response {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  std::optional<TextStream> stream = {};  ///< instead of a body
};

using Handler = std::function<Response(const Request&)>;
/// Gives the answer: once, from any thread, even when the server is gone.
using Respond = std::function<void(Response)>;
/// Called on the server's own thread, so it may not block, parse megabytes or wait for a disk; with
/// a body over 64 KiB or a packed one on a worker. Answers may not be streams.
using LaterHandler = std::function<void(Request, Respond)>;

struct HttpServerConfig {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;  ///< 0 picks a free port
  /// Names besides localhost, addresses and the machine's own by which browsers may reach it.
  std::vector<std::string> allowed_hosts = {};
  bool any_host = false;                ///< under whatever name
  std::shared_ptr<const Tls> tls = {};  ///< nullptr: plain sockets
  /// The flag a user changes the address with, for the line about a taken port.
  std::string flag = "--console";
  HttpLimits limits = {};
  /// Makes the answer to a request that never reaches the handler; plain text when absent.
  std::function<Response(int status, std::string_view message)> refuse = {};
};

class HttpServer {
 public:
  /// Binds and serves. kUnavailable, with the line to print, when the address is taken;
  /// kInvalidArgument when the host is not an address or a name of this machine.
  static Result<std::unique_ptr<HttpServer>> start(HttpServerConfig config, Handler handler);
  static Result<std::unique_ptr<HttpServer>> start(HttpServerConfig config, LaterHandler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::uint16_t port() const;
  /// "http://127.0.0.1:9021", or https
  std::string url() const;
  /// Connections open now.
  std::size_t connections() const;
  /// Stops accepting, ends idle connections and streams, waits up to `drain_timeout_ms` for
  /// requests in flight and as long as it takes for a handler that still runs.
  void stop();

 private:
  struct Impl;
  static Result<std::unique_ptr<HttpServer>> run(std::unique_ptr<Impl> impl);
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailrace::net
