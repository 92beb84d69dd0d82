// One request on its way through the door: who asks, in which version, and the way back.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "auth/principal.h"
#include "kafka/error_code.h"
#include "kafka/listener.h"
#include "kafka/messages/api_table.h"
#include "kafka/wire.h"
#include "net/frame_server.h"

namespace tailrace::kafka {

class Broker;

class Sasl;

/// What a connection knows of who is at its other end.
struct Caller {
  net::Peer peer;
  std::shared_ptr<const Listener> listener;
  std::string software = {};        ///< "apache-kafka-java 4.3.1" (KIP-511); empty until it said so
  auth::Principal principal = {};   ///< User:ANONYMOUS until it proved to be another
  std::shared_ptr<Sasl> sasl = {};  ///< nullptr where nobody is asked for a name
};

/// Answered once, from any thread, at once or later; one that goes away unanswered closes its
/// connection.
class Call {
 public:
  Call(Broker& broker, const ApiInfo& api, Version version, std::int32_t correlation,
       std::string client_id, std::shared_ptr<Caller> client, net::Reply reply)
      : broker_(&broker),
        api_(&api),
        version_(version),
        correlation_(correlation),
        client_id_(std::move(client_id)),
        client_(std::move(client)),
        reply_(std::move(reply)) {}

  Broker& broker() const { return *broker_; }
  const ApiInfo& api() const { return *api_; }
  Version version() const { return version_; }
  bool since(std::int16_t version) const { return version_.value >= version; }
  const std::string& client_id() const { return client_id_; }
  Caller& client() const { return *client_; }
  /// Where this client finds the broker.
  const Endpoint& endpoint() const { return client_->listener->advertised; }

  /// `held` owns what records of the response point into.
  template <typename Response>
  void answer(const Response& response, std::shared_ptr<const void> held = {}) {
    answer_as(version_, response, std::move(held));
  }
  /// In a version that is not the request's (KIP-511).
  template <typename Response>
  void answer_as(Version version, const Response& response, std::shared_ptr<const void> held = {}) {
    Writer writer(Framing::kLengthPrefixed);
    write_header(writer, version);
    finish(writer, response.encode(writer, version), std::move(held));
  }
  /// For acks=0.
  void no_answer() { reply_.send(net::Outgoing(), manner_); }
  /// How the answer leaves; before it is given.
  net::Manner& manner() { return manner_; }
  /// Closes the connection.
  void refuse(std::string_view why) { reply_.close(why); }

 private:
  void write_header(Writer& writer, Version version) const;
  void finish(Writer& writer, const Status& encoded, std::shared_ptr<const void> held);

  Broker* broker_;
  const ApiInfo* api_;
  Version version_;
  std::int32_t correlation_;
  std::string client_id_;
  std::shared_ptr<Caller> client_;
  net::Reply reply_;
  net::Manner manner_;
};

}  // namespace tailrace::kafka
