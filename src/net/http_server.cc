// The HTTP server: the only file of the house that includes Boost.Beast, since it takes long to
// compile.
//
// One coroutine accepts, one serves each connection; all of them run on one thread, so what they
// share needs no lock. Handlers run on the worker pool. A session is in `sessions` from accept to
// the end of its coroutine.
#include "net/http_server.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "base/log.h"
#include "net/answers_together.h"
#include "net/gzip.h"
#include "net/http_message.h"
#include "net/listen.h"
#include "net/secured.h"

namespace tailrace::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::awaitable;
using asio::use_awaitable;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;

using Parser = http::request_parser<http::string_body>;

constexpr std::size_t kGzipFrom = 1024;
/// What a LaterHandler is given on the server's own thread.
constexpr std::size_t kAtOnceBytes = 64 << 10;
constexpr auto kKeepAliveComment = std::chrono::seconds(15);

struct Session {
  Session(tcp::socket socket, const Tls* tls)
      : stream(beast::tcp_stream(std::move(socket)), tls), timer(stream.get_executor()) {}

  beast::tcp_stream& lower() { return stream.lower(); }
  void expires_after(milliseconds time) { lower().expires_after(time); }

  Secured<beast::tcp_stream> stream;
  beast::flat_buffer buffer;
  asio::steady_timer timer;
  std::string peer;
  bool busy = false;  ///< between a request's first byte and the end of its answer
};
using SessionPtr = std::shared_ptr<Session>;

/// A request whose answer comes later. Touched by the server's thread only.
struct Pending {
  std::weak_ptr<Session> session;  ///< weak: who answers may outlive the server
  Response response = {};
  bool done = false;

  void finish(Response answer) {
    if (std::exchange(done, true)) return;
    response = std::move(answer);
    if (const auto waiting = session.lock()) waiting->timer.cancel();
  }
};

/// Answers on their way from other threads to the server's: many of them wake it once.
class Mailbox : public Answered, public std::enable_shared_from_this<Mailbox> {
 public:
  explicit Mailbox(asio::io_context& io) : io_(&io) {}

  void put(const std::shared_ptr<Pending>& pending, Response response) {
    {
      std::lock_guard lock(mutex_);
      if (io_ == nullptr) return;
      arrived_.emplace_back(pending, std::move(response));
      if (arrived_.size() > 1) return;
    }
    look(shared_from_this());
  }
  /// Nothing is delivered any more.
  void close() {
    std::lock_guard lock(mutex_);
    io_ = nullptr;
    arrived_.clear();
  }

 private:
  void look_soon() override {
    std::lock_guard lock(mutex_);
    if (io_ != nullptr) asio::post(*io_, [self = shared_from_this()] { self->deliver(); });
  }
  void deliver() {
    std::vector<std::pair<std::shared_ptr<Pending>, Response>> arrived;
    {
      std::lock_guard lock(mutex_);
      arrived.swap(arrived_);
    }
    for (auto& [pending, response] : arrived) pending->finish(std::move(response));
  }

  std::mutex mutex_;
  asio::io_context* io_;
  std::vector<std::pair<std::shared_ptr<Pending>, Response>> arrived_;
};

