// PagerDuty's events, Alertmanager's alerts, and the webhook that anybody may read.
#include <fmt/format.h>

#include "alerts/http_channel.h"
#include "alerts/matcher_text.h"

namespace tailrace::alerts {
namespace {

constexpr std::size_t kDedupKey = 255, kSummary = 1024, kDetails = 20;
constexpr Ms kNoRepeat = 365 * 86'400'000LL, kNotice = 5 * 60'000;

std::string fact_of(const Alert& alert, std::string_view label) {
  const auto at = alert.labels.find(std::string(label));
  return at == alert.labels.end() ? "" : at->second;
}

std::string component(const Alert& alert) {
  for (const char* label : {"hop", "table", "dag", "query"})
    if (const std::string value = fact_of(alert, label); !value.empty()) return value;
  return alert.rule;
}

Json annotations(const Message& message, const Alert& alert) {
  Json all = {
      {"summary", alert.seen.summary}, {"value", alert.seen.value}, {"look", alert.seen.look}};
  if (!message.text.empty()) all["message"] = message.text;
  if (!message.runbook.empty()) all["runbook_url"] = message.runbook;
  if (!message.link.empty()) all["link"] = message.link;
  for (const auto& [field, value] : alert.seen.fields) all[as_label(field)] = value;
  if (!alert.seen.details.empty()) all["details"] = alert.seen.details;
  return all;
}

Json prometheus_labels(const Alert& alert) {
  Json labels = Json::object();
  for (const auto& [label, value] : alert.labels)
    if (!value.empty()) labels[as_label(label)] = value;
  return labels;
}

/// The first of a message: what fires before what is over.
const Alert& first(const Message& message) {
  return *shown(message, 1).front();
}

/// What all alerts of a message have in common.
Json common(const std::vector<Json>& all) {
  Json same = all.front();
  for (const Json& other : all)
    for (auto at = same.begin(); at != same.end();)
      at = other.contains(at.key()) && other.at(at.key()) == *at ? std::next(at) : same.erase(at);
  return same;
}

}  // namespace

Json pagerduty_event(const Message& message, const Sender& sender, const std::string& routing_key) {
  const bool notice = message.kind == MessageKind::kNotice;
  const bool over = message.kind == MessageKind::kResolved;
  Json event = {{"routing_key", routing_key}};
  Json links = Json::array();
  const auto link = [&](const std::string& href, std::string_view text) {
    if (!href.empty()) links.push_back({{"href", href}, {"text", text}});
  };
  link(page_link(message, sender), "Tailrace");
  link(message.link, "Link");
  link(message.runbook, "Runbook");
  Json details = {{"summary", summary(message)}};
  Json list = Json::array();
  for (const Alert* alert : shown(message, kDetails)) {
    Json one = {{"state", name(alert->state)}, {"summary", alert->seen.summary}};
    for (const auto& [fact, value] : facts(*alert)) one[fact] = value;
    if (!alert->seen.details.empty()) one["details"] = alert->seen.details;
    list.push_back(std::move(one));
  }
  details["alerts"] = std::move(list);
  details["alerts_in_all"] = count(message);
  Json payload = {{"summary", cut(title(message) + ": " + summary(message), kSummary)},
                  {"source", sender.host},
                  {"timestamp", time_text(message.at)},
                  {"custom_details", std::move(details)}};
  if (!notice) {
    payload["severity"] = message.severity;
    payload["component"] = component(first(message));
    payload["group"] = sender.project;
    payload["class"] = message.rule;
    event["event_action"] = over ? "resolve" : "trigger";
    event["dedup_key"] = cut("tailrace-" + group_id(message, sender), kDedupKey);
    event["client"] = "Tailrace";
    if (!sender.page.empty()) event["client_url"] = sender.page;
  }
  event["payload"] = std::move(payload);
  if (!links.empty()) event["links"] = std::move(links);
  return event;
}

Json alertmanager_alerts(const Message& message, const Sender& sender, Ms repeat) {
  Json all = Json::array();
  for (const Alert* alert : shown(message, kMostOfRule)) {
    const Ms lasting = message.kind == MessageKind::kNotice ? kNotice
                       : repeat > 0                         ? 2 * repeat
                                                            : kNoRepeat;
    const Ms ends = alert->ended_at != 0 ? alert->ended_at : message.at + lasting;
    Json one = {{"labels", prometheus_labels(*alert)},
                {"annotations", annotations(message, *alert)},
                {"startsAt", time_text(alert->since)},
                {"endsAt", time_text(ends)}};
    one["labels"]["project"] = sender.project;
    if (const std::string link = page_link(*alert, sender); !link.empty())
      one["generatorURL"] = link;
    all.push_back(std::move(one));
  }
  return all;
}

Json webhook_message(const Message& message, const Sender& sender, const std::string& receiver) {
  Json alerts = Json::array();
  std::vector<Json> labels, notes;
  for (const Alert* alert : shown(message, kMostOfRule)) {
    labels.push_back(prometheus_labels(*alert));
    notes.push_back(annotations(message, *alert));
    alerts.push_back(
        {{"status", alert->state == State::kResolved ? "resolved" : "firing"},
         {"labels", labels.back()},
         {"annotations", notes.back()},
         {"startsAt", time_text(alert->since)},
         {"endsAt", alert->ended_at != 0 ? time_text(alert->ended_at) : "0001-01-01T00:00:00Z"},
         {"generatorURL", page_link(*alert, sender)},
         {"fingerprint", stable_id(sender, alert->key()).substr(0, 16)}});
  }
  return {{"version", "4"},
          {"groupKey", message.group},
          {"truncatedAlerts", 0},
          {"status", message.kind == MessageKind::kResolved ? "resolved" : "firing"},
          {"receiver", receiver},
          {"groupLabels", {{"alertname", message.rule}}},
          {"commonLabels", common(labels)},
          {"commonAnnotations", common(notes)},
          {"externalURL", sender.page},
          {"alerts", alerts},
          {"tailrace",
           {{"kind", name(message.kind)},
            {"project", sender.project},
            {"title", title(message)},
            {"text", summary(message)}}}};
}

namespace {

class PagerDuty final : public Channel {
 public:
  PagerDuty(const ChannelSpec& spec, Sender sender) : spec_(spec), sender_(std::move(sender)) {}

