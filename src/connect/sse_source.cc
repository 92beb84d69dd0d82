#include "connect/sse_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "connect/event_stream.h"
#include "connect/json_path.h"
#include "connect/options.h"
#include "connect/secrets.h"
#include "net/http_client.h"

namespace tailrace::connect {
namespace {

using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

constexpr OptionRow kOptions[] = {
    {"url", "needed", "the stream's address, http or https"},
    {"format", "json",
     "`json`: an event's data is one JSON value, the record; `event`: the record is `{\"id\": …, "
     "\"event\": …, \"data\": …}`, data as JSON where it is some; `raw`: the data's bytes"},
    {"event", "", "only events of these types, a list; `message` is those without a type"},
    {"token", "", "sent as `Authorization: Bearer …`: `${NAME}` or `file:PATH`"},
    {"headers.NAME", "", "sent to the URL's own origin only"},
    {"ca_file", "", "PEM certificates to trust instead of the system's"},
    {"max_event", "1MiB", "a larger event is a reject with its first bytes"},
    {"idle_timeout", "5m",
     "a connection on which nothing came for so long, no comment either, is dead"},
    {"backoff", "1s",
     "before it connects again, where the server does not say `retry:`; doubled each failure, half "
     "of it jitter; Retry-After goes before"},
    {"backoff_max", "60s", "and at most so long"},
};

constexpr std::size_t kHeldBytes = 4 << 20;
constexpr std::size_t kHeldEvents = 8192;
constexpr std::size_t kChunkRecords = 4096;
constexpr milliseconds kLook{200};
/// A connection on which nothing came for so long has given all that there is for now.
constexpr milliseconds kQuiet{1000};
constexpr std::int64_t kMostRetryMs = 3'600'000;

enum class Format { kJson, kEvent, kRaw };

struct SseConfig {
  std::string url;
  Format format = Format::kJson;
  std::vector<std::string> types;
  net::HttpOptions http;
  std::size_t max_event = 0;
  int idle_timeout_ms = 0;
  std::int64_t backoff_ms = 0, backoff_max_ms = 0;
  JsonPath key;
  Secrets secrets;
};

struct Position {
  std::string id;
  std::int64_t events = 0;
};

std::string encode(const Position& position) {
  return nlohmann::json{{"id", position.id}, {"n", position.events}}.dump(
      -1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<Position> decode(std::string_view text) {
  if (text.empty()) return Position{};
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("id") || !json["id"].is_string())
    return error(Code::kDataLoss, "not a position of an event stream");
  return Position{.id = json["id"], .events = json.value("n", std::int64_t{0})};
}

/// The client's side: connects, reads, connects again.
class Reader {
 public:
  Reader(const SseConfig& config, std::string last_id)
      : config_(config), events_(config.max_event, std::move(last_id)) {
    thread_ = std::jthread([this](std::stop_token stop) { loop(stop); });
  }
  ~Reader() {
    thread_.request_stop();
    changed_.notify_all();
  }

  struct Taken {
    std::deque<StreamEvent> events;
    std::string trouble;
    milliseconds again{0};  ///< until it connects again, while there is trouble
    bool over = false;      ///< the server wants no more connections
    bool quiet = false;
    std::int64_t connections = 0;
    bool connected = false;
  };
  Taken take(std::size_t most, std::stop_token stop);

 private:
  void loop(const std::stop_token& stop);
  Status connect(const std::stop_token& stop);
  Status begin(const net::HttpResponse& head);
  Status hold(std::string_view bytes, const std::stop_token& stop);
  milliseconds pause(bool failed);
  std::string explain(const Error& why) const;

  const SseConfig& config_;
  net::HttpClient client_;
  // The thread's own.
  EventStream events_;
  int failures_ = 0;
  std::int64_t retry_after_ms_ = -1;
  std::mt19937 random_{std::random_device{}()};

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<StreamEvent> held_;
  std::size_t held_bytes_ = 0;
  std::string trouble_;
  Steady::time_point again_at_, heard_at_;
  bool connected_ = false, over_ = false;
  std::int64_t connections_ = 0;
  std::jthread thread_;
};

Reader::Taken Reader::take(std::size_t most, std::stop_token stop) {
  Taken taken;
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, stop, kLook, [this] { return !held_.empty() || over_; });
  while (!held_.empty() && taken.events.size() < most) {
    held_bytes_ -= held_.front().data.size();
    taken.events.push_back(std::move(held_.front()));
    held_.pop_front();
  }
  const auto now = Steady::now();
  taken.trouble = trouble_;
  taken.again = std::max(milliseconds(1), std::chrono::ceil<milliseconds>(again_at_ - now));
  taken.over = over_ && held_.empty();
  taken.connected = connected_;
  taken.quiet = connected_ && now - heard_at_ > kQuiet;
  taken.connections = connections_;
  lock.unlock();
  changed_.notify_all();
  return taken;
}

void Reader::loop(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const Status ended = connect(stop);
    if (stop.stop_requested()) return;
    events_.reconnect();
    std::unique_lock lock(mutex_);
    connected_ = false;
    if (over_) break;
    trouble_ = ended ? "" : explain(ended.error());
    const milliseconds wait = pause(!ended);
    again_at_ = Steady::now() + wait;
    if (!trouble_.empty())
      trouble_ += fmt::format("; connects again in {} s", static_cast<double>(wait.count()) / 1000);
    changed_.notify_all();
    changed_.wait_for(lock, stop, wait, [] { return false; });
  }
  changed_.notify_all();
}

Status Reader::connect(const std::stop_token& stop) {
  net::HttpOptions options = config_.http;
  options.stop = stop;
  if (!events_.last_id().empty()) options.headers.emplace_back("Last-Event-ID", events_.last_id());
  retry_after_ms_ = -1;
  const net::HttpSink sink{.head = [this](const net::HttpResponse& head) { return begin(head); },
                           .bytes = [&](std::string_view bytes) { return hold(bytes, stop); },
                           .idle_timeout_ms = config_.idle_timeout_ms};
  TRY(client_.stream(config_.url, options, sink));
  return {};
}

// The standard: 204 ends it for good; what is not 200 and text/event-stream is a failure.
Status Reader::begin(const net::HttpResponse& head) {
  const std::string_view type = head.header("content-type");
  if (head.status == 204) {
    const std::lock_guard lock(mutex_);
    over_ = true;
    return {};
  }
  if (head.status != 200) {
    std::int64_t seconds = 0;
    const std::string_view after = head.header("retry-after");
    const auto [end, failure] = std::from_chars(after.data(), after.data() + after.size(), seconds);
    if (failure == std::errc() && seconds >= 0)
      retry_after_ms_ = std::min(seconds, kMostRetryMs / 1000) * 1000;
    return error(
        Code::kUnavailable,
        fmt::format("{} answered {}", config_.secrets.shown_url(config_.url), head.status));
  }
  if (!type.starts_with("text/event-stream"))
    return error(Code::kUnavailable, fmt::format("{} answered 200, but with {}, not with a "
                                                 "text/event-stream",
                                                 config_.secrets.shown_url(config_.url),
                                                 type.empty() ? "no content type" : type));
  const std::lock_guard lock(mutex_);
  connected_ = true;
  ++connections_;
  trouble_.clear();
  heard_at_ = Steady::now();
  return {};
}

Status Reader::hold(std::string_view bytes, const std::stop_token& stop) {
  std::deque<StreamEvent> come;
  events_.feed(bytes, [&](StreamEvent event) {
    const bool wanted = config_.types.empty() ||
                        std::ranges::find(config_.types, event.type) != config_.types.end();
    if (wanted) come.push_back(std::move(event));
  });
  if (come.empty()) return {};
  failures_ = 0;
  std::unique_lock lock(mutex_);
  const bool room = changed_.wait(lock, stop, [this] {
    return held_.empty() || (held_.size() < kHeldEvents && held_bytes_ < kHeldBytes);
  });
  if (!room) return error(Code::kCancelled, "stopped");
  for (StreamEvent& event : come) {
    held_bytes_ += event.data.size();
    held_.push_back(std::move(event));
  }
  heard_at_ = Steady::now();
  lock.unlock();
  changed_.notify_all();
  return {};
}

milliseconds Reader::pause(bool failed) {
  const std::int64_t first =
      std::min(events_.retry_ms().value_or(config_.backoff_ms), kMostRetryMs);
  if (!failed) return milliseconds(first);
  if (retry_after_ms_ >= 0) return milliseconds(retry_after_ms_);
  const std::int64_t most =
      std::max(first, std::min(config_.backoff_max_ms, std::max<std::int64_t>(2, first)
                                                           << std::min(failures_, 20)));
  ++failures_;
  return milliseconds(most / 2 + std::uniform_int_distribution<std::int64_t>(0, most / 2)(random_));
}

std::string Reader::explain(const Error& why) const {
  return config_.secrets.shown_text(why.what, config_.url);
}

class SseSource final : public Source {
 public:
  explicit SseSource(SseConfig config) : config_(std::move(config)) {}

