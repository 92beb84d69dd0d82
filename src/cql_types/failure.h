// A refusal as the native protocol carries it: an error code, Cassandra's sentence, and what some
// codes say beside it (§9 of the protocol's versions 3 to 5).
//
// The rooms of CQL answer Outcome<T>. A Result's Error turns into a Failure by itself: what the
// rooms below refuse as an argument is kInvalid.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tailrace::cql_types {

enum class ErrorCode : std::int32_t {
  kServer = 0x0000,
  kProtocol = 0x000A,
  kBadCredentials = 0x0100,
  kUnavailable = 0x1000,
  kOverloaded = 0x1001,
  kTruncate = 0x1003,
  kWriteTimeout = 0x1100,
  kReadTimeout = 0x1200,
  kReadFailure = 0x1300,
  kFunctionFailure = 0x1400,
  kWriteFailure = 0x1500,
  kSyntax = 0x2000,
  kUnauthorized = 0x2100,
  kInvalid = 0x2200,
  kConfiguration = 0x2300,
  kAlreadyExists = 0x2400,
  kUnprepared = 0x2500,
};

struct Failure {
  ErrorCode code = ErrorCode::kServer;
  std::string message;
  /// kAlreadyExists: keyspace and table (empty: the keyspace itself). kFunctionFailure: the
  /// function's keyspace and name.
  std::string keyspace = {}, name = {};
  std::vector<std::string> argument_types = {};  ///< kFunctionFailure
  std::string statement_id = {};                 ///< kUnprepared
  /// kUnavailable, kWriteTimeout, kReadTimeout, kReadFailure, kWriteFailure: who answered of whom.
  struct Replicas {
    std::uint16_t consistency = 1;            ///< the protocol's number
    std::int32_t received = 0, required = 1;  ///< of kUnavailable: alive, required
    bool data_present = false;                ///< of reads
    std::string write_type = "SIMPLE";        ///< of writes
  };
  std::optional<Replicas> replicas = {};
  std::vector<std::string> warnings = {};  ///< what was warned of before it failed

  Failure(ErrorCode failed, std::string what) : code(failed), message(std::move(what)) {}
  Failure(Error error);  // NOLINT(google-explicit-constructor): what TRY passes upwards
};

template <typename T>
using Outcome = std::expected<T, Failure>;

/// `return invalid("…")` converts to any Outcome.
inline std::unexpected<Failure> invalid(std::string message) {
  return std::unexpected(Failure(ErrorCode::kInvalid, std::move(message)));
}
inline std::unexpected<Failure> failure(ErrorCode code, std::string message) {
  return std::unexpected(Failure(code, std::move(message)));
}

}  // namespace tailrace::cql_types
