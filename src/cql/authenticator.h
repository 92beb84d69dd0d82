// Who a client is: asked when a connection logs in, where the door asks at all (Cassandra's
// PasswordAuthenticator; without one everybody is let in, as with AllowAllAuthenticator).
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "cql_query/engine.h"
#include "cql_types/failure.h"

namespace tailrace::cql {

/// SASL PLAIN (RFC 4616), as drivers send it: [authorization id] NUL user NUL password.
struct Credentials {
  std::string user, password;
};

/// kBadCredentials with Cassandra's sentence.
cql_types::Outcome<Credentials> plain_credentials(std::string_view token);

/// "Provided username … and/or password are incorrect": of an Authenticator that refuses.
std::unexpected<cql_types::Failure> wrong_credentials(std::string_view user);

class Authenticator {
 public:
  virtual ~Authenticator() = default;

  /// What AUTHENTICATE names: clients choose by it what they answer.
  virtual std::string class_name() const {
    return "org.apache.cassandra.auth.PasswordAuthenticator";
  }

  /// The role, or why not (kBadCredentials).
  using Done = std::move_only_function<void(cql_types::Outcome<std::string>)>;
  /// Called on the connection's thread: what takes long (bcrypt does) calls `done` from another.
  virtual void check(Credentials credentials, Done done) = 0;
};

/// The engine's roles and their passwords.
class PasswordAuthenticator final : public Authenticator {
 public:
  /// `engine` must outlive it.
  explicit PasswordAuthenticator(cql_query::Engine& engine) : engine_(engine) {}
  void check(Credentials credentials, Done done) override;

 private:
  cql_query::Engine& engine_;
};

}  // namespace tailrace::cql
