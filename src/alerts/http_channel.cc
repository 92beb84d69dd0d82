#include "alerts/http_channel.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "rt/clock.h"

namespace tailrace::alerts {
namespace {

constexpr int kTimeoutMs = 15'000;
constexpr std::size_t kMostAnswer = 1 << 20;
constexpr std::size_t kShownAnswer = 200;
constexpr Ms kLongestWait = 3'600'000;

/// Seconds, or a date.
std::optional<Ms> retry_after(const net::HttpResponse& response) {
  const std::string_view text = response.header("retry-after");
  if (text.empty()) return std::nullopt;
  std::int64_t seconds = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (code != std::errc() || end != text.data() + text.size()) {
    const auto date = net::parse_http_date(text);
    if (!date) return std::nullopt;
    seconds = *date - rt::system_clock().now().value / 1000;
  }
  return std::clamp<Ms>(seconds, 0, kLongestWait / 1000) * 1000;
}

}  // namespace

Attempt post_json(net::HttpClient& client, const std::string& url, const Json& json,
                  std::vector<std::pair<std::string, std::string>> headers, const ChannelSpec& spec,
                  const std::stop_token& stop, std::string* body) {
  using enum Attempt::End;
  net::HttpOptions options;
  options.headers = std::move(headers);
  options.headers.emplace_back("Content-Type", "application/json; charset=utf-8");
  options.timeout_ms = kTimeoutMs;
  options.max_body_bytes = kMostAnswer;
  options.follow_redirects = false;
  options.at_most_once = true;  // whether it goes again is for kAgain and kUnknown to say
  options.stop = stop;
  const auto response = client.post(url, dump(json), options);
  if (!response) {
    std::string said = without_secrets(response.error().what, spec.secrets);
    if (response.error().code == Code::kInvalidArgument) return {.end = kRefused, .said = said};
    return {.end = client.request_left() ? kUnknown : kAgain, .said = said};
  }
  if (body != nullptr) *body = response->body;
  const std::string said = without_secrets(
      fmt::format("HTTP {} {}", response->status, cut(response->body, kShownAnswer)), spec.secrets);
  if (response->status >= 200 && response->status < 300) return {.end = kSent, .said = said};
  if (response->status == 429 || response->status == 408 || response->status >= 500)
    return {.end = kAgain, .said = said, .wait = retry_after(*response)};
  return {.end = kRefused, .said = said};
}

std::unique_ptr<Channel> Channel::make(const ChannelSpec& spec, Sender sender) {
  switch (spec.type) {
    case ChannelType::kSlack:
      return make_slack(spec, std::move(sender));
    case ChannelType::kEmail:
      return make_email(spec, std::move(sender));
    case ChannelType::kWebhook:
      return make_webhook(spec, std::move(sender));
    case ChannelType::kPagerDuty:
      return make_pagerduty(spec, std::move(sender));
    case ChannelType::kAlertmanager:
      return make_alertmanager(spec, std::move(sender));
  }
  return nullptr;
}

}  // namespace tailrace::alerts
