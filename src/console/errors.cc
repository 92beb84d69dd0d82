// The error map; a switch without default, so that a new Code does not compile until it has its
// status.
#include "console/errors.h"

#include "console/json.h"

namespace tailrace::console {

int http_status(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
      return 400;
    case Code::kNotFound:
      return 404;
    case Code::kAlreadyExists:
      return 409;
    case Code::kFailedPrecondition:
      return 409;
    case Code::kOutOfRange:
      return 416;
    case Code::kUnimplemented:
      return 501;
    case Code::kInternal:
      return 500;
    case Code::kUnavailable:
      return 503;
    case Code::kDataLoss:
      return 500;
    case Code::kResourceExhausted:
      return 429;
    case Code::kDeadlineExceeded:
      return 504;
    case Code::kPermissionDenied:
      return 403;
    case Code::kAborted:
      return 409;
    case Code::kCancelled:
      return 499;
  }
  return 500;
}

net::Response error_response(const Error& failure) {
  net::Response response;
  response.status = http_status(failure.code);
  response.content_type = kJsonType;
  response.body = error_json(code_name(failure.code), failure.what);
  return response;
}

net::Response refusal_response(int status, std::string_view message) {
  net::Response response;
  response.status = status;
  response.content_type = kJsonType;
  response.body = error_json("HTTP_" + std::to_string(status), message);
  return response;
}

}  // namespace tailrace::console
