// Who may make connections how fast, under given times.
#include "kafka/connection_rates.h"

#include <gtest/gtest.h>

namespace tailrace::kafka {
namespace {

using namespace std::chrono_literals;

Listener named(std::string name, std::int64_t a_second = INT32_MAX) {
  Listener listener;
  listener.name = std::move(name);
  listener.connections_a_second = a_second;
  return listener;
}

net::Admission admit_many(ConnectionRates& rates, const Listener& listener, int count,
                          std::chrono::milliseconds now) {
  net::Admission last;
  for (int i = 0; i < count; ++i) last = rates.admit(listener, "10.0.0.1", now);
  return last;
}

TEST(ConnectionRates, without_limits_nobody_waits) {
  auth::Quotas quotas("");
  ConnectionRates rates(quotas);
  const auto last = admit_many(rates, {}, 10'000, 1000ms);
  EXPECT_EQ(last.wait, 0ms);
  EXPECT_FALSE(last.refused);
}

TEST(ConnectionRates, beyond_the_brokers_rate_new_ones_of_all_listeners_wait) {
  auth::Quotas quotas("");
  ConnectionRates rates(quotas);
  rates.set_most(10);
  const auto one = named("ONE");
  const auto other = named("OTHER");
  EXPECT_EQ(admit_many(rates, one, 60, 1000ms).wait, 0ms);
  EXPECT_EQ(admit_many(rates, other, 40, 1000ms).wait, 0ms);
  EXPECT_EQ(admit_many(rates, other, 1, 1000ms).wait, 100ms);
  EXPECT_EQ(admit_many(rates, one, 1000, 1000ms).wait, 11'000ms);
  EXPECT_EQ(admit_many(rates, one, 1, 100'000ms).wait, 0ms);
}

TEST(ConnectionRates, beyond_its_own_rate_those_of_one_listener_wait) {
  auth::Quotas quotas("");
  ConnectionRates rates(quotas);
  const auto slow = named("SLOW", 1);
  EXPECT_EQ(admit_many(rates, slow, 10, 1000ms).wait, 0ms);
  EXPECT_EQ(admit_many(rates, slow, 1, 1000ms).wait, 1000ms);
  EXPECT_EQ(admit_many(rates, named("FAST"), 100, 1000ms).wait, 0ms);
}

TEST(ConnectionRates, an_address_over_its_quota_is_refused) {
  auth::Quotas quotas("");
  ASSERT_TRUE(quotas.change(
      {{{{}, {}, auth::QuotaEntity::Part("10.0.0.1")}, {{"connection_creation_rate", 1.0}}}}));
  ConnectionRates rates(quotas);
  EXPECT_FALSE(admit_many(rates, {}, 10, 1000ms).refused);
  EXPECT_EQ(admit_many(rates, {}, 1, 1000ms).refused, 1000ms);
  EXPECT_FALSE(rates.admit({}, "10.0.0.2", 1000ms).refused);
}

TEST(ConnectionRates, of_none_a_second_the_longest_wait_comes_of_it) {
  auth::Quotas quotas("");
  ConnectionRates rates(quotas);
  rates.set_most(0);
  EXPECT_EQ(admit_many(rates, {}, 1, 1000ms).wait, 11'000ms);
}

}  // namespace
}  // namespace tailrace::kafka
