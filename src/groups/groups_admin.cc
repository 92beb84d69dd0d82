// Describe, list and delete groups.
#include <algorithm>
#include <cctype>
#include <utility>

#include "groups/groups.h"

namespace tailrace::groups {

namespace {

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

/// An empty filter lets all pass.
bool passes(const std::vector<std::string>& filter, std::string_view word) {
  return filter.empty() || std::ranges::any_of(filter, [&](const std::string& one) {
           return lower_case(one) == lower_case(word);
         });
}

}  // namespace

std::vector<std::string> Groups::names() const {
  std::vector<std::string> out;
  for (const auto& [id, group] : classic_) out.push_back(id);
  for (const auto& [id, group] : consumer_) out.push_back(id);
  for (const auto& [id, group] : share_) out.push_back(id);
  for (const auto& [id, group] : streams_) out.push_back(id);
  return out;
}

bool Groups::exists(const std::string& group) const {
  return classic_.contains(group) || consumer_.contains(group) || share_.contains(group) ||
         streams_.contains(group);
}

bool Groups::is_empty(const std::string& group) const {
  if (const auto found = share_.find(group); found != share_.end()) return found->second.is_empty();
  if (const auto found = streams_.find(group); found != streams_.end())
    return found->second.is_empty();
  const auto found = classic_.find(group);
  if (found != classic_.end()) return found->second.state() == ClassicGroup::State::kEmpty;
  const auto consumers = consumer_.find(group);
  return consumers == consumer_.end() || consumers->second.is_empty();
}

bool Groups::subscribes(const std::string& group, const std::string& topic) const {
  const auto found = classic_.find(group);
  if (found != classic_.end()) return found->second.subscribes_to(topic);
  if (const auto streams = streams_.find(group); streams != streams_.end())
    return streams->second.subscribes_to(topic);
  const auto consumers = consumer_.find(group);
  return consumers != consumer_.end() && consumers->second.subscribes_to(topic);
}

std::optional<DescribedGroup> Groups::describe(const std::string& group) const {
  const auto found = classic_.find(group);
  if (found == classic_.end()) return std::nullopt;
  return found->second.describe();
}

void Groups::handle(const DescribeGroups& request, Turn& turn) {
  DescribeAnswer answer;
  for (const auto& id : request.groups) {
    if (auto described = describe(id)) {
      answer.groups.push_back(std::move(*described));
      continue;
    }
    DescribedGroup missing;
    missing.group = id;
    missing.state = "Dead";
    if (request.tells_missing) {
      missing.error = ErrorCode::kGroupIdNotFound;
      missing.message = "Group " + id + (exists(id) ? " is not a classic group." : " not found.");
    }
    answer.groups.push_back(std::move(missing));
  }
  turn.reply(std::move(answer));
}

void Groups::handle(const ListGroups& request, Turn& turn) {
  ListAnswer answer;
  for (const auto& [id, group] : classic_)
    if (passes(request.states, group.state_name()) && passes(request.types, "classic"))
      answer.groups.push_back(
          {id, group.protocol_type(), std::string(group.state_name()), "classic"});
  const auto add = [&](const auto& groups, const std::string& type) {
    for (const auto& [id, group] : groups)
      if (passes(request.states, group.state_name()) && passes(request.types, type))
        answer.groups.push_back({id, type, std::string(group.state_name()), type});
  };
  add(consumer_, "consumer");
  add(share_, "share");
  add(streams_, "streams");
  turn.reply(std::move(answer));
}

ErrorCode Groups::check_delete(const std::string& group) const {
  if (!exists(group)) return ErrorCode::kGroupIdNotFound;
  return is_empty(group) ? ErrorCode::kNone : ErrorCode::kNonEmptyGroup;
}

void Groups::handle(const DeleteGroups& request, Turn& turn) {
  DeleteAnswer answer;
  for (const auto& id : request.groups) {
    const auto error = check_delete(id);
    answer.groups.push_back({id, error});
    if (error != ErrorCode::kNone) continue;
    std::vector<OffsetEntry> records;
    offsets_.remove_all(id, records);
    append_all(records, turn);
    append_tombstones(id, turn);
  }
  turn.reply(std::move(answer));
}

void Groups::append_tombstones(const std::string& group, Turn& turn) {
  if (auto* sharers = share(group)) {
    for (const auto& [topic, shared] : std::map(sharers->topics())) {
      for (const auto partition : shared.partitions)
        turn.actions.push_back(ShareForget{group, topic, partition});
    }
    for (const auto& record : sharers->tombstones()) append(record, turn);
    return;
  }
  if (const auto* consumers = consumer(group)) {
    for (const auto& record : consumers->tombstones()) append(record, turn);
    return;
  }
  if (const auto* found = streams(group)) {
    turn.deadlines.cancel({TimerKind::kRebalance, group, ""});
    for (const auto& record : found->tombstones()) append(record, turn);
    return;
  }
  if (const auto* found = classic(group)) found->cancel_deadlines(turn);
  append(ClassicGroupEntry{{group}, std::nullopt}, turn);
}

std::optional<DescribedConsumerGroup> Groups::describe_consumers(const std::string& group) const {
  const auto found = consumer_.find(group);
  if (found == consumer_.end()) return std::nullopt;
  return found->second.describe(topics_);
}

void Groups::handle(const DescribeConsumerGroups& request, Turn& turn) {
  DescribeConsumersAnswer answer;
  answer.groups = described<DescribedConsumerGroup>(
      request.groups, "consumer", [&](const auto& id) { return describe_consumers(id); });
  turn.reply(std::move(answer));
}

Refusal Groups::not_of_kind(const std::string& group, std::string_view kind) const {
  if (group.empty()) return {ErrorCode::kInvalidGroupId, ""};
  std::string why = "Group " + group;
  why += exists(group) ? " is not a " + std::string(kind) + " group." : " not found.";
  return {ErrorCode::kGroupIdNotFound, std::move(why)};
}

}  // namespace tailrace::groups
