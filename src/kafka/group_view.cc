#include "kafka/group_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <tuple>
#include <utility>
#include <variant>

#include "base/bytes.h"
#include "kafka/broker.h"
#include "kafka/messages/consumer_protocol_assignment.h"

namespace tailrace::kafka {
namespace {

constexpr std::chrono::seconds kPatience{5};

using Asked = std::future<Result<groups::Answer>>;

Asked ask(Broker& broker, groups::Happening what) {
  std::promise<Result<groups::Answer>> promise;
  auto asked = promise.get_future();
  broker.groups().ask(std::move(what), [promise = std::move(promise)](const auto& answer) mutable {
    promise.set_value(answer);
  });
  return asked;
}

/// The answer, when it is of the kind that the question has.
template <typename Answer>
Result<Answer> wait_for(Asked asked) {
  const auto silent = error(Code::kUnavailable, "the group coordinator does not answer");
  if (asked.wait_for(kPatience) != std::future_status::ready) return silent;
  try {
    ASSIGN(auto answer, asked.get());
    if (auto* found = std::get_if<Answer>(&answer)) return std::move(*found);
  } catch (const std::future_error&) {
    // The coordinator stopped, and the question went away.
  }
  return silent;
}

/// A classic consumer's assignment; nothing where the group's members speak another protocol.
std::map<std::string, std::set<std::int32_t>> assigned_to(const groups::DescribedMember& member) {
  std::map<std::string, std::set<std::int32_t>> assigned;
  if (member.assignment.size() < sizeof(std::int16_t)) return assigned;
  const Version version(load_be<std::int16_t>(member.assignment.data()));
  Reader reader(std::string_view(member.assignment).substr(sizeof(std::int16_t)));
  const auto highest = ConsumerProtocolAssignment::kHighest;
  const auto decoded = ConsumerProtocolAssignment::decode(reader, std::min(version, highest));
  if (!decoded) return assigned;
  for (const auto& topic : decoded->assigned_partitions)
    assigned[topic.topic].insert(topic.partitions.begin(), topic.partitions.end());
  return assigned;
}

/// Of a consumer or share group, to whom the broker itself assigns.
template <typename Member>
std::map<std::string, std::set<std::int32_t>> assigned_to(Broker& broker, const Member& member) {
  std::map<std::string, std::set<std::int32_t>> assigned;
  for (const auto& [id, partitions] : member.assignment)
    if (const auto topic = broker.log().topic_name(id.bytes)) assigned[*topic] = partitions;
  return assigned;
}

using Found = std::map<std::string, GroupView>;

Status describe_classic(Broker& broker, std::vector<std::string> names, Found& found) {
  if (names.empty()) return {};
  ASSIGN(const auto answer,
         wait_for<groups::DescribeAnswer>(ask(
             broker, groups::DescribeGroups{.groups = std::move(names), .tells_missing = true})));
  for (const auto& group : answer.groups) {
    if (group.error != groups::ErrorCode::kNone) continue;
    GroupView& view = found[group.group];
    view.assignor = group.protocol;
    for (const auto& member : group.members)
      view.members.push_back({member.id, member.instance.value_or(""), member.client.id,
                              member.client.host, assigned_to(member)});
  }
  return {};
}

/// A task reads its number of each source topic that has as many partitions.
std::map<std::string, std::set<std::int32_t>> assigned_to(
    Broker& broker, const std::optional<groups::StreamsTopology>& topology,
    const groups::DescribedStreamsMember& member) {
  std::map<std::string, std::set<std::int32_t>> assigned;
  if (!topology) return assigned;
  for (const auto& part : topology->subtopologies) {
    const auto tasks = member.tasks.active.find(part.id);
    if (tasks == member.tasks.active.end()) continue;
    auto names = part.sources;
    for (const auto& internal : part.repartitions) names.push_back(internal.name);
    for (const auto& name : names) {
      const auto topic = broker.log().topic(name);
      for (const auto task : tasks->second)
        if (topic && task < topic->settings.partitions) assigned[name].insert(task);
    }
  }
  return assigned;
}

std::vector<std::string> names_of(const groups::Tasks& tasks) {
  std::vector<std::string> names;
  for (const auto& [subtopology, numbers] : tasks)
    for (const auto number : numbers) names.push_back(fmt::format("{}_{}", subtopology, number));
  return names;
}

/// `assigned`: of a member in its group.
template <typename Answer, typename Question, typename Assigned>
Status describe_assigned(Broker& broker, std::vector<std::string> names, Found& found,
                         const Assigned& assigned) {
  if (names.empty()) return {};
  ASSIGN(const auto answer, wait_for<Answer>(ask(broker, Question{.groups = std::move(names)})));
  for (const auto& group : answer.groups) {
    if (group.error != groups::ErrorCode::kNone) continue;
    GroupView& view = found[group.group];
    view.assignor = group.assignor;
    for (const auto& member : group.members) view.members.push_back(assigned(group, member));
  }
  return {};
}

Status describe_consumers(Broker& broker, std::vector<std::string> names, Found& found) {
  return describe_assigned<groups::DescribeConsumersAnswer, groups::DescribeConsumerGroups>(
      broker, std::move(names), found, [&](const auto&, const auto& member) {
        return GroupMemberView{member.id, member.instance.value_or(""), member.client.id,
                               member.client.host, assigned_to(broker, member)};
      });
}

Status describe_sharers(Broker& broker, std::vector<std::string> names, Found& found) {
  return describe_assigned<groups::DescribeSharersAnswer, groups::DescribeShareGroups>(
      broker, std::move(names), found, [&](const auto&, const auto& member) {
        return GroupMemberView{member.id, "", member.client.id, member.client.host,
                               assigned_to(broker, member)};
      });
}

Status describe_streams(Broker& broker, std::vector<std::string> names, Found& found) {
  return describe_assigned<groups::DescribeStreamsAnswer, groups::DescribeStreamsGroups>(
      broker, std::move(names), found, [&](const auto& group, const auto& member) {
        return GroupMemberView{member.id,
                               member.about.instance.value_or(""),
                               member.about.client.id,
                               member.about.client.host,
                               assigned_to(broker, group.topology, member),
                               {names_of(member.tasks.active), names_of(member.tasks.standby),
                                names_of(member.tasks.warmup)}};
      });
}

/// What was committed, what is assigned without, and where the partitions end.
std::vector<GroupOffsetView> offsets_of(Broker& broker, const GroupView& group,
                                        const groups::FetchAnswer& fetched) {
  std::map<std::pair<std::string, std::int32_t>, GroupOffsetView> offsets;
  for (const auto& topic : fetched.topics)
    for (const auto& one : topic.partitions)
      offsets[{topic.topic, one.partition}] = {topic.topic, one.partition, one.offset, -1,
                                               -1,          one.metadata};
  for (const auto& member : group.members)
    for (const auto& [topic, partitions] : member.assigned)
      for (const auto partition : partitions) offsets[{topic, partition}];
  std::vector<GroupOffsetView> all;
  for (auto& [place, offset] : offsets) {
    offset.topic = place.first;
    offset.partition = place.second;
    if (auto partition = broker.log().partition(offset.topic, PartitionId(offset.partition)))
      offset.end = (*partition)->high_watermark().value;
    if (offset.committed >= 0 && offset.end >= 0)
      offset.lag = std::max<std::int64_t>(0, offset.end - offset.committed);
    all.push_back(std::move(offset));
  }
  return all;
}

GroupOffsetView shared_offset(Broker& broker, const share::Key& key, const std::string& topic) {
  const auto at = broker.share().position(key);
  GroupOffsetView view{topic, key.partition.value, at.start.value, -1, -1, {}};
  if (const auto partition = broker.log().partition(topic, key.partition))
    view.end = (*partition)->high_watermark().value;
  if (at.start != share::kNoStart && at.complete >= 0 && view.end >= 0)
    view.lag = std::max<std::int64_t>(0, view.end - at.start.value - at.complete);
  for (auto& one : broker.share().in_flight(key))
    view.in_flight.push_back({one.first.value, one.last.value,
                              one.state == share::RecordState::kAcquired, one.delivery_count,
                              std::move(one.member)});
  return view;
}

Status add_shared_offsets(Broker& broker, const std::vector<std::string>& names, Found& found) {
  if (names.empty()) return {};
  ASSIGN(const auto answer,
         wait_for<groups::ShareTopicsAnswer>(ask(broker, groups::ShareTopics{.groups = names})));
  for (const auto& group : answer.groups) {
    if (group.error != groups::ErrorCode::kNone) continue;
    auto& offsets = found[group.group].offsets;
    for (const auto& [id, topic] : group.topics)
      for (const auto partition : topic.partitions)
        offsets.push_back(
            shared_offset(broker, {group.group, id.bytes, PartitionId(partition)}, topic.name));
    std::ranges::sort(offsets, {},
                      [](const auto& one) { return std::tie(one.topic, one.partition); });
  }
  return {};
}

}  // namespace

std::int64_t GroupView::lag() const {
  std::int64_t sum = 0;
  for (const auto& offset : offsets) sum += std::max<std::int64_t>(0, offset.lag);
  return sum;
}

Result<std::vector<GroupView>> look_at_groups(Broker& broker, const std::string& name) {
  ASSIGN(const auto listed, wait_for<groups::ListAnswer>(ask(broker, groups::ListGroups{})));
  Found found;
  std::vector<std::string> classic, consumer, streams, share;
  std::map<std::string, Asked> fetched;
  for (const auto& group : listed.groups) {
    if (!name.empty() && group.group != name) continue;
    found[group.group] = {group.group, group.type, group.state, {}, {}, {}};
    if (group.type == "classic") classic.push_back(group.group);
    if (group.type == "consumer") consumer.push_back(group.group);
    if (group.type == "streams") streams.push_back(group.group);
    if (group.type == "share") {
      share.push_back(group.group);
      continue;
    }
    fetched.emplace(
        group.group,
        ask(broker, groups::FetchOffsets{.group = group.group, .member = {}, .topics = {}}));
  }
  TRY(describe_classic(broker, std::move(classic), found));
  TRY(describe_consumers(broker, std::move(consumer), found));
  TRY(describe_streams(broker, std::move(streams), found));
  TRY(add_shared_offsets(broker, share, found));
  TRY(describe_sharers(broker, std::move(share), found));
  std::vector<GroupView> views;
  for (auto& [id, view] : found) {
    // One that was deleted in between has no name.
    if (view.name.empty()) continue;
    if (auto asked = fetched.extract(id); !asked.empty()) {
      ASSIGN(const auto answer, wait_for<groups::FetchAnswer>(std::move(asked.mapped())));
      view.offsets = offsets_of(broker, view, answer);
    }
    views.push_back(std::move(view));
  }
  return views;
}

}  // namespace tailrace::kafka
