// Tokens of SASL/OAUTHBEARER as a listener's settings have them checked (KIP-255, KIP-768):
//
//   sasl.oauthbearer.jwks.endpoint.url       where the identity provider's public keys are: an
//                                            http(s):// URL, or a file:// one
//   sasl.oauthbearer.expected.audience, .expected.issuer, .scope.claim.name, .sub.claim.name,
//   .clock.skew.seconds, .jwks.endpoint.refresh.ms, .retry.backoff.ms, .retry.backoff.max.ms
//
// What stands behind "oauthbearer." (listener.name.NAME.oauthbearer.SETTING) counts first. Tokens
// that are not signed are taken only where `sasl.server.callback.handler.class` names Kafka's
// handler of such ones; Kafka does so, too, where nothing is said.
//
// Keys of a URL are fetched at the start, each refresh.ms, and at once for a token that names a key
// that is not known, once a minute for each. Those of a file are read again when it has changed.
#pragma once

#include <memory>

#include "auth/web_token.h"
#include "base/result.h"
#include "kafka/tls_settings.h"

namespace tailrace::kafka {

/// kInvalidArgument names the setting that is missing or cannot be used; kUnavailable: the keys
/// cannot be had.
Result<std::shared_ptr<auth::TokenChecker>> token_checker(const Settings& settings);

}  // namespace tailrace::kafka
