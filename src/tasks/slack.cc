// SlackWebhookOperator: a message to an incoming webhook.
#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "jinja/json.h"
#include "net/http_client.h"
#include "tasks/operators.h"

namespace tailrace::tasks {
namespace {

using jinja::Dict;
using jinja::Value;

constexpr int kTimeoutMs = 30'000;
constexpr std::int64_t kLongestWait = 120;  ///< seconds of a Retry-After that is waited for

const Value* given(const Dict& dict, std::string_view name) {
  const Value* value = dict.find(name);
  return value == nullptr || value->is_none() ? nullptr : value;
}

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n"), last = text.find_last_not_of(" \t\r\n");
  return first == text.npos ? "" : std::string(text.substr(first, last - first + 1));
}

std::string without(std::string text, std::string_view secret) {
  for (std::size_t at = 0; (at = text.find(secret, at)) != text.npos; at += 3)
    text.replace(at, secret.size(), "***");
  return text;
}

class SlackWebhook final : public Operator {
 public:
  Outcome run(Context& context) const override {
    const auto sent = send(context);
    return sent ? Outcome::success() : Outcome::failed(sent.error().what);
  }

 private:
  /// Where the webhook is; the whole of it is a secret.
  static Result<std::string> url_of(const metadata::Connection& connection) {
    const std::string token = trimmed(connection.password.value_or(""));
    if (token.empty())
      return error(
          Code::kNotFound,
          fmt::format("Connection ID '{}' does not contain password (Slack Webhook Token).",
                      connection.id));
    if (token.find("://") != token.npos) return token;
    std::string base = connection.host.value_or("");
    if (base.find("://") == base.npos) {
      const std::string schema =
          connection.schema && !connection.schema->empty() ? *connection.schema : "https";
      base = schema + "://" + (base.empty() ? "hooks.slack.com/services" : base);
    }
    base.erase(base.find_last_not_of('/') + 1);
    std::string url =
        base + "/" + token.substr(std::min(token.find_first_not_of('/'), token.size()));
    url.erase(url.find_last_not_of('/') + 1);
    return url;
  }

  static Result<std::string> body_of(const Context& context) {
    Dict body;
    ASSIGN(const std::string message, text_argument(context, "message"));
    body.set("text", Value(message));
    for (const char* name :
         {"attachments", "blocks", "channel", "username", "icon_emoji", "icon_url"}) {
      if (const Value* value = given(context.arguments, name)) body.set(name, *value);
    }
    return jinja::dump_json(Value(std::move(body)), {});
  }

  static Status send(Context& context) {
    ASSIGN(const std::string id, text_argument(context, "slack_webhook_conn_id"));
    ASSIGN(const auto connection, context.connection(id));
    ASSIGN(const std::string url, url_of(connection));
    ASSIGN(const std::string body, body_of(context));
    net::HttpOptions options;
    options.headers = {{"Content-Type", "application/json;charset=utf-8"}};
    options.stop = context.stop;
    options.max_redirects = 0;
    ASSIGN(double timeout, number_argument(context, "timeout", 0));
    if (timeout == 0 && connection.extra && !connection.extra->empty()) {
      ASSIGN(const Value extra, jinja::from_json(*connection.extra));
      const Value* seconds = extra.dict() == nullptr ? nullptr : given(*extra.dict(), "timeout");
      if (seconds != nullptr) timeout = seconds->number().value_or(0);
    }
    options.timeout_ms =
        timeout > 0 && timeout <= 3600 ? static_cast<int>(timeout * 1000) : kTimeoutMs;
    net::HttpClient client;
    for (int attempt = 0;; ++attempt) {
      const auto response = client.post(url, body, options);
      if (!response) {
        const bool again = attempt == 0 && response.error().code == Code::kUnavailable;
        if (again && wait(context, 1)) continue;
        return error(response.error().code,
                     without(response.error().what, url.substr(url.rfind('/') + 1)));
      }
      if (response->status == 200) return {};
      if (response->status == 429 && attempt == 0) {
        const std::int64_t pause = std::atoll(std::string(response->header("retry-after")).c_str());
        if (pause >= 0 && pause <= kLongestWait) {
          context.log.line(fmt::format("Slack asks to come back in {} seconds", pause));
          if (wait(context, std::max<std::int64_t>(pause, 1))) continue;
        }
      }
      return error(Code::kAborted,
                   fmt::format("Response body: {}, Status Code: {}. See: "
                               "https://api.slack.com/messaging/webhooks#handling_errors",
                               Value(response->body).repr(), response->status));
    }
  }

  /// False: a stop was asked for.
  static bool wait(Context& context, std::int64_t seconds) {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    (void)stopped.wait_for(lock, context.stop, std::chrono::seconds(seconds), [] { return false; });
    return !context.stop.stop_requested();
  }
};

}  // namespace

void add_slack(OperatorTable& table) {
  table["airflow.providers.slack.operators.slack_webhook.SlackWebhookOperator"] =
      std::make_unique<SlackWebhook>();
}

}  // namespace tailrace::tasks
