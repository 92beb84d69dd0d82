// What an Error of the rooms below means to a client of the native protocol.
#include "cql_types/failure.h"

namespace tailrace::cql_types {
namespace {

ErrorCode code_of(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
    case Code::kNotFound:
    case Code::kAlreadyExists:
    case Code::kFailedPrecondition:
    case Code::kOutOfRange:
    case Code::kUnimplemented:
      return ErrorCode::kInvalid;
    case Code::kPermissionDenied:
      return ErrorCode::kUnauthorized;
    case Code::kResourceExhausted:
      return ErrorCode::kOverloaded;
    case Code::kInternal:
    case Code::kUnavailable:
    case Code::kDataLoss:
    case Code::kDeadlineExceeded:
    case Code::kAborted:
    case Code::kCancelled:
      break;
  }
  return ErrorCode::kServer;
}

}  // namespace

Failure::Failure(Error error) : code(code_of(error.code)), message(std::move(error.what)) {}

}  // namespace tailrace::cql_types
