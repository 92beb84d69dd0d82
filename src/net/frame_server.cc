// Sockets of length-prefixed protocols. A connection is a buffer of what came, requests without an
// answer (of an ordered server "slots", in the order of their arrival), answers to be written, and
// at most one write under way. What other threads answer waits in a box of its own until the
// connection's thread takes all of it at once.
#include "net/frame_server.h"

#include <fmt/format.h>

#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "base/log.h"
#include "net/answers_together.h"
#include "net/frame_input.h"
#include "net/listen.h"
#include "net/secured.h"

namespace tailrace::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

namespace {

/// A connection's first frame may take so many times as long as a TLS handshake.
constexpr int kFirstFrame = 10;

/// A thread with its sockets.
struct Loop {
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  asio::steady_timer sweep{io};
  std::set<std::shared_ptr<Connection>> connections;  // its thread
  std::thread thread;
};

Peer peer_of(const tcp::socket& socket) {
  error_code failed;
  const auto endpoint = socket.remote_endpoint(failed);
  if (failed) return {};
  Peer peer;
  peer.address = endpoint.address().to_string();
  peer.port = endpoint.port();
  return peer;
}

}  // namespace

struct FrameServer::Impl {
  FrameServerConfig config;
  std::uint16_t port = 0;
  std::vector<std::unique_ptr<Loop>> loops;
  std::unique_ptr<tcp::acceptor> acceptor;    // the first loop's
  std::unique_ptr<asio::steady_timer> pause;  // the first loop's
  /// A connection that is closed later, unserved; the first loop's.
  struct Refused {
    tcp::socket socket;
    asio::steady_timer timer;
  };
  std::set<std::shared_ptr<Refused>> refused;
  std::size_t next_loop = 0;
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t open = 0;  // guarded by mutex
  bool stopped = false;  // guarded by mutex

  explicit Impl(FrameServerConfig c) : config(std::move(c)) {}
  Status bind();
  void accept();
  void admit(Loop& loop, tcp::socket socket);
  bool take_place();
  void leave_place();
  void refuse(tcp::socket socket, std::chrono::milliseconds after);
  void accepted(Loop& loop, tcp::socket socket);
  void sweep(Loop& loop);
  void remove(Loop& loop, const std::shared_ptr<Connection>& connection);
};

/// Everything but answer(), answer_copy(), push() and has_much_unsent() runs on the loop's thread.
class Connection : public Answered, public std::enable_shared_from_this<Connection> {
 public:
  Connection(FrameServer::Impl& server, Loop& loop, tcp::socket socket)
      : server_(server),
        loop_(loop),
        stream_(std::move(socket), server.config.tls.get()),
        timer_(loop.io),
        peer_(peer_of(stream_.lower())) {}

  void start() {
    if (!stream_.secure()) return open();
    timer_.expires_after(server_.config.limits.handshake);
    timer_.async_wait([self = shared_from_this()](error_code stopping) {
      if (!stopping && !self->session_) self->close();
    });
    stream_.async_handshake(
        [self = shared_from_this()](error_code failed) { self->shaken(failed); });
  }

  struct Answer {
    Outgoing out = {};
    Manner manner = {};
    bool close = false;
    std::string why = {};
  };

  void answer(std::uint64_t number, Answer answer) {
    for (const std::string_view piece : answer.out.pieces) unsent_ += piece.size();
    if (here()) return settle(number, std::move(answer));
    tell([&] { arrived_.answers.emplace_back(number, std::move(answer)); });
  }

  void answer_copy(std::uint64_t number, std::string_view bytes) {
    if (server_.config.ordered) return answer(number, {.out = Outgoing(std::string(bytes))});
    unsent_ += bytes.size();
    if (here()) return settle_copy(bytes, 1);
    tell([&] {
      arrived_.copied.append(bytes);
      ++arrived_.copies;
    });
  }

