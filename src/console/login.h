// Who may use the control centre: HTTP Basic (RFC 7617), where it is switched on. Browsers ask for
// name and password by themselves, and send them with every later request of the page.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "auth/passwords.h"
#include "net/http_server.h"

namespace tailrace::console {

struct Login {
  std::shared_ptr<const auth::Passwords> users = {};  ///< null: everybody may
  /// What commands of who can read the data folder say instead: Authorization: Bearer TOKEN. Empty:
  /// nobody.
  std::string token = {};
};

/// 401 for who is not known; absent for who may, and for /healthz and /readyz, which say nothing
/// of the data.
std::optional<net::Response> why_not(const Login& login, const net::Request& request);

}  // namespace tailrace::console
