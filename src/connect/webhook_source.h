// A webhook's source: what a project says of it. The door (room hooks) receives; the records come
// by an inbox (pushed_source.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connect/json_path.h"
#include "connect/source.h"
#include "connect/source_types.h"

namespace tailrace::connect {

/// How a sender proves that it knows a secret, over the body's bytes as they came.
struct WebhookSignature {
  enum class Scheme { kNone, kGitHub, kStripe, kSlack, kStandard, kHmac };
  Scheme scheme = Scheme::kNone;
  std::vector<std::string> secrets;  ///< any of them will do: while one is replaced there are two
  std::string header;                ///< of kHmac, in lower case
  std::string algorithm = "sha256";  ///< of kHmac: sha1, sha256, sha512
  std::string encoding = "hex";      ///< of kHmac: hex, base64
  std::string prefix;                ///< of kHmac, before the digest: "sha256="
  std::int64_t tolerance_ms = 300'000;  ///< how old a signed time may be
};

struct WebhookOptions {
  enum class Format { kAuto, kJson, kNdjson, kCloudEvents, kForm, kRaw };

  std::string path;  ///< POST /hooks/PATH
  Format format = Format::kAuto;
  std::optional<JsonPath> key;
  std::optional<JsonPath> split;  ///< each element of the array there is a record
  bool event_data = false;        ///< of a CloudEvent its data alone
  WebhookSignature signature;
  std::string token;
  std::string token_header;  ///< in lower case; empty: Authorization: Bearer
  bool open = false;         ///< others may reach it without signature and token
  std::size_t max_body = 1 << 20;
  double rate = 0;                   ///< requests a second of all; 0: any
  double client_rate = 0;            ///< of one address
  double burst = 0;                  ///< so many at once; 0: a second's
  std::string idempotency = "auto";  ///< or none, or a header's name in lower case
  std::int64_t remember_ms = 86'400'000;
  std::int64_t remember_most = 1'000'000;

  /// Whoever sends must know something.
  bool guarded() const {
    return signature.scheme != WebhookSignature::Scheme::kNone || !token.empty();
  }
};

/// kInvalidArgument names the source and the option; never a secret.
Result<WebhookOptions> webhook_options(const SourceSpec& spec);

extern const SourceType kWebhookSource;

}  // namespace tailrace::connect
