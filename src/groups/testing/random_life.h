// A random life of a coordinator: clients that behave, forget, repeat and lie, seeded.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "groups/events.h"
#include "groups/testing/conversation.h"

namespace tailrace::groups::testing {

/// Makes events out of what earlier answers told; the same seed makes the same life.
class RandomLife {
 public:
  explicit RandomLife(std::uint64_t seed) : random_(seed) {}

  /// What a client was told last; a request that is not answered yet belongs to `asks`.
  struct Told {
    std::string group;
    std::string member;
    std::optional<std::string> instance;
    std::int32_t generation = -1;
    std::vector<std::string> members;  // a leader's
    MemberEpoch epoch{0};              // of a consumer (KIP-848)
    Assignment owned;
    bool consumes = false;
  };

  int below(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }
  bool one_in(int n) { return below(n) == 0; }

  Happening next() {
    asking_ = static_cast<std::size_t>(below(kClients));
    if (one_in(60)) clients_[asking_] = {};
    auto& client = clients_[asking_];
    if (client.group.empty()) {
      client.group = "g" + std::to_string(below(kGroups));
      if (one_in(3)) client.instance = "i" + std::to_string(below(3));
      client.consumes = one_in(2);
      if (client.consumes) client.member = "m" + std::to_string(++names_);
      if (!one_in(6)) client.group += client.consumes ? "c" : "k";
    }
    if (client.consumes && !one_in(4)) return consume(client);
    switch (below(16)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return join(client);
      case 4:
      case 5:
      case 6:
        return sync(client);
      case 7:
      case 8:
        return Heartbeat{client.group, member(client), client.instance, generation(client)};
      case 9:
        return leave(client);
      case 10:
      case 11:
      case 12:
        return commit(client);
      case 13:
        return forget(client);
      case 14:
        return EndTransaction{{below(3), 0}, one_in(2)};
      default:
        return admin(client);
    }
  }

  /// The client of the event that next() gave.
  std::size_t asking() const { return asking_; }

  void told(std::size_t client, const Answer& answer) {
    auto& to = clients_[client];
    if (const auto* joined = std::get_if<JoinAnswer>(&answer)) {
      const bool given = joined->error == ErrorCode::kMemberIdRequired;
      if (given || joined->error == ErrorCode::kNone) to.member = joined->member;
      if (joined->error == ErrorCode::kUnknownMemberId) to.member.clear();
      if (joined->error != ErrorCode::kNone) return;
      to.generation = joined->generation.value;
      to.members.clear();
      for (const auto& one : joined->members) to.members.push_back(one.id);
    } else if (const auto* beat = std::get_if<ConsumerHeartbeatAnswer>(&answer)) {
      if (beat->error != ErrorCode::kNone) {
        to.epoch = MemberEpoch(0);
        to.owned.clear();
        if (beat->error == ErrorCode::kFencedInstanceId) to = {};
        return;
      }
      to.epoch = beat->epoch.value < 0 ? MemberEpoch(0) : beat->epoch;
      to.generation = to.epoch.value;
      if (beat->epoch.value < 0) to.owned.clear();
      if (beat->assignment) to.owned = *beat->assignment;
    }
  }

 private:
  static constexpr int kClients = 10;
  static constexpr int kGroups = 3;

  std::string member(const Told& client) {
    if (one_in(25))
      return one_in(2) ? "" : clients_[static_cast<std::size_t>(below(kClients))].member;
    return client.member;
  }
  Generation generation(const Told& client) {
    return Generation(one_in(25) ? below(6) - 1 : client.generation);
  }
  std::vector<std::string> topics() {
    std::vector<std::string> out{"t" + std::to_string(below(3))};
    if (one_in(2)) out.emplace_back("u");
    return out;
  }

