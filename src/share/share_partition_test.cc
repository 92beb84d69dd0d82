// What becomes of records, told step by step; random_life_test.cc has the rest.
#include "share/share_partition.h"

#include <gtest/gtest.h>

namespace tailrace::share {
namespace {

using enum AcknowledgeType;
constexpr Settings kSettings{
    .record_lock_ms = 1000, .delivery_count_limit = 3, .max_record_locks = 10};
constexpr TimestampMs kNow{1'000'000};

/// A share partition with what was kept of it, as a coordinator has both.
struct Subject {
  KeptState kept;
  SharePartition partition{KeptState{}, Offset(0)};
  Settings settings = kSettings;

  std::vector<Acquired> acquire(const std::string& member, std::vector<ReadBatch> batches,
                                std::int32_t most, bool exactly = false) {
    return partition.acquire({member, batches, most, 100, exactly}, settings, kNow);
  }
  Settled say(const std::string& member, std::int64_t first, std::int64_t last,
              std::vector<AcknowledgeType> types) {
    const Acknowledgement one{Offset(first), Offset(last), std::move(types)};
    return take(partition.acknowledge(member, {&one, 1}, settings, kNow));
  }
  Settled take(Settled settled) {
    if (settled.update) {
      settled.update->snapshot_epoch = kept.snapshot_epoch();
      kept.apply(*settled.update);
    }
    return settled;
  }
  void restart() { partition = SharePartition(kept, Offset(0)); }
};

ReadBatch batch(std::int64_t first, std::int64_t last, bool has_records = true) {
  return {Offset(first), Offset(last), has_records};
}

Acquired got(std::int64_t first, std::int64_t last, std::int16_t count) {
  return {Offset(first), Offset(last), count};
}

using Got = std::vector<Acquired>;

TEST(SharePartition, whole_batches_are_acquired_even_when_they_hold_more_than_was_asked) {
  Subject a;
  EXPECT_EQ(a.acquire("m", {batch(0, 3), batch(4, 5)}, 2), Got({got(0, 3, 1)}));
  EXPECT_EQ(a.partition.next_fetch(), Offset(4));
}

TEST(SharePartition, exactly_as_many_as_asked_when_that_is_the_limit) {
  Subject a;
  EXPECT_EQ(a.acquire("m", {batch(0, 3), batch(4, 5)}, 2, true), Got({got(0, 1, 1)}));
  EXPECT_EQ(a.acquire("n", {batch(0, 3), batch(4, 5)}, 3, true), Got({got(2, 4, 1)}));
}

TEST(SharePartition, what_is_released_comes_again_with_one_more_delivery) {
  Subject a;
  a.acquire("m", {batch(0, 3)}, 10);
  EXPECT_TRUE(a.say("m", 0, 3, {kAccept, kRelease, kReject, kAccept}).freed);
  EXPECT_EQ(a.partition.start(), Offset(1));
  EXPECT_EQ(a.acquire("n", {batch(0, 3)}, 10), Got({got(1, 1, 2)}));
}

TEST(SharePartition, what_is_in_flight_says_with_whom_it_is_and_how_often_it_was_delivered) {
  Subject a;
  EXPECT_TRUE(a.partition.in_flight().empty());
  a.acquire("m", {batch(0, 3)}, 10);
  a.acquire("n", {batch(4, 5)}, 10);
  a.say("m", 0, 3, {kAccept, kRelease, kReject, kRenew});
  using enum RecordState;
  EXPECT_EQ(a.partition.in_flight(),
            (std::vector<InFlight>{{Offset(1), Offset(1), kAvailable, 1, ""},
                                   {Offset(3), Offset(3), kAcquired, 1, "m"},
                                   {Offset(4), Offset(5), kAcquired, 1, "n"}}));
  a.say("n", 4, 5, {kReject});
  a.say("m", 3, 3, {kAccept});
  EXPECT_EQ(a.acquire("n", {batch(1, 1)}, 10), Got({got(1, 1, 2)}));
  EXPECT_EQ(a.partition.in_flight(),
            (std::vector<InFlight>{{Offset(1), Offset(1), kAcquired, 2, "n"}}));
}

TEST(SharePartition, only_who_holds_a_record_may_say_what_became_of_it) {
  Subject a;
  a.acquire("m", {batch(0, 3)}, 10);
  EXPECT_EQ(a.say("n", 0, 3, {kAccept}).error, KafkaError::kInvalidRecordState);
  EXPECT_EQ(a.say("m", 0, 4, {kAccept}).error, KafkaError::kInvalidRequest);
  EXPECT_EQ(a.say("m", 0, 3, {kAccept}).error, KafkaError::kNone);
  EXPECT_EQ(a.say("m", 2, 3, {kAccept}).error, KafkaError::kNone)
      << "below the start: done already";
  EXPECT_EQ(a.say("m", 4, 4, {kAccept}).error, KafkaError::kInvalidRecordState);
}

TEST(SharePartition, one_wrong_offset_leaves_all_of_the_request_undone) {
  Subject a;
  a.acquire("m", {batch(0, 3)}, 10);
  a.say("m", 1, 1, {kReject});
  const std::vector<Acknowledgement> two = {{Offset(0), Offset(0), {kAccept}},
                                            {Offset(1), Offset(2), {kAccept}}};
  EXPECT_EQ(a.partition.acknowledge("m", two, kSettings, kNow).error,
            KafkaError::kInvalidRecordState);
  EXPECT_EQ(a.partition.start(), Offset(0));
}

TEST(SharePartition, a_lock_ends_when_its_time_is_over_and_a_renewal_begins_it_anew) {
  Subject a;
  a.acquire("m", {batch(0, 3)}, 10);
  const Acknowledgement renewal{Offset(2), Offset(3), {kRenew}};
  EXPECT_FALSE(a.partition.acknowledge("m", {&renewal, 1}, kSettings, kNow + 500).update);
  EXPECT_FALSE(a.partition.expire(kSettings, kNow + 999).freed);
  EXPECT_TRUE(a.partition.expire(kSettings, kNow + 1000).freed);
  EXPECT_EQ(a.partition.next_deadline(), kNow + 1500);
  EXPECT_EQ(a.acquire("n", {batch(0, 3)}, 10), Got({got(0, 1, 2)}));
}

TEST(SharePartition, a_record_delivered_as_often_as_allowed_is_given_up) {
  Subject a;
  for (std::int16_t i = 1; i <= 3; ++i) {
    EXPECT_EQ(a.acquire("m", {batch(0, 0)}, 10), Got({got(0, 0, i)}));
    a.say("m", 0, 0, {kRelease});
  }
  EXPECT_EQ(a.partition.start(), Offset(1));
}

TEST(SharePartition, what_was_delivered_often_comes_in_smaller_parts_and_the_last_time_alone) {
  Subject a;
  a.settings.delivery_count_limit = 6;
  for (std::int16_t i = 1; i <= 3; ++i) {
    EXPECT_EQ(a.acquire("m", {batch(0, 7), batch(8, 9)}, 10), Got({got(0, 9, i)}));
    a.say("m", 0, 9, {kRelease});
  }
  EXPECT_EQ(a.acquire("m", {batch(0, 7), batch(8, 9)}, 10), Got({got(0, 3, 4)}));
  a.say("m", 0, 3, {kRelease});
  EXPECT_EQ(a.acquire("m", {batch(0, 7), batch(8, 9)}, 10), Got({got(0, 1, 5)}));
  a.say("m", 0, 1, {kRelease});
  EXPECT_EQ(a.acquire("m", {batch(0, 7), batch(8, 9)}, 10), Got({got(0, 0, 6)}));
  EXPECT_EQ(a.acquire("n", {batch(0, 7), batch(8, 9)}, 10), Got({got(1, 1, 6)}));
  EXPECT_EQ(a.acquire("o", {batch(0, 7), batch(8, 9)}, 10), Got({got(2, 3, 5)}));
}

TEST(SharePartition, no_more_records_are_in_flight_than_allowed) {
  Subject a;
  EXPECT_EQ(a.acquire("m", {batch(0, 8), batch(9, 9), batch(10, 12)}, 100), Got({got(0, 9, 1)}));
  EXPECT_FALSE(a.partition.has_room(kSettings));
  a.say("m", 5, 5, {kRelease});
  EXPECT_TRUE(a.partition.has_room(kSettings));
  EXPECT_EQ(a.acquire("n", {batch(0, 8), batch(9, 9), batch(10, 12)}, 100), Got({got(5, 5, 2)}));
}

TEST(SharePartition, offsets_without_a_record_are_passed_over) {
  Subject a;
  EXPECT_EQ(a.acquire("m", {batch(3, 4), batch(5, 5, false), batch(7, 8)}, 100),
            Got({got(3, 4, 1), got(7, 8, 1)}));
  EXPECT_EQ(a.partition.start(), Offset(3));
  a.say("m", 3, 4, {kAccept});
  EXPECT_EQ(a.partition.start(), Offset(7));
}

TEST(SharePartition, a_member_that_goes_leaves_its_records_to_others) {
  Subject a;
  a.acquire("m", {batch(0, 3)}, 2, true);
  a.acquire("n", {batch(0, 3)}, 2, true);
  EXPECT_TRUE(a.take(a.partition.release("m", kSettings)).freed);
  EXPECT_EQ(a.acquire("o", {batch(0, 3)}, 10), Got({got(0, 1, 2)}));
}

TEST(SharePartition, after_a_restart_what_was_acknowledged_stays_done_and_the_rest_is_available) {
  Subject a;
  a.acquire("m", {batch(0, 9)}, 10);
  a.say("m", 2, 5, {kAccept, kRelease, kReject, kAccept});
  a.restart();
  EXPECT_EQ(a.acquire("n", {batch(0, 9)}, 10), Got({got(0, 1, 1), got(3, 3, 2), got(6, 9, 1)}));
}

TEST(SharePartition, deleted_records_are_nobodys) {
  Subject a;
  a.acquire("m", {batch(0, 3)}, 10);
  a.partition.log_starts_at(Offset(2));
  EXPECT_EQ(a.say("m", 0, 3, {kAccept}).error, KafkaError::kNone);
  EXPECT_EQ(a.partition.start(), Offset(4));
  a.partition.log_starts_at(Offset(20));
  EXPECT_EQ(a.partition.next_fetch(), Offset(20));
}

TEST(KeptState, a_snapshot_says_all_that_the_updates_said) {
  Subject a;
  a.acquire("m", {batch(0, 9)}, 10);
  a.say("m", 2, 5, {kAccept, kRelease, kReject, kAccept});
  a.say("m", 0, 0, {kAccept});
  KeptState again;
  again.apply(a.kept.next_snapshot(kNow));
  EXPECT_EQ(again.fates(), a.kept.fates());
  EXPECT_EQ(again.start(), a.kept.start());
  EXPECT_EQ(again.complete(), 4);
  again.apply(Update{a.kept.snapshot_epoch(), Offset(9), 0, {}});
  EXPECT_EQ(again.start(), a.kept.start()) << "an update of an older snapshot";
}

}  // namespace
}  // namespace tailrace::share
