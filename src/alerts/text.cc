#include "alerts/text.h"

#include <fmt/format.h>

#include <algorithm>

#include "alerts/json.h"

namespace tailrace::alerts {
namespace {

std::uint64_t fnv(std::string_view text, std::uint64_t hash) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return hash;
}

const Alert& first(const Message& message) {
  return message.firing.empty() ? message.resolved.front() : message.firing.front();
}

std::string one_line(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return text;
}

}  // namespace

std::string title(const Message& message) {
  const std::string rule = one_line(message.rule);
  const std::size_t many = count(message);
  const std::string of = many > 1 ? fmt::format(" ({} alerts)", many) : "";
  switch (message.kind) {
    case MessageKind::kFiring:
      if (!message.resolved.empty())
        return fmt::format("Firing: {} ({} firing, {} resolved)", rule, message.firing.size(),
                           message.resolved.size());
      return fmt::format("Firing: {}{}", rule, of);
    case MessageKind::kRepeat:
      return fmt::format("Still firing: {}{}", rule, of);
    case MessageKind::kResolved:
      return fmt::format("Resolved: {}{}", rule, of);
    case MessageKind::kNotice:
      return rule;
    case MessageKind::kTest:
      return fmt::format("Test: {}", rule);
  }
  return rule;
}

std::string summary(const Message& message) {
  const std::string own = message.text.empty() ? first(message).seen.summary : message.text;
  if (message.kind != MessageKind::kResolved) return own;
  const Alert& alert = first(message);
  return fmt::format("It is over, after {}. It was: {}",
                     duration_text(alert.ended_at - alert.since), own);
}

std::size_t count(const Message& message) {
  return message.firing.size() + message.resolved.size();
}

std::vector<const Alert*> shown(const Message& message, std::size_t most) {
  std::vector<const Alert*> all;
  for (const auto* list : {&message.firing, &message.resolved})
    for (const Alert& alert : *list)
      if (all.size() < most) all.push_back(&alert);
  return all;
}

std::vector<std::pair<std::string, std::string>> facts(const Alert& alert) {
  std::vector<std::pair<std::string, std::string>> all;
  for (const auto& [label, value] : alert.labels)
    if (label != "alertname" && label != "severity" && !value.empty())
      all.emplace_back(label, value);
  if (!alert.seen.value.empty()) all.emplace_back("value", alert.seen.value);
  all.emplace_back("since", time_text(alert.since));
  if (alert.ended_at != 0) all.emplace_back("resolved", time_text(alert.ended_at));
  for (const auto& field : alert.seen.fields) all.push_back(field);
  if (!alert.seen.look.empty()) all.emplace_back("look", alert.seen.look);
  return all;
}

std::string page_link(const Alert& alert, const Sender& sender) {
  return sender.page.empty() ? "" : sender.page + "/" + alert.seen.link;
}

std::string page_link(const Message& message, const Sender& sender) {
  return page_link(first(message), sender);
}

std::string plain_text(const Message& message, const Sender& sender) {
  constexpr std::size_t kShown = 20;
  std::string text = summary(message) + "\n";
  const auto alerts = shown(message, kShown);
  for (const Alert* alert : alerts) {
    text += "\n";
    if (alerts.size() > 1)
      text += fmt::format("{}: {}\n", name(alert->state), one_line(alert->seen.summary));
    for (const auto& [fact, value] : facts(*alert))
      text += fmt::format("{:<10} {}\n", fact + ":", one_line(value));
    if (!alert->seen.details.empty()) text += "\n" + alert->seen.details + "\n";
  }
  if (count(message) > alerts.size())
    text += fmt::format("\nand {} more\n", count(message) - alerts.size());
  text += "\n";
  if (const std::string link = page_link(message, sender); !link.empty())
    text += "page:      " + link + "\n";
  if (!message.link.empty()) text += "link:      " + message.link + "\n";
  if (!message.runbook.empty()) text += "runbook:   " + message.runbook + "\n";
  text += fmt::format("rule:      {} ({}), project {}, {}\n", one_line(message.rule),
                      message.severity, sender.project, time_text(message.at));
  return text;
}

std::string group_id(const Message& message, const Sender& sender) {
  return stable_id(sender, message.group);
}

std::string stable_id(const Sender& sender, std::string_view text) {
  const std::string all = sender.project + '\0' + std::string(text);
  return fmt::format("{:016x}{:016x}", fnv(all, 14695981039346656037U),
                     fnv(all, 0x9E3779B97F4A7C15U));
}

std::string without_secrets(std::string text, const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) {
    if (secret.empty()) continue;
    for (std::size_t at = 0; (at = text.find(secret, at)) != text.npos; at += 3)
      text.replace(at, secret.size(), "***");
  }
  return text;
}

}  // namespace tailrace::alerts
