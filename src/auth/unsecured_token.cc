// Tokens without a signature, as Kafka's OAuthBearerUnsecuredValidatorCallbackHandler takes them.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "auth/token_json.h"
#include "auth/web_token.h"

namespace tailrace::auth {
namespace {

using nlohmann::json;

std::unexpected<TokenRefusal> refuse(std::string why) {
  return std::unexpected(TokenRefusal{.why = std::move(why)});
}

/// Kafka's own client writes plain base64, librdkafka base64url.
std::optional<json> either_object(std::string_view part) {
  std::string text(part);
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return token_object(text);
}

/// A value as Kafka reads it: an object is an empty text.
std::string scope_text(const json& value) {
  if (value.is_string()) return trimmed(value.get<std::string>());
  return value.is_object() || value.is_array() ? std::string() : value.dump();
}

/// A text is one scope; of a list the blanks do not count.
std::expected<std::set<std::string>, TokenRefusal> scopes_of(const json& claims,
                                                             const std::string& name) {
  std::set<std::string> scopes;
  const auto* value = member(claims, name);
  if (value == nullptr) return scopes;
  if (value->is_number()) return refuse(fmt::format("its {} is no text", name));
  if (value->is_array()) {
    for (const auto& one : *value) scopes.insert(scope_text(one));
  } else {
    scopes.insert(scope_text(*value));
  }
  scopes.erase("");
  return scopes;
}

/// Milliseconds since 1970; nullopt for none.
std::expected<std::optional<double>, TokenRefusal> time_of(const json& claims, const char* name) {
  const auto* value = member(claims, name);
  if (value == nullptr) return std::nullopt;
  constexpr double kMostMs = 9e15;
  const double ms = value->is_number() ? value->get<double>() * 1000 : kMostMs;
  if (!(std::abs(ms) < kMostMs)) return refuse(fmt::format("its {} is no time", name));
  return ms;
}

}  // namespace

CheckedToken check_unsecured_token(std::string_view token, const UnsecuredRules& rules,
                                   rt::Clock& clock) {
  const auto parts = token_parts(token);
  if (!parts) return refuse("it has not three parts between dots");
  const auto header = either_object((*parts)[0]);
  const auto claims = either_object((*parts)[1]);
  if (!header || !claims) return refuse("it is not made of JSON");
  const auto* algorithm = member(*header, "alg");
  if (algorithm == nullptr || *algorithm != "none" || !(*parts)[2].empty()) {
    return refuse("it is signed, and unsecured tokens are asked for");
  }
  WebToken out;
  const auto* subject = member(*claims, rules.subject_claim);
  if (subject == nullptr || !subject->is_string() || trimmed(subject->get<std::string>()).empty()) {
    return refuse(fmt::format("it does not say whose it is ({})", rules.subject_claim));
  }
  out.subject = subject->get<std::string>();
  ASSIGN(const auto issued, time_of(*claims, "iat"));
  ASSIGN(const auto expires, time_of(*claims, "exp"));
  const auto now = static_cast<double>(clock.now().value);
  const auto skew = static_cast<double>(rules.clock_skew_ms);
  if (issued && *issued > now + skew) return refuse("it was issued in the future (iat)");
  if (!expires) return refuse("it does not say when it expires (exp)");
  if (now - skew >= *expires) return refuse("it has expired");
  if (issued && *expires <= *issued) return refuse("it expires before it was issued");
  out.expires_ms = std::llround(*expires);
  ASSIGN(out.scopes, scopes_of(*claims, rules.scope_claim));
  for (const auto& scope : rules.required_scopes) {
    if (out.scopes.contains(scope)) continue;
    return std::unexpected(
        TokenRefusal{.why = fmt::format("it lacks the scope {}", scope),
                     .status = "insufficient_scope",
                     .scope = fmt::format("[{}]", fmt::join(rules.required_scopes, ", "))});
  }
  return out;
}

}  // namespace tailrace::auth
