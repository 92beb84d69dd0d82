#include "kafka/token_checks.h"

#include <fmt/format.h>

#include <charconv>
#include <sstream>

#include "auth/jaas.h"
#include "auth/oauth_bearer.h"
#include "kafka/key_source.h"

namespace tailrace::kafka {
namespace {

const std::string kHandler = "sasl.server.callback.handler.class";
const std::string kUrl = "sasl.oauthbearer.jwks.endpoint.url";
constexpr std::string_view kUnsecuredHandler = "OAuthBearerUnsecuredValidatorCallbackHandler";
constexpr std::string_view kSignedHandler = "OAuthBearerValidatorCallbackHandler";
constexpr std::string_view kPackage = "org.apache.kafka.common.security.oauthbearer.";

/// What is said of this mechanism counts before what is said of the listener.
class Own {
 public:
  explicit Own(const Settings& settings) : settings_(settings) {}

  std::string get(const std::string& name) const {
    const auto own = "oauthbearer." + name;
    return settings_.get(settings_.has(own) ? own : name);
  }
  std::int64_t number(const std::string& name) const {
    const auto text = get(name);
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  }

 private:
  const Settings& settings_;
};

class SignedTokens final : public auth::TokenChecker {
 public:
  SignedTokens(std::unique_ptr<KeySource> keys, auth::TokenRules rules)
      : keys_(std::move(keys)), rules_(std::move(rules)) {}

  auth::CheckedToken check(std::string_view token) override {
    auto checked = auth::check_token(token, *keys_->keys(), rules_, rt::system_clock());
    if (!checked && checked.error().missing_key) keys_->missed(*checked.error().missing_key);
    return checked;
  }

 private:
  const std::unique_ptr<KeySource> keys_;
  const auth::TokenRules rules_;
};

class UnsecuredTokens final : public auth::TokenChecker {
 public:
  explicit UnsecuredTokens(auth::UnsecuredRules rules) : rules_(std::move(rules)) {}

  auth::CheckedToken check(std::string_view token) override {
    return auth::check_unsecured_token(token, rules_, rt::system_clock());
  }

 private:
  const auth::UnsecuredRules rules_;
};

using Options = std::map<std::string, std::string>;

Result<Options> jaas_options(const Own& own) {
  const auto text = own.get("sasl.jaas.config");
  if (text.empty()) return Options();
  auto module = auth::parse_jaas(text);
  if (!module) return unusable("oauthbearer.sasl.jaas.config", module.error().what);
  return std::move(module->options);
}

Result<std::shared_ptr<auth::TokenChecker>> unsecured(const Options& options) {
  auth::UnsecuredRules rules;
  const auto option = [&](const char* name, const std::string& otherwise) {
    const auto found = options.find(std::string("unsecuredValidator") + name);
    return found == options.end() || found->second.empty() ? otherwise : found->second;
  };
  rules.subject_claim = option("PrincipalClaimName", "sub");
  rules.scope_claim = option("ScopeClaimName", "scope");
  std::istringstream words(option("RequiredScope", ""));
  for (std::string word; words >> word;) rules.required_scopes.push_back(word);
  const auto skew = option("AllowableClockSkewMs", "0");
  const auto* end = skew.data() + skew.size();
  const auto [at, failed] = std::from_chars(skew.data(), end, rules.clock_skew_ms);
  if (failed != std::errc() || at != end || rules.clock_skew_ms < 0) {
    return unusable("unsecuredValidatorAllowableClockSkewMs", "milliseconds are expected");
  }
  return std::make_shared<UnsecuredTokens>(std::move(rules));
}

/// Whom the identity provider's certificate has to be signed by: PEM only.
Result<std::string> trusted_file(const Options& options) {
  const auto location = options.find("ssl.truststore.location");
  if (location == options.end()) return std::string();
  const auto type = options.find("ssl.truststore.type");
  if (type != options.end() && type->second == "PEM") return location->second;
  return unusable("ssl.truststore.type", "of an identity provider PEM alone is read");
}

Result<std::unique_ptr<KeySource>> key_source(const Own& own, const Options& options) {
  const auto url = own.get(kUrl);
  constexpr std::string_view kFile = "file://";
  if (url.starts_with(kFile)) {
    auto keys = keys_of_file(url.substr(kFile.size()));
    if (!keys) return std::unexpected(keys.error().in(kUrl));
    return keys;
  }
  if (!url.starts_with("http://") && !url.starts_with("https://")) {
    return unusable(kUrl, fmt::format("'{}' is no https://, http:// or file:// URL", url));
  }
  KeyRefresh refresh;
  refresh.interval =
      std::chrono::milliseconds(own.number("sasl.oauthbearer.jwks.endpoint.refresh.ms"));
  if (refresh.interval.count() <= 0) {
    return unusable("sasl.oauthbearer.jwks.endpoint.refresh.ms", "it has to be more than 0");
  }
  refresh.backoff =
      std::chrono::milliseconds(own.number("sasl.oauthbearer.jwks.endpoint.retry.backoff.ms"));
  refresh.backoff_most =
      std::chrono::milliseconds(own.number("sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms"));
  ASSIGN(refresh.ca_file, trusted_file(options));
  auto keys = keys_of_url(url, std::move(refresh));
  if (!keys) return std::unexpected(keys.error().in(kUrl));
  return keys;
}

Result<std::shared_ptr<auth::TokenChecker>> signed_by_provider(const Own& own,
                                                               const Options& options) {
  const std::string kValidator = "sasl.oauthbearer.jwt.validator.class";
  const auto validator = own.get(kValidator);
  if (!validator.ends_with(".DefaultJwtValidator") && !validator.ends_with(".BrokerJwtValidator")) {
    return unusable(kValidator,
                    fmt::format("{} is not known; {}BrokerJwtValidator is", validator, kPackage));
  }
  auth::TokenRules rules;
  rules.audiences = config_list(own.get("sasl.oauthbearer.expected.audience"));
  if (const auto issuer = own.get("sasl.oauthbearer.expected.issuer"); !issuer.empty()) {
    rules.issuer = issuer;
  }
  rules.scope_claim = own.get("sasl.oauthbearer.scope.claim.name");
  rules.subject_claim = own.get("sasl.oauthbearer.sub.claim.name");
  rules.clock_skew_s = own.number("sasl.oauthbearer.clock.skew.seconds");
  ASSIGN(auto keys, key_source(own, options));
  return std::make_shared<SignedTokens>(std::move(keys), std::move(rules));
}

}  // namespace

Result<std::shared_ptr<auth::TokenChecker>> token_checker(const Settings& settings) {
  const Own own(settings);
  ASSIGN(const auto options, jaas_options(own));
  const auto handler = own.get(kHandler);
  if (handler.ends_with(kUnsecuredHandler)) return unsecured(options);
  if (!handler.empty() && !handler.ends_with(kSignedHandler)) {
    return unusable(kHandler,
                    fmt::format("{} is not known; {}{} is", handler, kPackage, kSignedHandler));
  }
  if (own.get(kUrl).empty()) {
    return unusable(kUrl, fmt::format("is missing: OAUTHBEARER needs the public keys of who signs "
                                      "the tokens. To take tokens that nobody signed, set "
                                      "oauthbearer.{}={}internals.unsecured.{}",
                                      kHandler, kPackage, kUnsecuredHandler));
  }
  return signed_by_provider(own, options);
}

}  // namespace tailrace::kafka
