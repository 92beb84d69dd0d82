#include "auth/scram.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <charconv>
#include <vector>

#include "auth/digest.h"
#include "base/base64.h"

namespace tailrace::auth {
namespace {

const EVP_MD* digest(ScramMechanism mechanism) {
  return mechanism == ScramMechanism::kSha256 ? EVP_sha256() : EVP_sha512();
}

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string hmac(ScramMechanism mechanism, std::string_view key, std::string_view text) {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  HMAC(digest(mechanism), key.data(), static_cast<int>(key.size()), bytes(text), text.size(),
       reinterpret_cast<unsigned char*>(out.data()), &size);
  out.resize(size);
  return out;
}

std::string hash(ScramMechanism mechanism, std::string_view text) {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(out.data()), &size,
             digest(mechanism), nullptr);
  out.resize(size);
  return out;
}

std::string exclusive_or(std::string one, std::string_view other) {
  for (std::size_t i = 0; i < one.size() && i < other.size(); ++i) {
    one[i] = static_cast<char>(one[i] ^ other[i]);
  }
  return one;
}

std::vector<std::string_view> parts_of(std::string_view message) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto comma = message.find(',');
    parts.push_back(message.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    message.remove_prefix(comma + 1);
  }
}

/// The value of NAME=value.
std::optional<std::string_view> value(std::string_view part, char name) {
  if (part.size() < 2 || part[0] != name || part[1] != '=') return std::nullopt;
  return part.substr(2);
}

/// RFC 5802 §5.1, saslname.
std::optional<std::string> name_of(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=') {
      out += text[i];
    } else if (text.substr(i, 3) == "=2C") {
      out += ',';
      i += 2;
    } else if (text.substr(i, 3) == "=3D") {
      out += '=';
      i += 2;
    } else {
      return std::nullopt;
    }
  }
  return out;
}

std::string written_name(std::string_view name) {
  std::string out;
  for (const char c : name) out += c == ',' ? "=2C" : c == '=' ? "=3D" : std::string(1, c);
  return out;
}

std::unexpected<Error> malformed(std::string_view what) {
  return error(Code::kInvalidArgument, fmt::format("not a {} of SCRAM", what));
}

}  // namespace

std::string_view mechanism_name(ScramMechanism mechanism) {
  return mechanism == ScramMechanism::kSha256 ? "SCRAM-SHA-256" : "SCRAM-SHA-512";
}

std::optional<ScramMechanism> scram_mechanism(std::string_view name) {
  if (name == "SCRAM-SHA-256") return ScramMechanism::kSha256;
  if (name == "SCRAM-SHA-512") return ScramMechanism::kSha512;
  return std::nullopt;
}

std::string salted_password(ScramMechanism mechanism, std::string_view password,
                            std::string_view salt, std::int32_t iterations) {
  const auto* md = digest(mechanism);
  std::string out(static_cast<std::size_t>(EVP_MD_get_size(md)), '\0');
  PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), bytes(salt),
                    static_cast<int>(salt.size()), iterations, md, static_cast<int>(out.size()),
                    reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

ScramCredential credential_of(ScramMechanism mechanism, std::string_view salted, std::string salt,
                              std::int32_t iterations) {
  return {std::move(salt), hash(mechanism, hmac(mechanism, salted, "Client Key")),
          hmac(mechanism, salted, "Server Key"), iterations};
}