  void push(std::string_view bytes) {
    tell([&] {
      arrived_.pushed += bytes.size();
      if (arrived_.pushed > server_.config.limits.pushed_bytes) return;
      arrived_.copied.append(bytes);
      unsent_ += bytes.size();
    });
  }

  bool has_much_unsent() const { return unsent_ > server_.config.limits.unsent_bytes; }

  /// The number of one more request.
  std::uint64_t expect() {
    ++unanswered_;
    if (!server_.config.ordered) return 0;
    slots_.emplace_back();
    return first_ + slots_.size() - 1;
  }

  /// Reads no more; closes when all answers are out.
  void drain() {
    draining_ = true;
    error_code ignored;
    if (!stream_.secure()) {
      stream_.lower().shutdown(tcp::socket::shutdown_receive, ignored);
    }
    close_when_done();
  }

  /// Also one that has asked nothing yet, much sooner: it holds a place that others want.
  void close_if_idle(Clock::time_point now) {
    const auto& limits = server_.config.limits;
    if (!served_ && now - made_ > std::min(kFirstFrame * limits.handshake, limits.idle))
      return close();
    if (nothing_due() && !writing_ && now - heard_ > limits.idle) close();
  }

  void close() {
    if (std::exchange(closed_, true)) return;
    error_code ignored;
    timer_.cancel();
    stream_.lower().close(ignored);
    forget_requests();
    server_.remove(loop_, shared_from_this());
  }

 private:
  void open() {
    if (stream_.secure()) {
      peer_.secure = true;
      peer_.subject = peer_subject(*stream_.handle());
    }
    session_ = server_.config.open(peer_);
    read();
  }

  void shaken(error_code failed) {
    if (closed_) return;
    timer_.cancel();
    if (!failed) return open();
    const bool left = failed == asio::error::eof || failed == asio::error::connection_reset;
    const auto why = handshake_failure(static_cast<unsigned long>(failed.value()),
                                       left ? "the client left" : failed.message());
    LOG(warn, "{}: connection of {}:{} closed: {}", server_.config.name, peer_.address, peer_.port,
        why);
    close();
  }

  /// Closes with TLS's goodbye, which a client needs to tell the end from a cut.
  void leave() {
    if (!stream_.secure() || !session_ || closed_) return close();
    if (std::exchange(leaving_, true)) return;
    constexpr std::chrono::seconds kPatience{1};
    timer_.expires_after(kPatience);
    timer_.async_wait([self = shared_from_this()](error_code stopping) {
      if (!stopping) self->close();
    });
    stream_.async_shutdown([self = shared_from_this()](error_code) { self->close(); });
  }

  struct Slot {
    bool ready = false;
    Answer answer;
  };

  /// What other threads did since the connection's own looked.
  struct Arrivals {
    std::vector<std::pair<std::uint64_t, Answer>> answers;
    std::string copied;      // small answers, and what was pushed
    std::size_t copies = 0;  // requests that those answer
    std::size_t pushed = 0;  // bytes; more than the limit are not kept
    bool told = false;       // the connection's thread will look
  };

  bool here() { return loop_.io.get_executor().running_in_this_thread(); }

  template <typename Change>
  void tell(Change change) {
    {
      const std::lock_guard lock(mutex_);
      change();
      if (std::exchange(arrived_.told, true)) return;
    }
    look(shared_from_this());
  }

  void look_soon() override {
    asio::post(loop_.io, [self = shared_from_this()] { self->collect(); });
  }

  /// Takes what other threads left.
  void collect() {
    {
      const std::lock_guard lock(mutex_);
      std::swap(arrived_, taken_);
    }
    serving_ = true;
    for (auto& [number, answer] : taken_.answers) settle(number, std::move(answer));
    settle_copy(taken_.copied, taken_.copies);
    serving_ = false;
    pushed_ += taken_.pushed;
    taken_.answers.clear();
    forget(taken_.copied);
    taken_.copies = taken_.pushed = 0;
    taken_.told = false;
    if (closed_) return;
    if (pushed_ > server_.config.limits.pushed_bytes)
      return give_up("its client does not read what is pushed to it");
    go_on();
  }

