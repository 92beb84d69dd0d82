#include "cql/authenticator.h"

#include <fmt/format.h>

namespace tailrace::cql {

using cql_types::ErrorCode;
using cql_types::Outcome;

namespace {

std::unexpected<cql_types::Failure> bad(std::string what) {
  return cql_types::failure(ErrorCode::kBadCredentials, std::move(what));
}

}  // namespace

Outcome<Credentials> plain_credentials(std::string_view token) {
  const auto last = token.rfind('\0');
  if (last == std::string_view::npos) return bad("Password must not be null");
  const std::string_view password = token.substr(last + 1);
  token = token.substr(0, last);
  const auto before = token.rfind('\0');
  const bool more = before != std::string_view::npos && token.substr(0, before).contains('\0');
  if (more) {
    return bad(
        "Credential format error: username or password is empty or contains NUL(\\0) character");
  }
  if (password.empty()) return bad("Password must not be null");
  if (before == std::string_view::npos || before + 1 == token.size()) {
    return bad("Authentication ID must not be null");
  }
  return Credentials{std::string(token.substr(before + 1)), std::string(password)};
}

std::unexpected<cql_types::Failure> wrong_credentials(std::string_view user) {
  return bad(fmt::format("Provided username {} and/or password are incorrect", user));
}

void PasswordAuthenticator::check(Credentials credentials, Done done) {
  auto role = credentials.user;
  engine_.log_in(role, std::move(credentials.password),
                 [role, done = std::move(done)](Outcome<void> logged_in) mutable {
                   if (!logged_in) return done(std::unexpected(std::move(logged_in.error())));
                   done(std::move(role));
                 });
}

}  // namespace tailrace::cql
