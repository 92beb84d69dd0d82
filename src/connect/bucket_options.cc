// The table of a bucket's options, and what they mean.
#include "connect/bucket_options.h"

#include <fmt/format.h>

#include <ctime>

#include "connect/bucket_source.h"
#include "connect/input_folder.h"
#include "connect/options.h"

namespace tailrace::connect {
namespace {

constexpr OptionRow kOptions[] = {
    {"url", "needed", "`s3://BUCKET` or `s3://BUCKET/PREFIX`"},
    {"endpoint", "",
     "of MinIO and others, `http://HOST:9000`; AWS_ENDPOINT_URL_S3 and AWS_ENDPOINT_URL are taken, "
     "too; Amazon's without"},
    {"region", "", "AWS_REGION, AWS_DEFAULT_REGION or the profile's without, else us-east-1"},
    {"access_key", "",
     "with `secret_key`; without it keys are looked for as AWS's tools do (environment, ~/.aws, "
     "container, instance), and a public bucket is read without"},
    {"secret_key", "", "`${NAME}` or `file:PATH`"},
    {"session_token", "", "of keys that end"},
    {"path_style", "auto",
     "`true`: http://HOST/BUCKET/KEY; `false`: http://BUCKET.HOST/KEY; `auto`: true with an "
     "endpoint"},
    {"ca_file", "", "PEM certificates to trust instead of the system's"},
    {"format", "auto",
     "`jsonl`, `json`, `csv`, `parquet`, `avro`; `text`: each line becomes `{\"line\": …}`; `auto` "
     "goes by "
     "the key, then by the first bytes, and never takes `text`"},
    {"pattern", "",
     "which keys, as for files: `*.json`, `**/*.csv`, `day=*/**`; of what follows the last `/` of "
     "the prefix. Every key without"},
    {"notify", "list",
     "`list`: the bucket is listed; `sqs`: a queue says what came; `webhook`: MinIO says it to "
     "POST /hooks/PATH"},
    {"webhook", "", "that PATH; the source's name without"},
    {"token", "", "that MinIO sends along (its `auth_token`): `${NAME}` or `file:PATH`"},
    {"queue", "", "the URL of the SQS queue that the bucket's notifications go to"},
    {"every", "30s",
     "from the end of one listing to the next; with `sqs` or `webhook` 15m, for what they lost, or "
     "`none`"},
    {"growing", "false",
     "`true`: new keys always sort behind those that are there, so a listing begins behind the "
     "last one"},
    {"start", "all",
     "`all`; `new`: objects since the source's first start; a time, `2026-11-01T00:00:00Z`"},
    {"changed", "again",
     "an object that is overwritten is read again; `ignore`: each key is read once"},
    {"after", "keep", "what becomes of an object that was read: `keep`, `delete`, `move:PREFIX`"},
    {"parallel", "8", "so many objects are fetched side by side; their order stays"},
};

bool left_out(std::string_view path) {
  if (path.empty() || path.ends_with('/') || path.ends_with(".tmp")) return true;
  for (std::size_t at = 0; at != path.npos; at = path.find('/', at), at += at != path.npos)
    if (path[at] == '.' || path[at] == '_') return true;
  return false;
}

Status read_url(Options& options, BucketConfig& config) {
  const std::string url = options.text("url");
  if (url.empty()) return {};
  config.shown = url;
  if (!url.starts_with("s3://")) {
    options.fail("url", fmt::format("\"{}\" is no bucket: write s3://BUCKET/PREFIX", url));
    return {};
  }
  const auto slash = url.find('/', 5);
  config.address.bucket = url.substr(5, slash == url.npos ? url.npos : slash - 5);
  config.prefix = slash == url.npos ? "" : url.substr(slash + 1);
  config.base = config.prefix.substr(0, config.prefix.rfind('/') + 1);
  return {};
}

void read_address(Options& options, BucketConfig& config) {
  s3::BucketAddress& address = config.address;
  address.endpoint = options.text("endpoint");
  for (const char* name : {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"})
    if (address.endpoint.empty()) address.endpoint = s3::process_environment(name);
  address.region = options.text("region");
  if (address.region.empty()) address.region = s3::region_of();
  address.ca_file = options.path("ca_file");
  if (const auto style = options.choice("path_style", {"auto", "true", "false"}); style > 0)
    address.path_style = style == 1;
  config.credentials = std::make_shared<s3::Credentials>(net::AwsKeys{
      options.text("access_key"), options.text("secret_key"), options.text("session_token")});
  if (options.given("access_key")) options.require("secret_key");
  if (auto checked = s3::check_address(address); !checked)
    options.fail(address.endpoint.empty() ? "url" : "endpoint", checked.error().what);
}

void read_news(Options& options, BucketConfig& config) {
  config.notify = static_cast<BucketNotify>(options.choice("notify", {"list", "sqs", "webhook"}));
  config.every = std::chrono::milliseconds(
      config.notify != BucketNotify::kList && !options.given("every")
          ? std::chrono::minutes(15)
          : std::chrono::milliseconds(std::max<std::int64_t>(1, options.duration_ms("every"))));
  if (config.notify == BucketNotify::kList && options.text("every") == "none")
    options.fail("every", "none is for a bucket whose notifications are read: set `notify`");
  config.lists = config.notify == BucketNotify::kList || config.every.count() > 1;
  config.growing = options.truth("growing");
  config.queue = {.url = options.text("queue"),
                  .region = options.text("region"),
                  .ca_file = config.address.ca_file,
                  .verify_tls = true};
  if (config.notify != BucketNotify::kSqs) return;
  options.require("queue");
  if (auto checked = s3::check_address(config.queue); !checked)
    options.fail("queue", checked.error().what);
}

void read_start(Options& options, BucketConfig& config) {
  const std::string start = options.text("start");
  config.only_new = start == "new";
  if (start == "new" || start == "all") return;
  if (const auto since = bucket_time_ms(start))
    config.since_ms = *since;
  else
    options.fail("start", fmt::format("\"{}\" is none of all, new, 2026-11-01T00:00:00Z", start));
}

void read_after(Options& options, BucketConfig& config) {
  const std::string after = options.text("after");
  config.cleans = after != "keep";
  if (after == "keep" || after == "delete") return;
  if (after.starts_with("move:") && after.size() > 5)
    config.move_to = after.substr(5);
  else
    options.fail("after", fmt::format("\"{}\" is none of keep, delete, move:PREFIX", after));
}

}  // namespace

std::optional<std::int64_t> bucket_time_ms(const std::string& text) {
  std::tm parts{};
  const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return std::nullopt;
  std::int64_t ms = 0;
  if (*rest == '.') ms = static_cast<std::int64_t>(std::strtod(rest, nullptr) * 1000);
  return std::int64_t{::timegm(&parts)} * 1000 + ms;
}

std::string BucketConfig::fingerprint() const {
  return fmt::format("bucket {} {} pattern={} key={}", address.endpoint, shown, pattern, key_text);
}

bool BucketConfig::takes(const std::string& key) const {
  if (!key.starts_with(prefix)) return false;
  // What was moved must not come again.
  if (!move_to.empty() && key.starts_with(move_to)) return false;
  const std::string_view rest = std::string_view(key).substr(base.size());
  return !left_out(rest) && (pattern.empty() || path_fits(rest, pattern));
}

constinit const SourceType kBucketSource{
    .type = "bucket",
    .what = "reads the objects of a bucket of S3, MinIO and their kin, and what comes to it",
    .options = kOptions,
    .make = [](const SourceSpec& spec) { return make_bucket_source(spec); },
};

Result<std::optional<WebhookOptions>> bucket_hook(const SourceSpec& spec) {
  Options options(spec, kOptions);
  if (options.text("notify") != "webhook") return std::nullopt;
  WebhookOptions hook;
  hook.path = options.given("webhook").value_or(spec.name);
  hook.format = WebhookOptions::Format::kJson;
  hook.token = options.text("token");
  hook.idempotency = "none";  // the book knows what it has
  return hook;
}

Result<BucketConfig> read_bucket_options(const SourceSpec& spec) {
  Options options(spec, kOptions);
  BucketConfig config;
  config.name = spec.name;
  config.folder = spec.scratch;
  TRY(read_url(options, config));
  read_address(options, config);
  read_news(options, config);
  read_start(options, config);
  read_after(options, config);
  config.pattern = options.text("pattern");
  config.changed_again = options.choice("changed", {"again", "ignore"}) == 0;
  config.parallel = static_cast<int>(options.number("parallel", 1, 64));
  config.key_text = options.text("key");
  const std::string format = options.text("format");
  TRY(options.finish());
  ASSIGN(config.format, parse_file_format(format));
  ASSIGN(config.key, JsonPath::parse(config.key_text));
  return config;
}

}  // namespace tailrace::connect
