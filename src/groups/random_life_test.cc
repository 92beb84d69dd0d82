// Random lives of the coordinator against what must always hold, and against a replica that knows
// only the records.
#include "groups/testing/random_life.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>

#include "groups/testing/actions_text.h"

namespace tailrace::groups {
namespace {

class Life {
 public:
  explicit Life(std::uint64_t seed) : random_(seed), live_(make()), replica_(make()) {
    note(live_->start(TimestampMs(now_)));
  }

  void run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
      now_ += random_.one_in(3) ? random_.below(4'000) : random_.below(20);
      ring();
      if (random_.one_in(150)) restart();
      const auto what = random_.next();
      const bool answered = !std::holds_alternative<TopicChanged>(what) &&
                            !std::holds_alternative<TopicDeleted>(what);
      note_topic(what);
      const RequestId id(++requests_);
      if (answered) asked_[id] = random_.asking();
      if (const auto* join = std::get_if<JoinGroup>(&what)) joined_group_[id] = join->group;
      note(live_->step({id, what}, TimestampMs(now_)));
      if (std::holds_alternative<TopicDeleted>(what)) replica_->step({{}, what}, TimestampMs(now_));
      check();
    }
  }

  /// How many answers there were by kind and error: a life that only hears refusals proves little.
  const std::map<std::string, int>& answers() const { return answers_; }

  /// Lets time pass until nobody waits.
  void end() {
    const auto last = now_ + 1'000'000;
    while (!asked_.empty() && now_ < last) {
      const auto due = live_->next_deadline();
      ASSERT_TRUE(due) << asked_.size() << " requests wait for nothing";
      now_ = std::max(now_, due->value);
      ring();
      check();
    }
    EXPECT_TRUE(asked_.empty());
  }

 private:
  std::unique_ptr<Groups> make() {
    GroupsConfig config;
    config.group_initial_rebalance_delay_ms = 100;
    config.group_max_size = 2;
    config.consumer_max_size = 5;
    config.consumer_session_timeout_ms = 10'000;
    config.consumer_assignment_interval_ms = 50;
    config.offsets_retention_ms = 50'000;
    config.offsets_retention_check_interval_ms = 10'000;
    return std::make_unique<Groups>(config, [this] { return std::to_string(++names_); });
  }

  void ring() {
    for (auto due = live_->next_deadline(); due && due->value <= now_; due = live_->next_deadline())
      note(live_->step({{}, Tick{}}, TimestampMs(now_)));
  }

  void note_topic(const Happening& what) {
    if (const auto* change = std::get_if<TopicChanged>(&what)) topics_[change->name] = *change;
    if (const auto* gone = std::get_if<TopicDeleted>(&what)) topics_.erase(gone->name);
    const bool topic = std::holds_alternative<TopicChanged>(what);
    if (topic) replica_->step({{}, what}, TimestampMs(now_));
  }

  /// Groups with members that changed their protocol in one step.
  void count_migrations(const Actions& actions) {
    bool classic_gone = false;
    bool consumers_gone = false;
    for (const auto& action : actions) {
      const auto* append = std::get_if<Append>(&action);
      if (append == nullptr) continue;
      if (const auto* classic = std::get_if<ClassicGroupEntry>(&append->record)) {
        classic_gone = classic_gone || !classic->value;
        const bool lives = classic->value && !classic->value->members.empty();
        if (std::exchange(consumers_gone, consumers_gone && !lives) && lives)
          ++answers_["downgraded"];
      } else if (const auto* epoch = std::get_if<ConsumerGroupEntry>(&append->record)) {
        consumers_gone = consumers_gone || !epoch->value;
      } else if (const auto* current = std::get_if<CurrentMemberEntry>(&append->record)) {
        const bool was = current->value && current->value->epoch == current->value->previous_epoch;
        if (std::exchange(classic_gone, classic_gone && !was) && was) ++answers_["upgraded"];
      }
    }
  }

  void note(const Actions& actions) {
    count_migrations(actions);
    for (const auto& action : actions) {
      if (const auto* append = std::get_if<Append>(&action)) {
        log_.push_back(action);
        replica_->replay(append->record, append->producer);
        forget_generation(append->record);
      } else if (const auto* marker = std::get_if<AppendMarker>(&action)) {
        log_.push_back(action);
        replica_->replay(*marker);
      } else if (const auto* reply = std::get_if<Reply>(&action)) {
        note(*reply);
      }
    }
  }

