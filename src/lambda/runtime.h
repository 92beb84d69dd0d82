// AWS Lambda's runtime API, seen from a function: ask for the next invocation, answer it, for ever.
//
//   GET  /2018-06-01/runtime/invocation/next          waits until there is one
//   POST /2018-06-01/runtime/invocation/ID/response   or …/ID/error
//   POST /2018-06-01/runtime/init/error               before the first `next`, and the process ends
#pragma once

#include <string>

#include "base/result.h"
#include "lambda/handler.h"
#include "net/http_connection.h"

namespace tailrace::lambda {

class RuntimeApi {
 public:
  /// `address` is HOST:PORT.
  static Result<RuntimeApi> make(const std::string& address);

  Result<Invocation> next();
  Status answer(const std::string& request_id, const Answer& answer);
  Status init_error(const Answer& answer);

 private:
  explicit RuntimeApi(net::HttpConnection connection) : connection_(std::move(connection)) {}
  Status post(const std::string& target, const Answer& answer);

  net::HttpConnection connection_;
};

/// The function itself: until the runtime API ends it. The exit code: 1 where it could not start or
/// the API is gone.
int run_function(const Environment& environment);

}  // namespace tailrace::lambda
