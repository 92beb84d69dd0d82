// What can be said of a Kafka without one: URLs, settings, secrets, sequences.
#include "kafka_log/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kafka_log/message_batches.h"
#include "kafka_log/positions.h"

namespace tailrace::kafka_log {
namespace {

using testing::HasSubstr;
using testing::Not;

KafkaLogConfig with(std::string url, std::map<std::string, std::string> properties = {}) {
  KafkaLogConfig config;
  config.url = std::move(url);
  config.properties = std::move(properties);
  return config;
}

std::string fault(const KafkaLogConfig& config) {
  const auto checked = check_config(config);
  return checked ? "" : checked.error().what;
}

TEST(KafkaLogConfig, a_url_names_one_broker_or_several) {
  EXPECT_EQ(brokers_of(with("kafka://a:1")).value(), "a:1");
  EXPECT_EQ(brokers_of(with("kafka://a,b:2,[::1]:3,[::2]")).value(),
            "a:9092,b:2,[::1]:3,[::2]:9092");
}

TEST(KafkaLogConfig, a_url_that_is_none_is_refused) {
  for (const char* url : {"kafka://", "kafka://:1", "kafka://a:0", "kafka://a:65536", "kafka://a:x",
                          "kafka://a/topic", "kafka://a,,b", "http://a", "kafka://::1:9092",
                          "kafka://[::1", "kafka://[::1]x:9"})
    EXPECT_NE(fault(with(url)), "") << url;
  EXPECT_THAT(fault(with("kafka://me:hunter2@a:1")), Not(HasSubstr("hunter2")));
}

TEST(KafkaLogConfig, tokens_by_the_client_credentials_grant_need_all_that_it_is_asked_with) {
  std::map<std::string, std::string> all = {
      {"security.protocol", "sasl_ssl"},
      {"sasl.mechanism", "OAUTHBEARER"},
      {"sasl.oauthbearer.method", "oidc"},
      {"sasl.oauthbearer.token.endpoint.url", "https://id.example/token"},
      {"sasl.oauthbearer.client.id", "me"},
      {"sasl.oauthbearer.client.secret", "hunter2"},
      {"sasl.oauthbearer.scope", "a b"},
      {"sasl.oauthbearer.extensions", "x=1,y=2"}};
  EXPECT_EQ(fault(with("kafka://a", all)), "");
  for (const char* name : {"sasl.oauthbearer.token.endpoint.url", "sasl.oauthbearer.client.id",
                           "sasl.oauthbearer.client.secret"}) {
    auto some = all;
    some.erase(name);
    EXPECT_THAT(fault(with("kafka://a", some)), HasSubstr(std::string(name) + "` is missing"));
  }
  all["sasl.oauthbearer.extensions"] = "x";
  EXPECT_THAT(fault(with("kafka://a", all)), HasSubstr("NAME=VALUE"));
  // Kafka's newer names do as well.
  EXPECT_EQ(fault(with("kafka://a", {{"security.protocol", "sasl_plaintext"},
                                     {"sasl.mechanism", "OAUTHBEARER"},
                                     {"sasl.oauthbearer.token.endpoint.url", "http://id/token"},
                                     {"sasl.oauthbearer.client.credentials.client.id", "me"},
                                     {"sasl.oauthbearer.client.credentials.client.secret", "s"}})),
            "");
}

TEST(KafkaLogConfig, every_setting_of_librdkafka_is_taken_by_name) {
  EXPECT_EQ(fault(with("kafka://a", {{"security.protocol", "sasl_ssl"},
                                     {"sasl.mechanism", "SCRAM-SHA-256"},
                                     {"sasl.username", "me"},
                                     {"sasl.password", "secret"},
                                     {"linger.ms", "1"},
                                     {"fetch.max.bytes", "1000000"}})),
            "");
}

TEST(KafkaLogConfig, an_unknown_setting_is_named) {
  EXPECT_THAT(fault(with("kafka://a", {{"linger.mss", "1"}})), HasSubstr("`linger.mss`"));
}

TEST(KafkaLogConfig, what_exactly_once_stands_on_is_reserved) {
  for (const char* name : {"isolation.level", "transactional.id", "acks", "enable.idempotence"})
    EXPECT_THAT(fault(with("kafka://a", {{name, "1"}})), HasSubstr("cannot be set"));
}

TEST(KafkaLogConfig, a_secret_is_in_no_message) {
  auto config = with("kafka://a", {{"security.protocol", "hunter2"}});
  config.secrets = {"hunter2"};
  EXPECT_THAT(fault(config), Not(HasSubstr("hunter2")));
  config = with("kafka://a", {{"sasl.password", "pass-word"}});
  EXPECT_EQ(without_secrets(config, "is pass-word, pass-word"), "is ***, ***");
}

TEST(KafkaLogBatches, offsets_without_records_are_whole_batches) {
  const std::string bytes = empty_offsets(Offset(5), Offset(5 + (std::int64_t{1} << 32)));
  log::BatchReader reader(bytes);
  log::BatchView batch;
  Offset next(5);
  while (reader.next(batch)) {
    EXPECT_EQ(batch.base_offset(), next);
    EXPECT_EQ(batch.record_count(), 0);
    EXPECT_TRUE(batch.crc_matches());
    next = batch.next_offset();
  }
  EXPECT_EQ(next, Offset(5 + (std::int64_t{1} << 32)));
  EXPECT_TRUE(reader.rest().empty());
}

}  // namespace
}  // namespace tailrace::kafka_log
