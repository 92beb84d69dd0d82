// A server of the native protocol with scripted answers, for tests: it prepares whatever it is
// asked, keeps what it was made to write, and answers writes as it is told.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cql_protocol/answers.h"
#include "cql_protocol/requests.h"
#include "cql_types/inet.h"
#include "cql_types/parts.h"
#include "net/frame_server.h"

namespace tailrace::cql_client::testing {

/// A write as it came: statements with their values, nullopt for null.
struct Written {
  std::vector<std::pair<std::string, std::vector<std::optional<std::string>>>> rows;
  std::int64_t timestamp = 0;
  bool batch = false;
};

class ScriptedServer {
 public:
  enum class Do : std::uint8_t { kTake, kHold, kClose };
  struct Act {
    Do what = Do::kTake;
    std::optional<cql_types::Failure> refusal = {};
  };
  /// What becomes of the next write.
  using Script = std::function<Act(const Written&)>;

  struct Setup {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;
    std::string user = {}, password = {};
    std::int64_t token = 0;
    /// Addresses and tokens of others in the ring.
    std::map<std::string, std::int64_t> peers = {};
  };

  explicit ScriptedServer(Setup setup, Script script = {})
      : setup_(std::move(setup)), script_(std::move(script)) {
    start();
  }

  void start() {
    net::FrameServerConfig config;
    config.host = setup_.host;
    config.port = setup_.port;
    config.flag = "--listen";
    config.name = "scripted";
    config.ordered = false;
    config.head_bytes = cql_protocol::kHeadBytes;
    config.limits.in_flight = 100'000;
    config.length = [](std::string_view head) -> Result<std::size_t> {
      return cql_protocol::kHeadBytes + cql_protocol::read_head(head).length;
    };
    config.open = [this](const net::Peer&) { return std::make_unique<Session>(*this); };
    server_ = net::FrameServer::start(std::move(config)).value();
    setup_.port = server_->port();
  }
  /// Connections end; what it was made to write stays.
  void stop() {
    release();
    server_.reset();
  }
  std::uint16_t port() const { return setup_.port; }

  std::vector<Written> taken() const {
    const std::lock_guard lock(mutex_);
    return taken_;
  }
  /// How many writes came, whatever became of them.
  std::size_t came() const {
    const std::lock_guard lock(mutex_);
    return came_;
  }
  std::size_t prepared() const {
    const std::lock_guard lock(mutex_);
    return prepared_;
  }
  std::size_t held() const {
    const std::lock_guard lock(mutex_);
    return held_.size();
  }
  /// Takes the writes that are held.
  void release() {
    std::vector<std::pair<net::Reply, std::string>> held;
    {
      const std::lock_guard lock(mutex_);
      held.swap(held_);
    }
    for (auto& [reply, answer] : held) reply.send(net::Outgoing(std::move(answer)));
  }
  /// Prepared statements are known no more.
  void forget() {
    const std::lock_guard lock(mutex_);
    statements_.clear();
  }

 private:
  class Session final : public net::FrameSession {
   public:
    explicit Session(ScriptedServer& server) : server_(server) {}
    void serve(std::string_view frame, net::Reply reply) override {
      server_.serve(frame, std::move(reply));
    }

   private:
    ScriptedServer& server_;
  };

  static std::string framed(std::int16_t stream, const cql_protocol::ServerMessage& message) {
    std::string body;
    const auto opcode = cql_protocol::append_message(body, 4, message).value();
    std::string out;
    cql_protocol::append_head(out, {.version = 4,
                                    .response = true,
                                    .stream = stream,
                                    .opcode = static_cast<std::uint8_t>(opcode),
                                    .length = static_cast<std::uint32_t>(body.size())});
    return out + body;
  }

  void serve(std::string_view frame, net::Reply reply) {
    const auto head = cql_protocol::read_head(frame);
    const auto request =
        cql_protocol::decode_request(4, head.opcode, frame.substr(cql_protocol::kHeadBytes));
    const std::lock_guard lock(mutex_);
    if (const auto written = write_of(*request)) {
      ++came_;
      const Act act = script_ ? script_(*written) : Act{};
      if (act.what == Do::kClose) return reply.close("as the test says");
      if (act.refusal)
        return reply.send(net::Outgoing(framed(head.stream, {.body = *act.refusal})));
      taken_.push_back(*written);
      const cql_protocol::ServerMessage well{.body = cql_protocol::AnyResult(cql_protocol::Void{})};
      if (act.what == Do::kHold) {
        held_.emplace_back(std::move(reply), framed(head.stream, well));
        return;
      }
      return reply.send(net::Outgoing(framed(head.stream, well)));
    }
    reply.send(net::Outgoing(framed(head.stream, answer_to(*request))));
  }

