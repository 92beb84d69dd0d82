#include "kafka/share_sessions.h"

namespace tailrace::kafka {

void ShareSession::add(const Place& place) {
  const auto [known, is_new] = where_.try_emplace(place);
  if (is_new) known->second = places_.insert(places_.end(), place);
}

void ShareSession::forget(const Place& place) {
  const auto known = where_.find(place);
  if (known == where_.end()) return;
  places_.erase(known->second);
  where_.erase(known);
}

void ShareSession::served(const Place& place) {
  const auto known = where_.find(place);
  if (known != where_.end()) places_.splice(places_.end(), places_, known->second);
}

ShareSessions::Found ShareSessions::of(const std::string& group, const std::string& member,
                                       std::int32_t epoch, const void* connection) {
  const std::unique_lock lock(mutex_);
  const Name name(group, member);
  const auto found = sessions_.find(name);
  if (epoch == kOpens) {
    if (found == sessions_.end() && sessions_.size() >= most_) {
      return {ErrorCode::kShareSessionLimitReached, nullptr};
    }
    auto session = std::make_shared<ShareSession>(group, member, connection);
    session->epoch_ = 1;
    sessions_[name] = session;
    return {ErrorCode::kNone, std::move(session)};
  }
  if (found == sessions_.end()) return {ErrorCode::kShareSessionNotFound, nullptr};
  auto session = found->second;
  if (epoch == kCloses) {
    sessions_.erase(found);
  } else if (epoch != session->epoch_) {
    return {ErrorCode::kInvalidShareSessionEpoch, nullptr};
  } else {
    session->epoch_ = epoch == INT32_MAX ? 1 : epoch + 1;
  }
  return {ErrorCode::kNone, std::move(session)};
}

std::vector<std::shared_ptr<ShareSession>> ShareSessions::close_all(const void* connection) {
  std::vector<std::shared_ptr<ShareSession>> out;
  const std::unique_lock lock(mutex_);
  std::erase_if(sessions_, [&](const auto& one) {
    if (one.second->connection != connection) return false;
    out.push_back(one.second);
    return true;
  });
  return out;
}

}  // namespace tailrace::kafka
