// A group of Kafka Streams programs (KIP-1071): the coordinator assigns the tasks of a topology,
// members reconcile.
//
// The group epoch grows when members, the topology's topics or the assignment's settings change. A
// member first gives up what its target lacks and says so (kUnrevokedTasks), then goes on to the
// epoch and gets what is free (kUnreleasedTasks: more is to come). An active task is never with two
// members, and a process has a task once, whether active or standby.
//
// State changes only by apply(), with the records that were appended; what no record holds, and a
// restart forgets, is in Fleeting. What a heartbeat leads to is in streams_heartbeat.h.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "groups/actions.h"
#include "groups/assigned_group.h"
#include "groups/events.h"
#include "groups/streams_topology.h"

namespace tailrace::groups {

/// A member, as its records tell.
struct StreamsMember {
  std::string id;
  StreamsGroupMemberMetadataValue about{};
  StreamsGroupCurrentMemberAssignmentValue current{};

  bool reconciled_to(MemberEpoch epoch) const {
    return current.state == StreamsMemberState::kStable && current.epoch == epoch;
  }
};

struct StreamsRecords {
  using Group = StreamsGroupEntry;
  using Member = StreamsMemberEntry;
  using TargetEpoch = StreamsTargetEpochEntry;
  using TargetMember = StreamsTargetMemberEntry;
  using Current = StreamsCurrentEntry;
  using Target = TaskSet;
};

class StreamsGroup : public AssignedGroup<StreamsMember, StreamsRecords> {
 public:
  /// What no record holds.
  struct Fleeting {
    std::optional<ConfiguredTopology> configured{};  // over the topics of the last look
    std::optional<std::string> shutdown{};           // the member that asked all to stop
    std::int32_t endpoint_epoch = 0;                 // grows when what endpoints serve changes
  };
  Fleeting fleeting{};

  using AssignedGroup::apply;
  using AssignedGroup::AssignedGroup;

  void apply(const StreamsGroupEntry& entry);
  void apply(const StreamsMemberEntry& entry);
  void apply(const StreamsCurrentEntry& entry);
  void apply(const StreamsTopologyEntry& entry);

  std::string_view state_name() const;
  const std::optional<StreamsTopology>& topology() const { return topology_; }
  std::int32_t validated_topology_epoch() const { return validated_topology_epoch_; }
  const std::map<std::string, std::string>& assignment_configs() const { return configs_; }

  /// Whether some member works on the task or has still to give it up.
  bool is_active(const std::string& subtopology, std::int32_t partition) const;
  /// Whether a member in the process works on the task, as active or not.
  bool is_in(const std::string& process, const std::string& subtopology,
             std::int32_t partition) const;

  /// Whether the topology reads the topic or keeps its state in it.
  bool needs(const std::string& topic) const;
  /// Whether the topology reads the topic, while the group has members.
  bool subscribes_to(const std::string& topic) const;

  /// Whether the sender may commit these offsets.
  ErrorCode check_commit(const CommitOffsets& request) const;
  ErrorCode check_fetch(const FetchOffsets& request) const;
  DescribedStreamsGroup describe() const;
  /// The records that make the group vanish; it has no members.
  std::vector<Record> tombstones() const;

 private:
  using Task = std::pair<std::string, std::int32_t>;
  void hold(const StreamsMember& member);
  void release(const StreamsMember& member);
  std::optional<MemberEpoch> held_since(const StreamsMember& member, const std::string& topic,
                                        std::int32_t partition) const;

  std::optional<StreamsTopology> topology_;
  std::int32_t validated_topology_epoch_ = 0;
  std::map<std::string, std::string> configs_;
  std::map<Task, std::string> active_;               // processes
  std::map<Task, std::multiset<std::string>> idle_;  // processes of standbys and warmups
};

/// Without the epochs.
TaskSet plain(const OwnedTasks& tasks);

}  // namespace tailrace::groups
