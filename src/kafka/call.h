// One request on its way through the door: who asks, in which version, and the way back.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "auth/acl.h"
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
  std::string software = {};       ///< "apache-kafka-java 4.3.1" (KIP-511); empty until it said so
  auth::Principal principal = {};  ///< User:ANONYMOUS until it proved to be another
  bool by_token = false;           ///< by a delegation token; for the connection's thread
  std::atomic<std::int64_t> owed_ms = 0;    ///< what his requests' time costs, told with an answer
  std::shared_ptr<Sasl> sasl = {};          ///< nullptr where nobody is asked for a name
  std::shared_ptr<const void> at_end = {};  ///< destroyed when the connection is gone
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

  /// Whether there are rules of who may do what.
  bool guarded() const;
  /// Whether the client may do that. `named`: it named the resource itself, and a denial is noted.
  bool allows(auth::Operation operation, auth::Resource resource, std::string_view name,
              bool named = true) const;
  bool allows_on_cluster(auth::Operation operation) const {
    return allows(operation, auth::Resource::kCluster, auth::kClusterName);
  }
  /// All it may do with a resource, a bit an operation.
  std::int32_t allowed_operations(auth::Resource resource, std::string_view name) const;

  /// Changes the answer before it goes: what is denied joins what was done (guards.h). `Response`
  /// is the type that will be answered with.
  template <typename Response>
  void on_answer(std::function<void(const Call&, Response&)> change) {
    change_ = [change = std::move(change)](const Call& call, void* response) {
      change(call, *static_cast<Response*>(response));
    };
  }
  /// Notes what the client takes of a quota of his; over it, the answer tells him to wait and
  /// nothing more of the connection is served meanwhile.
  void take(std::string_view quota, double amount);
  /// Notes partitions that are made or deleted (KIP-599). False: over his quota, and they are not,
  /// for the version of the request is of those that are refused. On any thread.
  bool may_change(std::int32_t partitions, bool strict);

  /// `held` owns what records of the response point into.
  template <typename Response>
  void answer(const Response& response, std::shared_ptr<const void> held = {}) {
    answer_as(version_, response, std::move(held));
  }
  /// In a version that is not the request's (KIP-511).
  template <typename Response>
  void answer_as(Version version, const Response& response, std::shared_ptr<const void> held = {}) {
    const auto wait_ms = settle_throttle();
    if (!change_ && wait_ms == 0) return write(version, response, std::move(held));
    Response changed = response;
    if (change_) change_(*this, &changed);
    if constexpr (requires { changed.throttle_time_ms; }) {
      changed.throttle_time_ms = std::max(changed.throttle_time_ms, wait_ms);
    }
    write(version, changed, std::move(held));
  }
  /// For acks=0.
  void no_answer();
  /// How the answer leaves; before it is given.
  net::Manner& manner() { return manner_; }
  /// Closes the connection.
  void refuse(std::string_view why) { reply_.close(why); }

 private:
  template <typename Response>
  void write(Version version, const Response& response, std::shared_ptr<const void> held) {
    Writer writer(Framing::kLengthPrefixed);
    write_header(writer, version);
    finish(writer, response.encode(writer, version), std::move(held));
  }
  /// How long the client has to wait for all it took.
  std::int32_t settle_throttle();
  void write_header(Writer& writer, Version version) const;
  void finish(Writer& writer, const Status& encoded, std::shared_ptr<const void> held);
  void count() const;

  Broker* broker_;
  const ApiInfo* api_;
  Version version_;
  std::int32_t correlation_;
  std::string client_id_;
  std::shared_ptr<Caller> client_;
  net::Reply reply_;
  std::chrono::steady_clock::time_point came_ = std::chrono::steady_clock::now();
  net::Manner manner_;
  std::function<void(const Call&, void*)> change_;
};

}  // namespace tailrace::kafka
