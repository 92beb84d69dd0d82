#include "groups/offsets.h"

#include <utility>

namespace tailrace::groups {

namespace {

/// From the first to past the last entry of a group.
template <typename Map>
auto of_group(const Map& map, const std::string& group) {
  struct Range {
    typename Map::const_iterator first, last;
    auto begin() const { return first; }
    auto end() const { return last; }
  };
  auto last = map.lower_bound(OffsetCommitKey{group, "", INT32_MIN});
  const auto first = last;
  while (last != map.end() && last->first.group == group) ++last;
  return Range{first, last};
}

/// The length Kafka limits: UTF-16 units of UTF-8 text.
std::ptrdiff_t utf16_length(const std::string& text) {
  std::ptrdiff_t length = 0;
  for (const unsigned char byte : text) length += byte >= 0xF0 ? 2 : (byte & 0xC0) != 0x80;
  return length;
}

bool differ(const TopicId& a, const TopicId& b) {
  return !a.is_none() && !b.is_none() && a != b;
}

}  // namespace

CommitAnswer refuse_commit(const CommitOffsets& request, ErrorCode error) {
  CommitAnswer answer;
  for (const auto& topic : request.topics) {
    auto& out = answer.topics.emplace_back(topic.topic, topic.id);
    for (const auto& offset : topic.partitions) out.partitions.push_back({offset.partition, error});
  }
  return answer;
}

void Offsets::apply(const OffsetEntry& entry, const std::optional<Producer>& producer) {
  ++position_;
  if (!entry.value) {
    committed_.erase(entry.key);
    forget_pending(entry.key);
  } else if (producer) {
    pending_[producer->id][entry.key] = {*entry.value, position_};
    open_[entry.key].insert(producer->id);
  } else {
    committed_[entry.key] = {*entry.value, position_};
  }
}

void Offsets::forget_pending(const OffsetCommitKey& key) {
  const auto open = open_.find(key);
  if (open == open_.end()) return;
  for (const auto producer : open->second) pending_[producer].erase(key);
  open_.erase(open);
}

void Offsets::end_transaction(const Producer& producer, bool committed,
                              const std::function<bool(const std::string&)>& ends) {
  const auto found = pending_.find(producer.id);
  if (found == pending_.end()) return;
  std::erase_if(found->second, [&](const auto& one) {
    const auto& [key, stored] = one;
    if (ends && !ends(key.group)) return false;
    auto open = open_.find(key);
    open->second.erase(producer.id);
    if (open->second.empty()) open_.erase(open);
    if (!committed) return true;
    auto& current = committed_[key];
    if (stored.position > current.position) current = stored;
    return true;
  });
  if (found->second.empty()) pending_.erase(found);
}

CommitAnswer Offsets::commit(const CommitOffsets& request, TimestampMs now,
                             const GroupsConfig& config, std::vector<OffsetEntry>& out) const {
  CommitAnswer answer = refuse_commit(request, ErrorCode::kNone);
  for (std::size_t t = 0; t < request.topics.size(); ++t) {
    const auto& topic = request.topics[t];
    for (std::size_t p = 0; p < topic.partitions.size(); ++p) {
      const auto& offset = topic.partitions[p];
      if (utf16_length(offset.metadata) > config.offset_metadata_max_bytes) {
        answer.topics[t].partitions[p].error = ErrorCode::kOffsetMetadataTooLarge;
        continue;
      }
      const auto expires =
          request.retention_ms == -1 ? TimestampMs(-1) : now + request.retention_ms;
      out.push_back({{request.group, topic.topic, offset.partition},
                     OffsetCommitValue{offset.offset, offset.leader_epoch, offset.metadata, now,
                                       expires, request.producer ? TopicId{} : topic.id}});
    }
  }
  return answer;
}

FetchedOffset Offsets::fetched(const OffsetCommitKey& key, const TopicId& id,
                               bool require_stable) const {
  FetchedOffset out;
  out.partition = key.partition;
  if (require_stable && has_pending(key)) {
    out.error = ErrorCode::kUnstableOffsetCommit;
    return out;
  }
  const auto found = committed_.find(key);
  if (found == committed_.end() || differ(found->second.value.topic_id, id)) return out;
  const auto& value = found->second.value;
  return {key.partition, value.offset, value.leader_epoch, value.metadata, ErrorCode::kNone};
}

FetchAnswer Offsets::fetch(const FetchOffsets& request) const {
  if (!request.topics) return fetch_all(request);
  FetchAnswer answer;
  for (const auto& topic : *request.topics) {
    auto& out = answer.topics.emplace_back(topic.topic, topic.id);
    for (const auto partition : topic.partitions)
      out.partitions.push_back(
          fetched({request.group, topic.topic, partition}, topic.id, request.require_stable));
  }
  return answer;
}

FetchAnswer Offsets::fetch_all(const FetchOffsets& request) const {
  FetchAnswer answer;
  for (const auto& [key, stored] : of_group(committed_, request.group)) {
    if (answer.topics.empty() || answer.topics.back().topic != key.topic)
      answer.topics.emplace_back(key.topic);
    answer.topics.back().partitions.push_back(fetched(key, TopicId{}, request.require_stable));
  }
  return answer;
}

DeleteOffsetsAnswer Offsets::remove(const DeleteOffsets& request,
                                    const std::function<bool(const std::string&)>& subscribed,
                                    std::vector<OffsetEntry>& out) const {
  DeleteOffsetsAnswer answer;
  for (const auto& topic : request.topics) {
    const auto error =
        subscribed(topic.topic) ? ErrorCode::kGroupSubscribedToTopic : ErrorCode::kNone;
    auto& told = answer.topics.emplace_back(topic.topic, topic.id);
    for (const auto partition : topic.partitions) {
      told.partitions.push_back({partition, error});
      const OffsetCommitKey key{request.group, topic.topic, partition};
      if (error == ErrorCode::kNone && (committed_.contains(key) || has_pending(key)))
        out.push_back({key, std::nullopt});
    }
  }
  return answer;
}

void Offsets::remove_all(const std::string& group, std::vector<OffsetEntry>& out) const {
  for (const auto& [key, stored] : of_group(committed_, group)) out.push_back({key, std::nullopt});
  for (const auto& [key, producers] : of_group(open_, group))
    if (!committed_.contains(key)) out.push_back({key, std::nullopt});
}

void Offsets::remove_topic(const std::string& topic, const TopicId& id,
                           std::vector<OffsetEntry>& out) const {
  std::set<OffsetCommitKey> gone;
  const auto collect = [&](const ByKey& from) {
    for (const auto& [key, stored] : from)
      if (key.topic == topic && !differ(stored.value.topic_id, id)) gone.insert(key);
  };
  collect(committed_);
  for (const auto& [producer, offsets] : pending_) collect(offsets);
  for (const auto& key : gone) out.push_back({key, std::nullopt});
}

bool Offsets::expire(const std::string& group, TimestampMs now, Millis retention_ms,
                     const std::function<std::optional<TimestampMs>(const std::string& topic,
                                                                    TimestampMs commit)>& base,
                     std::vector<OffsetEntry>& out) const {
  const auto pending = of_group(open_, group);
  bool none_left = pending.begin() == pending.end();
  for (const auto& [key, stored] : of_group(committed_, group)) {
    const auto since = base(key.topic, stored.value.commit_timestamp);
    const auto expires = stored.value.expire_timestamp;
    const bool old = since && (expires.value != -1 ? now >= expires : now - *since >= retention_ms);
    if (old && !has_pending(key))
      out.push_back({key, std::nullopt});
    else
      none_left = false;
  }
  return none_left;
}

std::map<OffsetCommitKey, OffsetCommitValue> Offsets::committed() const {
  std::map<OffsetCommitKey, OffsetCommitValue> all;
  for (const auto& [key, stored] : committed_) all.emplace(key, stored.value);
  return all;
}

}  // namespace tailrace::groups
