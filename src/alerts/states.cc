#include "alerts/states.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace tailrace::alerts {
namespace {

Transition transition(const Alert& alert, std::string_view from, std::string_view to, Ms now) {
  return {.at = now,
          .rule = alert.rule,
          .labels = alert.labels,
          .from = std::string(from),
          .to = std::string(to),
          .value = alert.seen.value,
          .summary = alert.seen.summary};
}

/// Whether a rule goes by what is kept, and not by what can be seen of a program that runs: then it
/// is right from its first look on, and says a thing once.
bool knows_after_a_start(RuleKind kind) {
  return kind == RuleKind::kRunFailed;
}

}  // namespace

std::string_view name(State state) {
  return state == State::kPending ? "pending" : state == State::kFiring ? "firing" : "resolved";
}

std::string_view name(MessageKind kind) {
  constexpr std::string_view kNames[] = {"firing", "repeat", "resolved", "notice", "test"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string alert_key(std::string_view rule, const Labels& labels) {
  std::string key = fmt::format("{}{{", rule);
  for (const auto& [label, value] : labels)
    key += Matcher{label, Matcher::Op::kEqual, value}.text() + ",";
  return key + "}";
}

std::string Alert::key() const {
  return alert_key(rule, labels);
}

void States::restore(std::vector<Alert> alerts, Ms now) {
  for (Alert& alert : alerts) {
    const std::string key = alert.key();
    settling_[key] = now + kSettle;
    alerts_[key] = std::move(alert);
  }
}

Labels States::labels_of(const RuleSpec& rule, const Seen& seen) const {
  Labels labels = seen.labels;
  for (const auto& [label, value] : rule.labels) labels[label] = value;
  labels["alertname"] = rule.name;
  labels["severity"] = rule.severity;
  return labels;
}

void States::see(const RuleSpec& rule, Seen seen, Ms now, Step& step) {
  const Labels labels = labels_of(rule, seen);
  const std::string key = alert_key(rule.name, labels);
  settling_.erase(key);
  const auto [at, is_new] = alerts_.try_emplace(key);
  Alert& alert = at->second;
  // A value that moves is no change; another cause is.
  bool changed = is_new || alert.seen.occurrence != seen.occurrence;
  alert.seen = std::move(seen);
  if (is_new) {
    alert.rule = rule.name;
    alert.labels = labels;
    alert.since = now;
  }
  if (changed && (is_new || alert.state == State::kFiring))
    step.history.push_back(
        transition(alert, is_new ? "inactive" : name(alert.state), name(alert.state), now));
  if (alert.state == State::kPending && now - alert.since >= rule.for_ms) {
    alert.state = State::kFiring;
    alert.fired_at = now;
    step.history.push_back(transition(alert, "pending", "firing", now));
    changed = true;
  }
  if (changed) step.changed[key] = alert;
}

void States::end(Alert& alert, Ms now, Step& step) {
  settling_.erase(alert.key());
  const bool fired = alert.state == State::kFiring;
  step.history.push_back(
      transition(alert, name(alert.state), fired ? "resolved" : "inactive", now));
  alert.state = State::kResolved;
  alert.ended_at = now;
}

Step States::observe(const RuleSpec& rule, std::vector<Seen> seen, Ms now,
                     const std::vector<Labels>& unknown) {
  Step step;
  std::set<std::string> keys;
  for (Seen& one : seen) {
    if (keys.size() == kMostOfRule) break;
    if (!keys.insert(alert_key(rule.name, labels_of(rule, one))).second) continue;
    see(rule, std::move(one), now, step);
  }
  for (const Labels& labels : unknown) {
    Seen nothing;
    nothing.labels = labels;
    keys.insert(alert_key(rule.name, labels_of(rule, nothing)));
  }
  for (auto& [key, alert] : alerts_) {
    if (alert.rule != rule.name || keys.contains(key)) continue;
    const auto settling = settling_.find(key);
    if (!knows_after_a_start(rule.kind) && settling != settling_.end() && now < settling->second)
      continue;
    end(alert, now, step);
  }
  tell(rule, now, step);
  return step;
}

Step States::happened(const RuleSpec& rule, Seen seen, Ms now) {
  Step step;
  Alert alert{.rule = rule.name,
              .labels = labels_of(rule, seen),
              .state = State::kFiring,
              .since = now,
              .fired_at = now,
              .ended_at = 0,
              .told = true,
              .told_at = now,
              .told_occurrence = seen.occurrence,
              .seen = std::move(seen)};
  step.history.push_back(transition(alert, "", "notice", now));
  if (muted(alert.labels, now)) return step;
  Message message = message_of(rule, MessageKind::kNotice,
                               group_of(rule, alert.labels) + alert.told_occurrence, now);
  message.text = filled_in(rule.message, alert);
  message.firing.push_back(std::move(alert));
  step.messages.push_back(std::move(message));
  return step;
}

void States::forget_rules(Ms now, Step& step) {
  for (auto at = alerts_.begin(); at != alerts_.end();) {
    if (settings_.rule(at->second.rule) != nullptr) {
      ++at;
      continue;
    }
    end(at->second, now, step);
    step.gone.push_back(at->first);
    at = alerts_.erase(at);
  }
}

Step States::tick(Ms now) {
  Step step;
  forget_rules(now, step);
  for (const RuleSpec& rule : settings_.rules) tell(rule, now, step);
  return step;
}

std::string States::muted_by(const Labels& labels, Ms now) const {
  for (const auto* silences : {&settings_.silences, &silences_})
    for (const Silence& one : *silences)
      if (now < one.ends && fits(one.matchers, labels))
        return one.comment.empty() ? "silence " + one.id
                                   : fmt::format("silence {}: {}", one.id, one.comment);
  for (const Maintenance& one : settings_.maintenance)
    if (fits(one.matchers, labels) && one.holds(now)) return "maintenance: " + one.name;
  return "";
}

bool States::muted(const Labels& labels, Ms now) const {
  return !muted_by(labels, now).empty();
}

std::string States::group_of(const RuleSpec& rule, const Labels& labels) const {
  if (rule.group_by == std::vector<std::string>{"..."}) return alert_key(rule.name, labels);
  Labels chosen;
  for (const std::string& label : rule.group_by) {
    const auto at = labels.find(label);
    if (at != labels.end()) chosen.insert(*at);
  }
  return alert_key(rule.name, chosen);
}

Message States::message_of(const RuleSpec& rule, MessageKind kind, const std::string& group,
                           Ms now) const {
  return {.kind = kind,
          .rule = rule.name,
          .group = group,
          .at = now,
          .repeat = rule.repeat,
          .severity = rule.severity,
          .runbook = rule.runbook,
          .link = rule.link,
          .text = {},
          .firing = {},
          .resolved = {},
          .channels = rule.channels};
}

void States::tell(const RuleSpec& rule, Ms now, Step& step) {
  std::map<std::string, std::vector<Alert*>> groups;
  for (auto& [key, alert] : alerts_)
    if (alert.rule == rule.name && alert.state != State::kPending)
      groups[group_of(rule, alert.labels)].push_back(&alert);
  for (auto& [group, alerts] : groups) tell_group(rule, group, alerts, now, step);
  std::erase_if(alerts_, [&](const auto& entry) {
    const auto& [key, alert] = entry;
    if (alert.rule != rule.name || alert.state != State::kResolved) return false;
    step.changed.erase(key);
    step.gone.push_back(key);
    return true;
  });
}

void States::tell_group(const RuleSpec& rule, const std::string& group, std::vector<Alert*>& alerts,
                        Ms now, Step& step) {
  std::vector<Alert*> fresh, again, ended;
  for (Alert* alert : alerts) {
    if (alert->state == State::kResolved) {
      if (alert->told) ended.push_back(alert);
      continue;
    }
    const bool is_new = !alert->told || alert->told_occurrence != alert->seen.occurrence;
    if (muted(alert->labels, now)) continue;
    if (is_new && now - alert->fired_at >= rule.group_wait) {
      fresh.push_back(alert);
    } else if (!is_new) {
      again.push_back(alert);
    }
  }
  const bool repeats = rule.repeat > 0 && std::ranges::any_of(again, [&](const Alert* alert) {
                         return now - alert->told_at >= rule.repeat;
                       });
  if (fresh.empty() && ended.empty() && !repeats) return;
  const MessageKind kind = !fresh.empty() ? MessageKind::kFiring
                           : !ended.empty()
                               ? (again.empty() ? MessageKind::kResolved : MessageKind::kFiring)
                               : MessageKind::kRepeat;
  Message message = message_of(rule, kind, group, now);
  // What fires, and was told, is told anew by this message.
  for (auto* list : {&fresh, &again})
    for (Alert* alert : *list) {
      alert->told = true;
      alert->told_at = now;
      alert->told_occurrence = alert->seen.occurrence;
      step.changed[alert->key()] = *alert;
      message.firing.push_back(*alert);
    }
  for (Alert* alert : ended) message.resolved.push_back(*alert);
  const Alert& first = message.firing.empty() ? message.resolved.front() : message.firing.front();
  message.text = filled_in(rule.message, first);
  step.messages.push_back(std::move(message));
}

std::vector<Alert> States::alerts() const {
  std::vector<Alert> all;
  for (const auto& [key, alert] : alerts_) all.push_back(alert);
  return all;
}

std::size_t States::firing(std::string_view rule) const {
  return static_cast<std::size_t>(std::ranges::count_if(alerts_, [&](const auto& entry) {
    return entry.second.rule == rule && entry.second.state == State::kFiring;
  }));
}

std::string filled_in(const std::string& text, const Alert& alert) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t open = text.find("{{", at);
    const std::size_t close = open == text.npos ? open : text.find("}}", open);
    if (close == text.npos) {
      out += text.substr(at);
      break;
    }
    out += text.substr(at, open - at);
    std::string name = text.substr(open + 2, close - open - 2);
    std::erase(name, ' ');
    const std::string whole = text.substr(open, close + 2 - open);
    at = close + 2;
    if (name == "value") {
      out += alert.seen.value;
    } else if (name == "summary") {
      out += alert.seen.summary;
    } else if (name == "rule") {
      out += alert.rule;
    } else if (name == "state") {
      out += alerts::name(alert.state);
    } else if (name == "severity") {
      out += alert.labels.contains("severity") ? alert.labels.at("severity") : "";
    } else if (name.starts_with("labels.") && alert.labels.contains(name.substr(7))) {
      out += alert.labels.at(name.substr(7));
    } else {
      const auto field =
          std::ranges::find(alert.seen.fields, name, &std::pair<std::string, std::string>::first);
      out += field == alert.seen.fields.end() ? whole : field->second;
    }
  }
  return out;
}

}  // namespace tailrace::alerts
