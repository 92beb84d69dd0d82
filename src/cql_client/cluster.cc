// Everything of Impl runs on the connections' thread, but for what `mutex_` guards.
#include "cql_client/cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <optional>

#include "base/log.h"
#include "cql_client/connection.h"
#include "cql_protocol/wire.h"

namespace tailrace::cql_client {

using cql_protocol::ServerMessage;
using cql_types::ErrorCode;
using cql_types::Failure;
using std::chrono::milliseconds;
using Clock = Connection::Clock;

namespace {

constexpr milliseconds kTick{250};
constexpr milliseconds kFirstPause{100};
constexpr milliseconds kFirstLook{20};
/// A node that has said nothing for so long while it is asked is in trouble.
constexpr std::chrono::seconds kSilence{2};
constexpr std::size_t kMostNodes = 1'000;

/// The values of a row's bytes, as views.
std::vector<cql_protocol::Value> values_in(std::string_view bytes) {
  std::vector<cql_protocol::Value> values;
  cql_protocol::Reader reader(bytes);
  while (!reader.rest().empty() && !reader.failed()) values.push_back(reader.value(4));
  return values;
}

const cql_protocol::Rows* rows_in(const ServerMessage& message) {
  const auto* result = std::get_if<cql_protocol::AnyResult>(&message.body);
  return result ? std::get_if<cql_protocol::Rows>(result) : nullptr;
}

struct Node {
  Endpoint endpoint;
  bool configured = false;
  bool gone = false;  ///< of no ring any more
  bool up = false;
  std::shared_ptr<Connection> connection = {};
  milliseconds pause{0};
  std::optional<Clock::time_point> failing = {};  ///< since when
  std::string error = {};
  bool denied = false;                ///< its login or its certificate is refused
  std::vector<std::string> ids = {};  ///< of prepared statements; empty: not prepared here
  std::vector<bool> preparing = {};
};

Result<std::shared_ptr<const net::Tls>> tls_of(const ClientConfig& config) {
  if (!config.tls) return nullptr;
  net::TlsClientConfig settings;
  settings.trusted = config.trusted;
  settings.identity = {config.certificate, config.key, {}};
  return net::Tls::client(settings);
}

}  // namespace

class Cluster::Impl {
 public:
  Impl(ClientConfig config, std::shared_ptr<const net::Tls> tls)
      : config_(std::move(config)), tls_(std::move(tls)), client_(frames()) {
    client_.post([this] {
      for (const Endpoint& host : config_.hosts) add_node(host, true);
      tick();
    });
  }

  std::atomic<bool> statement_refused{false};

  std::size_t statement(std::string text) {
    const std::lock_guard lock(mutex_);
    statements_.push_back(std::move(text));
    return statements_.size() - 1;
  }

  void write(Write write) {
    const std::lock_guard lock(mutex_);
    open_rows_ += write.parts.size();
    arrived_.push_back(std::move(write));
    if (arrived_.size() == 1) client_.post([this] { pump(); });
  }

  std::size_t open_rows() const {
    const std::lock_guard lock(mutex_);
    return open_rows_;
  }

  bool wait_below(std::size_t rows, milliseconds patience) const {
    std::unique_lock lock(mutex_);
    return acknowledged_.wait_for(lock, patience, [&] { return open_rows_ <= rows; });
  }

  Answer ask(std::string text, std::vector<std::string> values, milliseconds patience,
             const std::stop_token& stop) {
    const auto promise = std::make_shared<std::promise<Answer>>();
    auto future = promise->get_future();
    client_.post([this, promise, text = std::move(text), values = std::move(values), patience] {
      ask_any(text, values, patience,
              [promise](Answer answer) { promise->set_value(std::move(answer)); });
    });
    while (future.wait_for(kFirstLook) != std::future_status::ready)
      if (stop.stop_requested())
        return {.rows = {}, .failure = Failure(ErrorCode::kServer, "stopped")};
    return future.get();
  }

  std::string health() const {
    const std::lock_guard lock(mutex_);
    if (!trouble_since_) return {};
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - *trouble_since_).count();
    return fmt::format("{} {} since {} s ({}), trying again", trouble_of_, trouble_, seconds,
                       trouble_reason_);
  }

 private:
  void add_node(const Endpoint& endpoint, bool configured) {
    const auto same = [&](const Node& node) { return node.endpoint == endpoint; };
    if (const auto found = std::ranges::find_if(nodes_, same); found != nodes_.end()) {
      if (std::exchange(found->gone, false)) connect(number_of(*found));
      return;
    }
    if (nodes_.size() >= kMostNodes) return;
    nodes_.push_back({.endpoint = endpoint, .configured = configured});
    connect(nodes_.size() - 1);
  }
  std::size_t number_of(const Node& node) const {
    return static_cast<std::size_t>(&node - nodes_.data());
  }

