#include "alerts/alerts.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "base/log.h"

namespace tailrace::alerts {
namespace {

constexpr std::string_view kNote = "rule/";

bool is_slow(const RuleSpec& rule) {
  return rule.kind == RuleKind::kQuery || rule.kind == RuleKind::kValue;
}

/// The channels that a test goes through, and the rule that it speaks of.
struct Target {
  std::string rule;
  std::vector<std::string> channels;
};

Result<Target> target_of(const Settings& settings, const std::string& name) {
  Target target{.rule = "a test of the channels", .channels = {}};
  if (const RuleSpec* rule = settings.rule(name)) {
    target = {.rule = name, .channels = rule->channels};
  } else if (settings.channel(name) != nullptr) {
    target.channels = {name};
  } else if (!name.empty()) {
    std::vector<std::string> known;
    for (const ChannelSpec& one : settings.channels) known.push_back(one.name);
    for (const RuleSpec& one : settings.rules) known.push_back(one.name);
    return error(Code::kNotFound, fmt::format("there is no rule and no channel `{}`; there are: {}",
                                              name, fmt::join(known, ", ")));
  } else {
    for (const ChannelSpec& one : settings.channels) target.channels.push_back(one.name);
  }
  if (target.channels.empty())
    return error(Code::kFailedPrecondition,
                 "there is no channel: name one in tailrace.yml, alerts: {channels: {ops: {slack: "
                 "{webhook: ${SLACK_WEBHOOK}}}}}");
  return target;
}

}  // namespace

Message test_message(const Settings& settings, const std::string& rule, const std::string& folder,
                     Ms now) {
  const RuleSpec* spec = settings.rule(rule);
  Alert alert{.rule = rule, .state = State::kFiring, .since = now, .fired_at = now};
  alert.labels = {{"alertname", rule}, {"severity", spec != nullptr ? spec->severity : "info"}};
  alert.seen.value = "0";
  alert.seen.summary = "This is a test: nothing is wrong.";
  if (spec != nullptr)
    alert.seen.summary += fmt::format(" A message of `{}` looks like this.", rule);
  alert.seen.look = "tailrace alerts list --project " + folder;
  alert.seen.link = "#/alerts";
  Message message{.kind = MessageKind::kTest};
  message.rule = rule;
  message.group = fmt::format("test {}", now);
  message.at = now;
  message.repeat = 60'000;
  message.severity = alert.labels["severity"];
  if (spec != nullptr) {
    message.link = spec->link;
    message.runbook = spec->runbook;
  }
  message.firing.push_back(std::move(alert));
  return message;
}

Result<std::vector<Alerts::Tested>> test_channels(const Settings& settings, const Sender& sender,
                                                  const std::string& folder,
                                                  const std::string& rule_or_channel, Ms now) {
  ASSIGN(const Target target, target_of(settings, rule_or_channel));
  const Message message = test_message(settings, target.rule, folder, now);
  std::vector<Alerts::Tested> tested;
  for (const std::string& name : target.channels) {
    const ChannelSpec& spec = *settings.channel(name);
    if (!spec.off.empty()) {
      tested.push_back(
          {name, {.end = Attempt::End::kRefused, .said = "the channel is off: " + spec.off}});
      continue;
    }
    tested.push_back({name, Channel::make(spec, sender)->send(message, {}, {})});
  }
  return tested;
}

Alerts::Alerts(Options options, Sight& sight, rt::Clock& clock)
    : options_(std::move(options)), sight_(sight), clock_(clock), states_(options_.settings) {}

Result<std::unique_ptr<Alerts>> Alerts::open(Options options, Sight& sight, rt::Clock& clock) {
  std::unique_ptr<Alerts> alerts(new Alerts(std::move(options), sight, clock));
  const Ms now = clock.now().value;
  ASSIGN(alerts->store_, Store::open(alerts->options_.file));
  ASSIGN(auto kept, alerts->store_->alerts());
  alerts->states_.restore(std::move(kept), now);
  ASSIGN(auto silences, alerts->store_->silences(now));
  alerts->states_.set_silences(std::move(silences));
  const Settings& settings = alerts->options_.settings;
  alerts->delivery_ =
      std::make_unique<Delivery>(settings, alerts->options_.sender, *alerts->store_, clock);
  const auto note = [&store = *alerts->store_](const std::string& rule) {
    auto found = store.note(std::string(kNote) + rule);
    return found && *found ? **found : std::string();
  };
  const std::string& folder = alerts->options_.folder;
  alerts->quick_ = std::make_unique<Observer>(
      settings, [](const RuleSpec& rule) { return !is_slow(rule); }, sight, folder, note);
  alerts->slow_ = std::make_unique<Observer>(settings, is_slow, sight, folder, note);
  return alerts;
}

Alerts::~Alerts() {
  stop();
}

void Alerts::start() {
  delivery_->start();
  for (Observer* observer : {quick_.get(), slow_.get()}) {
    // The quick one looks at the clock for all.
    if (observer->empty() && observer != quick_.get()) continue;
    threads_.emplace_back([this, observer](const std::stop_token& stop) { run(*observer, stop); });
  }
}

void Alerts::stop() {
  for (auto& thread : threads_) thread.request_stop();
  threads_.clear();
  delivery_->stop();
}

void Alerts::run(Observer& observer, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  while (!stop.stop_requested()) {
    const auto said = observer.look(clock_.now().value);
    take(said, observer.trouble(), clock_.now().value);
    std::unique_lock lock(mutex);
    (void)stopped.wait_for(lock, stop, std::chrono::milliseconds(kRound), [] { return false; });
  }
}

void Alerts::take(const std::vector<Said>& said, const Trouble& trouble, Ms now) {
  const std::lock_guard lock(mutex_);
  for (const Said& one : said) {
    trouble_.erase(one.rule->name);
    take(one, now);
  }
  for (const auto& [rule, what] : trouble) {
    auto& known = trouble_[rule];
    if (known != what) LOG_OF(warn, log_of("rule", rule), "alerts: rule {}: {}", rule, what);
    known = what;
  }
  Step step = states_.tick(now);
  if (!step.empty() || !unkept_.empty()) keep(std::move(step), {}, now);
}

void Alerts::take(const Said& said, Ms now) {
  Step step;
  if (said.states) step = states_.observe(*said.rule, said.seen, now, said.unknown);
  for (const Seen& seen : said.happened) {
    Step one = states_.happened(*said.rule, seen, now);
    std::ranges::move(one.messages, std::back_inserter(step.messages));
    std::ranges::move(one.history, std::back_inserter(step.history));
  }
  if (step.empty() && said.note.empty()) return;
  std::vector<std::pair<std::string, std::string>> notes;
  if (!said.note.empty()) notes.emplace_back(std::string(kNote) + said.rule->name, said.note);
  keep(std::move(step), std::move(notes), now);
}

void Alerts::keep(Step step, std::vector<std::pair<std::string, std::string>> notes, Ms now) {
  // A pending alert may come to nothing; the page and the history have it.
  const auto fired = [](std::string_view state) { return state == "firing"; };
  for (const Transition& one : step.history) {
    if (!fired(one.from) && !fired(one.to) && one.to != "notice") continue;
    LOG_OF(info, log_of("rule", one.rule), "alerts: {} {} -> {}: {}", one.rule, one.from, one.to,
           one.summary);
  }
  unkept_.push_back({std::move(step), std::move(notes)});
  bool news = false;
  while (!unkept_.empty()) {
    const Unkept& first = unkept_.front();
    if (auto kept = store_->keep(first.step, first.notes, now); !kept) {
      const std::string what = kept.error().what;
      if (trouble_[""] != what) LOG(error, "alerts wait: alerts.db: {}", what);
      trouble_[""] = what;
      break;
    }
    trouble_.erase("");
    news = news || !first.step.messages.empty();
    unkept_.erase(unkept_.begin());
  }
  if (news) delivery_->wake();
}

std::vector<Shown> Alerts::alerts() const {
  const std::lock_guard lock(mutex_);
  std::vector<Shown> all;
  const Ms now = clock_.now().value;
  for (Alert& alert : states_.alerts()) {
    std::string muted = states_.muted_by(alert.labels, now);
    all.push_back({std::move(alert), std::move(muted)});
  }
  return all;
}

std::vector<RuleState> Alerts::rules() const {
  const std::lock_guard lock(mutex_);
  std::vector<RuleState> all;
  const auto alerts = states_.alerts();
  for (const RuleSpec& rule : options_.settings.rules) {
    RuleState state{.rule = &rule};
    for (const Alert& alert : alerts) {
      if (alert.rule != rule.name) continue;
      ++(alert.state == State::kFiring ? state.firing : state.pending);
    }
    state.state = is_notice(rule.kind) ? "notice"
                  : state.firing > 0   ? "firing"
                  : state.pending > 0  ? "pending"
                                       : "inactive";
    if (const auto trouble = trouble_.find(rule.name); trouble != trouble_.end())
      state.trouble = trouble->second;
    all.push_back(std::move(state));
  }
  return all;
}

Result<std::vector<Silence>> Alerts::silences() const {
  const Ms now = clock_.now().value;
  ASSIGN(auto all, store_->silences(now));
  for (const Silence& one : options_.settings.silences)
    if (now < one.ends) all.push_back(one);
  return all;
}

Result<Silence> Alerts::silence(std::vector<Matcher> matchers, Ms ms, std::string comment) {
  if (matchers.empty())
    return error(Code::kInvalidArgument, "a silence has matchers: without one it would hide all");
  std::random_device random;
  const Ms now = clock_.now().value;
  Silence silence{.id = fmt::format("{:08x}", random()),
                  .matchers = std::move(matchers),
                  .ends = now + ms,
                  .comment = std::move(comment)};
  const std::lock_guard lock(mutex_);
  TRY(store_->add_silence(silence));
  ASSIGN(auto all, store_->silences(now));
  states_.set_silences(std::move(all));
  return silence;
}

Status Alerts::unsilence(const std::string& id) {
  if (std::ranges::find(options_.settings.silences, id, &Silence::id) !=
      options_.settings.silences.end())
    return error(Code::kFailedPrecondition,
                 fmt::format("silence {} is of tailrace.yml: end it there", id));
  const std::lock_guard lock(mutex_);
  ASSIGN(const bool found, store_->end_silence(id));
  if (!found) return error(Code::kNotFound, fmt::format("there is no silence `{}`", id));
  ASSIGN(auto all, store_->silences(clock_.now().value));
  states_.set_silences(std::move(all));
  return {};
}

Result<std::vector<Alerts::Tested>> Alerts::test(const std::string& rule_or_channel) {
  ASSIGN(const Target target, target_of(settings(), rule_or_channel));
  const Message message =
      test_message(settings(), target.rule, options_.folder, clock_.now().value);
  std::vector<Tested> tested;
  for (const std::string& name : target.channels) {
    auto attempt = delivery_->send_now(name, message);
    if (!attempt) attempt = Attempt{.end = Attempt::End::kRefused, .said = attempt.error().what};
    tested.push_back({name, std::move(*attempt)});
  }
  return tested;
}

void Alerts::write_metrics(MetricsText& out) const {
  out.family("tailrace_alerts_firing", MetricType::kGauge, "Alerts of a rule that fire.");
  const auto all = rules();
  for (const RuleState& rule : all) out.add({{"rule", rule.rule->name}}, rule.firing);
  out.family("tailrace_alerts_pending", MetricType::kGauge, "Alerts of a rule that are pending.");
  for (const RuleState& rule : all) out.add({{"rule", rule.rule->name}}, rule.pending);
  out.family("tailrace_alerts_rule_failing", MetricType::kGauge,
             "1 when a rule cannot look at what it is about.");
  for (const RuleState& rule : all)
    out.add({{"rule", rule.rule->name}}, rule.trouble.empty() ? 0 : 1);
  const auto channels = delivery_->channels();
  out.family("tailrace_alerts_notifications_total", MetricType::kCounter,
             "Tries to send a message, by what became of them.");
  for (const auto& channel : channels) {
    out.add({{"channel", channel.name}, {"outcome", "sent"}}, channel.sent);
    out.add({{"channel", channel.name}, {"outcome", "refused"}}, channel.refused);
    out.add({{"channel", channel.name}, {"outcome", "unknown"}}, channel.unknown);
    out.add({{"channel", channel.name}, {"outcome", "retried"}}, channel.retried);
  }
  out.family("tailrace_alerts_notifications_waiting", MetricType::kGauge,
             "Messages that have yet to be sent.");
  for (const auto& channel : channels) out.add({{"channel", channel.name}}, channel.waiting);
}

}  // namespace tailrace::alerts
