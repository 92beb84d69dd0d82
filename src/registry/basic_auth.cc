#include "registry/basic_auth.h"

#include <algorithm>

#include "auth/digest.h"

namespace tailrace::registry {
namespace {

// "/v1/metadata" means itself, "/v1/*" all below.
bool is_open(const std::vector<std::string>& open, const std::string& path) {
  return std::ranges::any_of(open, [&](std::string_view pattern) {
    if (!pattern.ends_with("/*")) return pattern == path;
    pattern.remove_suffix(2);
    return path == pattern || path.starts_with(std::string(pattern) + "/");
  });
}

struct Login {
  std::string user, password;
};

std::optional<Login> login_of(std::string_view header) {
  constexpr std::string_view kScheme = "basic ";
  const bool basic =
      header.size() > kScheme.size() &&
      std::ranges::equal(header.substr(0, kScheme.size()), kScheme,
                         [](unsigned char a, char b) { return std::tolower(a) == b; });
  if (!basic) return std::nullopt;
  const auto text = auth::from_base64(header.substr(kScheme.size()));
  if (!text) return std::nullopt;
  const auto colon = text->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return Login{text->substr(0, colon), text->substr(colon + 1)};
}

}  // namespace

std::optional<subjects::Refusal> why_not(const BasicAuth& auth, const net::Request& request) {
  if (!auth.passwords || is_open(auth.open_paths, request.path)) return std::nullopt;
  const auto login = login_of(request.header("authorization"));
  if (!login || !auth.passwords->is_right(login->user, login->password))
    return subjects::Refusal(401, "Unauthorized");
  const bool any_role = std::ranges::find(auth.roles, "*") != auth.roles.end();
  if (!any_role && !auth.passwords->has_role(login->user, auth.roles))
    return subjects::Refusal(403, "Forbidden");
  return std::nullopt;
}

}  // namespace tailrace::registry