  /// nullopt: it is none, or a statement is not prepared.
  std::optional<Written> write_of(const cql_protocol::Request& request) {
    Written written;
    const auto add = [&](std::string_view id, const std::vector<cql_protocol::Value>& values) {
      const auto found = statements_.find(std::string(id));
      if (found == statements_.end()) return false;
      written.rows.emplace_back(found->second, std::vector<std::optional<std::string>>{});
      for (const auto& value : values)
        written.rows.back().second.push_back(
            value.is_null() ? std::nullopt : std::optional(std::string(value.bytes)));
      return true;
    };
    if (const auto* execute = std::get_if<cql_protocol::Execute>(&request)) {
      written.timestamp = execute->parameters.timestamp.value_or(0);
      if (!add(execute->id, execute->parameters.values)) return std::nullopt;
      return written;
    }
    const auto* batch = std::get_if<cql_protocol::Batch>(&request);
    if (!batch) return std::nullopt;
    written.timestamp = batch->parameters.timestamp.value_or(0);
    written.batch = true;
    for (const auto& part : batch->parts)
      if (!add(part.text_or_id, part.values)) return std::nullopt;
    return written;
  }

  cql_protocol::ServerMessage answer_to(const cql_protocol::Request& request) {
    using namespace cql_protocol;  // NOLINT(google-build-using-namespace)
    if (std::holds_alternative<Startup>(request)) {
      if (setup_.user.empty()) return {.body = Ready{}};
      return {.body = Authenticate{"org.apache.cassandra.auth.PasswordAuthenticator"}};
    }
    if (const auto* login = std::get_if<AuthResponse>(&request)) {
      using std::string_literals::operator""s;
      if (login->token == "\0"s + setup_.user + "\0"s + setup_.password)
        return {.body = AuthSuccess{}};
      return {.body = cql_types::Failure(cql_types::ErrorCode::kBadCredentials,
                                         "Provided username and/or password are incorrect")};
    }
    if (const auto* prepare = std::get_if<Prepare>(&request)) {
      const std::string id = "id" + std::to_string(prepared_++);
      statements_[id] = std::string(prepare->text);
      Prepared made;
      made.id = id;
      made.columns = std::make_shared<const std::vector<ColumnSpec>>();
      return {.body = AnyResult(std::move(made))};
    }
    if (const auto* query = std::get_if<Query>(&request)) return {.body = rows_for(query->text)};
    if (std::holds_alternative<Execute>(request) ||
        std::holds_alternative<cql_protocol::Batch>(request))
      return {.body = cql_types::Failure(cql_types::ErrorCode::kUnprepared, "it is not prepared")};
    return {.body = Ready{}};
  }

  cql_protocol::AnyResult rows_for(std::string_view text) const {
    const bool local = text.contains("system.local");
    if (!local && !text.contains("system.peers")) return cql_protocol::Void{};
    const auto of = cql_types::native_type(cql_types::Kind::kText);
    cql_protocol::Rows rows;
    std::vector<cql_protocol::ColumnSpec> columns;
    for (const char* name : {"data_center", "tokens", "rpc_address", "peer"})
      columns.push_back({"system", local ? "local" : "peers", name, of});
    rows.columns = std::make_shared<const std::vector<cql_protocol::ColumnSpec>>(columns);
    const auto add = [&](const std::string& address, std::int64_t token) {
      std::string tokens;
      cql_types::append_count(tokens, 1);
      cql_types::append_part(tokens, std::to_string(token));
      const std::string bytes = cql_types::parse_inet(address).value();
      for (const std::string& value : {std::string("here"), tokens, bytes, bytes})
        cql_types::append_part(rows.content, value);
      ++rows.count;
    };
    if (local) add(setup_.host, setup_.token);
    if (!local)
      for (const auto& [address, token] : setup_.peers) add(address, token);
    return rows;
  }

  Setup setup_;
  mutable std::mutex mutex_;
  Script script_;
  std::map<std::string, std::string> statements_;  // by id
  std::size_t prepared_ = 0, came_ = 0;
  std::vector<Written> taken_;
  std::vector<std::pair<net::Reply, std::string>> held_;
  std::unique_ptr<net::FrameServer> server_;
};

}  // namespace tailrace::cql_client::testing
