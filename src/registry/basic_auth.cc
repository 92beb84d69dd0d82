#include "registry/basic_auth.h"

#include <algorithm>

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

}  // namespace

std::optional<subjects::Refusal> why_not(const BasicAuth& auth, const net::Request& request) {
  if (!auth.passwords || is_open(auth.open_paths, request.path)) return std::nullopt;
  const auto login = auth::basic_login(request.header("authorization"));
  if (!login || !auth.passwords->is_right(login->user, login->password))
    return subjects::Refusal(401, "Unauthorized");
  const bool any_role = std::ranges::find(auth.roles, "*") != auth.roles.end();
  if (!any_role && !auth.passwords->has_role(login->user, auth.roles))
    return subjects::Refusal(403, "Forbidden");
  return std::nullopt;
}

}  // namespace tailrace::registry
