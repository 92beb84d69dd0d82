#include "kafka/session.h"

#include <fmt/format.h>

#include <ctime>

#include "base/bytes.h"
#include "kafka/handlers.h"
#include "kafka/login.h"
#include "kafka/messages/api_versions_response.h"
#include "kafka/messages/request_header.h"

namespace tailrace::kafka {
namespace {

constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kFixedHeaderBytes = 8;  // api key, version, correlation id

/// A client from the future asks in a version nobody knows here: it is told the versions that are
/// known, in the oldest form (KIP-511).
void answer_unknown_version(Call& call) {
  ApiVersionsResponse response;
  response.error_code = wire(ErrorCode::kUnsupportedVersion);
  const ApiInfo& api = call.api();
  response.api_keys.push_back(
      {static_cast<std::int16_t>(api.key), api.lowest.value, api.highest.value});
  call.answer_as(Version(0), response);
}

/// Takes the time of a request on this thread from its client's request_percentage.
class Stopwatch {
 public:
  Stopwatch(Broker& broker, Caller& client, const std::optional<std::string>& client_id)
      : broker_(broker), client_(client), from_(broker.quotas().any() ? now() : 0) {
    if (from_ != 0) client_id_ = client_id.value_or("");
  }
  ~Stopwatch() {
    if (from_ == 0) return;
    constexpr std::int64_t kMostMs = 1000;
    const double percent = static_cast<double>(now() - from_) * 100 / 1e9;
    const auto wait = broker_.quotas().take("request_percentage", client_.principal.name,
                                            client_id_, percent, auth::Quotas::now());
    if (wait.count() > 0) client_.owed_ms = std::min<std::int64_t>(wait.count(), kMostMs);
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  /// Nanoseconds that this thread ran.
  static std::int64_t now() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  }

  Broker& broker_;
  Caller& client_;
  std::string client_id_;
  const std::int64_t from_;
};

}  // namespace

Session::Session(Broker& broker, std::shared_ptr<const Listener> listener, const net::Peer& peer)
    : broker_(broker), client_(std::make_shared<Caller>()) {
  client_->peer = peer;
  client_->listener = std::move(listener);
  const Listener& at = *client_->listener;
  if (at.sasl) {
    client_->sasl = std::make_shared<Sasl>(at.sasl, broker.scram_users(), broker.tokens());
  } else if (!peer.subject.empty()) {
    // Who no rule names stays without one, and may do what nobody in particular may.
    client_->principal.name = at.rules->name_of(peer.subject).value_or(client_->principal.name);
  }
}

std::size_t Session::most_frame_bytes() const {
  const bool unknown = client_->sasl && !client_->sasl->known();
  return unknown ? client_->sasl->max_receive_bytes() + kLengthBytes : SIZE_MAX;
}

/// A message of a mechanism, answered with one (SaslHandshake of version 0).
void Session::serve_bare(std::string_view message, net::Reply reply) {
  const auto step = client_->sasl->message(message);
  const auto manner = settle_login(broker_, *client_, step);
  if (!step) return reply.send({}, manner);
  std::string frame(kLengthBytes, '\0');
  store_be(frame.data(), static_cast<std::uint32_t>(step->message.size()));
  reply.send(net::Outgoing(frame + step->message));
}

void Session::serve(std::string_view frame, net::Reply reply) {
  frame.remove_prefix(kLengthBytes);
  if (client_->sasl && client_->sasl->bare()) return serve_bare(frame, std::move(reply));
  if (frame.size() < kFixedHeaderBytes) return reply.close("a request without a header");
  const auto key = load_be<std::int16_t>(frame.data());
  const Version version(load_be<std::int16_t>(frame.data() + 2));
  const auto correlation = load_be<std::int32_t>(frame.data() + 4);
  const ApiInfo* api = find_api(key);
  const Handler handler = api != nullptr ? find_handler(api->key) : nullptr;
  if (handler == nullptr) return reply.close(fmt::format("a request of api {}", key));
  if (client_->sasl) {
    if (const auto why = client_->sasl->refusal(api->key)) return reply.close(*why);
  }
  if (version < api->lowest || version > api->highest) {
    if (api->key != ApiKey::kApiVersions) {
      return reply.close(fmt::format("{} of version {}", api->name, version.value));
    }
    Call call(broker_, *api, version, correlation, {}, client_, std::move(reply));
    return answer_unknown_version(call);
  }
  Reader reader(frame);
  auto header = RequestHeader::decode(reader, api->request_header(version));
  if (!header) return reply.close(header.error().what);
  const Stopwatch stopwatch(broker_, *client_, header->client_id);
  handler(Call(broker_, *api, version, correlation, std::move(header->client_id).value_or(""),
               client_, std::move(reply)),
          reader);
}

}  // namespace tailrace::kafka