/// How a read ended: a status to refuse with, 0 to close in silence, 200 to go on.
int status_of(const error_code& failed) {
  static const auto& http_category =
      error_code(http::make_error_code(http::error::bad_version)).category();
  if (!failed) return 200;
  if (failed == http::error::end_of_stream || failed == http::error::partial_message) return 0;
  if (failed == http::error::body_limit) return 413;
  if (failed == http::error::header_limit || failed == http::error::buffer_overflow) return 431;
  return failed.category() == http_category ? 400 : 0;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

void append_header(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ");
  for (char c : value) {
    if (c != '\r' && c != '\n') head.push_back(c);
  }
  head.append("\r\n");
}

std::string response_head(const Response& response, bool keep_alive) {
  auto head = fmt::format("HTTP/1.1 {} {}\r\n", response.status, reason_phrase(response.status));
  append_header(head, "Content-Type", response.content_type);
  append_header(head, "X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : response.headers) append_header(head, name, value);
  if (!response.stream && response.status != 304) {
    append_header(head, "Content-Length", std::to_string(response.body.size()));
  }
  append_header(head, "Connection", keep_alive ? "keep-alive" : "close");
  return head.append("\r\n");
}

bool is_text(std::string_view content_type) {
  return content_type.starts_with("text/") || content_type.find("json") != content_type.npos ||
         content_type.find("javascript") != content_type.npos;
}

void compress(Response& response, std::string_view accept_encoding) {
  if (response.stream || response.body.size() < kGzipFrom || !is_text(response.content_type) ||
      !accepts_gzip(accept_encoding)) {
    return;
  }
  auto packed = gzip(response.body);
  if (packed.empty()) return;
  response.body = std::move(packed);
  response.headers.emplace_back("Content-Encoding", "gzip");
  response.headers.emplace_back("Vary", "Accept-Encoding");
}

Response refusal(const HttpServerConfig& config, int status, std::string_view message) {
  if (config.refuse) return config.refuse(status, message);
  Response response;
  response.status = status;
  response.body = fmt::format("{}\n", message);
  return response;
}

/// Unpacks the request's body; the refusal where that cannot be.
std::optional<Response> unpack(const HttpServerConfig& config, Request& request) {
  const std::string encoding = lower(request.header("content-encoding"));
  if (encoding.empty() || encoding == "identity") return std::nullopt;
  if (encoding != "gzip" && encoding != "x-gzip")
    return refusal(config, 415, "a body is sent plain or packed with gzip");
  auto plain = gunzip(request.body, config.limits.body_bytes);
  if (!plain) {
    const bool large = plain.error().code == Code::kResourceExhausted;
    return refusal(config, large ? 413 : 400, plain.error().what);
  }
  request.body = std::move(*plain);
  return std::nullopt;
}

}  // namespace

std::string_view Request::header(std::string_view name) const {
  auto found = headers.find(std::string(name));
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

std::optional<std::string> Request::param(std::string_view name) const {
  auto found = query.lower_bound(std::string(name));
  if (found == query.end() || found->first != name) return std::nullopt;
  return found->second;
}

std::vector<std::string> Request::params(const std::string& name) const {
  std::vector<std::string> values;
  auto [first, last] = query.equal_range(name);
  for (; first != last; ++first) values.push_back(first->second);
  return values;
}

struct HttpServer::Impl {
  HttpServerConfig config;
  Handler handler;     // or
  LaterHandler later;  // this one
  std::uint16_t port = 0;
  bool closing = false;         // io thread
  std::set<Session*> sessions;  // io thread
  mutable std::mutex mutex;
  std::condition_variable changed;
  std::size_t open = 0;  // guarded by mutex: sessions.size()
  bool stopped = false;  // guarded by mutex
  // Suspended coroutines die with `io` and still touch what stands above it.
  asio::io_context io{1};
  tcp::acceptor acceptor{io};
  std::shared_ptr<Mailbox> mailbox = std::make_shared<Mailbox>(io);
  asio::thread_pool workers;
  std::thread::id own_thread;  ///< that of `io`
  std::thread thread;

  Impl(HttpServerConfig c, Handler now, LaterHandler later_handler)
      : config(std::move(c)),
        handler(std::move(now)),
        later(std::move(later_handler)),
        workers(static_cast<std::size_t>(std::max(1, config.limits.workers))) {
    // Configured without a word: others on the network know this machine, or this container, by it.
    std::array<char, 256> name{};
    if (gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0')
      config.allowed_hosts.emplace_back(name.data());
  }

  Status bind();
  void begin_stop();
  void add(Session* session);
  void remove(Session* session);

  awaitable<void> accept_loop();
  awaitable<void> serve_guarded(SessionPtr session);
  awaitable<void> serve(SessionPtr session);
  awaitable<bool> shake_hands(SessionPtr session);
  awaitable<void> say_goodbye(SessionPtr session);
  awaitable<int> read_request(SessionPtr session, Parser& parser);
  awaitable<bool> answer(SessionPtr session, Response response, bool keep_alive, bool head_only);
  awaitable<void> push(SessionPtr session, TextStream stream, bool events);
  awaitable<void> linger(SessionPtr session);
  awaitable<Response> call_handler(Request request);
  awaitable<Response> answer_later(SessionPtr session, Request request);
  awaitable<void> hand_over_on_worker(Request request, std::shared_ptr<Pending> pending);
  void hand_over(Request request, const std::shared_ptr<Pending>& pending);
  awaitable<std::optional<std::string>> call_next(TextStream& stream);
  Result<Request> admit(Parser& parser, int& status) const;
};

Status HttpServer::Impl::bind() {
  TRY(listen(acceptor, config.host, config.port, config.flag));
  port = acceptor.local_endpoint().port();
  return {};
}

void HttpServer::Impl::add(Session* session) {
  sessions.insert(session);
  std::lock_guard lock(mutex);
  open = sessions.size();
}

void HttpServer::Impl::remove(Session* session) {
  sessions.erase(session);
  std::lock_guard lock(mutex);
  open = sessions.size();
  changed.notify_all();
}

awaitable<void> HttpServer::Impl::accept_loop() {
  while (!closing) {
    error_code failed;
    auto socket = co_await acceptor.async_accept(asio::redirect_error(use_awaitable, failed));
    if (closing) co_return;
    if (failed) {
      // Out of file descriptors, mostly: wait for some to be freed.
      LOG(warn, "{}: cannot accept a connection: {}", config.flag, failed.message());
      asio::steady_timer pause(io, milliseconds(100));
      co_await pause.async_wait(asio::redirect_error(use_awaitable, failed));
      continue;
    }
    if (sessions.size() >= config.limits.connections) {
      auto text = refusal(config, 503, "too many connections");
      auto bytes = response_head(text, false) + text.body;
      socket.non_blocking(true, failed);
      socket.write_some(asio::buffer(bytes), failed);
      continue;
    }
    socket.set_option(tcp::no_delay(true), failed);
    const auto peer = socket.remote_endpoint(failed);
    auto session = std::make_shared<Session>(std::move(socket), config.tls.get());
    if (!failed) session->peer = peer.address().to_string();
    asio::co_spawn(io, serve_guarded(std::move(session)), asio::detached);
  }
}

awaitable<void> HttpServer::Impl::serve_guarded(SessionPtr session) {
  struct Registration {
    Impl& impl;
    Session* session;
    Registration(Impl& i, Session* s) : impl(i), session(s) { impl.add(s); }
    ~Registration() { impl.remove(session); }
  };
  Registration registration(*this, session.get());
  try {
    const bool served = co_await shake_hands(session);
    if (served) co_await serve(session);
  } catch (const std::exception& surprise) {
    LOG(error, "HTTP session ended: {}", surprise.what());
  }
}

/// False when the client does not get through; the log says why.
awaitable<bool> HttpServer::Impl::shake_hands(SessionPtr session) {
  if (!session->stream.secure()) co_return true;
  error_code failed;
  session->expires_after(milliseconds(config.limits.handshake_timeout_ms));
  co_await session->stream.async_handshake(asio::redirect_error(use_awaitable, failed));
  if (!failed) co_return true;
  LOG(debug, "{}: a TLS handshake failed: {}", config.flag,
      handshake_failure(static_cast<unsigned long>(failed.value()), failed.message()));
  co_return false;
}

/// Ends what is sent to the client.
awaitable<void> HttpServer::Impl::say_goodbye(SessionPtr session) {
  error_code ignored;
  if (session->stream.secure()) {
    session->expires_after(std::chrono::seconds(2));
    co_await session->stream.async_shutdown(asio::redirect_error(use_awaitable, ignored));
  }
  session->lower().socket().shutdown(tcp::socket::shutdown_send, ignored);
}

/// Reads one request whole. Returns 200, a status to refuse it with, or 0 to close.
awaitable<int> HttpServer::Impl::read_request(SessionPtr session, Parser& parser) {
  const auto& limits = config.limits;
  error_code failed;
  parser.header_limit(static_cast<std::uint32_t>(limits.head_bytes));
  parser.body_limit(limits.body_bytes);
  if (session->buffer.size() == 0) {
    session->expires_after(milliseconds(limits.idle_timeout_ms));
    auto space = session->buffer.prepare(4096);
    auto got = co_await session->stream.async_read_some(
        space, asio::redirect_error(use_awaitable, failed));
    if (failed) co_return 0;
    session->buffer.commit(got);
  }
  session->busy = true;
  session->expires_after(milliseconds(limits.head_timeout_ms));
  co_await http::async_read_header(session->stream, session->buffer, parser,
                                   asio::redirect_error(use_awaitable, failed));
  if (failed) co_return status_of(failed);
  session->expires_after(milliseconds(limits.body_timeout_ms));
  if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    auto line = asio::buffer(kContinue.data(), kContinue.size());
    co_await asio::async_write(session->stream, line, asio::redirect_error(use_awaitable, failed));
    if (failed) co_return 0;
  }
  co_await http::async_read(session->stream, session->buffer, parser,
                            asio::redirect_error(use_awaitable, failed));
  co_return status_of(failed);
}

/// The request for the handler, or why it is refused; `status` is then the answer's.
Result<Request> HttpServer::Impl::admit(Parser& parser, int& status) const {
  auto& message = parser.get();
  Request request;
  request.method = std::string(message.method_string());
  for (const auto& field : message) {
    auto value = std::string(field.value());
    auto name = lower({field.name_string().data(), field.name_string().size()});
    auto [at, added] = request.headers.emplace(std::move(name), value);
    if (!added) at->second += ", " + value;
  }
  status = 400;
  if (!request.headers.contains("host")) {
    return error(Code::kInvalidArgument, "the request has no Host header");
  }
  ASSIGN(auto target, parse_target({message.target().data(), message.target().size()}));
  status = 421;
  if (!config.any_host && !host_allowed(request.header("host"), config.allowed_hosts)) {
    std::string names = "localhost";
    for (const std::string& name : config.allowed_hosts) names += " or " + name;
    return error(Code::kPermissionDenied,
                 "the Host is not a name of this server: ask by its IP address, by " + names);
  }
  status = 403;
  bool reads = request.method == "GET" || request.method == "HEAD" || request.method == "OPTIONS";
  if (!reads && !same_origin(request.header("host"), request.header("origin"),
                             request.header("sec-fetch-site"))) {
    return error(Code::kPermissionDenied, "requests from other sites are refused");
  }
  request.path = std::move(target.path);
  request.target = std::string(message.target());
  request.segments = std::move(target.segments);
  request.query = std::move(target.query);
  request.body = std::move(message.body());
  return request;
}

awaitable<void> HttpServer::Impl::serve(SessionPtr session) {
  for (bool keep_alive = true; keep_alive && !closing;) {
    Parser parser;
    int status = co_await read_request(session, parser);
    if (status == 0) co_return;
    if (status != 200) {
      auto refused = refusal(config, status, reason_phrase(status));
      co_await answer(session, std::move(refused), false, false);
      co_await linger(session);
      co_return;
    }
    bool head_only = parser.get().method() == http::verb::head;
    keep_alive = parser.keep_alive();
    auto request = admit(parser, status);
    Response response;
    if (request) {
      if (head_only) request->method = "GET";
      request->peer = session->peer;
      if (later) {
        response = co_await answer_later(session, std::move(*request));
      } else {
        auto work = call_handler(std::move(*request));
        response = co_await asio::co_spawn(workers, std::move(work), use_awaitable);
      }
    } else {
      response = refusal(config, status, request.error().what);
    }
    if (response.stream && !head_only) {
      bool events = response.content_type.starts_with("text/event-stream");
      auto stream = std::move(*response.stream);
      bool sent = co_await answer(session, std::move(response), false, false);
      if (sent) co_await push(session, std::move(stream), events);
      co_return;
    }
    keep_alive = keep_alive && !closing;
    bool sent = co_await answer(session, std::move(response), keep_alive, head_only);
    keep_alive = keep_alive && sent;
    session->busy = false;
  }
  co_await say_goodbye(session);
}

/// Runs on a worker. The one place where a handler's throw is caught: the request fails, the server
/// lives.
awaitable<Response> HttpServer::Impl::call_handler(Request request) {
  try {
    if (auto refused = unpack(config, request)) co_return std::move(*refused);
    auto response = handler(request);
    compress(response, request.header("accept-encoding"));
    co_return response;
  } catch (const std::exception& surprise) {
    LOG(error, "{} {}: {}", request.method, request.path, surprise.what());
  }
  co_return refusal(config, 500, "internal error; the log says more");
}

/// Waits for the answer without a thread: the session's timer is the deadline, and is cancelled
/// when there is one.
awaitable<Response> HttpServer::Impl::answer_later(SessionPtr session, Request request) {
  auto pending = std::make_shared<Pending>();
  pending->session = session;
  const std::string accepts(request.header("accept-encoding"));
  if (request.body.size() > kAtOnceBytes || request.headers.contains("content-encoding")) {
    auto work = hand_over_on_worker(std::move(request), pending);
    co_await asio::co_spawn(workers, std::move(work), use_awaitable);
  } else {
    hand_over(std::move(request), pending);
  }
  const auto end = std::chrono::steady_clock::now() + milliseconds(config.limits.answer_timeout_ms);
  while (!pending->done) {
    error_code woken;
    session->timer.expires_at(end);
    co_await session->timer.async_wait(asio::redirect_error(use_awaitable, woken));
    if (!pending->done && !woken)
      pending->finish(refusal(config, 503, "there is no answer yet; send it again"));
  }
  compress(pending->response, accepts);
  co_return std::move(pending->response);
}

awaitable<void> HttpServer::Impl::hand_over_on_worker(Request request,
                                                      std::shared_ptr<Pending> pending) {
  if (auto refused = unpack(config, request)) {
    mailbox->put(pending, std::move(*refused));
  } else {
    hand_over(std::move(request), pending);
  }
  co_return;
}

void HttpServer::Impl::hand_over(Request request, const std::shared_ptr<Pending>& pending) {
  const auto respond = [box = mailbox, pending, own = own_thread](Response response) {
    if (std::this_thread::get_id() == own) {
      pending->finish(std::move(response));
    } else {
      box->put(pending, std::move(response));
    }
  };
  try {
    later(std::move(request), respond);
  } catch (const std::exception& surprise) {
    LOG(error, "{}: {}", config.flag, surprise.what());
    respond(refusal(config, 500, "internal error; the log says more"));
  }
}

awaitable<std::optional<std::string>> HttpServer::Impl::call_next(TextStream& stream) {
  co_return stream.next();
}

/// Writes the answer (a stream's head only); false when that failed.
awaitable<bool> HttpServer::Impl::answer(SessionPtr session, Response response, bool keep_alive,
                                         bool head_only) {
  auto head = response_head(response, keep_alive);
  bool body = !head_only && response.status != 304 && !response.stream;
  std::array<asio::const_buffer, 2> parts{
      asio::buffer(head), body ? asio::buffer(response.body) : asio::const_buffer()};
  error_code failed;
  session->expires_after(milliseconds(config.limits.write_timeout_ms));
  co_await asio::async_write(session->stream, parts, asio::redirect_error(use_awaitable, failed));
  co_return !failed;
}

awaitable<void> HttpServer::Impl::push(SessionPtr session, TextStream stream, bool events) {
  auto last_write = std::chrono::steady_clock::now();
  error_code failed;
  while (!closing) {
    auto work = call_next(stream);
    auto text = co_await asio::co_spawn(workers, std::move(work), use_awaitable);
    if (!text || closing) co_return;
    auto now = std::chrono::steady_clock::now();
    if (text->empty() && events && now - last_write >= kKeepAliveComment) *text = ": alive\n\n";
    if (!text->empty()) {
      session->expires_after(milliseconds(config.limits.write_timeout_ms));
      co_await asio::async_write(session->stream, asio::buffer(*text),
                                 asio::redirect_error(use_awaitable, failed));
      if (failed) co_return;
      last_write = now;
    }
    session->timer.expires_after(milliseconds(stream.every_ms));
    co_await session->timer.async_wait(asio::redirect_error(use_awaitable, failed));
  }
}

/// Lets the client read a refusal before the connection goes: bytes it still sends are read and
/// dropped for a while, since closing on unread bytes would reset the connection and lose the
/// answer.
awaitable<void> HttpServer::Impl::linger(SessionPtr session) {
  constexpr std::size_t kAtMost = 4 << 20;
  error_code failed;
  session->lower().socket().shutdown(tcp::socket::shutdown_send, failed);
  session->expires_after(std::chrono::seconds(2));
  std::array<char, 16384> dropped;
  for (std::size_t seen = 0; !failed && seen < kAtMost;) {
    auto space = asio::buffer(dropped);
    seen += co_await session->stream.async_read_some(space,
                                                     asio::redirect_error(use_awaitable, failed));
  }
}

void HttpServer::Impl::begin_stop() {
  closing = true;
  error_code ignored;
  acceptor.close(ignored);
  for (auto* session : sessions) {
    session->timer.cancel();
    if (!session->busy) session->lower().close();
  }
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() {
  stop();
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(HttpServerConfig config, Handler handler) {
  return run(std::make_unique<Impl>(std::move(config), std::move(handler), nullptr));
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(HttpServerConfig config,
                                                      LaterHandler handler) {
  return run(std::make_unique<Impl>(std::move(config), nullptr, std::move(handler)));
}

Result<std::unique_ptr<HttpServer>> HttpServer::run(std::unique_ptr<Impl> impl) {
  TRY(impl->bind());
  asio::co_spawn(impl->io, impl->accept_loop(), asio::detached);
  impl->thread = std::thread([raw = impl.get()] {
    raw->own_thread = std::this_thread::get_id();
    raw->io.run();
  });
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

std::uint16_t HttpServer::port() const {
  return impl_->port;
}

std::string HttpServer::url() const {
  auto host = impl_->config.host;
  if (host == "0.0.0.0" || host.empty()) host = "127.0.0.1";
  if (host == "::") host = "::1";
  if (host.find(':') != host.npos) host = "[" + host + "]";
  return fmt::format("{}://{}:{}", impl_->config.tls ? "https" : "http", host, impl_->port);
}

std::size_t HttpServer::connections() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->open;
}

void HttpServer::stop() {
  {
    std::unique_lock lock(impl_->mutex);
    if (std::exchange(impl_->stopped, true)) return;
    asio::post(impl_->io, [raw = impl_.get()] { raw->begin_stop(); });
    impl_->changed.wait_for(lock, milliseconds(impl_->config.limits.drain_timeout_ms),
                            [&] { return impl_->open == 0; });
  }
  impl_->mailbox->close();
  impl_->io.stop();
  impl_->thread.join();
  impl_->workers.join();
}

}  // namespace tailrace::net
