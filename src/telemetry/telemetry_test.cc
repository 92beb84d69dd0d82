// Contexts by the examples of W3C's standard, settings by OpenTelemetry's specification, spans, the
// sampler, the queue.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>

#include "net/http_server.h"
#include "telemetry/exporter.h"

namespace tailrace::telemetry {
namespace {

constexpr const char* kExample = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

Result<std::optional<Settings>> settings_of(const std::map<std::string, std::string>& environment) {
  return read_settings([&](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
  });
}

/// Keeps what it is given.
class Kept final : public SpanSink {
 public:
  bool sample(const SpanContext& parent, const SpanContext&) override {
    return !parent.valid() || parent.sampled;
  }
  void take(std::unique_ptr<SpanData> span) override {
    const std::lock_guard lock(mutex_);
    spans.push_back(std::move(span));
  }
  std::vector<std::unique_ptr<SpanData>> spans;

 private:
  std::mutex mutex_;
};

class SpansTest : public ::testing::Test {
 protected:
  void SetUp() override { set_sink(kept_); }
  void TearDown() override { set_sink(nullptr); }
  const std::shared_ptr<Kept> kept_ = std::make_shared<Kept>();
};

TEST(TraceContext, the_standards_example_is_read_and_written) {
  const auto context = parse_context(kExample, "congo=t61rcWkgMzE");
  ASSERT_TRUE(context);
  EXPECT_TRUE(context->sampled);
  EXPECT_EQ(context->state, "congo=t61rcWkgMzE");
  EXPECT_EQ(traceparent(*context), kExample);
  const auto unsampled = parse_context("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00");
  ASSERT_TRUE(unsampled);
  EXPECT_FALSE(unsampled->sampled);
}

TEST(TraceContext, a_later_version_is_read_as_far_as_it_is_known) {
  EXPECT_TRUE(parse_context("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more"));
  EXPECT_FALSE(parse_context("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more"));
  EXPECT_FALSE(parse_context("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more"));
}

TEST(TraceContext, what_is_none_is_passed_over) {
  for (const char* bad : {"", "00", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                          "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                          "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                          "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                          "00-4bf92f3577b34da6a3ce929d0e0e473x-00f067aa0ba902b7-01",
                          "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01"})
    EXPECT_FALSE(parse_context(bad)) << bad;
  EXPECT_EQ(parse_context(kExample, std::string(513, 'a'))->state, "");
  EXPECT_EQ(parse_context(kExample, "a=\x01")->state, "");
}

TEST(TraceSettings, nothing_is_sent_unless_an_endpoint_is_named) {
  EXPECT_FALSE(settings_of({})->has_value());
  EXPECT_FALSE(settings_of({{"OTEL_SERVICE_NAME", "a"}})->has_value());
  EXPECT_FALSE(
      settings_of({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"}, {"OTEL_SDK_DISABLED", "TRUE"}})
          ->has_value());
  EXPECT_FALSE(settings_of({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"},
                            {"OTEL_TRACES_EXPORTER", "none"}})
                   ->has_value());
  EXPECT_EQ((*settings_of({{"OTEL_TRACES_EXPORTER", "otlp"}}))->url,
            "http://localhost:4318/v1/traces");
}

TEST(TraceSettings, the_variables_of_traces_go_before_those_of_all_signals) {
  const auto base = **settings_of({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/base/"}});
  EXPECT_EQ(base.url, "http://c:4318/base/v1/traces");
  EXPECT_FALSE(base.json);
  const auto own = **settings_of({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"},
                                  {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://d/in"},
                                  {"OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"},
                                  {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"},
                                  {"OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%2Cb, other = c "},
                                  {"OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"},
                                  {"OTEL_RESOURCE_ATTRIBUTES", "service.name=x,deployment=y"},
                                  {"OTEL_SERVICE_NAME", "z"},
                                  {"OTEL_TRACES_SAMPLER", "traceidratio"},
                                  {"OTEL_TRACES_SAMPLER_ARG", "0.25"}});
  EXPECT_EQ(own.url, "https://d/in");
  EXPECT_TRUE(own.json);
  EXPECT_TRUE(own.gzip);
  EXPECT_EQ(own.headers, (Pairs{{"api-key", "a,b"}, {"other", "c"}}));
  EXPECT_EQ(own.resource, (Pairs{{"deployment", "y"}, {"service.name", "z"}}));
  EXPECT_FALSE(own.sampler.by_parent);
  EXPECT_EQ(own.sampler.ratio, 0.25);
}

TEST(TraceSettings, a_wrong_value_is_named_and_a_header_never_said) {
  const auto why = [](std::map<std::string, std::string> environment) {
    environment.emplace("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318");
    const auto settings = settings_of(environment);
    return settings ? std::string() : settings.error().what;
  };
  EXPECT_THAT(why({{"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"}}), ::testing::HasSubstr("port 4318"));
  EXPECT_THAT(why({{"OTEL_TRACES_SAMPLER", "xray"}}), ::testing::HasSubstr("parentbased_"));
  EXPECT_THAT(why({{"OTEL_TRACES_SAMPLER", "traceidratio"}, {"OTEL_TRACES_SAMPLER_ARG", "2"}}),
              ::testing::HasSubstr("from 0 to 1"));
  EXPECT_THAT(why({{"OTEL_BSP_MAX_QUEUE_SIZE", "0"}}), ::testing::HasSubstr("OTEL_BSP_MAX_QUEUE"));
  EXPECT_THAT(why({{"OTEL_TRACES_EXPORTER", "zipkin"}}), ::testing::HasSubstr("otlp or none"));
  const std::string secret = why({{"OTEL_EXPORTER_OTLP_HEADERS", "s3cret"}});
  EXPECT_THAT(secret, ::testing::HasSubstr("OTEL_EXPORTER_OTLP_HEADERS"));
  EXPECT_THAT(secret, ::testing::Not(::testing::HasSubstr("s3cret")));
}

TEST_F(SpansTest, a_child_is_in_its_parents_trace) {
  SpanContext outer;
  {
    Span span = begin("outer", SpanKind::kServer, *parse_context(kExample, "a=b"));
    outer = span.context();
    const Span inner = begin("inner", SpanKind::kInternal, outer);
    EXPECT_EQ(inner.context().trace_id, outer.trace_id);
  }
  ASSERT_EQ(kept_->spans.size(), 2U);
  EXPECT_EQ(kept_->spans[0]->name, "inner");
  EXPECT_EQ(kept_->spans[0]->parent, outer.span_id);
  EXPECT_EQ(kept_->spans[1]->parent, parse_context(kExample)->span_id);
  EXPECT_EQ(kept_->spans[1]->context.state, "a=b");
  EXPECT_LE(kept_->spans[1]->begun_ns, kept_->spans[0]->begun_ns);
  EXPECT_GE(kept_->spans[1]->ended_ns, kept_->spans[0]->ended_ns);
}

TEST_F(SpansTest, of_one_origin_it_is_the_child_and_of_several_it_has_links) {
  Origins origins;
  for (int i = 0; i < 3; ++i) {
    const Span span = begin("from", SpanKind::kProducer);
    origins.add(span.context());
    origins.add(span.context());
    EXPECT_EQ(origins.only().valid(), i == 0);
  }
  EXPECT_FALSE(origins.only().valid());
  (void)begin_from("to", SpanKind::kConsumer, origins);
  EXPECT_EQ(kept_->spans.back()->links.size(), 3U);
  EXPECT_EQ(kept_->spans.back()->parent, (std::array<std::uint8_t, 8>{}));
  for (std::size_t i = 0; i < kMostLinks; ++i)
    origins.add(begin("more", SpanKind::kProducer).context());
  EXPECT_EQ(origins.all().size(), kMostLinks);
  EXPECT_EQ(origins.dropped(), 3U);
}

TEST_F(SpansTest, what_is_not_sampled_is_not_kept_but_goes_on) {
  const auto parent = parse_context("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00");
  const Span span = begin("a", SpanKind::kServer, *parent);
  EXPECT_FALSE(span.recording());
  EXPECT_EQ(span.context().trace_id, parent->trace_id);
  EXPECT_FALSE(span.context().sampled);
  EXPECT_TRUE(kept_->spans.empty());
}

TEST(SpanSampler, a_ratio_decides_by_the_trace_alone) {
  Settings settings;
  settings.url = "http://127.0.0.1:1/v1/traces";
  settings.sampler.ratio = 0.5;
  Exporter exporter(settings);
  SpanContext low, high, parent;
  low.trace_id[8] = 0x7F;
  high.trace_id[8] = 0x80;
  EXPECT_TRUE(exporter.sample({}, low));
  EXPECT_FALSE(exporter.sample({}, high));
  parent.trace_id[0] = parent.span_id[0] = 1;
  EXPECT_FALSE(exporter.sample(parent, low));
  parent.sampled = true;
  EXPECT_TRUE(exporter.sample(parent, high));
}

TEST(SpanExporter, a_full_queue_drops_and_counts_and_nothing_waits) {
  Settings settings;
  settings.url = "http://127.0.0.1:1/v1/traces";
  settings.queue = 10;
  settings.batch = 100;
  settings.delay = std::chrono::hours(1);
  const auto exporter = Exporter::start(settings);
  for (int i = 0; i < 25; ++i) (void)begin("a", SpanKind::kInternal);
  EXPECT_EQ(exporter->counts().full.value(), 15U);
  exporter->stop();
  EXPECT_EQ(exporter->counts().refused.value(), 10U);
  EXPECT_FALSE(on());
}

TEST(SpanExporter, a_collector_that_is_busy_is_asked_again_and_refusals_are_counted) {
  std::atomic<int> asked = 0;
  std::string type;
  auto server = net::HttpServer::start({}, [&](const net::Request& request) {
    net::Response answer;
    type = request.header("content-type");
    answer.status = asked++ == 0 ? 503 : 200;
    // partial_success {rejected_spans: 1}
    answer.body = std::string("\x0A\x02\x08\x01", 4);
    return answer;
  });
  ASSERT_TRUE(server);
  Settings settings;
  settings.url = (*server)->url() + "/v1/traces";
  settings.batch = 3;
  const auto exporter = Exporter::start(settings);
  for (int i = 0; i < 3; ++i) (void)begin("a", SpanKind::kInternal);
  // Once the exporter has the second answer: what it does not have when it stops it counts as lost.
  while (exporter->counts().exported.value() == 0)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  exporter->stop();
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(type, "application/x-protobuf");
  EXPECT_EQ(exporter->counts().exported.value(), 2U);
  EXPECT_EQ(exporter->counts().refused.value(), 1U);
  EXPECT_EQ(exporter->counts().failures.value(), 1U);
}

}  // namespace
}  // namespace tailrace::telemetry
