// The line that says which hop is empty and why, from counts alone.
#include "pipeline/hops.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tailrace::pipeline {
namespace {

using testing::HasSubstr;

Hop hop(HopKind kind, std::string title, std::int64_t count) {
  Hop made{.id = title, .title = title, .kind = kind};
  made.count = count;
  return made;
}

std::vector<Hop> healthy() {
  return {hop(HopKind::kFetched, "api", 10),   hop(HopKind::kAppended, "users", 10),
          hop(HopKind::kDecoded, "users", 10), hop(HopKind::kRejected, "dead letters", 0),
          hop(HopKind::kSilver, "clean", 10),  hop(HopKind::kServed, "created", 10)};
}

TEST(hops, with_rows_everywhere_the_line_is_empty) {
  auto hops = healthy();
  judge(hops);
  EXPECT_EQ(explain_first_empty(hops), "");
}

TEST(hops, a_source_error_is_named_before_the_hops_that_wait_for_it) {
  auto hops = healthy();
  for (Hop& h : hops) h.count = 0;
  hops[0].last_error = "GET http://x: 429";
  hops[0].failing = true;
  judge(hops);
  EXPECT_THAT(explain_first_empty(hops), HasSubstr("fetched `api` fails"));
  EXPECT_THAT(explain_first_empty(hops), HasSubstr("429"));
}

TEST(hops, a_staging_that_fails_is_named_before_the_hops_that_wait_for_it) {
  auto hops = healthy();
  for (Hop& h : hops) h.count = 0;
  hops[0].count = 10;
  Hop staged = hop(HopKind::kStaged, "users", 0);
  staged.last_error = "SQLite: database or disk is full";
  staged.failing = true;
  hops.insert(hops.begin() + 1, staged);
  judge(hops);
  EXPECT_EQ(explain_first_empty(hops), "staged `users` fails: SQLite: database or disk is full");
  EXPECT_THAT(hop_line(hops[1]), HasSubstr("staged"));
}

TEST(hops, every_row_rejected_names_the_commonest_reason) {
  auto hops = healthy();
  hops[4].count = hops[5].count = 0;
  hops[4].rejected = 1200;
  hops[4].reasons = {{"expectation has_id", 1100}, {"late", 100}};
  judge(hops);
  EXPECT_THAT(explain_first_empty(hops),
              HasSubstr("silver `clean` is empty: every row was rejected (1,200 of them, "
                        "most by expectation has_id)"));
}

TEST(hops, a_stopped_flow_is_named_even_when_it_has_rows) {
  auto hops = healthy();
  hops[4].last_error = "expectation id_is_uuid";
  judge(hops);
  EXPECT_THAT(explain_first_empty(hops),
              HasSubstr("silver `clean` has stopped: expectation id_is_uuid"));
}

TEST(hops, an_old_source_error_does_not_hide_rows) {
  auto hops = healthy();
  hops[0].last_error = "GET http://x: 500";
  judge(hops);
  EXPECT_EQ(explain_first_empty(hops), "");
}

/// decoded → bronze → two gold tables of it, one of which a third reads.
std::vector<Hop> branched() {
  std::vector<Hop> hops = {hop(HopKind::kDecoded, "users", 10), hop(HopKind::kBronze, "raw", 10),
                           hop(HopKind::kGold, "by_city", 0), hop(HopKind::kGold, "by_country", 0),
                           hop(HopKind::kServed, "cities", 0)};
  hops[1].upstream = {"users"};
  hops[2].upstream = {"raw"};
  hops[3].upstream = {"raw"};
  hops[4].upstream = {"by_city"};
  return hops;
}

TEST(hops, a_table_is_explained_by_what_it_reads_and_not_by_its_neighbour) {
  auto hops = branched();
  hops[2].count = hops[4].count = 3;
  judge(hops);
  EXPECT_EQ(explain_first_empty(hops),
            "gold `by_country` is empty: rows have come from `raw`, and its filters and joins have "
            "let none through");
  hops[1].count = hops[2].count = hops[4].count = 0;
  judge(hops);
  EXPECT_EQ(hops[3].why, "nothing has come from `raw` yet");
  EXPECT_EQ(hops[4].why, "nothing has come from `by_city` yet");
  EXPECT_THAT(explain_first_empty(hops), HasSubstr("bronze `raw` is empty"));
}

TEST(hops, a_hop_that_waits_for_an_empty_one_is_not_the_one_that_is_named) {
  auto hops = branched();
  std::swap(hops[2], hops[4]);  // served stands before what it reads
  hops[2].count = 0, hops[3].count = 3;
  judge(hops);
  EXPECT_THAT(explain_first_empty(hops), HasSubstr("gold `by_city` is empty"));
}

TEST(hops, a_window_that_has_not_closed_is_told_only_once_rows_have_come) {
  auto hops = branched();
  hops[3].count = 3;
  hops[2].why = "no window has closed: …";
  judge(hops);
  EXPECT_EQ(hops[2].why, "no window has closed: …");
  hops[1].count = 0;
  judge(hops);
  EXPECT_EQ(hops[2].why, "nothing has come from `raw` yet");
}

TEST(hops, one_empty_side_explains_an_empty_join_and_a_stopped_one_says_so) {
  auto hops = branched();
  hops[3].upstream = {"raw", "by_city"};
  judge(hops);
  EXPECT_EQ(hops[3].why, "nothing has come from `by_city` yet");
  hops[1].last_error = "expectation id broken";
  judge(hops);
  EXPECT_EQ(hops[3].why, "`raw` has stopped");
}

TEST(hops, the_last_rejected_record_is_told) {
  auto hops = healthy();
  hops[4].count = hops[5].count = 0;
  hops[4].rejected = 2;
  hops[4].reasons = {{"expectation has_id", 2}};
  hops[4].last_rejected = "users-0@7: field `id` is missing";
  judge(hops);
  EXPECT_THAT(explain_first_empty(hops), HasSubstr("; the last: users-0@7: field `id` is missing"));
}

TEST(hops, a_source_that_fails_after_it_has_fetched_says_so_in_its_own_line_only) {
  auto hops = healthy();
  hops[0].last_error = "GET http://x: 500";
  hops[0].failing = true;
  judge(hops);
  EXPECT_EQ(explain_first_empty(hops), "");
  EXPECT_EQ(hops[0].state, HopState::kError);
  EXPECT_THAT(hop_line(hops[0]), HasSubstr("GET http://x: 500"));
}

TEST(hops, a_source_that_has_recovered_and_found_nothing_does_not_name_its_old_error) {
  auto hops = healthy();
  for (Hop& h : hops) h.count = 0;
  hops[0].last_error = "GET http://x: 500";
  hops[0].why = "next poll in 10 s";
  judge(hops);
  EXPECT_EQ(explain_first_empty(hops), "fetched `api` is empty: next poll in 10 s");
}

TEST(hops, a_line_shows_count_lag_and_rejects) {
  Hop h = hop(HopKind::kDecoded, "users", 1234567);
  h.lag_records = 5;
  h.rejected = 2;
  h.reasons = {{"decode", 2}};
  h.state = HopState::kOk;
  EXPECT_EQ(hop_line(h),
            "decoded   users                         1,234,567  lag 5  rejected 2 (decode)");
}

}  // namespace
}  // namespace tailrace::pipeline