  Attempt send(const Message& message, const Envelope&, std::stop_token stop) override {
    std::string url = spec_.url;
    constexpr std::string_view kEnqueue = "/enqueue";
    if (message.kind == MessageKind::kNotice && url.ends_with(kEnqueue))
      url.insert(url.size() - kEnqueue.size(), "/change");
    Json event = pagerduty_event(message, sender_, spec_.routing_key);
    Attempt attempt = post_json(client_, url, event, {}, spec_, stop);
    if (message.kind != MessageKind::kTest || attempt.end != Attempt::End::kSent) return attempt;
    event["event_action"] = "resolve";
    return post_json(client_, url, event, {}, spec_, stop);
  }
  bool is_idempotent() const override { return true; }

 private:
  ChannelSpec spec_;
  Sender sender_;
  net::HttpClient client_;
};

class Alertmanager final : public Channel {
 public:
  Alertmanager(const ChannelSpec& spec, Sender sender) : spec_(spec), sender_(std::move(sender)) {}

  Attempt send(const Message& message, const Envelope&, std::stop_token stop) override {
    return post_json(client_, spec_.url + "/api/v2/alerts",
                     alertmanager_alerts(message, sender_, message.repeat), spec_.headers, spec_,
                     stop);
  }
  bool is_idempotent() const override { return true; }

 private:
  ChannelSpec spec_;
  Sender sender_;
  net::HttpClient client_;
};

class Webhook final : public Channel {
 public:
  Webhook(const ChannelSpec& spec, Sender sender) : spec_(spec), sender_(std::move(sender)) {}

  Attempt send(const Message& message, const Envelope& envelope, std::stop_token stop) override {
    auto headers = spec_.headers;
    if (envelope.id != 0)
      headers.emplace_back("Idempotency-Key",
                           fmt::format("{}-{}", group_id(message, sender_), envelope.id));
    return post_json(client_, spec_.url, webhook_message(message, sender_, spec_.name),
                     std::move(headers), spec_, stop);
  }

 private:
  ChannelSpec spec_;
  Sender sender_;
  net::HttpClient client_;
};

}  // namespace

std::unique_ptr<Channel> make_pagerduty(const ChannelSpec& spec, Sender sender) {
  return std::make_unique<PagerDuty>(spec, std::move(sender));
}

std::unique_ptr<Channel> make_alertmanager(const ChannelSpec& spec, Sender sender) {
  return std::make_unique<Alertmanager>(spec, std::move(sender));
}

std::unique_ptr<Channel> make_webhook(const ChannelSpec& spec, Sender sender) {
  return std::make_unique<Webhook>(spec, std::move(sender));
}

}  // namespace tailrace::alerts
