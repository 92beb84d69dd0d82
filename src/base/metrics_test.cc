// The text that Prometheus reads, to the letter.
#include "base/metrics.h"

#include <gmock/gmock.h>

#include <thread>

namespace tailrace {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

TEST(Metrics, a_family_has_its_help_its_type_and_a_line_a_series) {
  MetricsText text;
  text.family("x_total", MetricType::kCounter, "What\nit \\ is.");
  text.add({}, 3);
  text.add({{"topic", "a"}, {"partition", "0"}}, std::uint64_t{1} << 63);
  text.family("y", MetricType::kGauge, "G.");
  text.add({}, 0.5);
  text.add({{"of", "z"}}, 1.0 / 0.0);
  EXPECT_THAT(text.finish(), testing::StartsWith("# HELP x_total What\\nit \\\\ is.\n"
                                                 "# TYPE x_total counter\n"
                                                 "x_total 3\n"
                                                 "x_total{topic=\"a\",partition=\"0\"} "
                                                 "9223372036854775808\n"
                                                 "# HELP y G.\n"
                                                 "# TYPE y gauge\n"
                                                 "y 0.5\n"
                                                 "y{of=\"z\"} +Inf\n"));
}

TEST(Metrics, a_label_may_hold_any_text) {
  MetricsText text;
  text.family("x", MetricType::kGauge, "");
  text.add({{"l", "a\"b\\c\nd"}}, 1);
  EXPECT_THAT(text.finish(), HasSubstr("x{l=\"a\\\"b\\\\c\\nd\"} 1\n"));
}

TEST(Metrics, buckets_of_a_histogram_add_up_and_a_bound_is_in_its_bucket) {
  DurationHistogram durations;
  durations.observe(milliseconds(1));
  durations.observe(std::chrono::microseconds(1001));
  durations.observe(std::chrono::minutes(1));
  durations.observe(milliseconds(-5));
  MetricsText text;
  text.family("h", MetricType::kHistogram, "");
  text.add({{"r", "q"}}, durations, milliseconds(1));
  const auto out = text.finish();
  EXPECT_THAT(out, HasSubstr("h_bucket{r=\"q\",le=\"0.1\"} 1\n"));
  EXPECT_THAT(out, HasSubstr("h_bucket{r=\"q\",le=\"1\"} 2\n"));
  EXPECT_THAT(out, HasSubstr("h_bucket{r=\"q\",le=\"2.5\"} 3\n"));
  EXPECT_THAT(out, HasSubstr("h_bucket{r=\"q\",le=\"30000\"} 3\n"));
  EXPECT_THAT(out, HasSubstr("h_bucket{r=\"q\",le=\"+Inf\"} 4\n"));
  EXPECT_THAT(out, HasSubstr("h_sum{r=\"q\"} 60002.001\n"));
  EXPECT_THAT(out, HasSubstr("h_count{r=\"q\"} 4\n"));
}

TEST(Metrics, a_family_is_bounded_and_says_what_is_left_out) {
  MetricsText text(2);
  text.family("x", MetricType::kGauge, "");
  for (const char* label : {"a", "b", "c", "d"}) text.add({{"l", label}}, 1);
  text.family("y", MetricType::kGauge, "");
  text.add({}, 1);
  const auto out = text.finish();
  EXPECT_THAT(out, HasSubstr("x{l=\"b\"} 1\n"));
  EXPECT_THAT(out, Not(HasSubstr("l=\"c\"")));
  EXPECT_THAT(out, HasSubstr("y 1\n"));
  EXPECT_THAT(out, HasSubstr("tailrace_metrics_left_out_series{family=\"x\"} 2\n"));
}

TEST(Metrics, no_update_of_any_thread_is_lost) {
  Counter counter;
  DurationHistogram durations;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 10'000; ++i) {
          counter.add(2);
          durations.observe(milliseconds(3));
        }
      });
    }
  }
  EXPECT_EQ(counter.value(), 80'000U);
  EXPECT_EQ(durations.count(5), 40'000U);
  EXPECT_EQ(durations.sum(), milliseconds(120'000));
}

}  // namespace
}  // namespace tailrace
