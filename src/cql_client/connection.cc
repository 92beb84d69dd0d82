#include "cql_client/connection.h"

#include <fmt/format.h>

#include <algorithm>

#include "cql_protocol/answers.h"
#include "cql_protocol/requests.h"

namespace tailrace::cql_client {

using cql_protocol::ServerMessage;

namespace {

constexpr int kVersion = 4;
/// Of an answer: rows come by pages, and nothing else is large.
constexpr std::size_t kMostFrame = 64 << 20;

std::string plain_token(const ClientConfig& config) {
  using std::string_literals::operator""s;
  return "\0"s + config.user + "\0"s + config.password;
}

}  // namespace

net::FrameClientConfig frames() {
  return {.name = "cassandra",
          .frame_bytes = kMostFrame,
          .head_bytes = cql_protocol::kHeadBytes,
          .length = [](std::string_view head) -> Result<std::size_t> {
            const auto read = cql_protocol::read_head(head);
            if (!read.response)
              return error(Code::kInvalidArgument, "what answers there does not speak CQL");
            return cql_protocol::kHeadBytes + read.length;
          }};
}

void Connection::open(net::FrameClient& client, const std::shared_ptr<const net::Tls>& tls) {
  link_ = client.connect(to_.host, to_.port, tls, config_.connect_patience, shared_from_this());
}

void Connection::close() {
  listener_ = {};
  if (link_) link_->close();
  link_.reset();
  waiting_.clear();
}

void Connection::ask(const cql_protocol::Request& request, std::chrono::milliseconds patience,
                     OnAnswer answer) {
  if (!link_) return answer(error(Code::kUnavailable, "the connection is closed"));
  std::int16_t stream = 0;
  if (free_.empty()) {
    stream = next_stream_++;
  } else {
    stream = free_.back();
    free_.pop_back();
  }
  const auto now = Clock::now();
  if (waiting_.empty()) heard_ = now;
  waiting_.emplace(stream, Waiting{std::move(answer), now, now + patience});
  out_.clear();
  cql_protocol::append_request_message(out_, kVersion, stream, request);
  link_->send(out_);
}

void Connection::check(Clock::time_point now) {
  for (const auto& [stream, one] : waiting_)
    if (one.until < now)
      return fail(
          {Code::kDeadlineExceeded,
           fmt::format("no answer for {} s",
                       std::chrono::duration_cast<std::chrono::seconds>(now - one.asked).count())});
}

Connection::Clock::time_point Connection::silent_since(Clock::time_point now) const {
  return waiting_.empty() ? now : heard_;
}

void Connection::connected() {
  ask(cql_protocol::Startup{{{"CQL_VERSION", "3.0.0"}, {"DRIVER_NAME", "Tailrace"}}},
      config_.connect_patience, [this](Result<ServerMessage> answer) { shake(std::move(answer)); });
}

void Connection::shake(Result<ServerMessage> answer) {
  if (!answer) return;  // fail() has told it
  if (const auto* refused = std::get_if<cql_types::Failure>(&answer->body)) {
    const bool bad = refused->code == cql_types::ErrorCode::kBadCredentials ||
                     refused->code == cql_types::ErrorCode::kUnauthorized;
    if (bad)
      return fail({Code::kPermissionDenied, refused->message +
                                                "; check `user` and `password` below `serving` in "
                                                "tailrace.yml"});
    return fail({Code::kUnavailable, "it refuses the connection: " + refused->message});
  }
  if (std::holds_alternative<cql_protocol::Authenticate>(answer->body)) {
    if (config_.user.empty())
      return fail({Code::kPermissionDenied,
                   "it asks for a user: write `url`, `user` and `password` below `serving` in "
                   "tailrace.yml"});
    const std::string token = plain_token(config_);
    return ask(cql_protocol::AuthResponse{token}, config_.connect_patience,
               [this](Result<ServerMessage> next) { shake(std::move(next)); });
  }
  if (!std::holds_alternative<cql_protocol::Ready>(answer->body) &&
      !std::holds_alternative<cql_protocol::AuthSuccess>(answer->body))
    return fail({Code::kUnavailable, "its answer to a login is none that is known here"});
  ready_ = true;
  if (const auto ready = listener_.ready) ready({});
}

void Connection::received(std::string_view frame) {
  heard_ = Clock::now();
  const auto head = cql_protocol::read_head(frame);
  auto message = cql_protocol::decode_message(head, frame.substr(cql_protocol::kHeadBytes));
  if (!message)
    return fail({Code::kUnavailable,
                 fmt::format("an answer that cannot be read: {}", message.error().message)});
  if (head.stream == cql_protocol::kEventStream) {
    if (const auto* event = std::get_if<cql_protocol::Event>(&message->body))
      if (const auto tell = listener_.event) tell(*event);
    return;
  }
  const auto found = waiting_.find(head.stream);
  if (found == waiting_.end())
    return fail({Code::kUnavailable, "an answer to nothing that was asked"});
  const OnAnswer answer = std::move(found->second.answer);
  waiting_.erase(found);
  free_.push_back(head.stream);
  answer(std::move(*message));
}

void Connection::closed(const Error& why) {
  fail(why);
}

void Connection::fail(const Error& why) {
  const auto self = shared_from_this();  // who hears it may let go of this
  const Listener listener = std::exchange(listener_, {});
  if (const auto link = std::exchange(link_, nullptr)) link->close();
  auto waiting = std::exchange(waiting_, {});
  // First that this is not to be used any more, then what it had been used for.
  if (ready_ && listener.ended) listener.ended(why);
  if (!ready_ && listener.ready) listener.ready(std::unexpected(why));
  for (auto& [stream, one] : waiting) one.answer(std::unexpected(why));
}

}  // namespace tailrace::cql_client