  void note(const Reply& reply) {
    const auto asked = asked_.find(reply.request);
    ASSERT_NE(asked, asked_.end())
        << "answered twice or never asked: " << testing::text_of(reply.answer);
    random_.told(asked->second, reply.answer);
    asked_.erase(asked);
    count(reply.answer);
    if (const auto* joined = std::get_if<JoinAnswer>(&reply.answer))
      if (joined->error == ErrorCode::kNone) check(*joined, joined_group_.at(reply.request));
  }

  void count(const Answer& answer) {
    if (const auto* joined = std::get_if<JoinAnswer>(&answer))
      ++answers_["join " + std::string(error_name(joined->error))];
    if (const auto* synced = std::get_if<SyncAnswer>(&answer))
      ++answers_["sync " + std::string(error_name(synced->error))];
    if (const auto* commit = std::get_if<CommitAnswer>(&answer))
      ++answers_["commit " + std::string(error_name(commit->topics[0].partitions[0].error))];
    if (const auto* beat = std::get_if<ConsumerHeartbeatAnswer>(&answer))
      ++answers_["consume " + std::string(error_name(beat->error))];
  }

  /// Who leads has all members, itself among them; nobody leads in a consumer group. A member's
  /// generation never goes back.
  void check(const JoinAnswer& joined, const std::string& group) {
    if (joined.leader.empty()) ++answers_["joined consumers"];
    EXPECT_TRUE(!joined.leader.empty() || joined.members.empty());
    if (!joined.members.empty()) {
      EXPECT_EQ(joined.leader, joined.member);
      EXPECT_TRUE(std::ranges::any_of(
          joined.members, [&](const auto& member) { return member.id == joined.member; }));
      auto& leader = leaders_[{group + joined.member, joined.generation.value}];
      EXPECT_TRUE(leader.empty() || leader == joined.leader);
      leader = joined.leader;
    }
    auto& last = generations_[group + joined.member];
    EXPECT_GE(joined.generation.value, last) << joined.member;
    last = joined.generation.value;
  }

  /// A generation that was not synced is lost with the process; a deleted group begins anew.
  void forget_generation(const Record& record) {
    const auto* group = std::get_if<ClassicGroupEntry>(&record);
    if (group != nullptr && !group->value) generations_.clear();
    const auto* consumers = std::get_if<ConsumerGroupEntry>(&record);
    if (consumers == nullptr || consumers->value) return;
    epochs_.erase(consumers->key.group);
    generations_.clear();
  }

  void check() {
    if (!asked_.empty()) {
      EXPECT_TRUE(live_->next_deadline());
    }
    compare(*replica_);
    const auto names = live_->names();
    EXPECT_EQ(std::set(names.begin(), names.end()).size(), names.size()) << "a name of two kinds";
    for (const auto& name : names) {
      check_members(name);
      check_consumers(name);
    }
  }

  /// No partition is with two, no instance id either; no epoch goes back.
  void check_consumers(const std::string& name) {
    const auto group = live_->describe_consumers(name);
    if (!group) return;
    std::set<std::pair<TopicId, std::int32_t>> held;
    std::set<std::string> instances;
    for (const auto& member : group->members) {
      for (const auto& [topic, partitions] : member.assignment)
        for (const auto partition : partitions)
          EXPECT_TRUE(held.emplace(topic, partition).second) << name << " " << partition;
      if (member.instance) {
        EXPECT_TRUE(instances.insert(*member.instance).second) << *member.instance;
      }
      EXPECT_LE(member.epoch, group->assignment_epoch);
    }
    EXPECT_LE(group->assignment_epoch, group->epoch);
    auto& last = epochs_[name];
    EXPECT_GE(group->epoch, last);
    last = group->epoch;
    if (group->state == "Stable") ++answers_["stable consumers"];
    if (group->state == "Stable") check_stable(*group);
  }

