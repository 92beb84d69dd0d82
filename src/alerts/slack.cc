// Slack: incoming webhooks, and chat.postMessage with threads where a token is given.
//
// With a token a group is a thread: its first message is the thread's, which chat.update shows as
// resolved later; updates, repeats and the end go below it, repeats to the channel, too. The
// reference of a message is CHANNEL:TS of the thread.
#include <fmt/format.h>

#include "alerts/http_channel.h"

namespace tailrace::alerts {
namespace {

constexpr std::size_t kText = 3000, kHeader = 150, kField = 2000, kFields = 10;
constexpr std::size_t kAlertsShown = 10, kDetails = 2500;

/// Slack counts characters; so does this, and cuts before the limit.
std::string limited(std::string_view text, std::size_t most) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) continue;
    if (++characters == most) return cut(text, i + 3);
  }
  return std::string(text);
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text)
    out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
  return out;
}

/// Escaped, and within the limit, with no entity cut in two.
std::string mrkdwn(std::string_view text, std::size_t most) {
  std::string out = escaped(text);
  for (std::size_t keep = most; out.size() > most; keep -= keep / 8 + 1)
    out = escaped(limited(text, std::max<std::size_t>(keep, 1)));
  return out.empty() ? " " : out;
}

std::string_view sign(const Message& message) {
  switch (message.kind) {
    case MessageKind::kResolved:
      return ":large_green_circle:";
    case MessageKind::kNotice:
      return ":white_check_mark:";
    case MessageKind::kTest:
      return ":wrench:";
    case MessageKind::kFiring:
    case MessageKind::kRepeat:
      break;
  }
  if (message.severity == "info") return ":large_blue_circle:";
  return message.severity == "warning" ? ":large_orange_circle:" : ":red_circle:";
}

Json text_object(std::string_view text, std::size_t most = kText) {
  return {{"type", "mrkdwn"}, {"text", mrkdwn(text, most)}};
}

/// The facts of an alert as fields, of which a section has ten.
Json fields_section(const Alert& alert) {
  Json fields = Json::array();
  for (const auto& [fact, value] : facts(alert)) {
    if (fields.size() == kFields) break;
    const bool command = fact == "look";
    const std::string shown = mrkdwn(value, kField / 2);
    fields.push_back({{"type", "mrkdwn"},
                      {"text", fmt::format("*{}*\n{}", mrkdwn(fact, 100),
                                           command ? "`" + shown + "`" : shown)}});
  }
  return {{"type", "section"}, {"fields", fields}};
}

Json button(std::string_view text, const std::string& url, std::string_view id) {
  return {{"type", "button"},
          {"text", {{"type", "plain_text"}, {"text", text}}},
          {"url", url},
          {"action_id", id}};
}

Json actions(const Message& message, const Sender& sender) {
  Json buttons = Json::array();
  const auto add = [&](std::string_view text, const std::string& url, std::string_view id) {
    if (!url.empty() && url.size() <= kText) buttons.push_back(button(text, url, id));
  };
  add("Open in Tailrace", page_link(message, sender), "page");
  add("Link", message.link, "link");
  add("Runbook", message.runbook, "runbook");
  return buttons;
}

}  // namespace

Json slack_message(const Message& message, const Sender& sender) {
  const std::string heading = fmt::format("{} {}", sign(message), title(message));
  Json blocks = Json::array();
  blocks.push_back(
      {{"type", "header"},
       {"text", {{"type", "plain_text"}, {"text", limited(heading, kHeader)}, {"emoji", true}}}});
  blocks.push_back({{"type", "section"}, {"text", text_object(summary(message))}});
  const auto alerts = shown(message, kAlertsShown);
  for (const Alert* alert : alerts) {
    if (alerts.size() > 1)
      blocks.push_back(
          {{"type", "section"},
           {"text", text_object(fmt::format("{}: {}", name(alert->state), alert->seen.summary))}});
    blocks.push_back(fields_section(*alert));
    if (alerts.size() <= 3 && !alert->seen.details.empty())
      blocks.push_back({{"type", "section"},
                        {"text",
                         {{"type", "mrkdwn"},
                          {"text", "```" + mrkdwn(alert->seen.details, kDetails) + "```"}}}});
  }
  if (count(message) > alerts.size())
    blocks.push_back(
        {{"type", "section"},
         {"text", text_object(fmt::format("and {} more", count(message) - alerts.size()))}});
  if (Json buttons = actions(message, sender); !buttons.empty())
    blocks.push_back({{"type", "actions"}, {"elements", std::move(buttons)}});
  const std::string foot = fmt::format("{} · {} · project {} · {}", message.rule, message.severity,
                                       sender.project, time_text(message.at));
  blocks.push_back({{"type", "context"}, {"elements", Json::array({text_object(foot, 1000)})}});
  return {{"text", mrkdwn(heading + ": " + summary(message), kText)}, {"blocks", blocks}};
}

