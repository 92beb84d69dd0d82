// A message to Slack: to an incoming webhook, or by its Web API with a token.
#include <fmt/format.h>

#include <array>
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

/// A request to Slack, and what its answer has to be.
struct Message {
  std::string url, body;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string secret;  ///< in no error
  double timeout = 0;  ///< seconds; 0: the default
};

/// False: a stop was asked for.
bool wait(Context& context, std::int64_t seconds) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  (void)stopped.wait_for(lock, context.stop, std::chrono::seconds(seconds), [] { return false; });
  return !context.stop.stop_requested();
}

/// Any answer but those that ask to come back: once.
Result<net::HttpResponse> send(Context& context, const Message& message) {
  net::HttpOptions options;
  options.headers = message.headers;
  options.headers.emplace_back("Content-Type", "application/json;charset=utf-8");
  options.stop = context.stop;
  options.max_redirects = 0;
  options.at_most_once = true;
  const double timeout = message.timeout;
  options.timeout_ms =
      timeout > 0 && timeout <= 3600 ? static_cast<int>(timeout * 1000) : kTimeoutMs;
  net::HttpClient client;
  for (int attempt = 0;; ++attempt) {
    auto response = client.post(message.url, message.body, options);
    if (!response) {
      const bool again = attempt == 0 && response.error().code == Code::kUnavailable;
      if (again && wait(context, 1)) continue;
      return error(response.error().code, without(response.error().what, message.secret));
    }
    if (response->status == 429 && attempt == 0) {
      const std::int64_t pause = std::atoll(std::string(response->header("retry-after")).c_str());
      if (pause >= 0 && pause <= kLongestWait) {
        context.log.line(fmt::format("Slack asks to come back in {} seconds", pause));
        if (wait(context, std::max<std::int64_t>(pause, 1))) continue;
      }
    }
    return response;
  }
}

/// A member of the connection's `extra`; None where there is none.
Result<Value> extra_of(const metadata::Connection& connection, std::string_view name) {
  if (!connection.extra || connection.extra->empty()) return Value();
  ASSIGN(const Value extra, jinja::from_json(*connection.extra));
  const Value* found = extra.dict() == nullptr ? nullptr : given(*extra.dict(), name);
  return found == nullptr ? Value() : *found;
}

/// The argument, else the connection's.
Result<double> timeout_of(const Context& context, const metadata::Connection& connection) {
  ASSIGN(const double timeout, number_argument(context, "timeout", 0));
  if (timeout != 0) return timeout;
  ASSIGN(const Value extra, extra_of(connection, "timeout"));
  return extra.number().value_or(0);
}

class SlackWebhook final : public Operator {
 public:
  Outcome run(Context& context) const override {
    const auto sent = post(context);
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
    for (const char* name : {"attachments", "blocks", "unfurl_links", "unfurl_media", "channel",
                             "username", "icon_emoji", "icon_url"}) {
      if (const Value* value = given(context.arguments, name)) body.set(name, *value);
    }
    return jinja::dump_json(Value(std::move(body)), {});
  }

  static Status post(Context& context) {
    ASSIGN(const std::string id, text_argument(context, "slack_webhook_conn_id"));
    ASSIGN(const auto connection, context.connection(id));
    Message message;
    ASSIGN(message.url, url_of(connection));
    message.secret = message.url.substr(message.url.rfind('/') + 1);
    ASSIGN(message.body, body_of(context));
    ASSIGN(message.timeout, timeout_of(context, connection));
    ASSIGN(const auto response, send(context, message));
    if (response.status == 200) return {};
    return error(Code::kAborted,
                 fmt::format("Response body: {}, Status Code: {}. See: "
                             "https://api.slack.com/messaging/webhooks#handling_errors",
                             Value(response.body).repr(), response.status));
  }
};

/// chat.postMessage, by the operator's arguments or those of SlackNotifier, which has a few more.
class SlackApiPost final : public Operator {
 public:
  Outcome run(Context& context) const override {
    auto answer = post(context);
    return answer ? Outcome::success(std::move(*answer)) : Outcome::failed(answer.error().what);
  }

