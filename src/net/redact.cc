// Blanks what must not be read in a log: user:password@ and the values of token-like query
// parameters.
#include <array>
#include <string>
#include <string_view>

#include "net/http_client.h"

namespace tailrace::net {
namespace {

constexpr std::array<std::string_view, 13> kSecretWords{
    "token", "key",  "secret",  "pass", "pwd", "sig", "auth",
    "cred",  "code", "session", "jwt",  "sas", "hash"};

bool is_secret(std::string_view name) {
  std::string low;
  for (char c : name) low.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
  for (auto word : kSecretWords) {
    if (low.find(word) != low.npos) return true;
  }
  return false;
}

std::string redact_query(std::string_view query) {
  std::string out;
  while (!query.empty()) {
    auto end = query.find_first_of("&;");
    auto pair = query.substr(0, end);
    auto name = pair.substr(0, pair.find('='));
    out += is_secret(name) ? std::string(name) + "=***" : std::string(pair);
    if (end == query.npos) break;
    out.push_back(query[end]);
    query.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace

std::string redact_url(std::string_view url) {
  std::string out;
  if (auto scheme = url.find("://"); scheme != url.npos) {
    out = url.substr(0, scheme + 3);
    url.remove_prefix(scheme + 3);
  }
  auto authority = url.substr(0, url.find_first_of("/?#"));
  if (auto at = authority.rfind('@'); at != authority.npos) url.remove_prefix(at + 1);
  url = url.substr(0, url.find('#'));
  auto mark = url.find('?');
  out += url.substr(0, mark);
  if (mark != url.npos) out += "?" + redact_query(url.substr(mark + 1));
  return out;
}

}  // namespace tailrace::net
