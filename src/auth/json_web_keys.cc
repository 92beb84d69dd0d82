#include "auth/json_web_keys.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <optional>

#include "auth/token_json.h"

namespace tailrace::auth {
namespace {

using nlohmann::json;

template <auto kFree>
struct Freed {
  void operator()(auto* p) const { kFree(p); }
};
using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>>;
using Key = std::shared_ptr<EVP_PKEY>;

/// Leaves nothing in this thread's queue of OpenSSL's errors, where TLS would find it.
struct NoErrorsLeft {
  ~NoErrorsLeft() { ERR_clear_error(); }
};

constexpr int kLeastRsaBits = 2048;
constexpr std::size_t kMostNumberBytes = 2048;  // RSA of 16,384 bits

constexpr TokenAlgorithm kAlgorithms[] = {
    {"RS256", "RSA", "", "SHA256"},       {"RS384", "RSA", "", "SHA384"},
    {"RS512", "RSA", "", "SHA512"},       {"PS256", "RSA", "", "SHA256", true},
    {"PS384", "RSA", "", "SHA384", true}, {"PS512", "RSA", "", "SHA512", true},
    {"ES256", "EC", "P-256", "SHA256"},   {"ES384", "EC", "P-384", "SHA384"},
    {"ES512", "EC", "P-521", "SHA512"},   {"EdDSA", "OKP", "", ""},
};

struct Curve {
  std::string_view name;
  std::size_t bytes;  // of a coordinate
};
constexpr Curve kCurves[] = {{"P-256", 32}, {"P-384", 48}, {"P-521", 66}};

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::optional<std::string> bytes_member(const json& key, const char* name) {
  auto bytes = from_base64url(text_member(key, name));
  if (!bytes || bytes->empty() || bytes->size() > kMostNumberBytes) return std::nullopt;
  return bytes;
}

Number number_of(std::string_view bytes) {
  return Number(BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
}

Key made(const char* type, OSSL_PARAM_BLD& builder) {
  const Parameters parameters(OSSL_PARAM_BLD_to_param(&builder));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  return Key(key, EVP_PKEY_free);
}

Key rsa_key(const json& member) {
  const auto modulus = bytes_member(member, "n");
  const auto exponent = bytes_member(member, "e");
  if (!modulus || !exponent) return nullptr;
  const Number n = number_of(*modulus);
  const Number e = number_of(*exponent);
  const Builder builder(OSSL_PARAM_BLD_new());
  if (OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return nullptr;
  }
  return made("RSA", *builder);
}

/// A coordinate with the zeros in front that some writers leave out.
std::optional<std::string> coordinate(const json& member, const char* name, std::size_t size) {
  auto bytes = bytes_member(member, name);
  if (!bytes || bytes->size() > size) return std::nullopt;
  return std::string(size - bytes->size(), '\0') + *bytes;
}

Key curve_key(const json& member, std::string_view curve) {
  const auto* known = std::ranges::find(kCurves, curve, &Curve::name);
  if (known == std::end(kCurves)) return nullptr;
  const auto x = coordinate(member, "x", known->bytes);
  const auto y = coordinate(member, "y", known->bytes);
  if (!x || !y) return nullptr;
  const std::string point = '\x04' + *x + *y;
  const Builder builder(OSSL_PARAM_BLD_new());
  if (OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.data(),
                                      curve.size()) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return nullptr;
  }
  return made("EC", *builder);
}

Key octet_key(const json& member, std::string_view curve) {
  if (curve != "Ed25519" && curve != "Ed448") return nullptr;
  const auto x = bytes_member(member, "x");
  if (!x) return nullptr;
  const int kind = curve == "Ed25519" ? EVP_PKEY_ED25519 : EVP_PKEY_ED448;
  return Key(EVP_PKEY_new_raw_public_key(kind, nullptr, bytes_of(*x), x->size()), EVP_PKEY_free);
}

/// Whether it is there to check signatures.
bool is_for_verifying(const json& member) {
  const auto use = text_member(member, "use");
  if (!use.empty() && use != "sig") return false;
  const auto operations = member.find("key_ops");
  return operations == member.end() || !operations->is_array() ||
         std::ranges::find(*operations, json("verify")) != operations->end();
}

/// r and s one behind the other, as OpenSSL wants them.
std::optional<std::string> der_of(std::string_view curve, std::string_view signature) {
  const auto* known = std::ranges::find(kCurves, curve, &Curve::name);
  if (known == std::end(kCurves) || signature.size() != 2 * known->bytes) return std::nullopt;
  const Signature pair(ECDSA_SIG_new());
  if (ECDSA_SIG_set0(pair.get(), number_of(signature.substr(0, known->bytes)).release(),
                     number_of(signature.substr(known->bytes)).release()) != 1) {
    return std::nullopt;
  }
  unsigned char* bytes = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &bytes);
  if (size <= 0) return std::nullopt;
  std::string der(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

}  // namespace

const TokenAlgorithm* find_token_algorithm(std::string_view name) {
  const auto* found = std::ranges::find(kAlgorithms, name, &TokenAlgorithm::name);
  return found == std::end(kAlgorithms) ? nullptr : found;
}

bool JsonWebKey::verifies(const TokenAlgorithm& by, std::string_view text,
                          std::string_view signature) const {
  const NoErrorsLeft none;
  if (by.type != type || (!by.curve.empty() && by.curve != curve)) return false;
  if (type == "RSA" && EVP_PKEY_get_bits(key.get()) < kLeastRsaBits) return false;
  std::string bytes(signature);
  if (type == "EC") {
    auto der = der_of(curve, signature);
    if (!der) return false;
    bytes = std::move(*der);
  }
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* of_key = nullptr;
  const std::string digest(by.digest);
  if (EVP_DigestVerifyInit_ex(context.get(), &of_key, digest.empty() ? nullptr : digest.c_str(),
                              nullptr, nullptr, key.get(), nullptr) != 1) {
    return false;
  }
  if (by.pss && (EVP_PKEY_CTX_set_rsa_padding(of_key, RSA_PKCS1_PSS_PADDING) != 1 ||
                 EVP_PKEY_CTX_set_rsa_pss_saltlen(of_key, RSA_PSS_SALTLEN_DIGEST) != 1)) {
    return false;
  }
  return EVP_DigestVerify(context.get(), bytes_of(bytes), bytes.size(), bytes_of(text),
                          text.size()) == 1;
}

Result<JsonWebKeys> JsonWebKeys::parse(std::string_view text) {
  const NoErrorsLeft none;
  const auto set = strict_object(text);
  const auto members = set ? set->find("keys") : json::const_iterator();
  if (!set || members == set->end() || !members->is_array()) {
    return error(Code::kInvalidArgument, "no JSON Web Key Set, which is {\"keys\": […]}");
  }
  JsonWebKeys keys;
  for (const auto& member : *members) {
    if (!member.is_object() || !is_for_verifying(member)) continue;
    JsonWebKey one{.id = text_member(member, "kid"),
                   .type = text_member(member, "kty"),
                   .curve = text_member(member, "crv"),
                   .algorithm = text_member(member, "alg"),
                   .key = nullptr};
    if (one.type == "RSA") one.key = rsa_key(member);
    if (one.type == "EC") one.key = curve_key(member, one.curve);
    if (one.type == "OKP") one.key = octet_key(member, one.curve);
    if (one.key) keys.keys_.push_back(std::move(one));
  }
  return keys;
}

const JsonWebKey* JsonWebKeys::find(const TokenAlgorithm& algorithm, const std::string* id) const {
  std::vector<const JsonWebKey*> fit;
  for (const auto& key : keys_) {
    if (key.type == algorithm.type && (id == nullptr || key.id == *id)) fit.push_back(&key);
  }
  const auto keep = [&](auto wanted) {
    if (fit.size() > 1) std::erase_if(fit, [&](const auto* key) { return !wanted(*key); });
  };
  keep([&](const auto& key) { return key.algorithm.empty() || key.algorithm == algorithm.name; });
  keep([&](const auto& key) { return algorithm.curve.empty() || key.curve == algorithm.curve; });
  return fit.empty() ? nullptr : fit.front();
}

}  // namespace tailrace::auth
