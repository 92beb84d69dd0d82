// Who asks: names and passwords for tokens, as Airflow's auth managers give them.
//
//   POST /auth/token, /auth/token/cli  {"username": …, "password": …} → 201 {"access_token": …}
//   GET  /auth/token                   the same without a login, where there are no users
//
// A token says whose it is and until when, signed with a secret of this process: after a restart a
// client gets a new one. Clients must not read anything into it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "auth/passwords.h"
#include "net/http_server.h"

namespace tailrace::airflow {

class Logins {
 public:
  /// Without users everybody may do all, and every login is right.
  explicit Logins(std::shared_ptr<const auth::Passwords> users);

  /// The answer to a login, or to a request that has no right to be answered; none: it has.
  std::optional<net::Response> answer(const net::Request& request) const;
  /// Whose token the request has; empty without users.
  std::string user_of(const net::Request& request) const;

 private:
  net::Response log_in(const net::Request& request) const;
  std::string token(const std::string& user) const;
  std::string signature(std::string_view text) const;
  /// Whose the token is; none: nobody's, or too old.
  std::optional<std::string> owner(std::string_view token) const;

  std::shared_ptr<const auth::Passwords> users_;
  std::string secret_;
};

}  // namespace tailrace::airflow
