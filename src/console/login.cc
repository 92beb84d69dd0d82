#include "console/login.h"

#include "auth/digest.h"
#include "console/errors.h"

namespace tailrace::console {

std::optional<net::Response> why_not(const Login& login, const net::Request& request) {
  if (!login.users || request.path == "/healthz" || request.path == "/readyz") return std::nullopt;
  const std::string_view header = request.header("authorization");
  const auto basic = auth::basic_login(header);
  if (basic && login.users->is_right(basic->user, basic->password)) return std::nullopt;
  if (!login.token.empty() && auth::same_secret(header, "Bearer " + login.token))
    return std::nullopt;
  auto refused = refusal_response(401, basic ? "wrong user or password" : "who are you?");
  refused.headers.emplace_back("WWW-Authenticate", R"(Basic realm="tailrace", charset="UTF-8")");
  return refused;
}

}  // namespace tailrace::console
