// Signature Version 4 by its published steps: canonical request, string to sign, key, signature.
#include "net/aws_signature.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <map>
#include <string_view>

#include "base/check.h"

namespace tailrace::net {
namespace {

std::string sha256(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  CHECK(EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

std::string hmac(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(),
             &size) != nullptr);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

/// When a request is signed, and for what its key is good.
struct Scope {
  std::string stamp, day, text;

  explicit Scope(const AwsRequest& request)
      : stamp(fmt::format("{:%Y%m%dT%H%M%SZ}",
                          fmt::gmtime(static_cast<std::time_t>(request.seconds_since_1970)))),
        day(stamp.substr(0, 8)),
        text(fmt::format("{}/{}/{}/aws4_request", day, request.region, request.service)) {}

  std::string sign(const AwsRequest& request, const AwsKeys& keys,
                   std::string_view canonical) const {
    const std::string to_sign =
        "AWS4-HMAC-SHA256\n" + stamp + "\n" + text + "\n" + hex(sha256(canonical));
    const std::string key =
        hmac(hmac(hmac(hmac("AWS4" + keys.secret_key, day), request.region), request.service),
             "aws4_request");
    return hex(hmac(key, to_sign));
  }
};

}  // namespace

std::string aws_encode(std::string_view text, bool keep_slash) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos ||
                       (c == '/' && keep_slash);
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string aws_query(const AwsRequest& request) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : request.query)
    parts.push_back(aws_encode(name, false) + "=" + aws_encode(value, false));
  std::ranges::sort(parts);
  return fmt::format("{}", fmt::join(parts, "&"));
}

std::vector<std::pair<std::string, std::string>> aws_signature(const AwsRequest& request,
                                                               const AwsKeys& keys) {
  const Scope scope(request);
  const std::string body = hex(sha256(request.body));
  std::map<std::string, std::string> headers = {
      {"host", request.host}, {"x-amz-content-sha256", body}, {"x-amz-date", scope.stamp}};
  headers.insert(request.headers.begin(), request.headers.end());
  if (!keys.session_token.empty()) headers["x-amz-security-token"] = keys.session_token;
  std::string canonical = request.method + "\n" + request.path + "\n" + aws_query(request) + "\n",
              names;
  for (const auto& [name, value] : headers) {
    canonical += name + ":" + value + "\n";
    names += (names.empty() ? "" : ";") + name;
  }
  canonical += "\n" + names + "\n" + body;
  headers.erase("host");
  std::vector<std::pair<std::string, std::string>> out(headers.begin(), headers.end());
  out.emplace_back(
      "Authorization",
      fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}",
                  keys.access_key, scope.text, names, scope.sign(request, keys, canonical)));
  return out;
}

std::string aws_presigned_query(AwsRequest request, const AwsKeys& keys, int expires_s) {
  const Scope scope(request);
  request.query.emplace_back("X-Amz-Algorithm", "AWS4-HMAC-SHA256");
  request.query.emplace_back("X-Amz-Credential", keys.access_key + "/" + scope.text);
  request.query.emplace_back("X-Amz-Date", scope.stamp);
  request.query.emplace_back("X-Amz-Expires", fmt::format("{}", expires_s));
  request.query.emplace_back("X-Amz-SignedHeaders", "host");
  if (!keys.session_token.empty())
    request.query.emplace_back("X-Amz-Security-Token", keys.session_token);
  const std::string query = aws_query(request);
  const std::string canonical = fmt::format("{}\n{}\n{}\nhost:{}\n\nhost\n{}", request.method,
                                            request.path, query, request.host, hex(sha256("")));
  return fmt::format("{}&X-Amz-Signature={}", query, scope.sign(request, keys, canonical));
}

}  // namespace tailrace::net
