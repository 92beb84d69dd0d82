// The table of settings, values as Kafka reads them, and what a broker may be told.
#include <gtest/gtest.h>

#include <filesystem>

#include "kafka/broker_config.h"
#include "kafka/config_checks.h"
#include "kafka/config_store.h"
#include "kafka/config_table.h"
#include "kafka/listener.h"

namespace tailrace::kafka {
namespace {

std::string read(ConfigKind kind, std::string_view name, std::string_view value) {
  const auto* config = find_config(kind, name);
  if (config == nullptr) return "no such setting";
  const auto result = read_config(*config, value);
  return result ? *result : result.error().what;
}

std::string topic(std::string_view name, std::string_view value) {
  return read(ConfigKind::kTopic, name, value);
}

TEST(ConfigTable, every_kind_is_there_by_name_and_its_defaults_are_good_values) {
  EXPECT_EQ(configs(ConfigKind::kTopic).size(), 38);
  EXPECT_GT(configs(ConfigKind::kBroker).size(), 360);
  EXPECT_EQ(configs(ConfigKind::kGroup).size(), 17);
  for (const auto kind : {ConfigKind::kTopic, ConfigKind::kBroker, ConfigKind::kGroup}) {
    for (const auto& config : configs(kind)) {
      EXPECT_EQ(find_config(kind, config.name), &config);
      if (config.default_value) {
        EXPECT_EQ(read(kind, config.name, *config.default_value), *config.default_value);
      }
      for (const auto& synonym : config.broker) {
        EXPECT_NE(find_config(ConfigKind::kBroker, synonym.name), nullptr) << synonym.name;
      }
    }
  }
}

TEST(ConfigTable, a_wrong_name_has_a_nearest_one) {
  EXPECT_EQ(nearest_config(ConfigKind::kTopic, "retention.sm"), "retention.ms");
  EXPECT_EQ(nearest_config(ConfigKind::kBroker, "num.partition"), "num.partitions");
  EXPECT_EQ(nearest_config(ConfigKind::kBroker, "auto.create.topic.enabled"),
            "auto.create.topics.enable");
}

// Each as Kafka 4.3.1 answered (tests/real/kafka_configs).
TEST(ConfigValue, a_good_value_is_shown_as_kafka_shows_it) {
  EXPECT_EQ(topic("retention.ms", " 500 "), "500");
  EXPECT_EQ(topic("retention.ms", "+600"), "600");
  EXPECT_EQ(topic("preallocate", "TRUE"), "true");
  EXPECT_EQ(topic("cleanup.policy", " compact , delete "), "compact,delete");
  EXPECT_EQ(topic("cleanup.policy", "delete,delete"), "delete");
  EXPECT_EQ(topic("cleanup.policy", ""), "");
  EXPECT_EQ(topic("min.cleanable.dirty.ratio", "1"), "1.0");
  EXPECT_EQ(topic("min.cleanable.dirty.ratio", ".5"), "0.5");
  EXPECT_EQ(topic("min.cleanable.dirty.ratio", "1e-5"), "1.0E-5");
  EXPECT_EQ(topic("leader.replication.throttled.replicas", "0:1,1:1"), "0:1,1:1");
  EXPECT_EQ(read(ConfigKind::kGroup, "share.auto.offset.reset", "by_duration:PT1H"),
            "by_duration:PT1H");
}

TEST(ConfigValue, a_bad_value_is_refused_in_kafkas_words) {
  const std::string of_retention = " for configuration retention.ms: ";
  EXPECT_EQ(topic("retention.ms", "1.5"),
            "Invalid value 1.5" + of_retention + "Not a number of type LONG");
  EXPECT_EQ(topic("retention.ms", "9223372036854775808"),
            "Invalid value 9223372036854775808" + of_retention + "Not a number of type LONG");
  EXPECT_EQ(topic("retention.ms", "-2"),
            "Invalid value -2" + of_retention + "Value must be at least -1");
  EXPECT_EQ(topic("segment.bytes", "2147483648"),
            "Invalid value 2147483648 for configuration segment.bytes: Not a number of type INT");
  EXPECT_EQ(topic("compression.type", "ZSTD"),
            "Invalid value ZSTD for configuration compression.type: String must be one of: "
            "uncompressed, zstd, lz4, snappy, gzip, producer");
  EXPECT_EQ(topic("compression.gzip.level", "0"),
            "Invalid value 0 for configuration compression.gzip.level: Value must be between 1 and "
            "9 or equal to -1");
  EXPECT_EQ(topic("min.cleanable.dirty.ratio", "1.5"),
            "Invalid value 1.5 for configuration min.cleanable.dirty.ratio: Value must be no more "
            "than 1");
  EXPECT_EQ(topic("cleanup.policy", "compact,,delete"),
            "Configuration 'cleanup.policy' values must not be empty.");
  EXPECT_EQ(topic("preallocate", "yes"),
            "Invalid value yes for configuration preallocate: Expected value to be either true or "
            "false");
  EXPECT_NE(read(ConfigKind::kGroup, "share.auto.offset.reset", "by_duration:1h"),
            "by_duration:1h");
}

TEST(BrokerConfig, an_unknown_name_is_an_error_that_names_the_nearest) {
  BrokerConfig config;
  const auto set = config.set("num.partiions", "3");
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().code, Code::kNotFound);
  EXPECT_NE(set.error().what.find("num.partitions"), std::string::npos);
  EXPECT_FALSE(config.set("num.partitions", "none"));
  EXPECT_FALSE(config.set("num.partitions", "0"));
}

TEST(BrokerConfig, what_is_set_is_done_or_at_least_kept) {
  BrokerConfig config;
  for (const auto& [name, value] : ConfigMap{{"num.partitions", "3"},
                                             {"auto.create.topics.enable", "FALSE"},
                                             {"log.retention.hours", "2"},
                                             {"log.cleaner.threads", "4"},
                                             {"offsets.retention.minutes", "3"},
                                             {"broker.id", "7"},
                                             {"super.users", "User:me"},
                                             {"listener.name.internal.ssl.key.password", "x"}}) {
    ASSERT_TRUE(config.set(name, value)) << name;
  }
  EXPECT_EQ(config.topic.partitions, 3);
  EXPECT_FALSE(config.auto_create_topics);
  EXPECT_EQ(config.topic.retention_ms, 7'200'000);
  EXPECT_EQ(config.groups.offsets_retention_ms, 180'000);
  EXPECT_EQ(config.node_id, 7);
  EXPECT_EQ(config.started.at("node.id"), "7");
  EXPECT_EQ(config.started.at("log.cleaner.threads"), "4");
  EXPECT_EQ(config.without_effect, (std::set<std::string>{"log.cleaner.threads"}));
  // The finer unit wins, whichever came last.
  ASSERT_TRUE(config.set("log.retention.ms", "5"));
  ASSERT_TRUE(config.set("log.retention.hours", "9"));
  EXPECT_EQ(config.topic.retention_ms, 5);
  ASSERT_TRUE(config.set("log.retention.ms", "-1"));
  EXPECT_EQ(config.topic.retention_ms, -1);
}

TEST(BrokerConfig, a_topic_that_says_nothing_is_as_kafkas) {
  const BrokerConfig config;
  EXPECT_EQ(config.topic.segment_bytes, 1 << 30);
  EXPECT_EQ(config.topic.max_message_bytes, 1'048'588);
  EXPECT_EQ(config.topic.retention_ms, 604'800'000);
  EXPECT_EQ(log::get_setting(config.topic, "compression.type"), "producer");
}

TEST(BrokerConfig, a_file_of_kafkas_is_taken_as_it_is) {
  BrokerConfig config;
  const auto set = config.set_all(
      "# roles\nprocess.roles=broker,controller\n\n"
      "listeners = CONTROLLER://:9093,PLAINTEXT://:9192\r\n"
      "controller.listener.names=CONTROLLER\nadvertised.listeners=PLAINTEXT://host.example:9192\n"
      "num.partitions: 2\nlog.dirs=/tmp/x\n");
  ASSERT_TRUE(set) << set.error().what;
  EXPECT_EQ(config.listen, "0.0.0.0:9192");
  const auto listeners = listeners_of(config);
  ASSERT_TRUE(listeners) << listeners.error().what;
  ASSERT_EQ(listeners->size(), 1u);
  EXPECT_EQ(listeners->front().advertised.host, "host.example");
  EXPECT_EQ(config.topic.partitions, 2);
  const auto bad = config.set_all("num.partitions=1\n\nnum.partitons=2\n");
  ASSERT_FALSE(bad);
  EXPECT_TRUE(bad.error().what.starts_with("line 3: ")) << bad.error().what;
}

TEST(ConfigLayers, what_one_listener_has_alone_stands_before_what_all_have) {
  ConfigLayers layers;
  layers.broker = {{"listener.name.in.ssl.keystore.location", "/new.pem"}};
  layers.started = {{"listener.name.in.ssl.keystore.location", "/old.pem"},
                    {"ssl.keystore.location", "/all.pem"}};
  const auto synonyms = layers.synonyms("listener.name.in.ssl.keystore.location");
  ASSERT_EQ(synonyms.size(), 3u);
  EXPECT_EQ(synonyms[0].value, "/new.pem");
  EXPECT_EQ(synonyms[1].value, "/old.pem");
  EXPECT_EQ(synonyms[2].name, "ssl.keystore.location");
}

TEST(BrokerConfig, a_listener_may_be_at_an_ipv6_address) {
  BrokerConfig config;
  ASSERT_TRUE(config.set("listeners", "PLAINTEXT://[::1]:9192"));
  EXPECT_EQ(config.listen, "[::1]:9192");
  const auto listeners = listeners_of(config);
  ASSERT_TRUE(listeners) << listeners.error().what;
  EXPECT_EQ(listeners->front().at.host, "::1");
  for (const auto* bad : {"PLAINTEXT://::1:9192", "PLAINTEXT://h:port", "PLAINTEXT://h", "h:1"})
    EXPECT_FALSE(BrokerConfig().set("listeners", bad)) << bad;
}

TEST(ConfigLayers, the_broker_beats_the_cluster_which_beats_what_it_was_started_with) {
  ConfigLayers layers;
  layers.started = {{"log.retention.hours", "1"}};
  const auto& retention = *find_config(ConfigKind::kTopic, "retention.ms");
  EXPECT_EQ(layers.fallback(retention).value, "3600000");
  EXPECT_EQ(layers.fallback(retention).source, ConfigSource::kStarted);
  layers.cluster = {{"log.retention.ms", "20"}};
  EXPECT_EQ(layers.fallback(retention).value, "20");
  layers.broker = {{"log.retention.ms", "10"}};
  EXPECT_EQ(layers.fallback(retention).value, "10");
  const auto synonyms = layers.synonyms("log.retention.ms");
  ASSERT_EQ(synonyms.size(), 4);
  EXPECT_EQ(synonyms[0].value, "10");
  EXPECT_EQ(synonyms[2].name, "log.retention.hours");
  EXPECT_EQ(synonyms[3].source, ConfigSource::kDefault);
  EXPECT_TRUE(ConfigLayers().synonyms("log.retention.ms").empty());
}

TEST(ConfigLayers, a_topics_own_settings_are_those_it_said_even_the_same_as_by_default) {
  const ConfigLayers layers;
  const auto settings =
      topic_settings(layers, {{"retention.ms", "604800000"}, {"flush.ms", "7"}}, {});
  ASSERT_TRUE(settings);
  const ConfigMap own = {{"flush.ms", "7"}, {"retention.ms", "604800000"}};
  EXPECT_EQ(own_configs(layers, *settings), own);
  const auto kept = log::decode_topic("t", log::encode_topic({"t", {}, *settings}));
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->settings, *settings);
  log::TopicSettings of_a_project;
  of_a_project.segment_bytes = 2 << 20;
  of_a_project.max_message_bytes = 1'048'588;
  const ConfigMap differs = {{"segment.bytes", "2097152"}};
  EXPECT_EQ(own_configs(layers, of_a_project), differs);
}

TEST(ConfigStore, what_was_set_is_there_after_a_restart_whatever_its_letters) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "config_store";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const auto path = (folder / "configs").string();
  const ConfigMap odd = {{"a=b c%", "d\ne=f g%41"}, {"empty", ""}};
  {
    ConfigStore store(path);
    ASSERT_TRUE(store.open());
    EXPECT_EQ(store.get(ResourceType::kBroker, "").at("min.insync.replicas"), "1");
    ASSERT_TRUE(store.set(ResourceType::kGroup, "my group", odd));
    ASSERT_TRUE(store.set(ResourceType::kClientMetrics, "gone", {{"match", "x"}}));
    ASSERT_TRUE(store.set(ResourceType::kClientMetrics, "gone", {}));
  }
  ConfigStore store(path);
  ASSERT_TRUE(store.open());
  EXPECT_EQ(store.get(ResourceType::kGroup, "my group"), odd);
  EXPECT_EQ(store.resources(ResourceType::kGroup), std::vector<std::string>{"my group"});
  EXPECT_TRUE(store.resources(ResourceType::kClientMetrics).empty());
}

TEST(ConfigChecks, a_group_stays_within_the_brokers_limits) {
  const ConfigLayers broker;
  EXPECT_FALSE(check_group_configs({{"consumer.session.timeout.ms", "50000"}}, broker));
  const auto refusal = check_group_configs({{"consumer.session.timeout.ms", "1"}}, broker);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->why,
            "consumer.session.timeout.ms must be greater than or equal to "
            "group.consumer.min.session.timeout.ms");
  EXPECT_TRUE(check_group_configs({{"no.such", "1"}}, broker));
}

}  // namespace
}  // namespace tailrace::kafka
