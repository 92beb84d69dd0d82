// How a failure looks on the console's wire.
#pragma once

#include "base/result.h"
#include "net/http_server.h"

namespace tailrace::console {

/// The one map from a Code to an HTTP status.
int http_status(Code code);

/// {"error":{"code":"NOT_FOUND","message":"…"}} with the code's status.
net::Response error_response(const Error& failure);

/// The same for a request that the server itself refuses.
net::Response refusal_response(int status, std::string_view message);

}  // namespace tailrace::console
