// The server-side assignors on random groups, and the hash of topics against Kafka's.
#include "groups/assignor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/bytes.h"
#include "groups/topic_hash.h"
#include "groups/topic_regex.h"

namespace tailrace::groups {
namespace {

TopicId topic_id(std::uint64_t high, std::uint64_t low) {
  TopicId id;
  store_be(id.bytes.data(), high);
  store_be(id.bytes.data() + 8, low);
  return id;
}

std::int32_t size_of(const Assignment& assignment) {
  std::size_t size = 0;
  for (const auto& [topic, partitions] : assignment) size += partitions.size();
  return static_cast<std::int32_t>(size);
}

/// A random group; `mixed`: members choose their topics.
AssignmentTask random_task(std::mt19937_64& random, bool mixed) {
  const auto below = [&](std::uint64_t limit) { return random() % limit; };
  AssignmentTask task;
  task.homogeneous = !mixed;
  const auto topics = 1 + below(4);
  for (std::uint64_t i = 0; i < topics; ++i)
    task.partitions[topic_id(0, i + 1)] = static_cast<std::int32_t>(1 + below(9));
  const auto members = 1 + below(6);
  for (std::uint64_t i = 0; i < members; ++i) {
    AssignmentMember member{"m" + std::to_string(i), {}, {}, {}};
    for (const auto& [topic, partitions] : task.partitions)
      if (!mixed || below(3) > 0) member.topics.insert(topic);
    task.members.push_back(std::move(member));
  }
  return task;
}

/// Every partition that somebody subscribes to is with one member that subscribes to it.
void expect_complete(const AssignmentTask& task, const AssignmentPlan& plan) {
  ASSERT_EQ(plan.size(), task.members.size());
  std::map<TopicId, std::set<std::int32_t>> given;
  for (std::size_t i = 0; i < plan.size(); ++i)
    for (const auto& [topic, partitions] : plan[i]) {
      EXPECT_TRUE(task.members[i].topics.contains(topic));
      EXPECT_FALSE(partitions.empty());
      for (const auto partition : partitions)
        EXPECT_TRUE(given[topic].insert(partition).second) << "with two members";
    }
  for (const auto& [topic, count] : task.partitions) {
    const bool wanted = std::ranges::any_of(
        task.members, [&](const auto& member) { return member.topics.contains(topic); });
    EXPECT_EQ(std::ssize(given[topic]), wanted ? count : 0);
  }
}

/// No partition can go to a subscriber that has two less.
void expect_balanced(const AssignmentTask& task, const AssignmentPlan& plan) {
  for (std::size_t from = 0; from < plan.size(); ++from)
    for (const auto& [topic, partitions] : plan[from])
      for (std::size_t to = 0; to < plan.size(); ++to)
        if (task.members[to].topics.contains(topic)) {
          EXPECT_LE(size_of(plan[from]) - size_of(plan[to]), 1);
        }
}

/// No member has two more than another.
void expect_even(const AssignmentPlan& plan) {
  const auto [least, most] = std::ranges::minmax(plan, {}, size_of);
  EXPECT_LE(size_of(most) - size_of(least), 1);
}

class RandomGroups : public ::testing::TestWithParam<bool> {};

TEST_P(RandomGroups, are_assigned_completely_evenly_and_again_the_same) {
  std::mt19937_64 random(GetParam() ? 1 : 2);
  for (int i = 0; i < 3'000 && !HasFailure(); ++i) {
    auto task = random_task(random, GetParam());
    const auto plan = assign_uniformly(task);
    expect_complete(task, plan);
    expect_balanced(task, plan);
    for (std::size_t m = 0; m < plan.size(); ++m) task.members[m].had = plan[m];
    EXPECT_EQ(assign_uniformly(task), plan) << "an assignment at rest moves";
    expect_complete(task, assign_by_range(task));

    // A member goes: the others keep what they have, up to their new share.
    if (task.members.size() < 2) continue;
    const auto gone = task.members.back();
    task.members.pop_back();
    for (auto it = task.partitions.begin(); it != task.partitions.end();)
      it = std::ranges::none_of(task.members,
                                [&](const auto& m) { return m.topics.contains(it->first); })
               ? task.partitions.erase(it)
               : std::next(it);
    const auto rest = assign_uniformly(task);
    expect_complete(task, rest);
    expect_balanced(task, rest);
    if (GetParam()) continue;
    for (std::size_t m = 0; m < rest.size(); ++m)
      for (const auto& [topic, partitions] : task.members[m].had)
        for (const auto partition : partitions)
          EXPECT_TRUE(rest[m].at(topic).contains(partition)) << "moved without need";
  }
}

INSTANTIATE_TEST_SUITE_P(Assignors, RandomGroups, ::testing::Bool(),
                         [](const auto& mixed) { return mixed.param ? "mixed" : "alike"; });

/// Every partition is with as many members as another, and who shares at all has something.
void expect_shared(const AssignmentTask& task, const AssignmentPlan& plan) {
  std::map<std::pair<TopicId, std::int32_t>, int> sharers;
  for (std::size_t i = 0; i < plan.size(); ++i) {
    for (const auto& [topic, partitions] : plan[i]) {
      EXPECT_TRUE(task.members[i].topics.contains(topic));
      for (const auto partition : partitions) ++sharers[{topic, partition}];
    }
    EXPECT_EQ(plan[i].empty(), task.members[i].topics.empty()) << "a member without anything";
  }
  for (const auto& [topic, count] : task.partitions) {
    const auto wanted = std::ranges::count_if(
        task.members, [&](const auto& member) { return member.topics.contains(topic); });
    for (std::int32_t i = 0; i < count && wanted > 0; ++i)
      EXPECT_TRUE((sharers.contains({topic, i}))) << "a partition with nobody";
  }
}

TEST_P(RandomGroups, share_all_partitions_and_keep_what_they_can) {
  std::mt19937_64 random(GetParam() ? 3 : 4);
  for (int i = 0; i < 3'000 && !HasFailure(); ++i) {
    auto task = random_task(random, GetParam());
    Assignment all;
    for (const auto& [topic, count] : task.partitions)
      for (std::int32_t n = 0; n < count; ++n) all[topic].insert(n);
    const auto plan = assign_simply(task, all);
    expect_shared(task, plan);
    if (!GetParam()) expect_even(plan);
    for (std::size_t m = 0; m < plan.size(); ++m) task.members[m].had = plan[m];
    EXPECT_EQ(assign_simply(task, all), plan) << "an assignment at rest moves";
    if (task.members.size() < 2) continue;
    task.members.pop_back();
    const auto rest = assign_simply(task, all);
    if (!GetParam()) expect_shared(task, rest);
    if (!GetParam()) expect_even(rest);
  }
}

TEST(SimpleAssignor, gives_what_is_allowed_and_nothing_else) {
  AssignmentTask task;
  task.homogeneous = true;
  task.partitions[topic_id(0, 1)] = 0;
  task.members = {{"a", {}, {topic_id(0, 1)}, {{topic_id(0, 1), {5}}}}};
  EXPECT_EQ(assign_simply(task, {{topic_id(0, 1), {2}}, {topic_id(0, 2), {0}}}),
            (AssignmentPlan{{{topic_id(0, 1), {2}}}}));
  EXPECT_EQ(assign_simply(task, {}), AssignmentPlan(1));
}

TEST(RangeAssignor, gives_static_members_the_same_run_whatever_their_ids) {
  AssignmentTask task;
  task.homogeneous = true;
  task.partitions[topic_id(0, 1)] = 3;
  const std::set<TopicId> topics{topic_id(0, 1)};
  task.members = {{"a", {}, topics, {}}, {"b", "i2", topics, {}}, {"z", "i1", topics, {}}};
  const auto plan = assign_by_range(task);
  EXPECT_EQ(plan[0], (Assignment{{topic_id(0, 1), {2}}}));
  EXPECT_EQ(plan[1], (Assignment{{topic_id(0, 1), {1}}}));
  EXPECT_EQ(plan[2], (Assignment{{topic_id(0, 1), {0}}}));
}

/// The numbers come from the library Kafka hashes with, hash4j 0.22.
TEST(TopicHash, is_the_one_kafka_writes) {
  const Topics topics{
      {"orders", {topic_id(0x0102030405060708, 0x090a0b0c0d0e0f10), 3}},
      {"a.b-c_d", {topic_id(0, 7), 200}},
  };
  EXPECT_EQ(topics_hash({"a.b-c_d", "orders", "missing"}, topics), -7495785320809331893);
  EXPECT_EQ(topics_hash({"missing"}, topics), 0);
}

TEST(TopicRegex, matches_whole_names) {
  const Topics topics{{"a.b", {}}, {"ab", {}}, {"xab", {}}};
  EXPECT_EQ(matching_topics("a.b", topics), (std::vector<std::string>{"a.b"}));
  EXPECT_EQ(matching_topics("a.?b", topics), (std::vector<std::string>{"a.b", "ab"}));
  EXPECT_TRUE(matching_topics("(", topics).empty());
  EXPECT_TRUE(regex_error("("));
  EXPECT_TRUE(regex_error("(a)\\1")) << "RE2 has no backreferences";
  EXPECT_FALSE(regex_error("[a-z]+\\d*"));
}

}  // namespace
}  // namespace tailrace::groups
