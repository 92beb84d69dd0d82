#include "kafka_log/health.h"

#include <fmt/format.h>

#include "base/log.h"

namespace tailrace::kafka_log {

void Health::note_cause(std::string what) {
  // "… failed: Connection refused (after 0ms in state CONNECT, 3 identical error(s) suppressed)"
  if (const auto at = what.find(" (after "); at != std::string::npos) what.resize(at);
  const std::lock_guard lock(mutex_);
  cause_ = std::move(what);
}

void Health::all_down() {
  const std::lock_guard lock(mutex_);
  std::string now = fmt::format("{} is not reachable: {}", url_, cause_);
  if (failing_.empty()) LOG(warn, "{}; tries again until it is", now);
  failing_ = std::move(now);
}

void Health::refused(std::string what) {
  const std::lock_guard lock(mutex_);
  std::string now = fmt::format("{} does not let us in: {}", url_, what);
  if (refusal_.empty()) LOG(error, "{}", now);
  refusal_ = std::move(now);
}

void Health::answered() {
  const std::lock_guard lock(mutex_);
  if (!failing_.empty()) LOG(info, "{} is reachable again", url_);
  failing_.clear();
  refusal_.clear();
}

std::string Health::failing() const {
  const std::lock_guard lock(mutex_);
  return refusal_.empty() ? failing_ : refusal_;
}

std::string Health::refusal() const {
  const std::lock_guard lock(mutex_);
  return refusal_;
}

Error Health::unavailable(const std::string& what) const {
  const std::lock_guard lock(mutex_);
  if (!refusal_.empty()) return {Code::kPermissionDenied, refusal_};
  if (!failing_.empty()) return {Code::kUnavailable, failing_};
  return {Code::kUnavailable, fmt::format("{}: {}", url_, what)};
}

}  // namespace tailrace::kafka_log
