// Alerts of a running project: rules that look, states, what is kept, and the channels.
//
//   open (what was kept is there again; nothing is sent) → start … stop
//
// Hops, expectations and runs are looked at each kRound, so that a message leaves within a second
// of its cause; queries have a thread of their own. What a round changes is one transaction of the
// store (store.h), and only then wakes the channels (delivery.h).
//
// Threads: any.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "alerts/delivery.h"
#include "alerts/observer.h"
#include "alerts/store.h"
#include "base/metrics.h"
#include "rt/clock.h"

namespace tailrace::alerts {

inline constexpr Ms kRound = 250;

/// An alert as the page shows it.
struct Shown {
  Alert alert;
  std::string muted_by = {};  ///< empty: nothing mutes it
};

struct RuleState {
  const RuleSpec* rule = nullptr;
  std::string state = {};  ///< inactive, pending, firing; `notice` for those that have none
  std::size_t firing = 0, pending = 0;
  std::string trouble = {};  ///< what it cannot do; empty: nothing
};

class Alerts {
 public:
  struct Options {
    Settings settings;
    Sender sender;
    std::string folder;  ///< the project's, for commands
    std::string file;    ///< alerts.db
  };
  /// `sight` and the clock outlive it.
  static Result<std::unique_ptr<Alerts>> open(Options options, Sight& sight, rt::Clock& clock);
  ~Alerts();

  void start();
  void stop();

  const Settings& settings() const { return options_.settings; }
  std::vector<Shown> alerts() const;
  std::vector<RuleState> rules() const;
  std::vector<Delivery::ChannelState> channels() const { return delivery_->channels(); }
  Result<std::vector<Silence>> silences() const;
  Result<std::vector<Outgoing>> messages(std::int64_t limit) const {
    return store_->messages(limit);
  }
  Result<std::vector<Transition>> history(std::string_view rule, std::int64_t limit) const {
    return store_->history(rule, limit);
  }

  /// For `ms` from now; kInvalidArgument without matchers.
  Result<Silence> silence(std::vector<Matcher> matchers, Ms ms, std::string comment);
  /// kNotFound; kFailedPrecondition for one of tailrace.yml.
  Status unsilence(const std::string& id);

  struct Tested {
    std::string channel;
    Attempt attempt;
  };
  /// A marked message at once through a channel, or through those of a rule; empty: through every
  /// channel that is on.
  Result<std::vector<Tested>> test(const std::string& rule_or_channel);

  void write_metrics(MetricsText& out) const;

 private:
  Alerts(Options options, Sight& sight, rt::Clock& clock);
  void run(Observer& observer, const std::stop_token& stop);
  void take(const std::vector<Said>& said, const Trouble& trouble, Ms now);
  void take(const Said& said, Ms now);
  /// Keeps a step, now or, where the disk is full, before the next one.
  void keep(Step step, std::vector<std::pair<std::string, std::string>> notes, Ms now);

  Options options_;
  Sight& sight_;
  rt::Clock& clock_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Delivery> delivery_;
  std::unique_ptr<Observer> quick_, slow_;
  mutable std::mutex mutex_;
  States states_;
  struct Unkept {
    Step step;
    std::vector<std::pair<std::string, std::string>> notes;
  };
  std::vector<Unkept> unkept_;
  Trouble trouble_;
  std::vector<std::jthread> threads_;
};

/// The message that `tailrace alerts test` sends; it is not kept.
Message test_message(const Settings& settings, const std::string& rule, const std::string& folder,
                     Ms now);
/// A test of channels without a running program.
Result<std::vector<Alerts::Tested>> test_channels(const Settings& settings, const Sender& sender,
                                                  const std::string& folder,
                                                  const std::string& rule_or_channel, Ms now);

}  // namespace tailrace::alerts
