// A JSON Web Key Set (RFC 7517): the public keys that an identity provider signs its tokens with,
// and which of them a token names.
//
// RSA, the curves P-256, P-384 and P-521, Ed25519 and Ed448. Keys that are none of those are left
// out, secret ones (`oct`) too: a set of public keys has none.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct evp_pkey_st;

namespace tailrace::auth {

/// What signs, as a token's header names it (RFC 7518 §3.1, 8037).
struct TokenAlgorithm {
  std::string_view name;    ///< "RS256"
  std::string_view type;    ///< of its key: RSA, EC, OKP
  std::string_view curve;   ///< of its key; empty: any
  std::string_view digest;  ///< empty: the key's own
  bool pss = false;
};

/// nullptr for one that is not known, "none" and secret keys among them.
const TokenAlgorithm* find_token_algorithm(std::string_view name);

struct JsonWebKey {
  std::string id;
  std::string type;
  std::string curve;
  std::string algorithm;  ///< empty: any of its type
  std::shared_ptr<evp_pkey_st> key;

  /// Whether `signature` is of `text` and this key. RSA has to have 2048 bits.
  bool verifies(const TokenAlgorithm& algorithm, std::string_view text,
                std::string_view signature) const;
};

class JsonWebKeys {
 public:
  /// kInvalidArgument when it is no key set.
  static Result<JsonWebKeys> parse(std::string_view json);

  std::size_t size() const { return keys_.size(); }
  /// The key of that id, or with no id the first that fits; nullptr when there is none.
  const JsonWebKey* find(const TokenAlgorithm& algorithm, const std::string* id) const;

 private:
  std::vector<JsonWebKey> keys_;
};

}  // namespace tailrace::auth