  void connect(std::size_t number) {
    Node& node = nodes_[number];
    if (node.gone || node.connection) return;
    node.connection = std::make_shared<Connection>(
        node.endpoint, config_,
        Connection::Listener{.ready = [this, number](Status status) { ready(number, status); },
                             .ended = [this, number](const Error& why) { lost(number, why); },
                             .event = [this](const cql_protocol::Event& event) { heard(event); }});
    node.connection->open(client_, tls_);
  }

  void ready(std::size_t number, const Status& status) {
    if (!status) return lost(number, status.error());
    Node& node = nodes_[number];
    node.up = true;
    node.pause = milliseconds(0);
    if (std::exchange(node.failing, std::nullopt))
      LOG(info, "cassandra {} answers again", node.endpoint.text());
    node.ids.clear();
    node.preparing.clear();
    if (!control_) take_control(number);
    judge();
    pump();
  }

  void lost(std::size_t number, const Error& why) {
    Node& node = nodes_[number];
    node.up = false;
    node.connection.reset();
    node.error = why.what;
    node.denied = why.code == Code::kPermissionDenied;
    if (!node.failing) {
      node.failing = Clock::now();
      LOG(warn, "cassandra {}: {}; trying again", node.endpoint.text(), why.what);
    }
    if (control_ == number) {
      control_.reset();
      for (std::size_t i = 0; i < nodes_.size() && !control_; ++i)
        if (nodes_[i].up) take_control(i);
    }
    node.pause = std::clamp(2 * node.pause, kFirstPause, config_.most_pause);
    client_.after(node.pause, [this, number] { connect(number); });
    judge();
    pump();
  }

  /// From now on this node tells of the others.
  void take_control(std::size_t number) {
    control_ = number;
    const auto ignore = [](const Result<ServerMessage>&) {};
    nodes_[number].connection->ask(cql_protocol::Register{{"TOPOLOGY_CHANGE"}}, config_.patience,
                                   ignore);
    learn();
  }

  void heard(const cql_protocol::Event& event) {
    // Its tokens are told a moment after it.
    if (std::holds_alternative<cql_protocol::NodeChange>(event))
      client_.after(std::chrono::seconds(1), [this] { learn(); });
  }

  void learn() {
    if (!control_) return;
    const std::size_t number = *control_;
    query(number, std::string(kLocalQuery), {}, config_.patience,
          [this, number](const Answer& local) {
            if (local.rows.empty() || control_ != number) return;
            query(number, std::string(kPeersQuery), {}, config_.patience,
                  [this, number, own = local.rows.front()](const Answer& peers) {
                    if (!peers.failure && control_ == number)
                      arrange(number, node_of(own), peers.rows);
                  });
          });
  }

  void arrange(std::size_t asked, const std::optional<NodeInfo>& local,
               const std::vector<Row>& peers) {
    if (!local) return;
    Ring ring;
    ring.add(*local, asked);
    std::vector<Endpoint> known;
    for (const Row& row : peers) {
      const auto peer = node_of(row);
      if (!peer || peer->data_center != local->data_center) continue;
      known.push_back({peer->address, nodes_[asked].endpoint.port});
      add_node(known.back(), false);
      for (std::size_t i = 0; i < nodes_.size(); ++i)
        if (nodes_[i].endpoint == known.back()) ring.add(*peer, i);
    }
    ring.finish();
    ring_ = std::move(ring);
    for (Node& node : nodes_) {
      if (node.configured || std::ranges::find(known, node.endpoint) != known.end()) continue;
      if (number_of(node) == asked) continue;
      node.gone = true;
      node.up = false;
      if (node.connection) retire(node);
    }
  }
  /// What it was asked comes back as lost.
  void retire(Node& node) {
    const auto connection = std::exchange(node.connection, nullptr);
    connection->closed({Code::kUnavailable, "the node has left"});
  }

  void query(std::size_t number, std::string text, const std::vector<std::string>& values,
             milliseconds patience, std::function<void(Answer)> tell) {
    cql_protocol::Query query{.text = text, .parameters = {}};
    query.parameters.consistency = cql_protocol::Consistency::kLocalOne;
    for (const std::string& value : values)
      query.parameters.values.push_back(cql_protocol::Value::of(value));
    nodes_[number].connection->ask(
        query, patience, [tell = std::move(tell)](Result<ServerMessage> answer) {
          Answer told;
          if (!answer) {
            told.failure = Failure(ErrorCode::kServer, answer.error().what);
          } else if (const auto* refused = std::get_if<Failure>(&answer->body)) {
            told.failure = *refused;
          } else if (const auto* rows = rows_in(*answer)) {
            auto read = rows_of(*rows);
            if (read) told.rows = std::move(*read);
            if (!read) told.failure = Failure(ErrorCode::kServer, read.error().what);
          }
          tell(std::move(told));
        });
  }

