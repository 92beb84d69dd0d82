// What topics make of a topology: partitions of internal topics, tasks, and why one cannot run.
#include "groups/streams_topology.h"

#include <gtest/gtest.h>

namespace tailrace::groups {
namespace {

Topics topics(std::initializer_list<std::pair<const char*, std::int32_t>> all) {
  Topics out;
  for (const auto& [name, partitions] : all) out[name] = {TopicId{}, partitions};
  return out;
}

/// Words are read from `text`, grouped through `words`, counted in the store `counts`.
StreamsTopology word_count() {
  Subtopology split{.id = "0", .sources = {"text"}, .repartition_sinks = {"words"}};
  Subtopology counts{.id = "1",
                     .changelogs = {{"counts", 0, 0, {{"cleanup.policy", "compact"}}}},
                     .repartitions = {{"words", 0, 0, {}}}};
  return {0, {split, counts}};
}

TEST(StreamsTopology, internal_topics_have_the_partitions_of_what_fills_them) {
  const auto done = configure(word_count(), topics({{"text", 5}}));
  ASSERT_TRUE(done);
  EXPECT_EQ(done->trouble->code, StreamsStatusCode::kMissingInternalTopics);
  EXPECT_EQ(done->trouble->detail, "Internal topics are missing: counts, words");
  ASSERT_EQ(done->missing.size(), 2u);
  EXPECT_EQ(done->missing[0].name, "counts");
  EXPECT_EQ(done->missing[0].partitions, 5);
  EXPECT_EQ(done->missing[0].configs.at(0).second, "compact");
  EXPECT_EQ(done->missing[1].partitions, 5);
}

TEST(StreamsTopology, runs_when_all_topics_are_there) {
  const auto done = configure(word_count(), topics({{"text", 5}, {"words", 5}, {"counts", 5}}));
  ASSERT_TRUE(done && done->ready());
  EXPECT_EQ(done->subtopologies.at("0").tasks, 5);
  EXPECT_FALSE(done->subtopologies.at("0").stateful);
  EXPECT_EQ(done->subtopologies.at("1").tasks, 5);
  EXPECT_TRUE(done->subtopologies.at("1").stateful);
}

TEST(StreamsTopology, says_which_source_topics_are_missing) {
  const auto done = configure(word_count(), {});
  ASSERT_TRUE(done);
  EXPECT_EQ(done->trouble->code, StreamsStatusCode::kMissingSourceTopics);
  EXPECT_EQ(done->trouble->detail, "Source topics text are missing.");
  EXPECT_TRUE(done->missing.empty() && done->subtopologies.empty());
}

TEST(StreamsTopology, says_which_internal_topic_has_other_partitions) {
  const auto done = configure(word_count(), topics({{"text", 5}, {"words", 5}, {"counts", 4}}));
  ASSERT_TRUE(done);
  EXPECT_EQ(done->trouble->code, StreamsStatusCode::kIncorrectlyPartitionedTopics);
  EXPECT_EQ(done->trouble->detail,
            "Existing topic counts has different number of partitions: expected 5, found 4");
  EXPECT_TRUE(done->missing.empty());
}

TEST(StreamsTopology, a_repartition_topic_follows_what_it_is_joined_with) {
  auto topology = word_count();
  auto& join = topology.subtopologies[1];
  join.sources = {"users"};
  join.copartitions = {{{0}, {}, {0}}};
  const auto done = configure(topology, topics({{"text", 5}, {"users", 3}}));
  ASSERT_TRUE(done);
  for (const auto& topic : done->missing) EXPECT_EQ(topic.partitions, 3) << topic.name;
  EXPECT_EQ(done->subtopologies.at("0").tasks, 5);
  EXPECT_EQ(done->subtopologies.at("1").tasks, 3);
}

TEST(StreamsTopology, topics_that_are_joined_must_have_equally_many) {
  StreamsTopology topology{
      0, {{.id = "0", .sources = {"a", "b"}, .copartitions = {{{0, 1}, {}, {}}}}}};
  const auto done = configure(topology, topics({{"a", 2}, {"b", 3}}));
  ASSERT_TRUE(done);
  EXPECT_EQ(done->trouble->detail,
            "Following topics do not have the same number of partitions: [{a=2, b=3}]");
  auto fixed = word_count();
  fixed.subtopologies[1].repartitions[0].partitions = 7;
  fixed.subtopologies[1].sources = {"users"};
  fixed.subtopologies[1].copartitions = {{{0}, {}, {0}}};
  EXPECT_EQ(configure(fixed, topics({{"text", 5}, {"users", 3}}))->trouble->detail,
            "Number of partitions [7] of repartition topic [words] doesn't match number of "
            "partitions [3] of the source topic.");
}

TEST(StreamsTopology, one_that_cannot_be_decided_is_refused) {
  StreamsTopology loop{
      0,
      {{.id = "0", .repartition_sinks = {"b"}, .repartitions = {{"a", 0, 0, {}}}},
       {.id = "1", .repartition_sinks = {"a"}, .repartitions = {{"b", 0, 0, {}}}}}};
  EXPECT_EQ(configure(loop, {}).error().error, ErrorCode::kStreamsInvalidTopology);
  StreamsTopology unfilled{0, {{.id = "0", .repartitions = {{"a", 0, 0, {}}}}}};
  EXPECT_EQ(configure(unfilled, {}).error().error, ErrorCode::kStreamsInvalidTopology);
  StreamsTopology nothing{0, {{.id = "0"}}};
  EXPECT_EQ(configure(nothing, {}).error().error, ErrorCode::kStreamsInvalidTopology);
  StreamsTopology beyond{0, {{.id = "0", .sources = {"a"}, .copartitions = {{{1}, {}, {}}}}}};
  EXPECT_EQ(configure(beyond, topics({{"a", 1}})).error().error,
            ErrorCode::kStreamsInvalidTopology);
}

}  // namespace
}  // namespace tailrace::groups
