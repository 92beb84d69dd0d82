// Whether the brokers can be reached, and the last reason why not. Threads: all.
#pragma once

#include <mutex>
#include <string>

#include "base/result.h"

namespace tailrace::kafka_log {

class Health {
 public:
  explicit Health(std::string url) : url_(std::move(url)) {}

  /// What a connection said; counts when all_down() follows.
  void note_cause(std::string what);
  /// No broker can be reached. One line in the log for each new reason.
  void all_down();
  /// A broker lets us not in; waiting does not help.
  void refused(std::string what);
  /// A broker has answered.
  void answered();

  /// "kafka://… is not reachable: …"; empty while all is well.
  std::string failing() const;
  /// Why we are not let in; empty when we are.
  std::string refusal() const;
  /// kUnavailable with failing(), or with `what` while nothing worse is known.
  Error unavailable(const std::string& what) const;

 private:
  const std::string url_;
  mutable std::mutex mutex_;
  std::string cause_, failing_, refusal_;
};

}  // namespace tailrace::kafka_log
