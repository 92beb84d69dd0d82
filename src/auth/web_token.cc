#include "auth/web_token.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "auth/token_json.h"

namespace tailrace::auth {
namespace {

using nlohmann::json;

constexpr std::int64_t kMostSeconds = INT64_MAX / 1000;

std::unexpected<TokenRefusal> refuse(std::string why) {
  return std::unexpected(TokenRefusal{.why = std::move(why)});
}

/// Whether it is a text or not there.
bool text_or_none(const json& object, const std::string& name) {
  const auto* value = member(object, name);
  return value == nullptr || value->is_string();
}

/// Whole seconds since 1970; an error for what is no number, nullopt for none.
std::expected<std::optional<std::int64_t>, TokenRefusal> seconds_of(const json& claims,
                                                                    const char* name) {
  const auto* value = member(claims, name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) return refuse(fmt::format("its {} is no number", name));
  const double seconds = value->get<double>();
  if (!(std::abs(seconds) < static_cast<double>(kMostSeconds))) {
    return refuse(fmt::format("its {} is no time", name));
  }
  return static_cast<std::int64_t>(seconds);
}

struct Times {
  std::optional<std::int64_t> issued, expires, not_before;
};

std::expected<Times, TokenRefusal> times_of(const json& claims) {
  Times times;
  ASSIGN(times.issued, seconds_of(claims, "iat"));
  ASSIGN(times.expires, seconds_of(claims, "exp"));
  ASSIGN(times.not_before, seconds_of(claims, "nbf"));
  return times;
}

std::optional<std::string> fault_of(const Times& times, std::int64_t skew_s, std::int64_t now_ms) {
  if (!times.expires) return "it does not say when it expires (exp)";
  if (!times.issued) return "it does not say when it was issued (iat)";
  const auto now_s = now_ms / 1000;
  if (now_s - skew_s >= *times.expires) return "it has expired";
  if (times.not_before && now_s + skew_s < *times.not_before) return "it does not count yet (nbf)";
  if (*times.expires < *times.issued) return "it expires before it was issued";
  if (times.not_before && *times.expires < *times.not_before) return "it expires before it counts";
  return std::nullopt;
}

std::optional<std::string> audience_fault(const json& claims, const TokenRules& rules) {
  const auto* audience = member(claims, "aud");
  if (audience == nullptr) {
    if (rules.audiences.empty()) return std::nullopt;
    return "it names no audience (aud)";
  }
  std::vector<std::string> all;
  if (audience->is_string()) all.push_back(audience->get<std::string>());
  if (audience->is_array()) {
    for (const auto& one : *audience) {
      if (!one.is_string()) return "its audience (aud) is no list of texts";
      all.push_back(one.get<std::string>());
    }
  } else if (!audience->is_string()) {
    return "its audience (aud) is no text";
  }
  if (rules.audiences.empty()) {
    return "it is for an audience (aud), and none is expected: set "
           "sasl.oauthbearer.expected.audience";
  }
  const bool for_us = std::ranges::find_first_of(all, rules.audiences) != all.end();
  return for_us ? std::nullopt : std::optional<std::string>("it is for another audience (aud)");
}

std::optional<std::string> issuer_fault(const json& claims, const TokenRules& rules) {
  if (!text_or_none(claims, "iss")) return "its issuer (iss) is no text";
  if (!rules.issuer) return std::nullopt;
  const auto* issuer = member(claims, "iss");
  if (issuer == nullptr) return "it names no issuer (iss)";
  return issuer->get<std::string>() == *rules.issuer
             ? std::nullopt
             : std::optional<std::string>("it is of another issuer (iss)");
}

/// A text is one scope, whatever it is made of; a list has no text twice.
std::expected<std::set<std::string>, TokenRefusal> scopes_of(const json& claims,
                                                             const std::string& name) {
  std::set<std::string> scopes;
  const auto* value = member(claims, name);
  if (value == nullptr || (!value->is_string() && !value->is_array())) return scopes;
  const auto add = [&](const json& one) {
    const auto scope = one.is_string() ? trimmed(one.get<std::string>()) : std::string();
    return !scope.empty() && scopes.insert(scope).second;
  };
  bool good = true;
  if (value->is_string()) good = add(*value);
  if (value->is_array()) good = std::ranges::all_of(*value, add);
  if (!good) return refuse(fmt::format("its {} has an empty text, or one twice", name));
  return scopes;
}

/// Whose signature it has; the refusal when it is nobody's who is known.
std::optional<TokenRefusal> signature_fault(const std::array<std::string_view, 3>& parts,
                                            const JsonWebKeys& keys) {
  const auto header = token_object(parts[0]);
  if (!header) return TokenRefusal{.why = "its header is no JSON"};
  const auto* named = member(*header, "alg");
  const auto* algorithm = named != nullptr && named->is_string()
                              ? find_token_algorithm(named->get<std::string>())
                              : nullptr;
  if (algorithm == nullptr)
    return TokenRefusal{.why = "it is not signed in a way that is known (alg)"};
  // What must be understood, and a token within the token, are not.
  if (header->contains("crit")) return TokenRefusal{.why = "it has critical extensions (crit)"};
  if (!text_or_none(*header, "kid")) return TokenRefusal{.why = "its kid is no text"};
  if (const auto* content = member(*header, "cty")) {
    auto kind = content->is_string() ? content->get<std::string>() : std::string("jwt");
    std::ranges::transform(kind, kind.begin(), [](unsigned char c) { return std::tolower(c); });
    if (kind == "jwt" || kind == "application/jwt") {
      return TokenRefusal{.why = "it holds another token (cty)"};
    }
  }
  std::optional<std::string> id;
  if (const auto* said = member(*header, "kid")) id = said->get<std::string>();
  const auto* key = keys.find(*algorithm, id ? &*id : nullptr);
  if (key == nullptr) {
    return TokenRefusal{.why = "its key is not in the key set", .missing_key = std::move(id)};
  }
  const auto signature = from_base64url(parts[2]);
  const std::string_view text(parts[0].data(), parts[0].size() + 1 + parts[1].size());
  if (!signature || !key->verifies(*algorithm, text, *signature)) {
    return TokenRefusal{.why = "its signature is wrong"};
  }
  return std::nullopt;
}

}  // namespace

CheckedToken check_token(std::string_view token, const JsonWebKeys& keys, const TokenRules& rules,
                         rt::Clock& clock) {
  const auto parts = token_parts(token);
  if (!parts || std::ranges::any_of(*parts, &std::string_view::empty)) {
    return refuse("it has not three parts between dots");
  }
  if (auto fault = signature_fault(*parts, keys)) return std::unexpected(std::move(*fault));
  const auto claims = token_object((*parts)[1]);
  if (!claims) return refuse("its claims are no JSON");
  ASSIGN(const auto times, times_of(*claims));
  if (auto fault = fault_of(times, rules.clock_skew_s, clock.now().value)) return refuse(*fault);
  if (auto fault = audience_fault(*claims, rules)) return refuse(*fault);
  if (auto fault = issuer_fault(*claims, rules)) return refuse(*fault);
  for (const auto* name : {"sub", "jti"}) {
    if (!text_or_none(*claims, name)) return refuse(fmt::format("its {} is no text", name));
  }
  WebToken out;
  ASSIGN(out.scopes, scopes_of(*claims, rules.scope_claim));
  if (*times.expires < 0 || *times.issued < 0) return refuse("its times are before 1970");
  out.expires_ms = *times.expires * 1000;
  const auto* subject = member(*claims, rules.subject_claim);
  if (subject == nullptr || !subject->is_string() ||
      (out.subject = trimmed(subject->get<std::string>())).empty()) {
    return refuse(fmt::format("it does not say whose it is ({})", rules.subject_claim));
  }
  return out;
}

}  // namespace tailrace::auth
