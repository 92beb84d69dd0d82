#include "connect/http_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "connect/json_path.h"
#include "connect/options.h"
#include "net/http_client.h"
#include "rt/random.h"

namespace tailrace::connect {
namespace {

using std::chrono::milliseconds;
using Json = nlohmann::json;

struct HttpConfig {
  std::string url;
  std::int64_t every_ms = 0;
  std::int64_t backoff_ms = 0;
  std::int64_t backoff_max_ms = 0;
  std::uint64_t seed = 0;
  JsonPath records, key, cursor, since;
  net::HttpOptions http;
};

struct HttpPosition {
  std::int64_t page = 1;
  std::string cursor, since, etag, etag_url;
};

Result<HttpPosition> parse_position(std::string_view text) {
  HttpPosition position;
  if (text.empty()) return position;
  try {
    const Json json = Json::parse(text);
    json.at("page").get_to(position.page);
    json.at("cursor").get_to(position.cursor);
    json.at("since").get_to(position.since);
    json.at("etag").get_to(position.etag);
    json.at("etag_url").get_to(position.etag_url);
    return position;
  } catch (const Json::exception& failure) {
    return error(Code::kDataLoss, fmt::format("no position of a poller: {}", failure.what()));
  }
}

std::string encode_position(const HttpPosition& position) {
  const Json json = {{"page", position.page},
                     {"cursor", position.cursor},
                     {"since", position.since},
                     {"etag", position.etag},
                     {"etag_url", position.etag_url}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const unsigned char c : text) {
    const bool plain = std::isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
    out += plain ? std::string(1, static_cast<char>(c)) : fmt::format("%{:02X}", c);
  }
  return out;
}

std::string fill(std::string url, std::string_view name, std::string_view value) {
  for (auto at = url.find(name); at != std::string::npos; at = url.find(name, at)) {
    const std::string encoded = percent_encode(value);
    url.replace(at, name.size(), encoded);
    at += encoded.size();
  }
  return url;
}

class HttpSource final : public Source {
 public:
  HttpSource(HttpConfig config, rt::Clock& clock)
      : config_(std::move(config)), clock_(clock), jitter_(config_.seed) {}

  Status next(std::string_view text, Chunk& chunk, std::stop_token stop) override;
  bool replayable() const override { return false; }
  std::string fingerprint() const override { return "http " + net::redact_url(config_.url); }
  std::string describe() const override {
    return fmt::format("{}, every {} s", net::redact_url(config_.url),
                       static_cast<double>(config_.every_ms) / 1000);
  }

 private:
  std::string url_for(const HttpPosition& position) const {
    std::string url = fill(config_.url, "{page}", std::to_string(position.page));
    url = fill(std::move(url), "{cursor}", position.cursor);
    return fill(std::move(url), "{since}", position.since);
  }
  void take(const net::HttpResponse& response, const std::string& url, HttpPosition position,
            Chunk& chunk);
  void move_on(const net::HttpResponse& response, const Chunk& chunk, HttpPosition& position,
               bool& more) const;
  void rest(Chunk& chunk) const;
  void fail(Chunk& chunk, std::string what, std::int64_t retry_after_ms);
  std::int64_t retry_after_ms(const net::HttpResponse& response) const;

