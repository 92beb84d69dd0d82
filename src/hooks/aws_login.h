// Who calls, by AWS's Signature Version 4: what the SDKs and the CLI put into Authorization.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "net/http_server.h"

namespace tailrace::hooks {

/// Who may call functions.
struct InvokeLogin {
  std::string token = {};  ///< Authorization: Bearer TOKEN
  std::string access_key = {}, secret_key = {};

  bool guarded() const { return !token.empty() || !access_key.empty(); }
};

/// kPermissionDenied says why not; without token and keys whoever reaches the door may.
Status check_login(const InvokeLogin& login, const net::Request& request, std::int64_t now_ms);

}  // namespace tailrace::hooks