Result<ScramServer::Hello> ScramServer::first(std::string_view message) {
  const auto parts = parts_of(message);
  // No channel is bound: TLS is below, and RFC 5802's -PLUS is not offered.
  if (parts.size() < 4 || (parts[0] != "n" && parts[0] != "y")) return malformed("client-first");
  Hello hello;
  if (!parts[1].empty()) {
    const auto as = value(parts[1], 'a');
    const auto name = as ? name_of(*as) : std::nullopt;
    if (!name) return malformed("client-first");
    hello.authorize_as = *name;
  }
  const auto user = value(parts[2], 'n');
  const auto name = user ? name_of(*user) : std::nullopt;
  const auto nonce = value(parts[3], 'r');
  if (!name || name->empty() || !nonce || nonce->empty()) return malformed("client-first");
  hello.user = *name;
  for (std::size_t i = 4; i < parts.size(); ++i) hello.by_token |= parts[i] == "tokenauth=true";
  head_ = std::string(message.substr(0, parts[0].size() + parts[1].size() + 2));
  bare_ = std::string(message.substr(head_.size()));
  nonce_ = std::string(*nonce) + nonce_;
  return hello;
}

std::string ScramServer::challenge(const ScramCredential& credential) {
  credential_ = credential;
  challenge_ =
      fmt::format("r={},s={},i={}", nonce_, encode_base64(credential.salt), credential.iterations);
  return challenge_;
}

Result<std::string> ScramServer::finish(std::string_view message) {
  const auto parts = parts_of(message);
  if (parts.size() < 3 || challenge_.empty()) return malformed("client-final");
  const auto binding = value(parts[0], 'c');
  const auto nonce = value(parts[1], 'r');
  const auto proof = value(parts.back(), 'p');
  if (!binding || !nonce || !proof) return malformed("client-final");
  if (from_base64(*binding) != head_ || *nonce != nonce_) {
    return error(Code::kPermissionDenied, "client-final answers another challenge");
  }
  const auto told = from_base64(*proof);
  if (!told || told->size() != credential_.stored_key.size()) return malformed("client-final");
  const auto without_proof = message.substr(0, message.size() - parts.back().size() - 1);
  const auto all = fmt::format("{},{},{}", bare_, challenge_, without_proof);
  const auto client_key = exclusive_or(*told, hmac(mechanism_, credential_.stored_key, all));
  if (!same_secret(hash(mechanism_, client_key), credential_.stored_key)) {
    return error(Code::kPermissionDenied, "the password is another one");
  }
  return "v=" + encode_base64(hmac(mechanism_, credential_.server_key, all));
}

ScramClient::ScramClient(ScramMechanism mechanism, std::string user, std::string password,
                         std::string nonce)
    : mechanism_(mechanism),
      password_(std::move(password)),
      nonce_(std::move(nonce)),
      bare_(fmt::format("n={},r={}", written_name(user), nonce_)) {}

Result<std::string> ScramClient::proof(std::string_view challenge) {
  const auto parts = parts_of(challenge);
  if (parts.size() < 3) return malformed("server-first");
  const auto nonce = value(parts[0], 'r');
  const auto salt = from_base64(value(parts[1], 's').value_or("?"));
  const auto count = value(parts[2], 'i').value_or("");
  std::int32_t iterations = 0;
  std::from_chars(count.data(), count.data() + count.size(), iterations);
  constexpr std::int32_t kMost = 10'000'000;
  if (!nonce || !nonce->starts_with(nonce_) || !salt || iterations < kLeastIterations ||
      iterations > kMost) {
    return malformed("server-first");
  }
  const auto salted = salted_password(mechanism_, password_, *salt, iterations);
  const auto client_key = hmac(mechanism_, salted, "Client Key");
  const auto without_proof = fmt::format("c=biws,r={}", *nonce);
  const auto all = fmt::format("{},{},{}", bare_, challenge, without_proof);
  signature_ = hmac(mechanism_, hmac(mechanism_, salted, "Server Key"), all);
  const auto signature = hmac(mechanism_, hash(mechanism_, client_key), all);
  return fmt::format("{},p={}", without_proof, encode_base64(exclusive_or(client_key, signature)));
}

Status ScramClient::verify(std::string_view message) const {
  const auto told = from_base64(value(message, 'v').value_or("?"));
  if (told && !signature_.empty() && same_secret(*told, signature_)) return {};
  return error(Code::kPermissionDenied, "the server does not know the password");
}

}  // namespace tailrace::auth