  const HttpConfig config_;
  rt::Clock& clock_;
  rt::Random jitter_;
  net::HttpClient client_;
  int tries_ = 0;
};

Status HttpSource::next(std::string_view text, Chunk& chunk, std::stop_token stop) {
  ASSIGN(HttpPosition position, parse_position(text));
  chunk.position = text;
  const std::string url = url_for(position);
  chunk.place = net::redact_url(url);
  chunk.separator = '#';
  net::HttpOptions http = config_.http;
  http.stop = stop;
  if (position.etag_url == chunk.place) http.etag = position.etag;
  auto response = client_.get(url, http);
  if (!response) {
    if (response.error().code == Code::kInvalidArgument) return std::unexpected(response.error());
    if (!stop.stop_requested()) fail(chunk, response.error().what, -1);
  } else if (response->status == 304) {
    tries_ = 0;
    rest(chunk);
  } else if (response->status != 200) {
    fail(chunk, fmt::format("{} answered {}", chunk.place, response->status),
         retry_after_ms(*response));
  } else {
    take(*response, chunk.place, std::move(position), chunk);
  }
  return {};
}

void HttpSource::take(const net::HttpResponse& response, const std::string& url,
                      HttpPosition position, Chunk& chunk) {
  auto elements = json_elements(response.body, config_.records);
  if (!elements)
    return fail(chunk,
                fmt::format("{} answered 200 with a body that is {}", url, elements.error().what),
                -1);
  tries_ = 0;
  for (std::size_t i = 0; i < elements->size(); ++i) {
    const std::string& value = (*elements)[i];
    const auto key = config_.key.is_root() ? std::nullopt : config_.key.find(value);
    chunk.add(key, value, static_cast<std::int64_t>(i));
  }
  bool more = false;
  position.etag = response.etag();
  position.etag_url = position.etag.empty() ? "" : url;
  move_on(response, chunk, position, more);
  chunk.position = encode_position(position);
  if (!more) rest(chunk);
}

void HttpSource::move_on(const net::HttpResponse& response, const Chunk& chunk,
                         HttpPosition& position, bool& more) const {
  if (!config_.since.is_root() && !chunk.empty())
    if (auto since = config_.since.find(chunk.value(chunk.size() - 1)))
      position.since = std::move(*since);
  if (!config_.cursor.is_root()) {
    const auto cursor = config_.cursor.find(response.body);
    more = cursor && *cursor != position.cursor && !chunk.empty();
    if (cursor) position.cursor = *cursor;
  }
  if (config_.url.find("{page}") != std::string::npos && !chunk.empty()) {
    ++position.page;
    more = true;
  }
}

void HttpSource::rest(Chunk& chunk) const {
  chunk.idle = true;
  chunk.wait = milliseconds(config_.every_ms);
  chunk.why = fmt::format("next poll in {} s", static_cast<double>(config_.every_ms) / 1000);
}

void HttpSource::fail(Chunk& chunk, std::string what, std::int64_t retry_after_ms) {
  std::int64_t wait_ms = retry_after_ms;
  if (wait_ms < 0) {
    const std::int64_t most =
        std::min(config_.backoff_max_ms, config_.backoff_ms << std::min(tries_, 20));
    wait_ms = most / 2 +
              static_cast<std::int64_t>(jitter_.below(static_cast<std::uint64_t>(most / 2 + 1)));
  }
  ++tries_;
  chunk.idle = true;
  chunk.wait = milliseconds(wait_ms);
  chunk.error = fmt::format("{}; tries again in {} s", what, static_cast<double>(wait_ms) / 1000);
  chunk.why = chunk.error;
}

// RFC 9110 §10.2.3: seconds; a date counts as none, the backoff decides then. At most an hour.
std::int64_t HttpSource::retry_after_ms(const net::HttpResponse& response) const {
  const std::string_view text = response.header("retry-after");
  std::int64_t seconds = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty() || failure != std::errc() || end != text.data() + text.size() || seconds < 0)
    return -1;
  return std::min<std::int64_t>(seconds, 3600) * 1000;
}

}  // namespace

Result<std::unique_ptr<Source>> make_http_source(const SourceSpec& spec, rt::Clock& clock) {
  Options options(spec);
  HttpConfig config;
  options.require("url");
  config.url = options.text("url", "");
  config.every_ms = options.duration_ms("every", "10s");
  config.http.timeout_ms = static_cast<int>(options.duration_ms("timeout", "10s"));
  config.http.max_body_bytes = static_cast<std::size_t>(
      options.number("max_body_bytes", 64 << 20, 1, std::int64_t{1} << 30));
  config.backoff_ms = std::max<std::int64_t>(2, options.duration_ms("backoff", "500ms"));
  config.backoff_max_ms = std::max(config.backoff_ms, options.duration_ms("backoff_max", "60s"));
  config.seed = static_cast<std::uint64_t>(options.number("seed", 1, INT64_MIN, INT64_MAX));
  config.http.headers = options.below("headers");
  const std::string records = options.text("records", "$"), key = options.text("key", "");
  const std::string cursor = options.text("cursor", ""), since = options.text("since", "");
  TRY(options.finish());
  if (!config.url.starts_with("http://") && !config.url.starts_with("https://"))
    return error(Code::kInvalidArgument,
                 fmt::format("ingest {}: option url: \"{}\" is no web address; it begins with "
                             "http:// or https://",
                             spec.name, net::redact_url(config.url)));
  ASSIGN(config.records, JsonPath::parse(records));
  ASSIGN(config.key, JsonPath::parse(key));
  ASSIGN(config.cursor, JsonPath::parse(cursor));
  ASSIGN(config.since, JsonPath::parse(since));
  return std::make_unique<HttpSource>(std::move(config), clock);
}

}  // namespace tailrace::connect