  Status next(std::string_view text, Chunk& chunk, std::stop_token stop) override;
  bool replayable() const override { return false; }
  std::string fingerprint() const override {
    return "sse " + config_.secrets.shown_url(config_.url);
  }
  std::string describe() const override { return config_.secrets.shown_url(config_.url); }

 private:
  void put(StreamEvent event, Position& position, Chunk& chunk) const;
  std::string record(const StreamEvent& event) const;

  const SseConfig config_;
  std::string known_;  // the position that the reader goes on from
  std::unique_ptr<Reader> reader_;
};

Status SseSource::next(std::string_view text, Chunk& chunk, std::stop_token stop) {
  ASSIGN(Position position, decode(text));
  if (!reader_ || text != known_) {
    reader_.reset();
    reader_ = std::make_unique<Reader>(config_, position.id);
  }
  Reader::Taken taken = reader_->take(kChunkRecords, std::move(stop));
  chunk.place = config_.secrets.shown_url(config_.url);
  chunk.separator = '#';
  for (StreamEvent& event : taken.events) put(std::move(event), position, chunk);
  known_ = taken.events.empty() ? std::string(text) : encode(position);
  chunk.position = known_;
  if (!taken.events.empty()) return {};
  chunk.finished = taken.over;
  chunk.idle = taken.quiet || !taken.trouble.empty();
  chunk.error = taken.trouble;
  if (!taken.trouble.empty()) chunk.wait = taken.again;
  chunk.why =
      taken.over ? "the server has ended the stream for good (204)"
      : !taken.connected
          ? "connects"
          : fmt::format("connected{}",
                        taken.connections == 1 ? "" : fmt::format(", {} times", taken.connections));
  if (!taken.trouble.empty()) chunk.why = taken.trouble;
  return {};
}

std::string SseSource::record(const StreamEvent& event) const {
  if (config_.format != Format::kEvent) return event.data;
  std::string json = "{\"id\":";
  if (event.last_id.empty())
    json += "null";
  else
    append_json_string(json, event.last_id);
  json += ",\"event\":";
  append_json_string(json, event.type);
  json += ",\"data\":";
  if (check_json(event.data))
    json += event.data;
  else
    append_json_string(json, event.data);
  return json + "}";
}

void SseSource::put(StreamEvent event, Position& position, Chunk& chunk) const {
  const std::int64_t number = ++position.events;
  position.id = event.last_id;
  const auto reject = [&](std::string reason, std::string detail) {
    chunk.rejects.push_back({.reason = std::move(reason),
                             .detail = std::move(detail),
                             .origin = fmt::format("{}#{}", chunk.place, number),
                             .bytes = std::move(event.data)});
  };
  if (!event.problem.empty()) return reject("incomplete", event.problem);
  if (config_.format == Format::kJson)
    if (const Status good = check_json(event.data); !good)
      return reject("bad JSON", good.error().what);
  const std::string value = record(event);
  const bool keyed = config_.format != Format::kRaw && !config_.key.is_root();
  const auto key = keyed ? config_.key.find(value) : std::nullopt;
  chunk.add(key, value, number);
}

Result<std::unique_ptr<Source>> make(const SourceSpec& spec) {
  Options options(spec, kOptions);
  SseConfig config;
  config.url = options.text("url");
  config.secrets = Secrets(spec.secrets, config.url);
  constexpr Format kFormats[] = {Format::kJson, Format::kEvent, Format::kRaw};
  config.format = kFormats[options.choice("format", {"json", "event", "raw"})];
  config.types = options.words("event");
  config.http.headers = options.below("headers");
  config.http.headers.emplace_back("Accept", "text/event-stream");
  config.http.headers.emplace_back("Cache-Control", "no-store");
  if (const auto token = options.given("token"))
    config.http.headers.emplace_back("Authorization", "Bearer " + *token);
  config.http.ca_file = options.path("ca_file");
  config.max_event = static_cast<std::size_t>(options.size_bytes("max_event", 1, 64 << 20));
  config.idle_timeout_ms =
      static_cast<int>(std::min<std::int64_t>(options.duration_ms("idle_timeout"), INT32_MAX));
  config.backoff_ms = options.duration_ms("backoff");
  config.backoff_max_ms = std::max(config.backoff_ms, options.duration_ms("backoff_max"));
  auto key = JsonPath::parse(options.text("key"));
  if (!key) options.fail("key", key.error().what);
  if (config.idle_timeout_ms < 1) options.fail("idle_timeout", "longer than nothing");
  const bool web = config.url.starts_with("http://") || config.url.starts_with("https://");
  if (options.given("url") && !web)
    options.fail("url", fmt::format("\"{}\" is no web address; it begins with http:// or https://",
                                    config.secrets.shown_url(config.url)));
  TRY(options.finish());
  config.key = *key;
  return std::make_unique<SseSource>(std::move(config));
}

}  // namespace

constinit const SourceType kSseSource{
    .type = "sse",
    .what = "keeps a stream of server-sent events open (text/event-stream)",
    .options = kOptions,
    .make = make,
    .can_be_sampled = false,
};

}  // namespace tailrace::connect
