// Random lives of streams groups: what the records tell is what is, a task is never active with two
// members, what members have they gave up before others got it, and in the end each task is with
// exactly one.
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

/// A program: what it was told last, and what it still works on.
struct Instance {
  MemberEpoch epoch{0};
  TaskSet tasks{};
  bool alive = false;
};

class StreamsLife {
 public:
  explicit StreamsLife(std::uint64_t seed) : random_(seed) {
    config_.streams_assignment_interval_ms = below(2) * 300;
    config_.streams_initial_rebalance_delay_ms = below(2) * 500;
    config_.streams_session_timeout_ms = 2'000;
    config_.streams_num_standby_replicas = below(3);
    config_.streams_max_size = 6;
    live_ = replayed();
    change_topic("text");
  }

  void run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
      now_ += below(10) == 0 ? below(3'000) : below(100);
      tick();
      if (below(60) == 0) live_ = replayed();
      next();
      compare();
    }
  }

  /// When every member has beaten often enough, each task is with one.
  void end() {
    if (!topics_.contains("text")) change_topic("text");
    for (const char* name : {"words", "counts"})
      while (topics_.contains(name) && topics_["text"].partitions < topics_[name].partitions)
        change_topic("text");
    for (int round = 0; round < 30; ++round) {
      now_ += 300;
      tick();
      for (auto& [id, instance] : instances_)
        if (instance.alive) beat(id);
      make_topics();
    }
    if (::testing::Test::HasFailure()) return;
    for (const auto& [name, group] : live_->streams_groups()) expect_settled(group);
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
  std::string process_of(const std::string& member) const { return "p" + member.substr(1, 1); }

  void tick() {
    while (live_->next_deadline() && live_->next_deadline()->value <= now_) perform(Tick{});
  }

  void next() {
    const auto member = one_of("m", 4) + one_of("t", 2);
    switch (below(16)) {
      case 0:
        return change_topic("text");
      case 1:
        return make_topics();
      case 2:
        if (below(3) == 0) instances_[member].alive = false;  // it is heard of no more
        return;
      case 3: {
        if (below(6) == 0) return perform(DeleteGroups{{"g"}});
        perform(heartbeat(member, MemberEpoch(-1)));
        instances_[member] = {};
        return;
      }
      case 4:
        if (below(8) == 0) forget_topic();
        return;
      case 5:
      case 6:
        instances_[member] = {.epoch = MemberEpoch(0), .tasks = {}, .alive = true};
        return beat(member);
      default:
        if (instances_[member].alive) beat(member);
    }
  }

  StreamsHeartbeat heartbeat(const std::string& member, MemberEpoch epoch) const {
    StreamsHeartbeat out;
    out.group = "g";
    out.member = member;
    out.epoch = epoch;
    if (epoch.value < 0) return out;
    const auto found = instances_.find(member);
    const auto tasks = found == instances_.end() ? TaskSet{} : found->second.tasks;
    out.active = tasks.active;
    out.standby = tasks.standby;
    out.warmup = tasks.warmup;
    if (epoch.value != 0) return out;
    out.rebalance_timeout_ms = 1'000;
    out.process = process_of(member);
    Subtopology split{.id = "0", .sources = {"text"}, .repartition_sinks = {"words"}};
    Subtopology counts{
        .id = "1", .changelogs = {{"counts", 0, 0, {}}}, .repartitions = {{"words", 0, 0, {}}}};
    out.topology = StreamsTopology{0, {split, counts}};
    return out;
  }

  /// As the client: it gives up first and says so with the next beat, and begins anew when fenced.
  void beat(const std::string& member) {
    beating_ = member;
    perform(heartbeat(member, instances_[member].epoch));
    beating_.clear();
  }

  void answered(const StreamsHeartbeatAnswer& answer) {
    missing_ = answer.missing;
    if (beating_.empty()) return;
    auto& instance = instances_[beating_];
    if (answer.error != ErrorCode::kNone) {
      instance.epoch = MemberEpoch(0);
      instance.tasks = {};
      return;
    }
    instance.epoch = answer.epoch;
    if (answer.tasks) instance.tasks = *answer.tasks;
  }

  void change_topic(const std::string& name) {
    auto& topic = topics_[name];
    if (topic.partitions == 0) topic.id.bytes[0] = static_cast<std::uint8_t>(++ids_);
    if (topic.partitions < 5) ++topic.partitions;
    perform(TopicChanged{name, topic});
  }

  void make_topics() {
    for (const auto& wanted : std::exchange(missing_, {})) {
      auto& topic = topics_[wanted.name];
      if (topic.partitions != 0) continue;
      topic.id.bytes[0] = static_cast<std::uint8_t>(++ids_);
      topic.partitions = wanted.partitions;
      perform(TopicChanged{wanted.name, topic});
    }
    // Nobody grows internal topics but who grew what is read: here the test does.
    for (const char* name : {"words", "counts"})
      if (topics_.contains(name) && topics_.contains("text"))
        while (topics_[name].partitions < topics_["text"].partitions) change_topic(name);
  }

  void forget_topic() {
    const std::string name = below(2) == 0 ? "text" : "words";
    if (topics_.erase(name) > 0) perform(TopicDeleted{name});
  }

  void perform(Happening what) {
    const bool asked = std::holds_alternative<StreamsHeartbeat>(what) ||
                       std::holds_alternative<DeleteGroups>(what);
    int answers = 0;
    for (const auto& action : live_->step({RequestId(1), std::move(what)}, TimestampMs(now_))) {
      if (const auto* append = std::get_if<Append>(&action)) log_.push_back(append->record);
      const auto* reply = std::get_if<Reply>(&action);
      if (reply == nullptr) continue;
      ++answers;
      if (const auto* answer = std::get_if<StreamsHeartbeatAnswer>(&reply->answer))
        answered(*answer);
    }
    EXPECT_EQ(answers, asked ? 1 : 0);
  }

  using Described = DescribedAssignedGroup<DescribedStreamsMember>;
  /// The partitions it was configured to are in no record.
  static const Described& without_topology(const DescribedStreamsGroup& group) { return group; }

  void compare() {
    const auto replica = replayed();
    EXPECT_EQ(replica->names(), live_->names());
    for (const auto& [name, group] : live_->streams_groups()) {
      const auto twin = replica->describe_streams(name);
      const auto told = live_->describe_streams(name);
      ASSERT_TRUE(twin && told) << name;
      EXPECT_TRUE(without_topology(*twin) == without_topology(*told))
          << testing::answer_text(DescribeStreamsAnswer{{*told, *twin}});
      expect_apart(group);
    }
  }

  /// A task is active with one member at most, and once in a process.
  void expect_apart(const StreamsGroup& group) {
    std::map<std::pair<std::string, std::int32_t>, std::string> active;
    std::set<std::tuple<std::string, std::string, std::int32_t>> here;
    for (const auto& [id, member] : group.members()) {
      EXPECT_LE(member.current.epoch, group.epoch());
      for (const auto* owned : {&member.current.assigned, &member.current.pending_revocation}) {
        const auto tasks = plain(*owned);
        for (const auto& [part, partitions] : tasks.active)
          for (const auto partition : partitions) {
            EXPECT_TRUE(active.emplace(std::pair(part, partition), id).second)
                << part << ":" << partition << " is with " << id << " and others";
            EXPECT_TRUE(here.emplace(member.about.process, part, partition).second);
          }
        for (const auto& [part, partitions] : tasks.standby)
          for (const auto partition : partitions)
            EXPECT_TRUE(here.emplace(member.about.process, part, partition).second)
                << part << ":" << partition << " twice in " << member.about.process;
      }
    }
  }

  void expect_settled(const StreamsGroup& group) {
    if (group.is_empty()) return;
    EXPECT_EQ(group.state_name(), "Stable");
    std::map<std::pair<std::string, std::int32_t>, int> active;
    for (const auto& [id, member] : group.members()) {
      EXPECT_EQ(member.current.epoch, group.epoch());
      EXPECT_TRUE(plain(member.current.assigned) == *group.target(id));
      for (const auto& [part, partitions] : plain(member.current.assigned).active)
        for (const auto partition : partitions) ++active[{part, partition}];
    }
    for (const char* part : {"0", "1"})
      for (std::int32_t i = 0; i < topics_.at("text").partitions; ++i)
        EXPECT_EQ((active[{part, i}]), 1) << part << ":" << i;
  }

  std::mt19937_64 random_;
  GroupsConfig config_;
  std::int64_t now_ = 1'000;
  int ids_ = 0;
  Topics topics_;
  std::vector<Record> log_;
  std::map<std::string, Instance> instances_;
  std::vector<InternalTopic> missing_;
  std::string beating_;
  std::unique_ptr<Groups> live_;
};

TEST(StreamsLife, every_task_is_with_one_member_at_most_and_in_the_end_with_one) {
  for (std::uint64_t seed = 1; seed <= 80 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    StreamsLife life(seed);
    life.run(250);
    life.end();
  }
}

}  // namespace
}  // namespace tailrace::groups