 private:
  static Result<std::string> url_of(const Context& context,
                                    const metadata::Connection& connection) {
    ASSIGN(std::string base, text_argument(context, "base_url"));
    if (base.empty()) {
      ASSIGN(const Value extra, extra_of(connection, "base_url"));
      base = extra.string() == nullptr ? kWebApi : *extra.string();
    }
    if (!base.ends_with('/')) base += '/';
    return base + "chat.postMessage";
  }

  /// As a text, of a list that is JSON.
  static Result<Value> list_text(const Context& context, std::string_view name) {
    const Value* value = given(context.arguments, name);
    ASSIGN(auto text, jinja::dump_json(value == nullptr ? Value(jinja::List()) : *value, {}));
    return Value(std::move(text));
  }

  static Result<std::string> body_of(const Context& context) {
    if (const Value* given_whole = given(context.arguments, "api_params"))
      return jinja::dump_json(*given_whole, {});
    Dict body;
    constexpr std::array<std::pair<const char*, const char*>, 4> kTexts{
        {{"channel", "#general"}, {"username", "Airflow"}, {"text", kNoText}, {"icon_url", kPin}}};
    for (const auto& [name, none] : kTexts) {
      ASSIGN(const std::string text, text_argument(context, name, none));
      body.set(name, Value(text));
    }
    for (const char* name : {"attachments", "blocks"}) {
      ASSIGN(auto text, list_text(context, name));
      body.set(name, std::move(text));
    }
    for (const char* name : {"thread_ts", "unfurl_links", "unfurl_media"}) {
      if (const Value* value = given(context.arguments, name)) body.set(name, *value);
    }
    return jinja::dump_json(Value(std::move(body)), {});
  }

  /// What Slack answers, where it says that it is well.
  static Result<Value> post(Context& context) {
    ASSIGN(const std::string id, text_argument(context, "slack_conn_id", "slack_api_default"));
    ASSIGN(const auto connection, context.connection(id));
    const std::string token = connection.password.value_or("");
    if (token.empty())
      return error(
          Code::kNotFound,
          fmt::format("Connection ID '{}' does not contain password (Slack API Token).", id));
    if (token.find_first_of("\r\n") != token.npos)
      return error(Code::kInvalidArgument,
                   fmt::format("the token of connection '{}' has a line break", id));
    Message message;
    ASSIGN(message.url, url_of(context, connection));
    message.secret = token;
    message.headers = {{"Authorization", "Bearer " + token}};
    ASSIGN(message.body, body_of(context));
    ASSIGN(message.timeout, timeout_of(context, connection));
    ASSIGN(const auto response, send(context, message));
    auto answer = jinja::from_json(response.body);
    const Value* ok = answer && answer->dict() != nullptr ? given(*answer->dict(), "ok") : nullptr;
    if (response.status == 200 && ok != nullptr && ok->truth()) return std::move(*answer);
    return error(Code::kAborted,
                 fmt::format("The request to the Slack API failed. (url: {})\n"
                             "The server responded with: {}",
                             message.url, answer ? answer->repr() : Value(response.body).repr()));
  }

  static constexpr const char* kWebApi = "https://slack.com/api/";
  static constexpr const char* kPin =
      "https://raw.githubusercontent.com/apache/airflow/main/airflow-core/src/airflow/ui/public/"
      "pin_100.png";
  static constexpr const char* kNoText =
      "No message has been set.\nHere is a cat video instead\n"
      "https://www.youtube.com/watch?v=J---aiyznGQ";
};

}  // namespace

void add_slack(OperatorTable& table) {
  table["airflow.providers.slack.operators.slack_webhook.SlackWebhookOperator"] =
      std::make_unique<SlackWebhook>();
  table["airflow.providers.slack.operators.slack.SlackAPIPostOperator"] =
      std::make_unique<SlackApiPost>();
}

}  // namespace tailrace::tasks