  Happening join(const Told& client) {
    JoinGroup join;
    join.group = client.group;
    join.member = member(client);
    join.instance = client.instance;
    join.session_timeout_ms = 6'000 + 1'000 * below(5);
    join.rebalance_timeout_ms = 1'000 + 2'000 * below(5);
    join.protocol_type = one_in(40) ? "connect" : "consumer";
    const auto metadata = one_in(20) ? "none" : consumer_metadata(topics());
    join.protocols = {{"range", metadata}};
    if (one_in(2)) join.protocols.push_back({"sticky", metadata});
    join.client = {"c" + std::to_string(asking_), "/h"};
    join.takes_member_id = !one_in(10);
    join.takes_skip_assignment = one_in(2);
    return join;
  }

  /// Mostly as a client should; sometimes it says nothing of what it owns, or another epoch.
  Happening consume(const Told& client) {
    ConsumerHeartbeat beat;
    beat.group = client.group;
    beat.member = client.member;
    beat.instance = client.instance;
    beat.epoch = one_in(30) ? MemberEpoch(below(9)) : client.epoch;
    if (one_in(20)) beat.epoch = MemberEpoch(-1);
    if (one_in(20) && beat.instance) beat.epoch = MemberEpoch(-2);
    const bool joins = beat.epoch.value == 0;
    if (joins || one_in(10)) beat.rebalance_timeout_ms = 2'000 + 1'000 * below(4);
    if (joins || one_in(10)) {
      if (one_in(3))
        beat.regex = one_in(5) ? "" : one_in(2) ? "t.*" : "t[01]";
      else
        beat.topics = topics();
    }
    if (joins && one_in(3)) beat.assignor = one_in(2) ? "range" : "uniform";
    if (joins || !one_in(4)) beat.owned = joins ? Assignment{} : client.owned;
    beat.client = {"c" + std::to_string(asking_), "/h"};
    return beat;
  }

  Happening sync(const Told& client) {
    SyncGroup sync{client.group, member(client), client.instance, generation(client), {}, {}, {}};
    std::int32_t partition = 0;
    const bool good = !one_in(10);
    for (const auto& one : client.members)
      sync.assignments.push_back(
          {one, good ? write_assignment({{"t0", {partition++}}}, 1) : std::to_string(below(100))});
    return sync;
  }

  Happening leave(const Told& client) {
    LeaveGroup leave{client.group, {}};
    leave.members.push_back({one_in(4) ? "" : member(client), client.instance});
    if (one_in(4)) leave.members.push_back({"nobody", {}});
    return leave;
  }

  Happening commit(const Told& client) {
    CommitOffsets commit;
    commit.group = client.group;
    if (one_in(3)) commit.producer = Producer{below(3), 0};
    if (!one_in(4)) {
      commit.member = member(client);
      commit.instance = client.instance;
      commit.generation = generation(client);
    }
    for (int i = below(3); i >= 0; --i)
      commit.topics.push_back({"t" + std::to_string(below(3)),
                               one_in(3) ? topic_id(1 + below(3)) : TopicId{},
                               {{below(2), below(100), LeaderEpoch(0), "m"}}});
    return commit;
  }

  Happening forget(const Told& client) {
    const std::vector<TopicPartitions> some{{"t" + std::to_string(below(3)), {}, {0, 1}}};
    if (one_in(2)) return FetchOffsets{client.group, {}, {}, some, one_in(2)};
    return DeleteOffsets{client.group, some};
  }

  Happening admin(const Told& client) {
    switch (below(7)) {
      case 6:
        return DescribeConsumerGroups{{client.group, "nobody"}};
      case 0:
        return DescribeGroups{{client.group, "nobody"}, one_in(2)};
      case 1:
        return ListGroups{};
      case 2:
        return DeleteGroups{{client.group}};
      case 3:
        return TopicDeleted{"t" + std::to_string(below(3))};
      default: {
        const int topic = below(3);
        return TopicChanged{"t" + std::to_string(topic), {topic_id(1 + topic), 1 + below(6)}};
      }
    }
  }

  std::mt19937_64 random_;
  std::vector<Told> clients_ = std::vector<Told>(kClients);
  std::size_t asking_ = 0;
  int names_ = 0;
};

}  // namespace tailrace::groups::testing
