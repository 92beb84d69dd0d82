// A group of the classic protocol: members join, the leader assigns, all sync (KIP-62, 345, 394).
//
//   Empty ──join──▶ PreparingRebalance ──all joined or time is up──▶ CompletingRebalance
//     ▲                 ▲    │ nobody left                                │ leader synced
//     └─────────────────│────┘                                            ▼
//                       └──────── join, leave, loss ◀───────────────── Stable
//
// Answers to joins wait until the join phase ends, answers to syncs until the leader's. A
// generation is appended when its leader has synced; members of a generation that was never synced
// are lost in a crash and join again. A group that only keeps offsets ("simple") stays Empty
// without a type.
//
// As in Kafka: the first rebalance of an empty group waits group.initial.rebalance.delay.ms, and
// again while new members come, at most a rebalance timeout; a member that waits for a join or sync
// answer does not expire; static members that did not rejoin stay, dynamic ones go.
#pragma once

#include <expected>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "groups/consumer_group.h"
#include "groups/events.h"
#include "groups/records.h"
#include "groups/refusal.h"
#include "groups/turn.h"

namespace tailrace::groups {

class ClassicGroup {
 public:
  enum class State { kEmpty, kPreparingRebalance, kCompletingRebalance, kStable };

  /// An empty group, entered at `since`; -1 for one that only keeps offsets.
  ClassicGroup(std::string id, TimestampMs since) : id_(std::move(id)), state_since_(since) {}
  /// The group as its record tells.
  static ClassicGroup load(std::string id, const GroupMetadataValue& value);

  /// What is left of a consumer group when its last consumer went (KIP-848): stable, each member
  /// with its target. All members of `group` but `gone` are classic.
  static ClassicGroup of_consumers(const ConsumerGroup& group, const std::set<std::string>& gone,
                                   const Topics& topics, TimestampMs now);
  /// The other way: the records that make it a consumer group, each member with what it was
  /// assigned last; or why that cannot be.
  std::expected<std::vector<Record>, std::string> as_consumers(const Topics& topics) const;
  /// Who waits shall join again.
  void interrupt(Turn& turn);

  /// After replay: sessions begin anew; a group over its maximal size rebalances.
  void start(Turn& turn);

  void join(const JoinGroup& request, Turn& turn);
  void sync(const SyncGroup& request, Turn& turn);
  void heartbeat(const Heartbeat& request, Turn& turn);
  void leave(const LeaveGroup& request, Turn& turn);

  void rebalance(Turn& turn) { prepare_rebalance(turn); }
  void join_deadline(Turn& turn);
  void sync_deadline(Turn& turn);
  void session_deadline(const std::string& member, Turn& turn);
  /// Before the group is dropped: no deadline names it any more.
  void cancel_deadlines(Turn& turn) const;

  /// Whether the sender may commit offsets.
  ErrorCode check_commit(const CommitOffsets& request) const;
  /// A commit is a sign of life.
  void committed(const std::string& member, Turn& turn);

  const std::string& id() const { return id_; }
  State state() const { return state_; }
  std::string_view state_name() const;
  std::size_t size() const { return members_.size(); }
  const std::string& protocol_type() const { return protocol_type_; }
  bool uses_consumer_protocol() const { return protocol_type_ == "consumer"; }
  bool subscribes_to(const std::string& topic) const;
  DescribedGroup describe() const;
  /// From when the age of an offset committed at `commit` counts; no value: it does not expire now.
  std::optional<TimestampMs> retention_base(TimestampMs commit) const;
  /// A record with no member, as written when the group comes into being.
  ClassicGroupEntry empty_record() const;
  /// The group as it is; it has a protocol.
  ClassicGroupEntry record() const;

 private:
  struct Member {
    std::string id;
    std::optional<std::string> instance;
    Client client;
    std::int32_t rebalance_timeout_ms = 0;
    std::int32_t session_timeout_ms = 0;
    std::vector<Protocol> protocols;
    std::string assignment;
    bool is_new = false;  // has not had its first join answer
    std::optional<RequestId> joining;
    std::optional<RequestId> syncing;

    const std::string& metadata(const std::string& protocol) const;
    bool supports(const std::string& protocol) const;
    /// What it subscribes to, in the group's protocol where it speaks that.
    const std::string& subscription(const std::optional<std::string>& protocol) const;
  };

  bool accepts(const std::string& member, const GroupsConfig& config) const;
  bool supports(const JoinGroup& request) const;
  void join_new(const JoinGroup& request, Turn& turn);
  void join_known(const JoinGroup& request, Turn& turn);
  void rejoin(const JoinGroup& request, Member& member, Turn& turn);
  void add(const JoinGroup& request, const std::string& id, Turn& turn);
  void update(const JoinGroup& request, Member& member, Turn& turn);
  void replace_static(const JoinGroup& request, const std::string& id, Turn& turn);
  Member& rename(const std::string& from, const std::string& to, Turn& turn);
  void remove(const std::string& member);
  void expel(const std::string& member, Turn& turn);

  void rebalance_or_complete(Turn& turn);
  void prepare_rebalance(Turn& turn);
  void maybe_complete_join(Turn& turn);
  void complete_join(Turn& turn);
  void begin_generation(Turn& turn);
  bool elect_leader();
  void accept_assignments(const SyncGroup& request, Turn& turn);

  ErrorCode check_member(const std::string& member,
                         const std::optional<std::string>& instance) const;
  ErrorCode check_sync(const SyncGroup& request) const;
  bool all_joined() const;
  bool is_leader(const std::string& member) const { return leader_ == member; }
  std::int32_t rebalance_timeout_ms() const;
  std::string select_protocol() const;
  JoinAnswer join_answer(const std::string& member, bool with_members) const;
  void answer_join(Member& member, JoinAnswer answer, Turn& turn);
  void answer_sync(Member& member, SyncAnswer answer, Turn& turn);
  void enter(State state, TimestampMs now);
  void learn_subscription();
  void extend_session(const Member& member, Turn& turn, std::optional<Millis> timeout = {});
  TimerKey key(TimerKind kind, std::string member = "") const {
    return {kind, id_, std::move(member)};
  }

  std::string id_;
  State state_ = State::kEmpty;
  State previous_ = State::kStable;
  TimestampMs state_since_;
  std::string protocol_type_;
  std::optional<std::string> protocol_;
  Generation generation_{0};
  std::optional<std::string> leader_;
  std::map<std::string, Member> members_;
  std::map<std::string, std::string> static_members_;  // instance id → member id
  std::set<std::string> pending_joins_;                // were told an id, have not joined with it
  std::set<std::string> pending_syncs_;
  std::optional<std::set<std::string>> subscribed_topics_;
  bool joined_in_delay_ = false;
  Millis delay_ms_ = 0;
  Millis delay_left_ms_ = 0;
};

}  // namespace tailrace::groups
