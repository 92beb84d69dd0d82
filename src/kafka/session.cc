#include "kafka/session.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "kafka/handlers.h"
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

}  // namespace

Session::Session(Broker& broker, const net::Peer& peer)
    : broker_(broker), client_(std::make_shared<Caller>(Caller{peer, {}})) {}

void Session::serve(std::string_view frame, net::Reply reply) {
  frame.remove_prefix(kLengthBytes);
  if (frame.size() < kFixedHeaderBytes) return reply.close("a request without a header");
  const auto key = load_be<std::int16_t>(frame.data());
  const Version version(load_be<std::int16_t>(frame.data() + 2));
  const auto correlation = load_be<std::int32_t>(frame.data() + 4);
  const ApiInfo* api = find_api(key);
  const Handler handler = api != nullptr ? find_handler(api->key) : nullptr;
  if (handler == nullptr) return reply.close(fmt::format("a request of api {}", key));
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
  handler(Call(broker_, *api, version, correlation, std::move(header->client_id).value_or(""),
               client_, std::move(reply)),
          reader);
}

}  // namespace tailrace::kafka
