// Who may use the registry's door: HTTP Basic (RFC 7617), where it is switched on.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/passwords.h"
#include "net/http_server.h"
#include "subjects/refusal.h"

namespace tailrace::registry {

struct BasicAuth {
  std::shared_ptr<const auth::Passwords> passwords;  ///< null: everybody may
  std::string realm;                                 ///< authentication.realm
  std::vector<std::string> roles = {"*"};            ///< authentication.roles; "*" is any user
  std::vector<std::string> open_paths = {};          ///< authentication.skip.paths: "/v1/*"
};

/// 401 for who is not known, 403 for who has no role; absent for who may.
std::optional<subjects::Refusal> why_not(const BasicAuth& auth, const net::Request& request);

}  // namespace tailrace::registry
