#include "kafka/fetch_sessions.h"

#include "rt/random.h"

namespace tailrace::kafka {
namespace {

constexpr std::int32_t kFirstEpoch = 0;
constexpr std::int32_t kNoSession = -1;

}  // namespace

void FetchSession::update(const std::vector<FetchRequest::FetchTopic>& topics) {
  for (const auto& topic : topics) {
    for (const auto& partition : topic.partitions) {
      const Key key{{topic.topic, topic.topic_id}, partition.partition};
      const auto found = places_.find(key);
      if (found != places_.end()) {
        found->second->request = partition;
        continue;
      }
      wants_.push_back({topic.topic, topic.topic_id, partition});
      places_.emplace(key, std::prev(wants_.end()));
    }
  }
}

void FetchSession::forget(const std::vector<FetchRequest::ForgottenTopic>& topics) {
  for (const auto& topic : topics) {
    for (const auto partition : topic.partitions) {
      const auto found = places_.find({{topic.topic, topic.topic_id}, partition});
      if (found == places_.end()) continue;
      wants_.erase(found->second);
      places_.erase(found);
    }
  }
}

FetchSessions::FetchSessions(std::size_t most) : most_(most), random_(rt::system_seed()) {}

std::shared_ptr<FetchSession> FetchSessions::make(const FetchRequest& request) {
  auto session = std::make_shared<FetchSession>();
  session->update(request.topics);
  return session;
}

FetchSessions::Found FetchSessions::of(const FetchRequest& request) {
  const std::unique_lock lock(mutex_);
  const auto found = sessions_.find(request.session_id);
  if (request.session_epoch == kNoSession || request.session_epoch == kFirstEpoch) {
    if (request.session_id != 0 && found != sessions_.end()) {
      by_use_.erase(found->second);
      sessions_.erase(found);
    }
    auto session = make(request);
    if (request.session_epoch == kNoSession || most_ == 0) return {ErrorCode::kNone, session};
    if (sessions_.size() >= most_) {
      sessions_.erase(by_use_.front()->id);
      by_use_.pop_front();
    }
    do {
      session->id = static_cast<std::int32_t>(rt::splitmix64(random_) & 0x7fffffff);
    } while (session->id == 0 || sessions_.contains(session->id));
    session->epoch = kFirstEpoch + 1;
    by_use_.push_back(session);
    sessions_.emplace(session->id, std::prev(by_use_.end()));
    return {ErrorCode::kNone, session};
  }
  if (found == sessions_.end()) return {ErrorCode::kFetchSessionIdNotFound, nullptr};
  const auto session = *found->second;
  if (session->epoch != request.session_epoch) {
    return {ErrorCode::kInvalidFetchSessionEpoch, nullptr};
  }
  session->epoch = session->epoch == INT32_MAX ? 1 : session->epoch + 1;
  by_use_.splice(by_use_.end(), by_use_, found->second);
  const std::unique_lock session_lock(session->mutex);
  session->update(request.topics);
  session->forget(request.forgotten_topics_data);
  return {ErrorCode::kNone, session, true};
}

}  // namespace tailrace::kafka
