// Signatures by scheme: what is signed, and where its digest stands.
#include "hooks/signature.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <functional>

#include "auth/digest.h"
#include "base/base64.h"
#include "base/hex.h"

namespace tailrace::hooks {
namespace {

using connect::WebhookSignature;
using Scheme = WebhookSignature::Scheme;

/// A header with a hundred signatures is no sender's.
constexpr int kMostSignatures = 16;

Error denied(std::string what) {
  return {Code::kPermissionDenied, std::move(what)};
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

Result<std::string_view> needed(const net::Request& request, std::string_view name) {
  const std::string_view value = request.header(name);
  if (value.empty()) return std::unexpected(denied(fmt::format("no header {}", name)));
  return value;
}

Status check_time(std::string_view seconds, std::int64_t tolerance_ms, std::int64_t now_ms) {
  std::int64_t at = 0;
  const auto [end, failure] = std::from_chars(seconds.data(), seconds.data() + seconds.size(), at);
  if (failure != std::errc() || end != seconds.data() + seconds.size() || at < 0 ||
      at > INT64_MAX / 1000)
    return std::unexpected(denied("the signed time is not in seconds since 1970"));
  if (std::abs(now_ms - at * 1000) > tolerance_ms)
    return std::unexpected(denied(fmt::format("the signed time is {} s from ours, more than {} s",
                                              std::abs(now_ms / 1000 - at), tolerance_ms / 1000)));
  return {};
}

/// Each `part` of a text that is split at `separator`.
void for_parts(std::string_view text, char separator,
               const std::function<void(std::string_view)>& part) {
  for (int i = 0; i < kMostSignatures && !text.empty(); ++i) {
    const std::size_t end = std::min(text.find(separator), text.size());
    std::string_view one = text.substr(0, end);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    part(one);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

/// Whether one of the digests is that of `text` with one of the secrets. All are compared.
Status check_digests(const WebhookSignature& how, const std::vector<std::string>& given,
                     const std::function<std::string(const std::string& secret)>& expected) {
  bool same = false;
  for (const std::string& secret : how.secrets) {
    const std::string wanted = expected(secret);
    for (const std::string& one : given) same |= auth::same_secret(one, wanted);
  }
  if (same) return {};
  return std::unexpected(denied(
      given.empty() ? "the header has no signature of the kind that is expected"
                    : "the signature is not that of the body with the secret that is known here"));
}

std::string hex_sha256(const std::string& secret, std::string_view text) {
  return encode_hex(auth::hmac_sha256(secret, text));
}

Status check_github(const WebhookSignature& how, const net::Request& request) {
  ASSIGN(std::string_view value, needed(request, "x-hub-signature-256"));
  std::vector<std::string> given;
  if (value.starts_with("sha256=")) given.push_back(lower(value.substr(7)));
  return check_digests(how, given, [&](const auto& s) { return hex_sha256(s, request.body); });
}

Status check_stripe(const WebhookSignature& how, const net::Request& request, std::int64_t now_ms) {
  ASSIGN(const std::string_view value, needed(request, "stripe-signature"));
  std::vector<std::string> given;
  std::string_view at;
  for_parts(value, ',', [&](std::string_view part) {
    if (part.starts_with("t=")) at = part.substr(2);
    if (part.starts_with("v1=")) given.push_back(lower(part.substr(3)));
  });
  TRY(check_time(at, how.tolerance_ms, now_ms));
  const std::string text = fmt::format("{}.{}", at, request.body);
  return check_digests(how, given, [&](const auto& s) { return hex_sha256(s, text); });
}

Status check_slack(const WebhookSignature& how, const net::Request& request, std::int64_t now_ms) {
  ASSIGN(const std::string_view value, needed(request, "x-slack-signature"));
  ASSIGN(const std::string_view at, needed(request, "x-slack-request-timestamp"));
  TRY(check_time(at, how.tolerance_ms, now_ms));
  std::vector<std::string> given;
  if (value.starts_with("v0=")) given.push_back(lower(value.substr(3)));
  const std::string text = fmt::format("v0:{}:{}", at, request.body);
  return check_digests(how, given, [&](const auto& s) { return hex_sha256(s, text); });
}

Status check_standard(const WebhookSignature& how, const net::Request& request,
                      std::int64_t now_ms) {
  ASSIGN(const std::string_view value, needed(request, "webhook-signature"));
  ASSIGN(const std::string_view id, needed(request, "webhook-id"));
  ASSIGN(const std::string_view at, needed(request, "webhook-timestamp"));
  TRY(check_time(at, how.tolerance_ms, now_ms));
  std::vector<std::string> given;
  for_parts(value, ' ', [&](std::string_view part) {
    if (part.starts_with("v1,")) given.emplace_back(part.substr(3));
  });
  const std::string text = fmt::format("{}.{}.{}", id, at, request.body);
  return check_digests(how, given, [&](const std::string& secret) {
    std::string_view packed = secret;
    if (packed.starts_with("whsec_")) packed.remove_prefix(6);
    return encode_base64(auth::hmac_sha256(decode_base64(packed).value_or(secret), text));
  });
}

Status check_hmac(const WebhookSignature& how, const net::Request& request) {
  ASSIGN(const std::string_view value, needed(request, how.header));
  const bool hex = how.encoding == "hex";
  std::vector<std::string> given;
  if (value.starts_with(how.prefix)) {
    const std::string_view digest = value.substr(how.prefix.size());
    given.push_back(hex ? lower(digest) : std::string(digest));
  }
  return check_digests(how, given, [&](const std::string& secret) {
    const std::string digest = how.algorithm == "sha1" ? auth::hmac_sha1(secret, request.body)
                               : how.algorithm == "sha512"
                                   ? auth::hmac_sha512(secret, request.body)
                                   : auth::hmac_sha256(secret, request.body);
    return hex ? encode_hex(digest) : encode_base64(digest);
  });
}

}  // namespace

Status check_signature(const WebhookSignature& how, const net::Request& request,
                       std::int64_t now_ms) {
  switch (how.scheme) {
    case Scheme::kNone:
      return {};
    case Scheme::kGitHub:
      return check_github(how, request);
    case Scheme::kStripe:
      return check_stripe(how, request, now_ms);
    case Scheme::kSlack:
      return check_slack(how, request, now_ms);
    case Scheme::kStandard:
      return check_standard(how, request, now_ms);
    case Scheme::kHmac:
      return check_hmac(how, request);
  }
  return {};
}

Status check_token(const connect::WebhookOptions& hook, const net::Request& request) {
  if (hook.token.empty()) return {};
  const bool bearer = hook.token_header.empty();
  std::string_view said = request.header(bearer ? "authorization" : hook.token_header);
  if (bearer) {
    constexpr std::string_view kBearer = "bearer ";
    if (lower(said.substr(0, kBearer.size())) == kBearer) {
      said.remove_prefix(kBearer.size());
    } else {
      said = {};
    }
  }
  if (auth::same_secret(said, hook.token)) return {};
  const std::string where = bearer ? "Authorization: Bearer TOKEN" : "header " + hook.token_header;
  return std::unexpected(denied(said.empty() ? "the token is missing: " + where
                                             : "the token is another one: " + where));
}

}  // namespace tailrace::hooks
