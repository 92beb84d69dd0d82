// Whose request belongs to which share session (KIP-932), and what a group's settings say.
#include "kafka/share_sessions.h"

#include <gtest/gtest.h>

#include "kafka/share_settings.h"

namespace tailrace::kafka {
namespace {

int connection = 0;
int other_connection = 0;

TEST(ShareSessions, epochs_rise_by_one_and_others_are_refused) {
  ShareSessions sessions(10);
  const auto ask = [&](std::int32_t epoch) {
    return sessions.of("g", "m", epoch, &connection).error;
  };
  EXPECT_EQ(ask(1), ErrorCode::kShareSessionNotFound);
  EXPECT_EQ(ask(-1), ErrorCode::kShareSessionNotFound);
  EXPECT_EQ(ask(0), ErrorCode::kNone);
  EXPECT_EQ(ask(2), ErrorCode::kInvalidShareSessionEpoch);
  EXPECT_EQ(ask(1), ErrorCode::kNone);
  EXPECT_EQ(ask(1), ErrorCode::kInvalidShareSessionEpoch);
  EXPECT_EQ(ask(2), ErrorCode::kNone);
  EXPECT_EQ(ask(0), ErrorCode::kNone) << "begins anew";
  EXPECT_EQ(ask(1), ErrorCode::kNone);
  EXPECT_EQ(ask(-1), ErrorCode::kNone) << "the last one needs no number";
  EXPECT_EQ(ask(2), ErrorCode::kShareSessionNotFound);
}

TEST(ShareSessions, there_are_no_more_than_allowed) {
  ShareSessions sessions(1);
  EXPECT_EQ(sessions.of("g", "a", 0, &connection).error, ErrorCode::kNone);
  EXPECT_EQ(sessions.of("g", "b", 0, &connection).error, ErrorCode::kShareSessionLimitReached);
  EXPECT_EQ(sessions.of("g", "a", 0, &connection).error, ErrorCode::kNone);
}

TEST(ShareSessions, end_with_the_connection_that_opened_them) {
  ShareSessions sessions(10);
  sessions.of("g", "a", 0, &connection);
  sessions.of("g", "b", 0, &other_connection);
  const auto closed = sessions.close_all(&connection);
  ASSERT_EQ(closed.size(), 1u);
  EXPECT_EQ(closed[0]->member, "a");
  EXPECT_EQ(sessions.of("g", "a", 1, &connection).error, ErrorCode::kShareSessionNotFound);
  EXPECT_EQ(sessions.of("g", "b", 1, &connection).error, ErrorCode::kNone);
}

TEST(ShareSessions, partitions_that_gave_records_come_last) {
  ShareSession session("g", "m", &connection);
  const auto place = [](std::int32_t index) { return ShareSession::Place{{}, PartitionId(index)}; };
  for (const auto index : {0, 1, 2, 1, 3}) session.add(place(index));
  session.served(place(0));
  session.forget(place(2));
  session.forget(place(9));
  session.served(place(9));
  EXPECT_EQ(session.places(), (std::list{place(1), place(3), place(0)}));
}

TEST(ShareSettings, are_the_groups_own_the_brokers_and_kafkas) {
  ConfigLayers layers;
  auto settings = share_settings(layers, {});
  EXPECT_EQ(settings.partition.record_lock_ms, 30'000);
  EXPECT_EQ(settings.partition.delivery_count_limit, 5);
  EXPECT_EQ(settings.partition.max_record_locks, 2'000);
  EXPECT_TRUE(settings.partition.renewals);
  EXPECT_EQ(settings.reset, ShareSettings::Reset::kLatest);
  EXPECT_FALSE(settings.committed);
  layers.started["group.share.record.lock.duration.ms"] = "20000";
  settings = share_settings(layers, {{"share.delivery.count.limit", "3"},
                                     {"share.isolation.level", "read_committed"},
                                     {"share.renew.acknowledge.enable", "false"},
                                     {"share.auto.offset.reset", "earliest"}});
  EXPECT_EQ(settings.partition.record_lock_ms, 20'000);
  EXPECT_EQ(settings.partition.delivery_count_limit, 3);
  EXPECT_FALSE(settings.partition.renewals);
  EXPECT_TRUE(settings.committed);
  EXPECT_EQ(settings.reset, ShareSettings::Reset::kEarliest);
}

TEST(ShareSettings, a_group_may_begin_at_records_of_some_age) {
  const auto back = [](const std::string& text) {
    const auto settings = share_settings({}, {{"share.auto.offset.reset", "by_duration:" + text}});
    EXPECT_EQ(settings.reset, ShareSettings::Reset::kByDuration);
    return settings.back_ms;
  };
  EXPECT_EQ(back("PT1H"), 3'600'000);
  EXPECT_EQ(back("P1DT2H3M4.5S"), 93'784'500);
  EXPECT_EQ(back("pt0.25s"), 250);
}

}  // namespace
}  // namespace tailrace::kafka
