// The signature that a client should have made, made again.
#include "hooks/aws_login.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "auth/digest.h"
#include "base/hex.h"
#include "net/aws_signature.h"

namespace tailrace::hooks {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::int64_t kToleranceMs = 15 * 60'000;

std::unexpected<Error> denied(std::string what) {
  return error(Code::kPermissionDenied, std::move(what));
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

/// NAME=VALUE of an Authorization header's parts.
std::string_view part_of(std::string_view header, std::string_view name) {
  const std::string key = std::string(name) + "=";
  const std::size_t at = header.find(key);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = header.substr(at + key.size());
  return rest.substr(0, rest.find_first_of(", "));
}

/// A header's value with runs of blanks as one, as it is signed.
std::string squeezed(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == ' ' && (out.empty() || out.back() == ' ')) continue;
    out.push_back(c);
  }
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

std::string canonical_query(std::string_view target) {
  const std::size_t at = target.find('?');
  if (at == std::string_view::npos) return {};
  std::vector<std::string> pairs;
  for (const std::string_view one : split(target.substr(at + 1), '&')) {
    if (one.empty()) continue;
    pairs.emplace_back(one.find('=') == std::string_view::npos ? std::string(one) + "="
                                                               : std::string(one));
  }
  std::ranges::sort(pairs);
  return fmt::format("{}", fmt::join(pairs, "&"));
}

/// "20260131T120000Z" in milliseconds since 1970; -1: it is none.
std::int64_t time_of(std::string_view text) {
  std::tm tm{};
  const std::string date(text);
  const char* end = strptime(date.c_str(), "%Y%m%dT%H%M%SZ", &tm);
  if (end == nullptr || *end != '\0') return -1;
  return static_cast<std::int64_t>(timegm(&tm)) * 1000;
}

std::string signature(const InvokeLogin& login, const net::Request& request,
                      std::string_view signed_headers, std::string_view date,
                      const std::vector<std::string_view>& scope) {
  const std::string_view path =
      std::string_view(request.target).substr(0, request.target.find('?'));
  // Every service but S3 signs the path that is sent, encoded once more.
  std::string canonical = fmt::format("{}\n{}\n{}\n", request.method, net::aws_encode(path, true),
                                      canonical_query(request.target));
  for (const std::string_view name : split(signed_headers, ';'))
    canonical += fmt::format("{}:{}\n", name, squeezed(request.header(name)));
  canonical += fmt::format("\n{}\n{}", signed_headers, encode_hex(auth::sha256(request.body)));
  const std::string text =
      fmt::format("{}\n{}\n{}/{}/{}/{}\n{}", kAlgorithm, date, scope[1], scope[2], scope[3],
                  scope[4], encode_hex(auth::sha256(canonical)));
  std::string key = "AWS4" + login.secret_key;
  for (int i = 1; i <= 4; ++i) key = auth::hmac_sha256(key, scope[static_cast<std::size_t>(i)]);
  return encode_hex(auth::hmac_sha256(key, text));
}

Status check_signed(const InvokeLogin& login, const net::Request& request, std::int64_t now_ms) {
  const std::string_view header = request.header("authorization");
  const auto scope = split(part_of(header, "Credential"), '/');
  const std::string_view names = part_of(header, "SignedHeaders");
  const std::string_view date = request.header("x-amz-date");
  if (!header.starts_with(kAlgorithm) || scope.size() != 5)
    return denied("Missing Authentication Token");
  const auto signed_names = split(names, ';');
  for (const char* needed : {"host", "x-amz-date"})
    if (std::ranges::find(signed_names, needed) == signed_names.end())
      return denied(fmt::format("'{}' must be a 'SignedHeader' in the AWS Authorization.", needed));
  if (!auth::same_secret(scope[0], login.access_key))
    return denied("The security token included in the request is invalid.");
  const std::int64_t at = time_of(date);
  if (at < 0 || std::abs(now_ms - at) > kToleranceMs || !date.starts_with(scope[1]))
    return denied(fmt::format("Signature expired: {} is too far from the time here", date));
  if (auth::same_secret(part_of(header, "Signature"),
                        signature(login, request, names, date, scope)))
    return {};
  return denied(
      "The request signature we calculated does not match the signature you provided. Check your "
      "AWS Secret Access Key and signing method.");
}

}  // namespace

Status check_login(const InvokeLogin& login, const net::Request& request, std::int64_t now_ms) {
  if (!login.guarded()) return {};
  constexpr std::string_view kBearer = "Bearer ";
  const std::string_view header = request.header("authorization");
  if (!login.token.empty() && header.starts_with(kBearer) &&
      auth::same_secret(header.substr(kBearer.size()), login.token))
    return {};
  if (!login.access_key.empty()) return check_signed(login, request, now_ms);
  return denied("the token is missing or another one: Authorization: Bearer TOKEN");
}

}  // namespace tailrace::hooks
