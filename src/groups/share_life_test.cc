// Random lives of share groups: what the records tell is what is, every partition of a topic that
// somebody subscribes to is with somebody, and what a group has was initialised.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "groups/groups.h"
#include "groups/testing/actions_text.h"

namespace tailrace::groups {
namespace {

class ShareLife {
 public:
  explicit ShareLife(std::uint64_t seed) : random_(seed) {
    config_.share_assignment_interval_ms = below(2) * 300;
    config_.share_session_timeout_ms = 2'000;
    config_.share_max_size = 6;
    live_ = replayed();
  }

  void run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
      now_ += below(10) == 0 ? below(3'000) : below(100);
      while (live_->next_deadline() && live_->next_deadline()->value <= now_) perform(Tick{});
      if (below(60) == 0) restart();
      next();
      compare();
    }
  }

  /// When every member has beaten often enough, each has its share.
  void end() {
    for (int round = 0; round < 4; ++round) {
      now_ += 400;
      for (const auto& [name, group] : std::map(live_->share_groups()))
        for (const auto& [id, member] : std::map(group.members()))
          perform(ShareHeartbeat{name, id, member.current.epoch, {}, {}, {}});
    }
    for (const auto& [name, group] : live_->share_groups()) expect_settled(group);
  }

 private:
  std::unique_ptr<Groups> replayed() {
    auto out = std::make_unique<Groups>(config_, [] { return std::string("unused"); });
    for (const auto& record : log_) out->replay(record, std::nullopt);
    for (const auto& [name, topic] : topics_)
      out->step({{}, TopicChanged{name, topic}}, TimestampMs(now_));
    out->start(TimestampMs(now_));
    return out;
  }

  int below(int n) { return static_cast<int>(random_() % static_cast<std::uint64_t>(n)); }
  std::string one_of(const char* prefix, int n) { return prefix + std::to_string(below(n)); }

  void next() {
    const auto group = one_of("g", 2);
    switch (below(14)) {
      case 0:
        return change_topic();
      case 1:
        return perform(AlterShareOffsets{group, {{one_of("t", 4), {{below(4), below(9)}}}}});
      case 2:
        return perform(DeleteShareOffsets{group, {one_of("t", 4)}});
      case 3:
        if (below(4) == 0) return perform(DeleteGroups{{group}});
        return perform(ShareHeartbeat{group, one_of("m", 8), MemberEpoch(-1), {}, {}, {}});
      case 4:
        return perform(ShareHeartbeat{group, one_of("m", 8), MemberEpoch(below(9)), {}, {}, {}});
      case 5:
      case 6:
        return perform(
            ShareHeartbeat{group, one_of("m", 8), MemberEpoch(0), {}, some_topics(), {}});
      default:
        return beat(group);
    }
  }

  std::vector<std::string> some_topics() {
    std::vector<std::string> out = {one_of("t", 4)};
    if (below(2) == 0) out.push_back(one_of("t", 4));
    return out;
  }

  void beat(const std::string& group) {
    const auto found = live_->share_groups().find(group);
    if (found == live_->share_groups().end() || found->second.is_empty()) return;
    auto member = found->second.members().begin();
    std::advance(member, below(static_cast<int>(found->second.members().size())));
    perform(ShareHeartbeat{group, member->first, member->second.current.epoch, {}, {}, {}});
  }

  void change_topic() {
    const auto name = one_of("t", 4);
    const auto known = topics_.find(name);
    if (known != topics_.end() && below(3) == 0) {
      topics_.erase(known);
      return perform(TopicDeleted{name});
    }
    auto& topic = topics_[name];
    if (topic.partitions == 0) topic.id.bytes[0] = static_cast<std::uint8_t>(++ids_);
    ++topic.partitions;
    perform(TopicChanged{name, topic});
  }

  void perform(Happening what) {
    const bool asked = !std::holds_alternative<Tick>(what) &&
                       !std::holds_alternative<TopicChanged>(what) &&
                       !std::holds_alternative<TopicDeleted>(what);
    int answers = 0;
    for (const auto& action : live_->step({RequestId(1), std::move(what)}, TimestampMs(now_))) {
      if (const auto* append = std::get_if<Append>(&action)) {
        log_.push_back(append->record);
      } else if (const auto* one = std::get_if<ShareInitialise>(&action)) {
        initialised_.insert({one->group, one->topic, one->partition});
      } else if (const auto* gone = std::get_if<ShareForget>(&action)) {
        EXPECT_TRUE(initialised_.erase({gone->group, gone->topic, gone->partition}));
      } else {
        ++answers;
      }
    }
    EXPECT_EQ(answers, asked ? 1 : 0);
  }

  void restart() { live_ = replayed(); }

  void compare() {
    const auto replica = replayed();
    EXPECT_EQ(replica->names(), live_->names());
    std::set<std::tuple<std::string, TopicId, std::int32_t>> has;
    for (const auto& [name, group] : live_->share_groups()) {
      const auto twin = replica->describe_sharers(name);
      ASSERT_TRUE(twin) << name;
      EXPECT_TRUE(*twin == *live_->describe_sharers(name))
          << testing::answer_text(DescribeSharersAnswer{{*live_->describe_sharers(name), *twin}});
      for (const auto& [topic, shared] : group.topics())
        for (const auto partition : shared.partitions) has.insert({name, topic, partition});
      for (const auto& [id, member] : group.members())
        EXPECT_LE(member.current.epoch, group.assignment_epoch());
    }
    EXPECT_TRUE(has == initialised_) << "what groups have is not what was initialised";
  }

  void expect_settled(const ShareGroup& group) {
    std::set<std::pair<TopicId, std::int32_t>> held;
    for (const auto& [id, member] : group.members()) {
      EXPECT_EQ(member.current.epoch, group.epoch());
      for (const auto& [topic, partitions] : member.current.assigned)
        for (const auto partition : partitions) held.insert({topic, partition});
    }
    for (const auto& [name, topic] : topics_) {
      if (!group.subscribes_to(name)) continue;
      for (std::int32_t i = 0; i < topic.partitions; ++i)
        EXPECT_TRUE((held.contains({topic.id, i}))) << group.id() << " " << name << " " << i;
    }
  }

  std::mt19937_64 random_;
  GroupsConfig config_;
  std::int64_t now_ = 1'000;
  int ids_ = 0;
  Topics topics_;
  std::vector<Record> log_;
  std::set<std::tuple<std::string, TopicId, std::int32_t>> initialised_;
  std::unique_ptr<Groups> live_;
};

TEST(ShareLife, every_partition_is_with_somebody_and_the_records_tell_all) {
  for (std::uint64_t seed = 1; seed <= 60 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    ShareLife life(seed);
    life.run(200);
    life.end();
  }
}

}  // namespace
}  // namespace tailrace::groups