  void ask_any(const std::string& text, const std::vector<std::string>& values,
               milliseconds patience, std::function<void(Answer)> tell) {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const std::size_t at = control_ ? (*control_ + i) % nodes_.size() : i;
      if (nodes_[at].up) return query(at, text, values, patience, std::move(tell));
    }
    judge();
    const std::string why = health();
    if (why.empty() && !nodes_.empty()) {  // the first connection is on its way
      client_.after(kFirstLook, [this, text, values, patience, tell = std::move(tell)]() mutable {
        ask_any(text, values, patience, std::move(tell));
      });
      return;
    }
    Answer none;
    none.failure =
        Failure(ErrorCode::kServer, why.empty() ? "the connection is not made yet" : why);
    tell(std::move(none));
  }

  /// The node that holds the partition, else any that is there.
  std::optional<std::size_t> route(std::string_view partition) {
    const auto holder = ring_.holder(partition);
    if (holder && nodes_[*holder].up) return holder;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const std::size_t at = (next_ + i) % nodes_.size();
      if (!nodes_[at].up) continue;
      next_ = at + 1;
      return at;
    }
    return std::nullopt;
  }

  /// Whether every statement of the write is prepared there; else that is begun.
  bool prepared(std::size_t number, const Write& write) {
    bool all = true;
    for (const Write::Part& part : write.parts) {
      Node& node = nodes_[number];
      if (node.ids.size() <= part.statement) {
        node.ids.resize(part.statement + 1);
        node.preparing.resize(part.statement + 1);
      }
      if (!node.ids[part.statement].empty()) continue;
      all = false;
      if (!node.preparing[part.statement]) prepare(number, part.statement);
    }
    return all;
  }

  void prepare(std::size_t number, std::size_t statement) {
    Node& node = nodes_[number];
    node.preparing[statement] = true;
    std::string text;
    {
      const std::lock_guard lock(mutex_);
      text = statements_[statement];
    }
    node.connection->ask(cql_protocol::Prepare{.text = text}, config_.patience,
                         [this, number, statement](Result<ServerMessage> answer) {
                           Node& asked = nodes_[number];
                           if (!answer || !asked.up) return;  // the connection has ended
                           asked.preparing[statement] = false;
                           const auto* result = std::get_if<cql_protocol::AnyResult>(&answer->body);
                           const auto* made =
                               result ? std::get_if<cql_protocol::Prepared>(result) : nullptr;
                           if (made) asked.ids[statement] = made->id;
                           if (const auto* refused = std::get_if<Failure>(&answer->body))
                             refused_by(number, *refused);
                           pump();
                         });
  }

  void pump() {
    {
      const std::lock_guard lock(mutex_);
      std::ranges::move(arrived_, std::back_inserter(queue_));
      arrived_.clear();
    }
    while (!queue_.empty() && in_flight_ < config_.in_flight && Clock::now() >= paused_until_) {
      const auto number = route(queue_.front().partition);
      if (!number || !prepared(*number, queue_.front())) return;
      Write write = std::move(queue_.front());
      queue_.pop_front();
      send(*number, std::move(write));
    }
  }

  void send(std::size_t number, Write write) {
    Node& node = nodes_[number];
    ++in_flight_;
    const auto held = std::make_shared<Write>(std::move(write));
    node.connection->ask(request_of(node, *held), config_.patience,
                         [this, number, held](const Result<ServerMessage>& answer) {
                           --in_flight_;
                           settle(number, *held, answer);
                         });
  }

  static cql_protocol::Request request_of(const Node& node, const Write& write) {
    cql_protocol::Parameters parameters;
    parameters.consistency = cql_protocol::Consistency::kLocalQuorum;
    parameters.timestamp = write.timestamp;
    if (write.parts.size() == 1) {
      const Write::Part& part = write.parts.front();
      parameters.values = values_in(part.values);
      return cql_protocol::Execute{.id = node.ids[part.statement],
                                   .parameters = std::move(parameters)};
    }
    cql_protocol::Batch batch{.kind = cql_protocol::Batch::Kind::kUnlogged,
                              .parts = {},
                              .parameters = std::move(parameters)};
    for (const Write::Part& part : write.parts)
      batch.parts.push_back({.prepared = true,
                             .text_or_id = node.ids[part.statement],
                             .values = values_in(part.values)});
    return batch;
  }

  void settle(std::size_t number, Write& write, const Result<ServerMessage>& answer) {
    const auto* refused = answer ? std::get_if<Failure>(&answer->body) : nullptr;
    if (answer && !refused) {
      pause_ = milliseconds(0);
      const bool well = !std::exchange(refused_, {});
      {
        const std::lock_guard lock(mutex_);
        open_rows_ -= write.parts.size();
      }
      acknowledged_.notify_all();
      if (!well) judge();
      return pump();
    }
    // A table that was made anew has other ids: each is asked for again.
    if (refused && refused->code == ErrorCode::kUnprepared)
      std::ranges::fill(nodes_[number].ids, "");
    if (refused) refused_by(number, *refused);
    queue_.push_front(std::move(write));
    pump();
  }

  /// Everything waits a little; longer each time.
  void refused_by(std::size_t number, const Failure& why) {
    const auto now = Clock::now();
    if (why.code == ErrorCode::kInvalid) statement_refused = true;
    if (!refused_) {
      refused_ = {nodes_[number].endpoint.text(), why.message, now};
      LOG(warn, "cassandra {}: {}; trying again", refused_->node, why.message);
    }
    refused_->message = why.message;
    if (now < paused_until_) return;
    pause_ = std::clamp(2 * pause_, kFirstPause, config_.most_pause);
    paused_until_ = now + pause_;
    client_.after(pause_, [this] { pump(); });
    judge();
  }

  void tick() {
    const auto now = Clock::now();
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      if (const auto connection = nodes_[i].connection) connection->check(now);
    judge();
    pump();
    client_.after(kTick, [this] { tick(); });
  }

  /// What health() says.
  void judge() {
    const auto now = Clock::now();
    std::optional<Clock::time_point> since;
    std::string of, what, reason;
    bool well = false;
    for (const Node& node : nodes_) {
      if (node.gone) continue;
      const auto heard = node.up ? node.connection->silent_since(now) : now;
      const bool silent = node.up && now - heard > kSilence;
      well = well || (node.up && !silent);
      if (node.up && !silent) continue;
      const auto begun = silent ? std::optional(heard) : node.failing;
      if (!begun || (since && *since <= *begun)) continue;
      since = begun;
      of = node.endpoint.text();
      what = node.denied && !silent ? "cannot be used" : "does not answer";
      reason = silent ? "it is connected, and silent" : node.error;
    }
    if (well) since.reset();
    if (well && refused_) {
      since = refused_->since;
      of = refused_->node;
      what = "does not take rows";
      reason = refused_->message;
    }
    const std::lock_guard lock(mutex_);
    trouble_since_ = since;
    trouble_of_ = std::move(of);
    trouble_ = std::move(what);
    trouble_reason_ = std::move(reason);
  }

  struct Refused {
    std::string node, message;
    Clock::time_point since;
  };

  const ClientConfig config_;
  const std::shared_ptr<const net::Tls> tls_;

  std::vector<Node> nodes_;
  std::optional<std::size_t> control_;
  Ring ring_;
  std::size_t next_ = 0;
  std::deque<Write> queue_;
  std::size_t in_flight_ = 0;
  milliseconds pause_{0};
  Clock::time_point paused_until_ = {};
  std::optional<Refused> refused_;

  mutable std::mutex mutex_;
  mutable std::condition_variable acknowledged_;
  std::vector<std::string> statements_;
  std::vector<Write> arrived_;
  std::size_t open_rows_ = 0;
  std::optional<Clock::time_point> trouble_since_;
  std::string trouble_of_, trouble_, trouble_reason_;

  net::FrameClient client_;  ///< last: its thread ends before all else goes
};

Cluster::Cluster(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Cluster::~Cluster() = default;

Status check(const ClientConfig& config) {
  TRY(tls_of(config));
  return {};
}

Result<std::unique_ptr<Cluster>> Cluster::open(ClientConfig config) {
  ASSIGN(auto tls, tls_of(config));
  return std::unique_ptr<Cluster>(
      new Cluster(std::make_unique<Impl>(std::move(config), std::move(tls))));
}

std::size_t Cluster::statement(std::string text) {
  return impl_->statement(std::move(text));
}
void Cluster::write(Write write) {
  impl_->write(std::move(write));
}
std::size_t Cluster::open_rows() const {
  return impl_->open_rows();
}
bool Cluster::wait_below(std::size_t rows, milliseconds patience) const {
  return impl_->wait_below(rows, patience);
}
Answer Cluster::ask(std::string text, std::vector<std::string> values, milliseconds patience,
                    const std::stop_token& stop) {
  return impl_->ask(std::move(text), std::move(values), patience, stop);
}
bool Cluster::statement_is_refused() const {
  return impl_->statement_refused;
}
void Cluster::forget_refused_statement() {
  impl_->statement_refused = false;
}
std::string Cluster::health() const {
  return impl_->health();
}

}  // namespace tailrace::cql_client
