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
  judge(hops);
  EXPECT_THAT(explain_first_empty(hops), HasSubstr("fetched `api`"));
  EXPECT_THAT(explain_first_empty(hops), HasSubstr("429"));
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
