#include "connect/http_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "connect/http_position.h"
#include "connect/json_path.h"
#include "connect/options.h"
#include "connect/secrets.h"
#include "net/http_client.h"
#include "net/http_message.h"
#include "rt/random.h"

namespace tailrace::connect {
namespace {

constexpr OptionRow kOptions[] = {
    {"url", "needed",
     "may hold `{page}` (counts up), `{cursor}` (as the answer says), `{since}` (the greatest "
     "value so far)"},
    {"every", "10s", "from the end of one poll to the next"},
    {"timeout", "10s", "of one exchange, redirects included"},
    {"records", "$", "the path of the list (or of one object) in the answer"},
    {"headers.NAME", "", "sent to the URL's own origin only"},
    {"ca_file", "", "PEM certificates to trust instead of the system's"},
    {"page_first", "1", "where `{page}` begins"},
    {"page_size", "none", "fewer records than this make a last page"},
    {"cursor", "", "the path in the answer of the next `{cursor}`"},
    {"since", "", "the path in a record of what `{since}` is the greatest of"},
    {"since_start", "", "the first value of `{since}`"},
    {"pages", "100", "at most so many pages a poll"},
    {"backoff", "500ms",
     "after a failure; doubled each time, half of it jitter; Retry-After goes before"},
    {"backoff_max", "60s", "and at most so long"},
    {"max_body_bytes", "64MiB", "a larger answer, unpacked, is a failure"},
    {"seed", "1", "of the jitter"},
};

using std::chrono::milliseconds;

struct HttpConfig {
  std::string url;
  std::int64_t every_ms = 0;
  std::int64_t backoff_ms = 0;
  std::int64_t backoff_max_ms = 0;
  std::int64_t pages_a_poll = 0;
  std::uint64_t seed = 0;
  std::string since_start;
  JsonPath records, key;
  HttpPaging paging;
  Secrets secrets;
  net::HttpOptions http;
};

std::string fill(std::string url, std::string_view name, std::string_view value) {
  const std::string encoded = net::percent_encode(value);
  for (auto at = url.find(name); at != std::string::npos; at = url.find(name, at)) {
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
  std::string fingerprint() const override { return "http " + net::redact_url(shown()); }
  std::string describe() const override {
    return fmt::format("{}, every {} s", shown(), static_cast<double>(config_.every_ms) / 1000);
  }

 private:
  std::string shown() const { return config_.secrets.shown_url(config_.url); }
  std::string url_for(const HttpPosition& position) const;
  void take(const net::HttpResponse& response, HttpPosition position, Chunk& chunk);
  void rest(Chunk& chunk);
  void fail(Chunk& chunk, std::string what, std::int64_t retry_after_ms);
  std::int64_t retry_after_ms(const net::HttpResponse& response) const;

  const HttpConfig config_;
  rt::Clock& clock_;
  rt::Random jitter_;
  net::HttpClient client_;
  int tries_ = 0;
  std::int64_t pages_ = 0;  // of this poll
};

std::string HttpSource::url_for(const HttpPosition& position) const {
  const bool first = position.since.value.empty();
  std::string url = fill(config_.url, "{page}", std::to_string(position.page));
  url = fill(std::move(url), "{cursor}", position.cursor);
  return fill(std::move(url), "{since}", first ? config_.since_start : position.since.value);
}

Status HttpSource::next(std::string_view text, Chunk& chunk, std::stop_token stop) {
  ASSIGN(HttpPosition position, parse_http_position(text, config_.paging.fresh()));
  chunk.position = text;
  const std::string url = url_for(position);
  chunk.place = config_.secrets.shown_url(url);
  chunk.separator = '#';
  net::HttpOptions http = config_.http;
  http.stop = stop;
  if (position.etag_url == chunk.place) http.etag = position.etag;
  auto response = client_.get(url, http);
  if (!response) {
    Error why = response.error();
    why.what = config_.secrets.shown_text(std::move(why.what), url);
    if (why.code == Code::kInvalidArgument) return std::unexpected(why);
    if (!stop.stop_requested()) fail(chunk, std::move(why.what), -1);
  } else if (response->status == 304 || response->status == 204) {
    tries_ = 0;
    rest(chunk);
  } else if (response->status != 200) {
    fail(chunk, fmt::format("{} answered {}", chunk.place, response->status),
         retry_after_ms(*response));
  } else {
    take(*response, std::move(position), chunk);
  }
  return {};
}

void HttpSource::take(const net::HttpResponse& response, HttpPosition position, Chunk& chunk) {
  auto elements = json_elements(response.body, config_.records);
  if (!elements) {
    const std::string_view type = response.header("content-type");
    return fail(chunk,
                fmt::format("{} answered 200, but without records: {} ({}, {} bytes)", chunk.place,
                            elements.error().what, type.empty() ? "no content type" : type,
                            response.body.size()),
                -1);
  }
  tries_ = 0;
  position.etag = response.etag();
  position.etag_url = position.etag.empty() ? "" : chunk.place;
  const HttpTaken taken = take_answer(config_.paging, response.body, *elements, position);
  for (const std::size_t i : taken.fresh) {
    const std::string& value = (*elements)[i];
    const auto key = config_.key.is_root() ? std::nullopt : config_.key.find(value);
    chunk.add(key, value, static_cast<std::int64_t>(i));
  }
  chunk.position = encode_http_position(position);
  if (!taken.more || ++pages_ >= config_.pages_a_poll) rest(chunk);
}

void HttpSource::rest(Chunk& chunk) {
  pages_ = 0;
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

// RFC 9110 §10.2.3: seconds or a date. At most an hour; -1 without one.
std::int64_t HttpSource::retry_after_ms(const net::HttpResponse& response) const {
  constexpr std::int64_t kMostMs = 3'600'000;
  const std::string_view text = response.header("retry-after");
  if (text.empty()) return -1;
  std::int64_t seconds = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (failure == std::errc() && end == text.data() + text.size() && seconds >= 0)
    return std::min(seconds, kMostMs / 1000) * 1000;
  const auto date = net::parse_http_date(text);
  if (!date) return -1;
  return std::clamp<std::int64_t>(*date * 1000 - clock_.now().value, 0, kMostMs);
}

HttpPaging read_paging(Options& options, const std::string& url, std::string& cursor,
                       std::string& since) {
  HttpPaging paging;
  paging.by_page = url.find("{page}") != std::string::npos;
  paging.by_cursor = url.find("{cursor}") != std::string::npos;
  paging.by_since = url.find("{since}") != std::string::npos;
  paging.first_page = options.number("page_first", 0, INT32_MAX);
  paging.page_size = options.number("page_size", 0, INT32_MAX);
  cursor = options.text("cursor");
  since = options.text("since");
  if (paging.by_cursor) options.require("cursor");
  if (paging.by_since) options.require("since");
  return paging;
}

}  // namespace

Result<std::unique_ptr<Source>> make_http_source(const SourceSpec& spec, rt::Clock& clock) {
  Options options(spec, kOptions);
  HttpConfig config;
  config.url = options.text("url");
  config.secrets = Secrets(spec.secrets, config.url);
  config.every_ms = options.duration_ms("every");
  config.http.timeout_ms = static_cast<int>(options.duration_ms("timeout"));
  config.http.max_body_bytes =
      static_cast<std::size_t>(options.size_bytes("max_body_bytes", 1, std::int64_t{1} << 30));
  config.backoff_ms = std::max<std::int64_t>(2, options.duration_ms("backoff"));
  config.backoff_max_ms = std::max(config.backoff_ms, options.duration_ms("backoff_max"));
  config.pages_a_poll = options.number("pages", 1, INT32_MAX);
  config.seed = static_cast<std::uint64_t>(options.number("seed", INT64_MIN, INT64_MAX));
  config.http.headers = options.below("headers");
  config.http.ca_file = options.path("ca_file");
  config.since_start = options.text("since_start");
  const std::string records = options.text("records"), key = options.text("key");
  std::string cursor, since;
  config.paging = read_paging(options, config.url, cursor, since);
  TRY(options.finish());
  if (!config.url.starts_with("http://") && !config.url.starts_with("https://"))
    return error(Code::kInvalidArgument,
                 fmt::format("ingest {}: option url: \"{}\" is no web address; it begins with "
                             "http:// or https://",
                             spec.name, config.secrets.shown_url(config.url)));
  ASSIGN(config.records, JsonPath::parse(records));
  ASSIGN(config.key, JsonPath::parse(key));
  ASSIGN(config.paging.cursor, JsonPath::parse(cursor));
  ASSIGN(config.paging.since, JsonPath::parse(since));
  return std::make_unique<HttpSource>(std::move(config), clock);
}

constinit const SourceType kHttpSource{
    .type = "http",
    .what = "polls a URL whose answer is JSON",
    .options = kOptions,
    .make = [](const SourceSpec& spec) { return make_http_source(spec); },
};

}  // namespace tailrace::connect
