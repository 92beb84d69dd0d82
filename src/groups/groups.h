// The coordinator of all groups: a pure state machine. Events and the time go in, actions come out.
//
// Order of calls:
//   1. Groups(config, …)          empty
//   2. replay(…) …                every record and marker of __consumer_offsets, in order
//   3. step(TopicChanged) …       every topic there is; step(GroupSettings) … where a group has
//   some
//   4. start(now)                 sessions begin, deadlines are set
//   5. step(event, now) …         one at a time; `now` never goes back
//      step(Tick, now)            when next_deadline() has come (asked again after every step)
//
// Actions are done in order over all steps; what share groups initialise is on disk no later than
// the records after it. A Reply is sent when every append before it is durable.
// If an append fails the object is thrown away and made again from the log: what it would have
// answered was never visible.
//
// Consumer groups and offsets change only by applying the records that are appended, so a replay
// gives the same state. Of a classic group the record holds its last synced generation; joins under
// way are not kept. One thread at a time.
//
// A name is a classic, consumer, share or streams group. An empty classic group becomes another
// kind, but for a share group, with the first member that joins, and an empty consumer or streams
// group a classic one; a share group never. With members, a classic group of consumers becomes a
// consumer group and back as group.consumer.migration.policy allows (groups_migration.cc).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "groups/classic_group.h"
#include "groups/consumer_group.h"
#include "groups/consumer_heartbeat.h"
#include "groups/offsets.h"
#include "groups/share_group.h"
#include "groups/streams_group.h"

namespace tailrace::groups {

struct StreamsOutcome;

class Groups {
 public:
  Groups(GroupsConfig config, NewName new_name);

  /// A record as it was appended; with a producer when its batch is transactional.
  void replay(const Record& record, const std::optional<Producer>& producer);
  /// It ends the producer's transaction in the groups that `ends` picks (those whose records lie
  /// where the marker lies), in all without it. Also for markers that were written since start().
  void replay(const AppendMarker& marker,
              const std::function<bool(const std::string& group)>& ends = {});
  Actions start(TimestampMs now);

  Actions step(const Event& event, TimestampMs now);
  /// When a Tick is due; no value: never.
  std::optional<TimestampMs> next_deadline() const { return deadlines_.next(); }

  /// What DescribeGroups says of a group, without asking.
  std::optional<DescribedGroup> describe(const std::string& group) const;
  /// What DescribeConsumerGroups says of a group (KIP-848), without asking.
  std::optional<DescribedConsumerGroup> describe_consumers(const std::string& group) const;
  /// What DescribeShareGroups says of a group (KIP-932), without asking.
  std::optional<DescribedShareGroup> describe_sharers(const std::string& group) const;
  /// What DescribeStreamsGroups says of a group (KIP-1071), without asking.
  std::optional<DescribedStreamsGroup> describe_streams(const std::string& group) const;
  const std::map<std::string, StreamsGroup>& streams_groups() const { return streams_; }
  const std::map<std::string, ShareGroup>& share_groups() const { return share_; }
  std::vector<std::string> names() const;
  const Offsets& offsets() const { return offsets_; }

 private:
  void handle(const JoinGroup& request, Turn& turn);
  void handle(const SyncGroup& request, Turn& turn);
  void handle(const Heartbeat& request, Turn& turn);
  void handle(const LeaveGroup& request, Turn& turn);
  void handle(const DescribeGroups& request, Turn& turn);
  void handle(const ListGroups& request, Turn& turn);
  void handle(const DeleteGroups& request, Turn& turn);
  void handle(const CommitOffsets& request, Turn& turn);
  void handle(const FetchOffsets& request, Turn& turn);
  void handle(const DeleteOffsets& request, Turn& turn);
  void handle(const ConsumerHeartbeat& request, Turn& turn);
  void handle(const DescribeConsumerGroups& request, Turn& turn);
  void handle(const ShareHeartbeat& request, Turn& turn);
  void handle(const DescribeShareGroups& request, Turn& turn);
  void handle(const ShareTopics& request, Turn& turn);
  void handle(const AlterShareOffsets& request, Turn& turn);
  void handle(const DeleteShareOffsets& request, Turn& turn);
  void handle(const StreamsHeartbeat& request, Turn& turn);
  void handle(const DescribeStreamsGroups& request, Turn& turn);
  void handle(const EndTransaction& request, Turn& turn);
  void handle(const TopicChanged& change, Turn& turn);
  void handle(const TopicDeleted& change, Turn& turn);
  void handle(const GroupSettings& settings, Turn& turn);
  void handle(const Tick&, Turn&) {}