  /// Empties it, and gives its memory back where that is much.
  static void forget(std::string& bytes) {
    constexpr std::size_t kKept = 256 << 10;
    bytes.clear();
    if (bytes.capacity() > kKept) bytes.shrink_to_fit();
  }

  void give_up(std::string_view why) {
    warn(why);
    close();
  }

  void warn(std::string_view why) {
    LOG(warn, "{}: connection of {}:{} closed: {}", server_.config.name, peer_.address, peer_.port,
        why);
  }

  bool nothing_due() const { return slots_.empty() && unanswered_ == 0 && !has_output(); }
  bool has_output() const { return !copied_.empty() || !ready_.empty(); }

  /// Their answers, should they come, go nowhere.
  void forget_requests() {
    first_ += slots_.size();
    slots_.clear();
    unanswered_ = 0;
    cut_ = true;
  }

  bool full() const {
    return std::max(slots_.size(), unanswered_) >= server_.config.limits.in_flight ||
           has_much_unsent() || paused_ || ending_;
  }

  void read() {
    if (reading_ || closed_ || ended_ || draining_ || full()) return;
    reading_ = true;
    stream_.async_read_some(input_.space(),
                            [self = shared_from_this()](error_code failed, std::size_t size) {
                              self->reading_ = false;
                              if (failed) return self->ended();
                              self->input_.add(size);
                              self->heard_ = Clock::now();
                              self->go_on();
                            });
  }

  /// The client has closed its side: what it asked for before is still answered.
  void ended() {
    ended_ = true;
    go_on();
  }

  void go_on() {
    serving_ = true;
    while (!closed_ && !draining_ && !full() && serve_one()) {
    }
    serving_ = false;
    write();
    read();
  }

  Result<std::size_t> length_of(std::string_view bytes) {
    const FrameServerConfig& config = server_.config;
    if (!config.length) return bytes.empty() ? 0 : session_->frame_length(bytes);
    if (bytes.size() < config.head_bytes) return 0;
    auto length = config.length(bytes.substr(0, config.head_bytes));
    if (length && *length < config.head_bytes) {
      return error(Code::kInvalidArgument, fmt::format("a frame of {} bytes", *length));
    }
    return length;
  }

  /// False when there is no whole frame.
  bool serve_one() {
    const std::string_view bytes = input_.bytes();
    const auto length = length_of(bytes);
    const std::size_t most =
        std::min(server_.config.limits.frame_bytes, session_->most_frame_bytes());
    if (!length || *length > most) {
      refuse(length ? fmt::format("a frame of {} bytes; the limit is {}", *length, most)
                    : length.error().what);
      return false;
    }
    if (*length == 0 || bytes.size() < *length) return false;
    served_ = true;
    Reply reply(weak_from_this(), expect());
    try {
      session_->serve(bytes.substr(0, *length), std::move(reply));
    } catch (const std::exception& surprise) {
      refuse(surprise.what());
    }
    input_.drop(*length);
    return true;
  }

  /// Serves no more; closes when what was answered before is out.
  void refuse(const std::string& why) {
    warn(why);
    draining_ = true;
  }

  void settle(std::uint64_t number, Answer answer) {
    if (closed_ || cut_) return;
    if (!server_.config.ordered) {
      --unanswered_;
      finish(std::move(answer));
      if (!serving_) write();
      return;
    }
    if (number < first_ || number - first_ >= slots_.size()) return;
    --unanswered_;
    Slot& slot = slots_[number - first_];
    slot.answer = std::move(answer);
    if (slot.answer.manner.close_after) ending_ = true;
    if (slot.answer.manner.pause.count() > 0) paused_ = true;  // its time begins when it is sent
    const auto delay = slot.answer.manner.delay;
    if (delay.count() > 0) return hold(number, delay);
    slot.ready = true;
    if (serving_) return;
    write();
  }

