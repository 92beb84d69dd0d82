// A webhook's options, read and judged.
#include "connect/webhook_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "connect/options.h"
#include "connect/pushed_source.h"

namespace tailrace::connect {
namespace {

constexpr OptionRow kRows[] = {
    {"path", "the source's name", "received at POST /hooks/PATH"},
    {"format", "auto",
     "json, ndjson, cloudevents, form or raw; auto goes by the Content-Type, and takes a body that "
     "says it is a form and is JSON as JSON"},
    {"split", "", "a path: each element of the array there is a record, `$` of a body that is one"},
    {"cloudevents", "envelope", "of a CloudEvent the whole of it as JSON, or its `data` alone"},
    {"signature", "none",
     "who sends signs: github, stripe, slack, standard (Standard Webhooks) or hmac"},
    {"secret", "", "what it is signed with, as ${NAME} or file:PATH"},
    {"secrets.NAME", "", "more of them, under any names: any will do, while one is replaced"},
    {"header", "X-Signature", "of hmac: where the signature is"},
    {"algorithm", "sha256", "of hmac: sha1, sha256 or sha512"},
    {"encoding", "hex", "of hmac: hex or base64"},
    {"prefix", "", "of hmac: what stands before the digest, as in sha256="},
    {"tolerance", "5m", "of stripe, slack and standard: how far a signed time may be from ours"},
    {"token", "", "who sends must say it, as Authorization: Bearer TOKEN; ${NAME} or file:PATH"},
    {"token_header", "", "the header that has the token alone, instead"},
    {"open", "false", "true: take whatever anybody sends on an address that others reach"},
    {"max_body", "1048576", "bytes; a larger body is refused with 413"},
    {"rate", "none", "requests a second; what is beyond is refused with 429 and Retry-After"},
    {"client_rate", "none", "the same of each client's address"},
    {"burst", "a second's", "so many requests at once before a rate counts"},
    {"idempotency", "auto",
     "what is sent again is taken once: by Idempotency-Key, X-GitHub-Delivery, webhook-id, a "
     "CloudEvent's source and id, the event's id of Stripe and Slack; or a header's name; or none"},
    {"remember", "24h", "how long an id is known"},
    {"remember_most", "1000000", "and how many"},
    {"key", "", "beside `use`: the path of the record's key; of a CloudEvent its partitionkey"},
};

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

/// Reads words; keeps the first that is none.
class Words {
 public:
  Words(const SourceSpec& spec, Options& options) : spec_(spec), options_(options) {}

  /// The place of the option's word among `words`, the first where it is not given.
  std::size_t one_of(const std::string& name, std::initializer_list<std::string_view> words) {
    const std::string word = options_.text(name, std::string(*words.begin()));
    const auto at = std::ranges::find(words, word);
    if (at != words.end()) return static_cast<std::size_t>(at - words.begin());
    std::string all;
    for (const std::string_view known : words) (all += all.empty() ? "" : ", ") += known;
    fail(name, fmt::format("`{}` is none of: {}", word, all));
    return 0;
  }
  std::optional<JsonPath> path(const std::string& name) {
    const std::string text = options_.text(name, "");
    if (text.empty()) return std::nullopt;
    auto parsed = JsonPath::parse(text);
    if (parsed) return std::move(*parsed);
    fail(name, parsed.error().what);
    return std::nullopt;
  }
  void fail(const std::string& name, const std::string& what) {
    if (status)
      status = error(Code::kInvalidArgument,
                     fmt::format("ingest {}: option {}: {}", spec_.name, name, what));
  }

  Status status;

 private:
  const SourceSpec& spec_;
  Options& options_;
};

WebhookSignature read_signature(Options& options, Words& words) {
  using Scheme = WebhookSignature::Scheme;
  WebhookSignature signature;
  signature.scheme = static_cast<Scheme>(
      words.one_of("signature", {"none", "github", "stripe", "slack", "standard", "hmac"}));
  signature.header = lower(options.text("header", "X-Signature"));
  signature.algorithm = std::array{
      "sha256", "sha1", "sha512"}[words.one_of("algorithm", {"sha256", "sha1", "sha512"})];
  signature.encoding = std::array{"hex", "base64"}[words.one_of("encoding", {"hex", "base64"})];
  signature.prefix = options.text("prefix", "");
  signature.tolerance_ms = options.duration_ms("tolerance", "5m");
  const std::string secret = options.text("secret", "");
  if (!secret.empty()) signature.secrets.push_back(secret);
  for (auto& [name, value] : options.below("secrets")) {
    if (value.empty()) words.fail("secrets." + name, "it is empty");
    signature.secrets.push_back(std::move(value));
  }
  const bool signs = signature.scheme != Scheme::kNone;
  if (signs && signature.secrets.empty())
    words.fail("secret", "is needed to check the signature: secret: ${NAME} of the environment");
  if (!signs && !signature.secrets.empty())
    words.fail("signature", "is needed beside a secret: github, stripe, slack, standard or hmac");
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

std::span<const OptionRow> webhook_option_rows() {
  return kRows;
}

Result<WebhookOptions> webhook_options(const SourceSpec& spec) {
  Options options(spec);
  Words words(spec, options);
  WebhookOptions hook;
  hook.path = options.text("path", spec.name);
  if (!is_path(hook.path))
    words.fail("path", fmt::format("`{}` is no path of letters, digits, -_.~ and /", hook.path));
  hook.format = static_cast<WebhookOptions::Format>(
      words.one_of("format", {"auto", "json", "ndjson", "cloudevents", "form", "raw"}));
  hook.key = words.path("key");
  hook.split = words.path("split");
  hook.event_data = words.one_of("cloudevents", {"envelope", "data"}) == 1;
  hook.signature = read_signature(options, words);
  hook.token = options.text("token", "");
  hook.token_header = lower(options.text("token_header", ""));
  if (hook.token.empty() && (!hook.token_header.empty() || spec.options.contains("token")))
    words.fail("token", "it is empty; give it as ${NAME} of the environment");
  hook.open = words.one_of("open", {"false", "true"}) == 1;
  hook.max_body =
      static_cast<std::size_t>(options.number("max_body", 1 << 20, 1, std::int64_t{64} << 20));
  hook.rate = options.rate("rate", 0);
  hook.client_rate = options.rate("client_rate", 0);
  hook.burst = static_cast<double>(options.number("burst", 0, 0, INT32_MAX));
  hook.idempotency = lower(options.text("idempotency", "auto"));
  hook.remember_ms = options.duration_ms("remember", "24h");
  hook.remember_most = options.number("remember_most", 1'000'000, 1, INT32_MAX);
  TRY(options.finish());
  TRY(words.status);
  return hook;
}

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

}  // namespace tailrace::connect