namespace {

class SlackWebhook final : public Channel {
 public:
  SlackWebhook(const ChannelSpec& spec, Sender sender) : spec_(spec), sender_(std::move(sender)) {}

  Attempt send(const Message& message, const Envelope&, std::stop_token stop) override {
    return post_json(client_, spec_.url, slack_message(message, sender_), {}, spec_, stop);
  }
  Ms gap() const override { return 1000; }

 private:
  ChannelSpec spec_;
  Sender sender_;
  net::HttpClient client_;
};

class SlackBot final : public Channel {
 public:
  SlackBot(const ChannelSpec& spec, Sender sender) : spec_(spec), sender_(std::move(sender)) {}

  Attempt send(const Message& message, const Envelope& envelope, std::stop_token stop) override {
    Json body = slack_message(message, sender_);
    body["channel"] = spec_.channel;
    body["unfurl_links"] = false;
    const auto colon = envelope.reference.rfind(':');
    const bool threaded = colon != std::string::npos && message.kind != MessageKind::kTest;
    if (!threaded) return call("chat.postMessage", body, "", stop);
    // The thread's own message shows the state first: to say it twice does no harm.
    Json update = body;
    update["channel"] = envelope.reference.substr(0, colon);
    update["ts"] = envelope.reference.substr(colon + 1);
    const Attempt updated = call("chat.update", update, envelope.reference, stop);
    if (updated.end == Attempt::End::kAgain || updated.end == Attempt::End::kUnknown)
      return {.end = Attempt::End::kAgain, .said = updated.said, .wait = updated.wait};
    body["channel"] = update["channel"];
    body["thread_ts"] = update["ts"];
    if (message.kind == MessageKind::kRepeat) body["reply_broadcast"] = true;
    return call("chat.postMessage", body, envelope.reference, stop);
  }
  Ms gap() const override { return 1000; }

 private:
  /// `reference`: of the thread; empty where the message begins one.
  Attempt call(const std::string& method, const Json& body, const std::string& reference,
               const std::stop_token& stop) {
    using enum Attempt::End;
    std::string answer;
    Attempt attempt = post_json(client_, spec_.url + "/" + method, body,
                                {{"Authorization", "Bearer " + spec_.token}}, spec_, stop, &answer);
    if (attempt.end != kSent) return attempt;
    const Json said = Json::parse(answer, nullptr, false);
    if (!said.is_object() || !said.contains("ok"))
      return {.end = kUnknown, .said = "an answer that is not Slack's: " + attempt.said};
    if (!said.value("ok", false)) {
      const std::string why = said.value("error", "");
      const bool later = why == "ratelimited" || why == "rate_limited" || why == "internal_error" ||
                         why == "fatal_error" || why == "service_unavailable" ||
                         why == "request_timeout";
      return {.end = later ? kAgain : kRefused, .said = method + ": " + why};
    }
    attempt.said = method + ": ok";
    attempt.reference = reference.empty()
                            ? said.value("channel", spec_.channel) + ":" + said.value("ts", "")
                            : reference;
    return attempt;
  }

  ChannelSpec spec_;
  Sender sender_;
  net::HttpClient client_;
};

}  // namespace

std::unique_ptr<Channel> make_slack(const ChannelSpec& spec, Sender sender) {
  if (spec.token.empty()) return std::make_unique<SlackWebhook>(spec, std::move(sender));
  return std::make_unique<SlackBot>(spec, std::move(sender));
}

}  // namespace tailrace::alerts