  void deadline(const TimerKey& key, Turn& turn);
  void expire_offsets(Turn& turn);
  ErrorCode check_commit(const CommitOffsets& request) const;
  ErrorCode check_delete(const std::string& group) const;
  void append_tombstones(const std::string& group, Turn& turn);
  void append(const Record& record, Turn& turn, const std::optional<Producer>& producer = {});
  void append_all(const std::vector<OffsetEntry>& entries, Turn& turn,
                  const std::optional<Producer>& producer = {});
  void apply(const OffsetEntry& entry, const std::optional<Producer>& producer);
  void apply(const ClassicGroupEntry& entry);
  template <typename Entry>
  void apply(const Entry& entry);
  Turn turn(TimestampMs now, RequestId request, Actions& actions);
  ClassicGroup* classic(const std::string& group);
  ConsumerGroup* consumer(const std::string& group);

  void consumer_stays(const ConsumerHeartbeat& request, Turn& turn);
  void consumer_leaves(const ConsumerHeartbeat& request, Turn& turn);
  void take(const HeartbeatOutcome& outcome, const std::string& group, Turn& turn);
  std::expected<std::vector<Record>, Refusal> upgrade(const ClassicGroup& group) const;
  void become_consumers(ClassicGroup& group, const std::vector<Record>& records, Turn& turn);
  bool downgrades_without(const ConsumerGroup& group, const std::set<std::string>& gone,
                          std::int32_t more) const;
  ClassicGroup& become_classic(const ConsumerGroup& group, const std::set<std::string>& gone,
                               Turn& turn);
  void join_consumers(const JoinGroup& request, const ConsumerGroup& group, Turn& turn);
  void sync_consumers(const SyncGroup& request, const ConsumerGroup& group, Turn& turn);
  void beat_consumers(const Heartbeat& request, const ConsumerGroup& group, Turn& turn);
  void shall_rejoin(const Consumer& member, const std::string& group, Turn& turn);
  void leave_consumers(const LeaveGroup& request, ConsumerGroup& group, Turn& turn);
  void cancel_deadlines(const std::string& group, const std::string& member);
  void remove_consumers(ConsumerGroup& group, const std::vector<std::string>& members, Turn& turn);
  void start_consumers(Turn& turn);
  ShareGroup* share(const std::string& group);
  /// Why there is no group of the name and kind.
  Refusal not_of_kind(const std::string& group, std::string_view kind) const;
  template <typename Described, typename Describe>
  std::vector<Described> described(const std::vector<std::string>& groups, std::string_view kind,
                                   const Describe& describe) const {
    std::vector<Described> out;
    for (const auto& id : groups) {
      auto found = describe(id);
      if (!found) {
        found.emplace();
        found->group = id;
        auto refusal = not_of_kind(id, kind);
        found->error = refusal.error;
        found->message = std::move(refusal.message);
      }
      out.push_back(std::move(*found));
    }
    return out;
  }
  void sharer_leaves(const ShareHeartbeat& request, Turn& turn);
  void remove_sharers(ShareGroup& group, const std::vector<std::string>& members, Turn& turn);
  void start_sharers(Turn& turn);
  StreamsGroup* streams(const std::string& group);
  void streams_member_leaves(const StreamsHeartbeat& request, Turn& turn);
  void remember(const StreamsHeartbeat& request, StreamsOutcome& outcome);
  void remove_streams_member(StreamsGroup& group, const std::string& member, Turn& turn);
  void streams_deadline(StreamsGroup& group, const TimerKey& key, Turn& turn);
  void start_streams(Turn& turn);
  std::optional<Refusal> check_share_offsets(const std::string& group, bool may_be_new) const;
  void forget_topic(ShareGroup& group, const TopicId& topic, Turn& turn);
  void share_topic_deleted(const TopicId& topic, Turn& turn);
  template <typename Entry, typename Group>
  void apply_to(std::map<std::string, Group>& groups, const Entry& entry);
  GroupsConfig config_of(const std::string& group) const;
  void topics_changed(const std::string& name);
  bool exists(const std::string& group) const;
  bool is_empty(const std::string& group) const;
  bool subscribes(const std::string& group, const std::string& topic) const;

  GroupsConfig config_;
  NewName new_name_;
  Deadlines deadlines_;
  Topics topics_;
  std::map<std::string, GroupSettings> settings_;
  Offsets offsets_;
  std::int64_t topics_version_ = 0;  // grows when a topic comes
  std::map<std::string, ClassicGroup> classic_;
  std::map<std::string, ConsumerGroup> consumer_;
  std::map<std::string, ShareGroup> share_;
  std::map<std::string, StreamsGroup> streams_;  // a name is in one of the four
};

}  // namespace tailrace::groups
