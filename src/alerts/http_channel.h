// What the channels over HTTP share: one request, and what its answer means.
#pragma once

#include <functional>

#include "alerts/channel.h"
#include "net/http_client.h"

namespace tailrace::alerts {

/// POSTs JSON. 2xx: kSent; 429 and 503 with their Retry-After, other 5xx and 408: kAgain; other
/// answers: kRefused. Without an answer: kAgain where nothing had left, else kUnknown.
/// `body`, where given, gets the answer.
Attempt post_json(net::HttpClient& client, const std::string& url, const Json& json,
                  std::vector<std::pair<std::string, std::string>> headers, const ChannelSpec& spec,
                  const std::stop_token& stop, std::string* body = nullptr);

std::unique_ptr<Channel> make_slack(const ChannelSpec& spec, Sender sender);
std::unique_ptr<Channel> make_email(const ChannelSpec& spec, Sender sender);
std::unique_ptr<Channel> make_webhook(const ChannelSpec& spec, Sender sender);
std::unique_ptr<Channel> make_pagerduty(const ChannelSpec& spec, Sender sender);
std::unique_ptr<Channel> make_alertmanager(const ChannelSpec& spec, Sender sender);

}  // namespace tailrace::alerts