  /// An answer of a server without order.
  void finish(Answer answer) {
    if (answer.close) {
      forget_requests();
      return refuse(answer.why);
    }
    if (answer.manner.close_after) ending_ = true;
    if (!answer.out.pieces.empty() || answer.manner.close_after)
      ready_.push_back(std::move(answer));
  }

  void settle_copy(std::string_view bytes, std::size_t requests) {
    if (closed_ || cut_) return;
    unanswered_ -= requests;
    copied_.append(bytes);
    if (!serving_) write();
  }

  /// Lets an answer wait; nothing more is served meanwhile.
  void hold(std::uint64_t number, std::chrono::milliseconds delay) {
    ending_ = true;
    auto timer = std::make_shared<asio::steady_timer>(loop_.io, delay);
    timer->async_wait([self = shared_from_this(), timer, number](error_code stopping) {
      if (stopping || self->closed_ || number < self->first_) return;
      self->ending_ = self->slots_[number - self->first_].answer.manner.close_after;
      self->slots_[number - self->first_].ready = true;
      self->go_on();
    });
  }

  /// Serves no more for a while.
  void pause(std::chrono::milliseconds time) {
    timer_.expires_after(time);
    timer_.async_wait([self = shared_from_this()](error_code stopping) {
      if (stopping || self->closed_) return;
      self->paused_ = false;
      self->heard_ = Clock::now();
      self->go_on();
    });
  }

  /// Moves the answers at the front of the row to those that are ready to be written.
  void take_ready_slots() {
    while (!slots_.empty() && slots_.front().ready) {
      Answer answer = std::move(slots_.front().answer);
      slots_.pop_front();
      ++first_;
      if (answer.close) {
        forget_requests();
        refuse(answer.why);
        break;
      }
      ready_.push_back(std::move(answer));
    }
  }

  /// Writes what is ready, all in one.
  void write() {
    if (writing_ || closed_) return;
    take_ready_slots();
    bytes_.clear();
    std::swap(copied_, writing_bytes_);
    pushed_ = 0;
    if (!writing_bytes_.empty()) bytes_.push_back(asio::buffer(writing_bytes_));
    for (Answer& answer : ready_) {
      if (answer.manner.close_after) draining_ = true;
      if (answer.manner.pause.count() > 0) pause(answer.manner.pause);
      for (const std::string_view piece : answer.out.pieces) bytes_.push_back(asio::buffer(piece));
      if (!answer.out.pieces.empty()) sent_.push_back(std::move(answer.out.owner));
    }
    ready_.clear();
    if (bytes_.empty()) return close_when_done();
    writing_ = true;
    auto done = [self = shared_from_this()](error_code failed, std::size_t size) {
      self->written(failed, size);
    };
    if (bytes_.size() == 1) return asio::async_write(stream_, bytes_.front(), std::move(done));
    asio::async_write(stream_, bytes_, std::move(done));
  }

  void written(error_code failed, std::size_t size) {
    writing_ = false;
    sent_.clear();
    forget(writing_bytes_);
    if (failed) return close();
    unsent_ -= size;
    heard_ = Clock::now();
    go_on();
  }

  void close_when_done() {
    if ((draining_ || ended_) && nothing_due() && !writing_) leave();
  }

