// What alerts keep, in DATA/alerts.db (SQLite): their states, what is to be told, what was told,
// silences, and what rules remember.
//
//   alert(key, json)                          one that is pending or fires
//   outgoing(id, channel, state, …, json)     one message for one channel
//   history(at, rule, labels, from, to, …)    transitions, the newest kHistory
//   silence(id, matchers, ends, comment)
//   note(name, json)                          what a rule remembers: a season, runs that were told
//
// A step's states, messages and history are one transaction, synced: a crash keeps all of it or
// nothing. A message goes through
//
//   waiting ─▶ sending ─▶ sent | refused (for good) | unknown (may have arrived, is not sent again)
//      ▲          │
//      └──────────┘ it did not arrive, for sure: again at `next`
//
// and `sending` is on the disk before the first byte leaves. What is found so at a start went with
// a crash in the middle: it is sent again where that can do no harm (Channel::is_idempotent), or
// where the channel says at_least_once; else it is unknown.
//
// Threads: any; one call at a time.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "alerts/states.h"

namespace tailrace::alerts {

inline constexpr std::int64_t kHistory = 10'000;  ///< transitions, and messages that are over

struct Outgoing {
  std::int64_t id = 0;
  std::string channel = {};
  std::string state = {};  ///< waiting, sending, sent, refused, unknown
  Message message = {};
  int attempts = 0;
  Ms made = 0, next = 0, over = 0;  ///< over: 0 while it is not
  std::string said = {};            ///< what came back last
  std::string reference = {};       ///< the channel's own name for it: Slack's ts
};

class Store {
 public:
  static Result<std::unique_ptr<Store>> open(const std::string& path);
  virtual ~Store() = default;

  virtual Result<std::vector<Alert>> alerts() = 0;
  /// One transaction. A message becomes one row for each of its channels; `notes` are
  /// what rules remember beside it.
  virtual Status keep(const Step& step,
                      const std::vector<std::pair<std::string, std::string>>& notes, Ms now) = 0;
  virtual Result<std::optional<std::string>> note(const std::string& name) = 0;

  virtual Result<std::vector<Silence>> silences(Ms now) = 0;
  virtual Status add_silence(const Silence& silence) = 0;
  /// False: there is none of that id.
  virtual Result<bool> end_silence(const std::string& id) = 0;

  /// The oldest of a channel that is waiting or was left sending; messages of a channel go in
  /// order.
  virtual Result<std::optional<Outgoing>> next(const std::string& channel) = 0;
  virtual Status set(const Outgoing& one) = 0;
  /// Those that were sent in the group, newest first.
  virtual Result<std::optional<std::string>> reference(const std::string& channel,
                                                       const std::string& group) = 0;
  /// Newest first.
  virtual Result<std::vector<Outgoing>> messages(std::int64_t limit) = 0;
  virtual Result<std::vector<Transition>> history(std::string_view rule, std::int64_t limit) = 0;
  virtual Result<std::int64_t> waiting(const std::string& channel) = 0;
};

}  // namespace tailrace::alerts
