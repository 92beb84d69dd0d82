// SCRAM (RFC 5802, RFC 7677): what a server keeps of a password, and both sides of the conversation
// as pure state machines. Neither side ever sends or keeps the password itself.
//
//   client-first   n,,n=USER,r=NONCE[,tokenauth=true]
//   server-first   r=NONCE+OURS,s=SALT,i=ITERATIONS
//   client-final   c=biws,r=NONCE+OURS,p=PROOF
//   server-final   v=SIGNATURE
//
// Order of calls, server: first() → challenge() → finish(); client: first() → proof() → verify().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tailrace::auth {

/// The numbers are those of Kafka's protocol (KIP-554).
enum class ScramMechanism : std::int8_t { kSha256 = 1, kSha512 = 2 };

constexpr std::int32_t kLeastIterations = 4096;
constexpr std::int32_t kMostIterations = 16384;

/// "SCRAM-SHA-256"
std::string_view mechanism_name(ScramMechanism mechanism);
std::optional<ScramMechanism> scram_mechanism(std::string_view name);

/// What is kept of a password.
struct ScramCredential {
  std::string salt;
  std::string stored_key;
  std::string server_key;
  std::int32_t iterations = 0;

  bool operator==(const ScramCredential&) const = default;
};

/// Hi() of RFC 5802: PBKDF2.
std::string salted_password(ScramMechanism mechanism, std::string_view password,
                            std::string_view salt, std::int32_t iterations);
ScramCredential credential_of(ScramMechanism mechanism, std::string_view salted, std::string salt,
                              std::int32_t iterations);

class ScramServer {
 public:
  /// `nonce` is our part of it: printable, no comma, never given twice.
  ScramServer(ScramMechanism mechanism, std::string nonce)
      : mechanism_(mechanism), nonce_(std::move(nonce)) {}

  struct Hello {
    std::string user;
    std::string authorize_as;  ///< empty: themselves
    bool by_token = false;     ///< tokenauth=true (KIP-48)
  };
  /// Who the client says it is. kInvalidArgument for what is no client-first.
  Result<Hello> first(std::string_view message);
  /// server-first; the credential is that of hello's user.
  std::string challenge(const ScramCredential& credential);
  /// server-final. kPermissionDenied when the password was another one.
  Result<std::string> finish(std::string_view message);

 private:
  const ScramMechanism mechanism_;
  std::string nonce_;  // both parts, after first()
  std::string bare_;   // client-first without its head
  std::string head_;
  std::string challenge_;
  ScramCredential credential_;
};

class ScramClient {
 public:
  ScramClient(ScramMechanism mechanism, std::string user, std::string password, std::string nonce);
  std::string first() const { return "n,," + bare_; }
  /// client-final. kInvalidArgument for what is no server-first, and for too few iterations.
  Result<std::string> proof(std::string_view challenge);
  /// Whether the server knew the password too. kPermissionDenied.
  Status verify(std::string_view message) const;

 private:
  const ScramMechanism mechanism_;
  const std::string password_;
  const std::string nonce_;
  const std::string bare_;
  std::string signature_;
};

}  // namespace tailrace::auth