  FrameServer::Impl& server_;
  Loop& loop_;
  Secured<tcp::socket> stream_;
  asio::steady_timer timer_;  // of the handshake, then of a pause, then of the goodbye
  Peer peer_;
  std::unique_ptr<FrameSession> session_;
  FrameInput input_;
  std::deque<Slot> slots_;                         // of an ordered server
  std::uint64_t first_ = 0;                        // number of the front slot
  std::size_t unanswered_ = 0;                     // requests
  std::vector<Answer> ready_;                      // to be written next, behind
  std::string copied_;                             // small answers
  std::atomic<std::size_t> unsent_ = 0;            // bytes, from when they are answered
  std::size_t pushed_ = 0;                         // bytes among copied_
  std::string writing_bytes_;                      // small answers that are being written
  std::vector<std::shared_ptr<const void>> sent_;  // what the rest of bytes_ lies in
  std::vector<asio::const_buffer> bytes_;
  const Clock::time_point made_ = Clock::now();
  Clock::time_point heard_ = made_;
  bool served_ = false;  // a frame at least
  bool reading_ = false;
  bool serving_ = false;
  bool writing_ = false;
  bool paused_ = false;
  bool leaving_ = false;
  bool ending_ = false;    // an answer waits to be the last, or is held back
  bool ended_ = false;     // by the client: no more to read
  bool draining_ = false;  // by us: no more to serve
  bool closed_ = false;
  bool cut_ = false;  // what is answered from now on is not sent
  std::mutex mutex_;
  Arrivals arrived_;  // guarded by mutex_
  Arrivals taken_;
};

Outgoing::Outgoing(std::string bytes) {
  auto held = std::make_shared<const std::string>(std::move(bytes));
  pieces.emplace_back(*held);
  owner = std::move(held);
}

bool Outlet::full() const {
  const auto connection = connection_.lock();
  return connection && connection->has_much_unsent();
}

bool Outlet::push(std::string_view bytes) const {
  const auto connection = connection_.lock();
  if (connection) connection->push(bytes);
  return connection != nullptr;
}

Result<std::size_t> FrameSession::frame_length(std::string_view) {
  return error(Code::kInternal, "nobody tells where a frame ends");
}

Reply::~Reply() {
  if (auto connection = connection_.lock())
    connection->answer(number_, {.close = true, .why = "a request was dropped without an answer"});
}

void Reply::send(Outgoing answer, Manner manner) {
  if (auto connection = std::exchange(connection_, {}).lock())
    connection->answer(number_, {.out = std::move(answer), .manner = manner});
}

void Reply::send_copy(std::string_view bytes) {
  if (auto connection = std::exchange(connection_, {}).lock())
    connection->answer_copy(number_, bytes);
}

Reply Reply::another() const {
  const auto connection = connection_.lock();
  return Reply(connection_, connection ? connection->expect() : 0);
}

void Reply::close(std::string_view why) {
  if (auto connection = std::exchange(connection_, {}).lock())
    connection->answer(number_, {.close = true, .why = std::string(why)});
}

Status FrameServer::Impl::bind() {
  for (int i = 0; i < std::max(1, config.threads); ++i) loops.push_back(std::make_unique<Loop>());
  acceptor = std::make_unique<tcp::acceptor>(loops.front()->io);
  pause = std::make_unique<asio::steady_timer>(loops.front()->io);
  TRY(listen(*acceptor, config.host, config.port, config.flag));
  port = acceptor->local_endpoint().port();
  return {};
}

void FrameServer::Impl::accept() {
  Loop& loop = *loops[next_loop++ % loops.size()];
  acceptor->async_accept(loop.io, [this, &loop](error_code failed, tcp::socket socket) {
    if (!acceptor->is_open()) return;
    if (!failed) return admit(loop, std::move(socket));
    // Out of file descriptors, mostly: wait for some to be freed.
    LOG(warn, "{}: cannot accept a connection: {}", config.name, failed.message());
    pause->expires_after(std::chrono::milliseconds(100));
    pause->async_wait([this](error_code stopping) {
      if (!stopping) accept();
    });
  });
}

