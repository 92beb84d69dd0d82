#include "telemetry/exporter.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/log.h"
#include "net/gzip.h"
#include "net/http_client.h"
#include "telemetry/otlp.h"

namespace tailrace::telemetry {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds kFirstWait = 1s, kLongestWait = 30s;
constexpr int kTries = 5;
/// How long stop() sends what waits.
constexpr milliseconds kLast = 2s;
constexpr std::size_t kMostAnswer = 64 << 10;
constexpr std::size_t kToldAnswer = 200;

/// The bytes of a trace id that TraceIdRatioBased looks at, as a number below 2^63.
std::uint64_t dice(const SpanContext& context) {
  std::uint64_t number = 0;
  for (std::size_t i = 8; i < 16; ++i) number = number << 8 | context.trace_id[i];
  return number >> 1;
}

}  // namespace

Exporter::Exporter(Settings settings) : settings_(std::move(settings)) {
  thread_ = std::jthread([this](const std::stop_token& stop) { loop(stop); });
}

std::shared_ptr<Exporter> Exporter::start(Settings settings) {
  auto exporter = std::make_shared<Exporter>(std::move(settings));
  set_sink(exporter);
  LOG(info, "traces go to {}", exporter->where());
  return exporter;
}

void Exporter::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopped_, true)) return;
    give_up_ = std::chrono::steady_clock::now() + kLast;
  }
  set_sink(nullptr);
  thread_.request_stop();
  changed_.notify_all();
  thread_.join();
  const std::lock_guard lock(mutex_);
  counts_.refused.add(waiting_.size());
  waiting_.clear();
}

bool Exporter::sample(const SpanContext& parent, const SpanContext& child) {
  if (settings_.sampler.by_parent && parent.valid()) return parent.sampled;
  if (settings_.sampler.ratio >= 1) return true;
  return static_cast<double>(dice(child)) < std::ldexp(settings_.sampler.ratio, 63);
}

void Exporter::take(std::unique_ptr<SpanData> span) {
  const std::lock_guard lock(mutex_);
  if (stopped_ || waiting_.size() >= settings_.queue) return counts_.full.add();
  waiting_.push_back(std::move(span));
  if (waiting_.size() == settings_.batch) changed_.notify_all();
}

bool Exporter::next_batch(Batch& batch, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, stop, settings_.delay,
                    [&] { return waiting_.size() >= settings_.batch; });
  const std::size_t count = std::min(waiting_.size(), settings_.batch);
  for (std::size_t i = 0; i < count; ++i) {
    batch.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return !batch.empty() || !stop.stop_requested();
}

void Exporter::loop(const std::stop_token& stop) {
  for (Batch batch; next_batch(batch, stop); batch.clear())
    if (!batch.empty()) send(batch, stop);
}

void Exporter::send(const Batch& batch, const std::stop_token& stop) {
  milliseconds pause = kFirstWait;
  for (int i = 0; i < kTries; ++i) {
    milliseconds wait{0};
    const Sent sent = try_send(batch, wait);
    if (sent == Sent::kDone) return;
    if (sent == Sent::kDropped || i + 1 == kTries) break;
    if (wait.count() == 0) wait = pause;
    pause = std::min(pause * 2, kLongestWait);
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, std::min(wait, kLongestWait), [] { return false; });
    if (std::chrono::steady_clock::now() + 100ms > give_up_ || stop.stop_requested()) break;
  }
  counts_.refused.add(batch.size());
}

Exporter::Sent Exporter::try_send(const Batch& batch, milliseconds& wait) {
  std::string body = settings_.json ? otlp_json(settings_.resource, batch)
                                    : otlp_protobuf(settings_.resource, batch);
  net::HttpOptions options;
  options.headers = settings_.headers;
  options.headers.emplace_back("Content-Type",
                               settings_.json ? "application/json" : "application/x-protobuf");
  if (settings_.gzip) {
    body = net::gzip(body);
    options.headers.emplace_back("Content-Encoding", "gzip");
  }
  options.timeout_ms = settings_.timeout_ms;
  options.follow_redirects = false;
  options.max_body_bytes = kMostAnswer;
  options.ca_file = settings_.ca_file;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) {
      const auto left =
          std::chrono::ceil<milliseconds>(give_up_ - std::chrono::steady_clock::now());
      options.timeout_ms = static_cast<int>(
          std::clamp<std::int64_t>(left.count(), 1, static_cast<std::int64_t>(options.timeout_ms)));
    }
  }
  options.connect_timeout_ms = std::min(options.connect_timeout_ms, options.timeout_ms);
  net::HttpClient client;
  const auto answer = client.post(settings_.url, body, options);
  if (!answer) {
    failed(answer.error().what);
    return Sent::kAgain;
  }
  if (answer->status >= 200 && answer->status < 300) {
    const std::int64_t refused = std::clamp<std::int64_t>(
        rejected_spans(answer->body, settings_.json), 0, std::ssize(batch));
    counts_.refused.add(static_cast<std::uint64_t>(refused));
    counts_.exported.add(batch.size() - static_cast<std::size_t>(refused));
    if (std::exchange(failing_, false)) LOG(info, "traces are taken again by {}", where());
    return Sent::kDone;
  }
  failed(fmt::format("{}: {} {}", where(), answer->status,
                     std::string_view(answer->body).substr(0, kToldAnswer)));
  const std::string_view after = answer->header("retry-after");
  int seconds = 0;
  std::from_chars(after.data(), after.data() + after.size(), seconds);
  wait = std::chrono::seconds(std::clamp(seconds, 0, 30));
  const bool passes = answer->status == 429 || answer->status == 502 || answer->status == 503 ||
                      answer->status == 504;
  return passes ? Sent::kAgain : Sent::kDropped;
}

void Exporter::failed(const std::string& what) {
  counts_.failures.add();
  if (std::exchange(failing_, true)) return;
  LOG(warn, "traces are not taken: {}", what);
}

std::string Exporter::where() const {
  return net::redact_url(settings_.url);
}

void Exporter::write_metrics(MetricsText& out) const {
  out.family("tailrace_telemetry_spans_total", MetricType::kCounter,
             "Spans that have ended, by what became of them.");
  out.add({{"outcome", "exported"}}, counts_.exported.value());
  out.add({{"outcome", "queue_full"}}, counts_.full.value());
  out.add({{"outcome", "refused"}}, counts_.refused.value());
  out.family("tailrace_telemetry_export_failures_total", MetricType::kCounter,
             "Requests to the collector that failed, whether tried again or not.");
  out.add({}, counts_.failures.value());
}

}  // namespace tailrace::telemetry
