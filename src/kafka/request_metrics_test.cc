// Requests as Prometheus sees them.
#include "kafka/request_metrics.h"

#include <gmock/gmock.h>

#include <string>

namespace tailrace::kafka {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(RequestMetrics, every_version_of_every_api_has_a_counter_of_its_own) {
  RequestMetrics metrics;
  for (const ApiInfo& api : apis())
    for (Version version = api.lowest; version <= api.highest; version = Version(version.value + 1))
      for (std::int16_t n = 0; n <= version.value; ++n)
        metrics.answered(api, version, std::chrono::microseconds(1));
  MetricsText text;
  metrics.write(text);
  const auto out = text.finish();
  for (const ApiInfo& api : apis()) {
    EXPECT_THAT(out, HasSubstr("requests_total{request=\"" + std::string(api.name) +
                               "\",version=\"" + std::to_string(api.highest.value) + "\"} " +
                               std::to_string(api.highest.value + 1) + "\n"));
  }
}

TEST(RequestMetrics, what_was_never_asked_is_not_shown) {
  RequestMetrics metrics;
  metrics.answered(*find_api(0), Version(9), std::chrono::milliseconds(3));
  MetricsText text;
  metrics.write(text);
  const auto out = text.finish();
  EXPECT_THAT(out, HasSubstr("totaltimems_sum{request=\"Produce\"} 3\n"));
  EXPECT_THAT(out, Not(HasSubstr("Fetch")));
}

}  // namespace
}  // namespace tailrace::kafka
