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
// Actions are done in order over all steps; a Reply is sent when every append before it is durable.
// If an append fails the object is thrown away and made again from the log: what it would have
// answered was never visible.
//
// Consumer groups and offsets change only by applying the records that are appended, so a replay
// gives the same state. Of a classic group the record holds its last synced generation; joins under
// way are not kept. One thread at a time.
//
// A name is a classic group or a consumer group. An empty group becomes the other kind with the
// first member that joins; a group with members does not (as Kafka with
// group.consumer.migration.policy = disabled).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "groups/classic_group.h"
#include "groups/consumer_group.h"
#include "groups/offsets.h"

namespace tailrace::groups {

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
  void leave_consumer_group(const LeaveGroup& request, ConsumerGroup& group, Turn& turn);
  void remove_consumers(ConsumerGroup& group, const std::vector<std::string>& members, Turn& turn);
  void start_consumers(Turn& turn);
  GroupsConfig config_of(const std::string& group) const;
  void topics_changed(const std::string& name);
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
  std::map<std::string, ConsumerGroup> consumer_;  // a name is in one of the two
};

}  // namespace tailrace::groups