  /// At rest every member has its target: what a classic leader gave may be of other topics. An
  /// expression may wait for its turn to be resolved: what it took the place of is given up at
  /// once, and the epoch comes later.
  void check_stable(const DescribedConsumerGroup& group) {
    if (std::ranges::any_of(group.members,
                            [](const auto& member) { return !member.regex.value_or("").empty(); }))
      return;
    for (const auto& member : group.members) {
      auto target = member.target;
      for (const auto& [name, topic] : topics_)
        if (!std::ranges::binary_search(member.topics, name)) target.erase(topic.topic.id);
      auto assignment = member.assignment;
      std::erase_if(assignment, [&](const auto& part) { return !target.contains(part.first); });
      EXPECT_EQ(assignment, target) << group.group << " " << member.id;
      EXPECT_EQ(member.epoch, group.epoch);
    }
  }

  void check_members(const std::string& name) {
    const auto group = live_->describe(name);
    if (!group) return;
    std::set<std::string> instances;
    for (const auto& member : group->members)
      if (member.instance) {
        EXPECT_TRUE(instances.insert(*member.instance).second) << *member.instance;
      }
    if (group->state != "PreparingRebalance") {
      EXPECT_EQ(group->members.empty(), group->state == "Empty") << name << " " << group->state;
    }
  }

  /// The records tell all that is durable: offsets, and groups at rest.
  void compare(const Groups& replica) {
    EXPECT_EQ(live_->offsets().committed(), replica.offsets().committed());
    for (const auto& name : live_->names()) {
      if (auto consumers = live_->describe_consumers(name)) {
        const auto twin = replica.describe_consumers(name);
        ASSERT_TRUE(twin) << name << " is not in the records";
        EXPECT_TRUE(*consumers == *twin)
            << testing::answer_text(DescribeConsumersAnswer{{*consumers}}) << "\n"
            << testing::answer_text(DescribeConsumersAnswer{{*twin}});
      }
      const auto group = live_->describe(name);
      if (!group || (group->state != "Stable" && group->state != "Empty")) continue;
      const auto twin = replica.describe(name);
      ASSERT_TRUE(twin) << name << " is not in the records";
      EXPECT_TRUE(*group == *twin) << testing::answer_text(DescribeAnswer{{*group}}) << "\n"
                                   << testing::answer_text(DescribeAnswer{{*twin}});
    }
  }

  void restart() {
    auto next = make();
    for (const auto& action : log_)
      if (const auto* append = std::get_if<Append>(&action))
        next->replay(append->record, append->producer);
      else
        next->replay(std::get<AppendMarker>(action));
    for (const auto& [name, topic] : topics_) next->step({{}, topic}, TimestampMs(now_));
    compare(*next);
    asked_.clear();
    generations_.clear();
    leaders_.clear();
    live_ = std::move(next);
    note(live_->start(TimestampMs(now_)));
  }

  testing::RandomLife random_;
  std::int64_t now_ = 1'000;
  std::uint64_t requests_ = 0;
  int names_ = 0;
  std::unique_ptr<Groups> live_;
  std::unique_ptr<Groups> replica_;
  std::vector<Action> log_;
  std::map<std::string, TopicChanged> topics_;
  std::map<RequestId, std::size_t> asked_;
  std::map<RequestId, std::string> joined_group_;
  std::map<std::string, std::int32_t> generations_;
  std::map<std::pair<std::string, std::int32_t>, std::string> leaders_;
  std::map<std::string, MemberEpoch> epochs_;
  std::map<std::string, int> answers_;
};

TEST(RandomLives, are_answered_once_and_replayed_from_their_records) {
  std::map<std::string, int> answers;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Life life(seed);
    life.run(600);
    life.end();
    if (HasFailure()) return;
    for (const auto& [kind, times] : life.answers()) answers[kind] += times;
  }
  for (const auto* kind :
       {"join NONE", "sync NONE", "commit NONE", "join FENCED_INSTANCE_ID",
        "join GROUP_MAX_SIZE_REACHED", "sync REBALANCE_IN_PROGRESS", "commit REBALANCE_IN_PROGRESS",
        "commit ILLEGAL_GENERATION", "consume NONE", "consume FENCED_MEMBER_EPOCH",
        "consume UNRELEASED_INSTANCE_ID", "consume FENCED_INSTANCE_ID", "consume UNKNOWN_MEMBER_ID",
        "commit STALE_MEMBER_EPOCH", "stable consumers", "joined consumers", "upgraded",
        "downgraded"})
    EXPECT_GT(answers[kind], 20) << kind;
}

}  // namespace
}  // namespace tailrace::groups
