// OffsetFetch: of one group, or of several since version 8 (KIP-709); by topic id since version 10.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/handlers/group_errors.h"
#include "kafka/messages/offset_fetch_request.h"
#include "kafka/messages/offset_fetch_response.h"

namespace tailrace::kafka {
namespace {

using GroupAnswer = OffsetFetchResponse::OffsetFetchResponseGroup;

/// The answers of a request's groups, sent when the last one is there.
struct Fetching {
  Call call;
  std::mutex mutex;
  OffsetFetchResponse response;
  std::size_t left = 0;

  explicit Fetching(Call c) : call(std::move(c)) {}
};

groups::FetchOffsets event_of(Broker& broker,
                              const OffsetFetchRequest::OffsetFetchRequestGroup& asked, bool by_id,
                              bool require_stable, GroupAnswer& answer) {
  groups::FetchOffsets event{.group = asked.group_id,
                             .member = asked.member_id,
                             .member_epoch = groups::MemberEpoch(asked.member_epoch),
                             .topics = {},
                             .require_stable = require_stable};
  if (!asked.topics) return event;
  event.topics.emplace();
  for (const auto& topic : *asked.topics) {
    std::string name = topic.name;
    if (by_id) {
      const auto found = broker.log().topic(topic.topic_id);
      if (!found) {
        auto& unknown = answer.topics.emplace_back();
        unknown.topic_id = topic.topic_id;
        for (const auto index : topic.partition_indexes) {
          unknown.partitions.push_back({index, -1, -1, "", wire(ErrorCode::kUnknownTopicId)});
        }
        continue;
      }
      name = found->name;
    }
    event.topics->push_back({name, {topic.topic_id}, topic.partition_indexes});
  }
  return event;
}

void add(Broker& broker, const groups::FetchAnswer& from, bool by_id, GroupAnswer& answer) {
  answer.error_code = wire(from.error);
  for (const auto& topic : from.topics) {
    auto& told = answer.topics.emplace_back();
    if (by_id) {
      const auto found = broker.log().topic(topic.topic);
      told.topic_id = found ? found->id : Uuid(topic.id.bytes);
    } else {
      told.name = topic.topic;
    }
    for (const auto& one : topic.partitions) {
      told.partitions.push_back(
          {one.partition, one.offset, one.leader_epoch.value, one.metadata, wire(one.error)});
    }
  }
}

/// Versions 1 to 7 have one group, and place for its error in front or at each partition.
OffsetFetchResponse flat(const Call& call, const GroupAnswer& group) {
  OffsetFetchResponse response;
  if (call.since(2)) response.error_code = group.error_code;
  for (const auto& topic : group.topics) {
    auto& told = response.topics.emplace_back();
    told.name = topic.name;
    for (const auto& one : topic.partitions) {
      auto& partition = told.partitions.emplace_back();
      partition.partition_index = one.partition_index;
      partition.committed_offset = one.committed_offset;
      if (call.since(5)) partition.committed_leader_epoch = one.committed_leader_epoch;
      partition.metadata = one.metadata;
      partition.error_code = one.error_code;
    }
  }
  return response;
}

void finish(Fetching& fetching) {
  if (fetching.call.since(8)) return fetching.call.answer(fetching.response);
  fetching.call.answer(flat(fetching.call, fetching.response.groups.front()));
}

OffsetFetchRequest::OffsetFetchRequestGroup only_group(const OffsetFetchRequest& request) {
  OffsetFetchRequest::OffsetFetchRequestGroup group;
  group.group_id = request.group_id;
  if (!request.topics) {
    group.topics.reset();
    return group;
  }
  for (const auto& topic : *request.topics) {
    group.topics->push_back({topic.name, {}, topic.partition_indexes});
  }
  return group;
}

}  // namespace

void offset_fetch(Call call, const OffsetFetchRequest& request) {
  const bool by_id = call.since(10);
  auto asked = request.groups;
  if (!call.since(8)) asked = {only_group(request)};
  Broker& broker = call.broker();
  auto fetching = std::make_shared<Fetching>(std::move(call));
  if (asked.empty()) return finish(*fetching);
  fetching->response.groups.resize(asked.size());
  fetching->left = asked.size();
  for (std::size_t i = 0; i < asked.size(); ++i) {
    auto& answer = fetching->response.groups[i];
    answer.group_id = asked[i].group_id;
    auto event = event_of(broker, asked[i], by_id, request.require_stable, answer);
    broker.groups().ask(std::move(event), [fetching, i, by_id](const auto& result) {
      const std::unique_lock lock(fetching->mutex);
      auto& told = fetching->response.groups[i];
      if (result) {
        add(fetching->call.broker(), std::get<groups::FetchAnswer>(*result), by_id, told);
      } else {
        told.error_code = kNotKept;
      }
      if (--fetching->left == 0) finish(*fetching);
    });
  }
}

}  // namespace tailrace::kafka