void FrameServer::Impl::admit(Loop& loop, tcp::socket socket) {
  const auto admission = config.admit ? config.admit(peer_of(socket)) : Admission{};
  if (admission.wait.count() > 0) {
    pause->expires_after(admission.wait);
    return pause->async_wait(
        [this, &loop, socket = std::move(socket)](error_code stopping) mutable {
          if (stopping) return;
          accepted(loop, std::move(socket));
          accept();
        });
  }
  if (admission.refused) {
    refuse(std::move(socket), *admission.refused);
  } else {
    accepted(loop, std::move(socket));
  }
  accept();
}

bool FrameServer::Impl::take_place() {
  const std::lock_guard lock(mutex);
  if (open >= config.limits.connections) return false;
  ++open;
  return true;
}

void FrameServer::Impl::leave_place() {
  const std::lock_guard lock(mutex);
  --open;
  changed.notify_all();
}

/// Kept open for a while, so that who is refused does not come again at once.
void FrameServer::Impl::refuse(tcp::socket socket, std::chrono::milliseconds after) {
  if (!take_place()) return;
  auto one = std::make_shared<Refused>(
      Refused{std::move(socket), asio::steady_timer(loops.front()->io, after)});
  refused.insert(one);
  one->timer.async_wait([this, one](error_code) {
    if (refused.erase(one) > 0) leave_place();
  });
}

void FrameServer::Impl::accepted(Loop& loop, tcp::socket socket) {
  if (!take_place()) return;
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  asio::post(loop.io, [this, &loop, socket = std::move(socket)]() mutable {
    auto connection = std::make_shared<Connection>(*this, loop, std::move(socket));
    loop.connections.insert(connection);
    connection->start();
  });
}

void FrameServer::Impl::sweep(Loop& loop) {
  loop.sweep.expires_after(std::min<std::chrono::milliseconds>(
      {config.limits.idle / 4, config.limits.handshake, std::chrono::seconds(10)}));
  loop.sweep.async_wait([this, &loop](error_code stopping) {
    if (stopping) return;
    const auto all = loop.connections;  // closing one takes it out
    for (const auto& connection : all) connection->close_if_idle(Clock::now());
    sweep(loop);
  });
}

void FrameServer::Impl::remove(Loop& loop, const std::shared_ptr<Connection>& connection) {
  loop.connections.erase(connection);
  leave_place();
}

FrameServer::FrameServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

FrameServer::~FrameServer() {
  stop();
}

Result<std::unique_ptr<FrameServer>> FrameServer::start(FrameServerConfig config) {
  auto impl = std::make_unique<Impl>(std::move(config));
  TRY(impl->bind());
  impl->accept();
  for (const auto& loop : impl->loops) {
    impl->sweep(*loop);
    loop->thread = std::thread([raw = loop.get()] { raw->io.run(); });
  }
  return std::unique_ptr<FrameServer>(new FrameServer(std::move(impl)));
}

std::uint16_t FrameServer::port() const {
  return impl_->port;
}

std::size_t FrameServer::connections() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->open;
}

void FrameServer::stop() {
  Impl& impl = *impl_;
  {
    const std::lock_guard lock(impl.mutex);
    if (std::exchange(impl.stopped, true)) return;
  }
  for (const auto& loop : impl.loops) {
    asio::post(loop->io, [&impl, raw = loop.get()] {
      error_code ignored;
      if (raw == impl.loops.front().get()) {
        impl.acceptor->close(ignored);
        impl.pause->cancel();
        for (const auto& one : impl.refused) one->timer.cancel();
      }
      raw->sweep.cancel();
      const auto all = raw->connections;
      for (const auto& connection : all) connection->drain();
    });
  }
  {
    std::unique_lock lock(impl.mutex);
    impl.changed.wait_for(lock, impl.config.limits.drain, [&] { return impl.open == 0; });
  }
  for (const auto& loop : impl.loops) loop->io.stop();
  for (const auto& loop : impl.loops) loop->thread.join();
  for (const auto& loop : impl.loops) {
    const auto all = std::exchange(loop->connections, {});
    for (const auto& connection : all) connection->close();
  }
}

}  // namespace tailrace::net
