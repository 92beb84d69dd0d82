// A webhook's options, read and judged.
#include "connect/webhook_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "connect/options.h"
#include "connect/pushed_source.h"

namespace tailrace::connect {
namespace {

constexpr OptionRow kOptions[] = {
    {"path", "", "received at POST /hooks/PATH; the source's name where it is not said"},
    {"format", "auto",
     "json, ndjson, cloudevents, form or raw; auto goes by the Content-Type, and takes JSON that "
     "says it is a form or plain text, too"},
    {"split", "", "a path: each element of the array there is a record; `$` of a body that is one"},
    {"cloudevents", "envelope", "of a CloudEvent the whole of it as JSON, or its `data` alone"},
    {"signature", "none",
     "how the sender signs: github, stripe, slack, standard (Standard Webhooks) or hmac"},
    {"secret", "", "what it is signed with, as `${NAME}` or `file:PATH`"},
    {"secrets.NAME", "", "more of them, under any names: any will do, while one is replaced"},
    {"header", "X-Signature", "of hmac: where the signature is"},
    {"algorithm", "sha256", "of hmac: sha1, sha256 or sha512"},
    {"encoding", "hex", "of hmac: hex or base64"},
    {"prefix", "", "of hmac: what stands before the digest, as in `sha256=`"},
    {"tolerance", "5m", "of stripe, slack and standard: how far a signed time may be from ours"},
    {"token", "",
     "the sender must say it, as `Authorization: Bearer TOKEN`; `${NAME}` or `file:PATH`"},
    {"token_header", "", "the header that has the token alone, instead"},
    {"open", "false", "`true`: take whatever anybody sends on an address that others reach"},
    {"max_body", "1MiB", "a larger body is refused with 413"},
    {"rate", "none",
     "requests a second of those who may send, after token and signature; what is beyond is "
     "refused with 429 and Retry-After"},
    {"client_rate", "none", "the same of each client's address, before token and signature"},
    {"burst", "none", "so many requests at once before a rate counts; none: those of a second"},
    {"idempotency", "auto",
     "what is sent again is taken once: by Idempotency-Key, X-GitHub-Delivery, webhook-id, a "
     "CloudEvent's source and id, the id of Stripe's and Slack's events; or a header's name; or "
     "none"},
    {"remember", "1d", "how long an id is known"},
    {"remember_most", "1000000", "and how many are"},
};

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

std::optional<JsonPath> read_path(Options& options, const std::string& name) {
  const std::string text = options.text(name);
  if (text.empty()) return std::nullopt;
  auto parsed = JsonPath::parse(text);
  if (parsed) return std::move(*parsed);
  options.fail(name, parsed.error().what);
  return std::nullopt;
}

WebhookSignature read_signature(Options& options) {
  using Scheme = WebhookSignature::Scheme;
  WebhookSignature signature;
  signature.scheme = static_cast<Scheme>(
      options.choice("signature", {"none", "github", "stripe", "slack", "standard", "hmac"}));
  signature.header = lower(options.text("header"));
  signature.algorithm = std::array{
      "sha256", "sha1", "sha512"}[options.choice("algorithm", {"sha256", "sha1", "sha512"})];
  signature.encoding = std::array{"hex", "base64"}[options.choice("encoding", {"hex", "base64"})];
  signature.prefix = options.text("prefix");
  signature.tolerance_ms = options.duration_ms("tolerance");
  const std::string secret = options.text("secret");
  if (!secret.empty()) signature.secrets.push_back(secret);
  for (auto& [name, value] : options.below("secrets")) {
    if (value.empty()) options.fail("secrets." + name, "it is empty");
    signature.secrets.push_back(std::move(value));
  }
  const bool signs = signature.scheme != Scheme::kNone;
  if (signs && signature.secrets.empty())
    options.fail("secret", "is needed to check the signature: secret: ${NAME} of the environment");
  if (!signs && !signature.secrets.empty())
    options.fail("signature", "is needed beside a secret: github, stripe, slack, standard or hmac");
  return signature;
}

bool is_path(std::string_view text) {
  return !text.empty() && text.size() <= 200 &&
         std::ranges::all_of(text,
                             [](char c) {
                               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                      (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ||
                                      c == '~' || c == '/';
                             }) &&
         !text.starts_with('/') && !text.ends_with('/');
}

}  // namespace

Result<WebhookOptions> webhook_options(const SourceSpec& spec) {
  Options options(spec, kOptions);
  WebhookOptions hook;
  hook.path = options.given("path").value_or(spec.name);
  if (!is_path(hook.path))
    options.fail("path", fmt::format("`{}` is no path of letters, digits, -_.~ and /", hook.path));
  hook.format = static_cast<WebhookOptions::Format>(
      options.choice("format", {"auto", "json", "ndjson", "cloudevents", "form", "raw"}));
  hook.key = read_path(options, "key");
  hook.split = read_path(options, "split");
  hook.event_data = options.choice("cloudevents", {"envelope", "data"}) == 1;
  hook.signature = read_signature(options);
  hook.token = options.text("token");
  hook.token_header = lower(options.text("token_header"));
  if (hook.token.empty() && (!hook.token_header.empty() || options.given("token")))
    options.fail("token", "it is empty; give it as ${NAME} of the environment");
  hook.open = options.truth("open");
  hook.max_body =
      static_cast<std::size_t>(options.size_bytes("max_body", 1, std::int64_t{64} << 20));
  hook.rate = options.rate("rate");
  hook.client_rate = options.rate("client_rate");
  hook.burst = static_cast<double>(options.number("burst", 1, INT32_MAX));
  hook.idempotency = lower(options.text("idempotency"));
  hook.remember_ms = options.duration_ms("remember");
  hook.remember_most = options.number("remember_most", 1, INT32_MAX);
  TRY(options.finish());
  return hook;
}

namespace {

Result<std::unique_ptr<Source>> make_webhook_source(const SourceSpec& spec) {
  ASSIGN(const WebhookOptions hook, webhook_options(spec));
  PushedConfig config{.name = spec.name,
                      .describe = "webhook, POST /hooks/" + hook.path,
                      .ids_folder = hook.idempotency == "none" ? "" : spec.scratch,
                      .remember_ms = hook.remember_ms,
                      .remember_most = hook.remember_most};
  return pushed_source(std::move(config), spec.inbox ? spec.inbox : std::make_shared<Inbox>(),
                       nullptr);
}

}  // namespace

constinit const SourceType kWebhookSource{
    .type = "webhook",
    .what = "receives what others POST to the door for webhooks (src/hooks)",
    .options = kOptions,
    .make = make_webhook_source,
    .can_be_sampled = false};

}  // namespace tailrace::connect
