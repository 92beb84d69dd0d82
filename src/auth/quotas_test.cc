// Which quota counts for whom, in the order of Kafka's documentation ("Client quotas"), and how
// long who is over it has to wait.
#include "auth/quotas.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

namespace tailrace::auth {
namespace {

using namespace std::chrono_literals;
using Part = QuotaEntity::Part;

constexpr std::string_view kKey = "producer_byte_rate";
const Part kDefault;

TEST(Quotas, the_most_exact_quota_counts) {
  const std::vector<QuotaEntity> exact_first = {
      {Part("u"), Part("c"), {}}, {Part("u"), kDefault, {}}, {Part("u"), {}, {}},
      {kDefault, Part("c"), {}},  {kDefault, kDefault, {}},  {kDefault, {}, {}},
      {{}, Part("c"), {}},        {{}, kDefault, {}},
  };
  Quotas quotas("");
  EXPECT_FALSE(quotas.quota(kKey, "u", "c"));
  for (auto entity = exact_first.rbegin(); entity != exact_first.rend(); ++entity) {
    const double value = static_cast<double>(exact_first.rend() - entity);
    ASSERT_TRUE(quotas.change({{*entity, {{std::string(kKey), value}}}}));
    EXPECT_EQ(quotas.quota(kKey, "u", "c")->first, value);
  }
  EXPECT_EQ(quotas.quota(kKey, "u", "other")->first, 2);
  EXPECT_EQ(quotas.quota(kKey, "other", "c")->first, 4);
  EXPECT_EQ(quotas.quota(kKey, "other", "other")->first, 5);
  EXPECT_FALSE(quotas.quota("consumer_byte_rate", "u", "c"));
}

TEST(Quotas, who_is_over_it_waits_until_the_rate_is_down_to_it) {
  Quotas quotas("");
  ASSERT_TRUE(quotas.change({{{Part("u"), {}, {}}, {{std::string(kKey), 1000.0}}}}));
  EXPECT_EQ(quotas.take(kKey, "u", "a", 10'000, 100'000ms), 0ms);
  // 15,000 in ten seconds: half as much again as allowed, so half of those seconds.
  EXPECT_EQ(quotas.take(kKey, "u", "b", 5'000, 100'000ms), 5000ms);
  EXPECT_EQ(quotas.take(kKey, "other", "a", 1e9, 100'000ms), 0ms);
  EXPECT_EQ(quotas.take(kKey, "u", "a", 0, 112'000ms), 0ms);
}

TEST(Quotas, a_default_of_users_is_for_each_of_them) {
  Quotas quotas("");
  ASSERT_TRUE(quotas.change({{{kDefault, {}, {}}, {{std::string(kKey), 10.0}}}}));
  EXPECT_GT(quotas.take(kKey, "u", "c", 1000, 1000ms), 0ms);
  EXPECT_EQ(quotas.take(kKey, "v", "c", 1, 1000ms), 0ms);
}

TEST(TokenBucket, all_windows_are_there_at_first_and_it_fills_by_the_second) {
  TokenBucket bucket;
  EXPECT_EQ(bucket.wait(2, 5000ms), 0ms);
  bucket.take(22);
  EXPECT_EQ(bucket.wait(2, 5000ms), 0ms);
  bucket.take(3);
  EXPECT_EQ(bucket.wait(2, 5000ms), 1500ms);
  EXPECT_EQ(bucket.wait(2, 6000ms), 500ms);
  EXPECT_EQ(bucket.wait(2, 6500ms), 0ms);
  bucket.take(1);
  EXPECT_EQ(bucket.wait(2, 1'000'000ms), 0ms);
  bucket.take(23);
  EXPECT_EQ(bucket.wait(2, 1'000'000ms), 500ms);
}

TEST(Quotas, changes_are_refused_to_the_strict_only_and_taken_from_the_others) {
  Quotas quotas("");
  const std::string user = "u";
  EXPECT_EQ(quotas.take_changes(user, "c", 1e9, true, 0ms), 0ms);
  ASSERT_TRUE(quotas.change({{{Part(user), {}, {}}, {{"controller_mutation_rate", 1.0}}}}));
  // 11 are there; 13 at once overdraw them, and what comes next is refused and not taken.
  EXPECT_EQ(quotas.take_changes(user, "c", 13, true, 0ms), 0ms);
  EXPECT_EQ(quotas.take_changes(user, "d", 5, true, 0ms), 2000ms);
  EXPECT_EQ(quotas.take_changes(user, "c", 5, true, 1000ms), 1000ms);
  EXPECT_EQ(quotas.take_changes(user, "c", 5, true, 2000ms), 0ms);
  EXPECT_EQ(quotas.take_changes(user, "c", 5, false, 2000ms), 10'000ms);
  EXPECT_EQ(quotas.take_changes("other", "c", 1e9, false, 2000ms), 0ms);
}

TEST(Quotas, connections_count_by_address_and_refused_ones_do_not) {
  Quotas quotas("");
  const std::string_view key = "connection_creation_rate";
  ASSERT_TRUE(quotas.change({{{{}, {}, kDefault}, {{std::string(key), 1.0}}},
                             {{{}, {}, Part("10.0.0.1")}, {{std::string(key), 100.0}}}}));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(quotas.take_connection("10.0.0.2", 1000ms), 0ms);
  const auto wait = quotas.take_connection("10.0.0.2", 1000ms);
  EXPECT_EQ(wait, 1000ms);
  EXPECT_EQ(quotas.take_connection("10.0.0.2", 1000ms), wait);
  EXPECT_EQ(quotas.take_connection("10.0.0.3", 1000ms), 0ms);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(quotas.take_connection("10.0.0.1", 1000ms), 0ms);
  EXPECT_EQ(quotas.take_connection("10.0.0.2", 20'000ms), 0ms);
}

TEST(Rate, a_steady_stream_has_its_rate_and_what_is_old_does_not_count) {
  Rate rate;
  for (auto now = 0ms; now < 60'000ms; now += 100ms) rate.record(100, now);
  EXPECT_NEAR(rate.measure(60'000ms), 1000, 20);
  EXPECT_EQ(rate.measure(100'000ms), 0);
  EXPECT_EQ(rate.throttle(1, 100'000ms), 0ms);
}

TEST(Quotas, quotas_last_and_are_taken_away) {
  const auto path = std::filesystem::temp_directory_path() / ("quotas_" + std::to_string(getpid()));
  std::filesystem::remove(path);
  const QuotaEntity odd{Part("CN=a b"), kDefault, {}};
  const QuotaEntity address{{}, {}, Part("10.0.0.1")};
  {
    Quotas quotas(path);
    ASSERT_TRUE(quotas.open());
    ASSERT_TRUE(quotas.change({{odd, {{"producer_byte_rate", 0.1}, {"request_percentage", 1e20}}},
                               {address, {{"connection_creation_rate", 7.0}}}}));
  }
  Quotas quotas(path);
  ASSERT_TRUE(quotas.open());
  EXPECT_EQ(quotas.all().at(odd),
            (QuotaValues{{"producer_byte_rate", 0.1}, {"request_percentage", 1e20}}));
  EXPECT_EQ(quotas.all().at(address).size(), 1u);
  ASSERT_TRUE(quotas.change({{odd, {{"producer_byte_rate", {}}, {"request_percentage", {}}}},
                             {address, {{"connection_creation_rate", {}}}}}));
  EXPECT_FALSE(quotas.any());
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace tailrace::auth
