// The states of alerts: what a rule saw, and the clock, become states and messages. Pure.
//
//            seen                 for `for`                 not seen
//   (none) ───────▶ pending ────────────────▶ firing ─────────────────▶ resolved ─▶ (gone)
//            ▲         │ not seen                ▲ seen again in time: as if it had been seen
//            └─────────┘
//
// An alert is a rule's name and its labels. A message is of a group: the alerts of one rule that
// have the same values of `group_by`. What is due follows from the states alone, so that a state
// kept with its message is never told twice and never forgotten:
//   - an alert that fires and was not told, and is not muted: after `group_wait` a message
//   (kFiring)
//   - one that fires for another reason than the one that was told (another run): kFiring again
//   - one that fires and was told `repeat` ago: a message (kRepeat)
//   - one that is resolved and was told: a message (kResolved), muted or not, once; without `told`
//     it goes without a word
// A notice (what happened once) is a message (kNotice) and no state.
//
// Muted is what a silence or a maintenance window fits. After restore() an alert that fired is not
// resolved for kSettle unless it was seen since: what has just started may not see it yet.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "alerts/settings.h"

namespace tailrace::alerts {

inline constexpr Ms kSettle = 10'000;

enum class State { kPending, kFiring, kResolved };
std::string_view name(State state);  ///< `pending`, `firing`, `resolved`

/// One thing that a rule sees: the condition holds for these labels.
struct Seen {
  Labels labels = {};        ///< beside the rule's own
  std::string value = {};    ///< "12 m 3 s", "7.3 %": for people
  std::string summary = {};  ///< a sentence: what is wrong
  std::string look = {};     ///< where to look: a command
  std::string link = {};     ///< a path of the page: "#/dead-letters"
  std::string occurrence =
      {};  ///< another one is another cause: a run's id; empty where there is none
  std::vector<std::pair<std::string, std::string>> fields = {};  ///< more facts: name, value
  std::string details = {};                                      ///< lines: a log's tail, examples
};

struct Alert {
  std::string rule = {};
  Labels labels = {};  ///< all: alertname and severity, too
  State state = State::kPending;
  Ms since = 0;       ///< the condition began to hold
  Ms fired_at = 0;    ///< 0: not yet
  Ms ended_at = 0;    ///< resolved; else 0
  bool told = false;  ///< that it fires
  Ms told_at = 0;     ///< last
  std::string told_occurrence = {};
  Seen seen = {};  ///< the last

  /// Names it for good.
  std::string key() const;
};

/// `rule{a="b",…}` of an alert.
std::string alert_key(std::string_view rule, const Labels& labels);

enum class MessageKind { kFiring, kRepeat, kResolved, kNotice, kTest };
std::string_view name(MessageKind kind);  ///< `firing` …

/// What goes to the channels of a rule.
struct Message {
  MessageKind kind = MessageKind::kFiring;
  std::string rule = {};
  std::string group = {};  ///< names the group for good: messages of one go into one thread
  Ms at = 0;
  Ms repeat = 0;  ///< of the rule
  std::string severity = {};
  std::string runbook = {}, link = {};  ///< of the rule; `link` is an address
  std::string text = {};                ///< the rule's own message, its places filled in; or empty
  std::vector<Alert> firing = {};       ///< now, those that are new first
  std::vector<Alert> resolved = {};
  std::vector<std::string> channels = {};
};

struct Transition {
  Ms at = 0;
  std::string rule = {};
  Labels labels = {};
  std::string from = {}, to = {};  ///< `inactive`, `pending`, `firing`, `resolved`; or `notice`
  std::string value = {}, summary = {};
};

/// What a step changed, to be kept in one transaction.
struct Step {
  std::map<std::string, Alert> changed = {};  ///< by key
  std::vector<std::string> gone = {};         ///< keys of alerts
  std::vector<Message> messages = {};
  std::vector<Transition> history = {};

  bool empty() const {
    return changed.empty() && gone.empty() && messages.empty() && history.empty();
  }
};

/// Alerts of one rule; more are not looked at, and the rule says so.
inline constexpr std::size_t kMostOfRule = 1000;

class States {
 public:
  /// The settings outlive it.
  explicit States(const Settings& settings) : settings_(settings) {}

  /// What was kept. An alert of a rule that is not there any more goes at the next step, resolved.
  void restore(std::vector<Alert> alerts, Ms now);
  /// Silences beside those of the settings.
  void set_silences(std::vector<Silence> silences) { silences_ = std::move(silences); }

  /// All that a rule sees now: what is not among it is over, but for what it can say nothing of
  /// (`unknown`, by the labels that it gives).
  Step observe(const RuleSpec& rule, std::vector<Seen> seen, Ms now,
               const std::vector<Labels>& unknown = {});
  /// Something happened once.
  Step happened(const RuleSpec& rule, Seen seen, Ms now);
  /// What is due by the clock alone: repeats, ends of silences, group_wait.
  Step tick(Ms now);

  std::vector<Alert> alerts() const;
  std::size_t firing(std::string_view rule) const;
  bool muted(const Labels& labels, Ms now) const;
  /// What mutes it, for people; empty: nothing.
  std::string muted_by(const Labels& labels, Ms now) const;
  Labels labels_of(const RuleSpec& rule, const Seen& seen) const;

 private:
  void see(const RuleSpec& rule, Seen seen, Ms now, Step& step);
  void end(Alert& alert, Ms now, Step& step);
  void forget_rules(Ms now, Step& step);
  void tell(const RuleSpec& rule, Ms now, Step& step);
  void tell_group(const RuleSpec& rule, const std::string& group, std::vector<Alert*>& alerts,
                  Ms now, Step& step);
  std::string group_of(const RuleSpec& rule, const Labels& labels) const;
  Message message_of(const RuleSpec& rule, MessageKind kind, const std::string& group,
                     Ms now) const;

  const Settings& settings_;
  std::map<std::string, Alert> alerts_;  ///< by key
  std::map<std::string, Ms> settling_;   ///< by key: until when it is not resolved
  std::vector<Silence> silences_;
};

/// `{{ value }}`, `{{ labels.hop }}`, `{{ summary }}`, `{{ rule }}`, `{{ state }}`, `{{ severity
/// }}` and the names of fields in a rule's `message`; an unknown one stays as it is.
std::string filled_in(const std::string& text, const Alert& alert);

}  // namespace tailrace::alerts
