// Whether a request comes from who knows the secret: what GitHub, Stripe, Slack, Standard Webhooks
// and others put into a header, over the body's bytes as they came.
//
//   github    X-Hub-Signature-256: sha256=HEX of body
//   stripe    Stripe-Signature: t=SECONDS,v1=HEX[,v1=HEX …] of "SECONDS.body"
//   slack     X-Slack-Signature: v0=HEX of "v0:SECONDS:body", X-Slack-Request-Timestamp: SECONDS
//   standard  webhook-signature: v1,BASE64[ v1,BASE64 …] of "ID.SECONDS.body", webhook-id,
//             webhook-timestamp; the secret is whsec_BASE64
//   hmac      HEADER: PREFIX + hex or base64 of body
//
// Digests are HMAC-SHA-256 but where hmac says otherwise, and compared in constant time. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "connect/webhook_source.h"
#include "net/http_server.h"

namespace tailrace::hooks {

/// kPermissionDenied says what is wrong: no header, a time too far from ours, another signature.
Status check_signature(const connect::WebhookSignature& how, const net::Request& request,
                       std::int64_t now_ms);

/// Whether the request says the token that the source wants.
Status check_token(const connect::WebhookOptions& hook, const net::Request& request);

}  // namespace tailrace::hooks
