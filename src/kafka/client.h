// A client of one connection that asks and waits for the answer: for the commands that look at a
// broker, ours or a real one, and for tests.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "auth/scram.h"
#include "base/result.h"
#include "kafka/config_layers.h"
#include "kafka/messages/api_table.h"
#include "kafka/messages/request_header.h"
#include "kafka/messages/response_header.h"
#include "kafka/wire.h"
#include "net/tls_socket.h"

namespace tailrace::kafka {

class Client {
 public:
  static constexpr std::int32_t kMostAnswerBytes = 256 << 20;

  /// kUnavailable, with the address and what to do, when nobody listens at HOST:PORT.
  static Result<Client> connect(const std::string& address,
                                std::chrono::seconds patience = std::chrono::seconds(30));
  /// The same as the settings of a Kafka client say: security.protocol, ssl.*, sasl.mechanism
  /// (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER), sasl.jaas.config, and of OAUTHBEARER
  /// sasl.oauthbearer.token.endpoint.url, where the token comes from. kPermissionDenied for a login
  /// that is refused.
  static Result<Client> connect(const std::string& address, const ConfigMap& settings,
                                std::chrono::seconds patience = std::chrono::seconds(30));

  /// The answer to `request`. What it holds of type bytes and records is valid until the next call.
  /// kUnavailable when the connection ends or no answer comes in time.
  template <typename Response, typename Request>
  Result<Response> ask(const Request& request, Version version) {
    const ApiInfo& api = *find_api(Request::kApiKey);
    Writer writer(Framing::kLengthPrefixed);
    TRY(header(api, version).encode(writer, api.request_header(version)));
    TRY(request.encode(writer, version));
    ASSIGN(const Frame frame, writer.finish());
    TRY(exchange(frame.joined()));
    Reader reader(answer_);
    ASSIGN(const auto answered, ResponseHeader::decode(reader, api.response_header(version)));
    if (answered.correlation_id != correlation_) {
      return error(Code::kInternal, address_ + " gave the answer to another request");
    }
    ASSIGN(auto response, Response::decode(reader, version));
    TRY(reader.finish());
    return response;
  }
  /// In the highest version there is here.
  template <typename Response, typename Request>
  Result<Response> ask(const Request& request) {
    return ask<Response>(request, find_api(Request::kApiKey)->highest);
  }

 private:
  Client(std::string address, net::TlsSocket socket)
      : address_(std::move(address)), socket_(std::move(socket)) {}
  Status log_in(const ConfigMap& settings);
  Status log_in_by_token(const ConfigMap& settings, std::map<std::string, std::string> options);
  Status log_in_by_scram(auth::ScramMechanism mechanism, const std::string& user,
                         const std::string& password);
  /// A message of the mechanism, and the broker's.
  Result<std::string> authenticate(const std::string& message);
  RequestHeader header(const ApiInfo& api, Version version);
  /// Sends a frame, and reads one into answer_.
  Status exchange(const std::string& frame);

  std::string address_;
  net::TlsSocket socket_;
  std::int32_t correlation_ = 0;
  std::string answer_;
};

}  // namespace tailrace::kafka
