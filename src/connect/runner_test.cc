// A source's records reach the log once each, in whatever moment the process dies.
#include "connect/runner.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "connect/fake_source.h"
#include "connect/spool.h"

namespace tailrace::connect {
namespace {

class ConnectTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "connect_XXXXXX";
    folder_ = mkdtemp(name.data());
    open_log();
  }
  void TearDown() override {
    log_.reset();
    std::filesystem::remove_all(folder_);
  }

  void open_log(std::int64_t max_message_bytes = 1 << 20) {
    log_.reset();
    auto log = log::Log::open(folder_ + "/log", {});
    ASSERT_TRUE(log) << log.error().what;
    log_ = std::move(*log);
    log::TopicSettings settings;
    settings.partitions = 2;
    settings.max_message_bytes = max_message_bytes;
    ASSERT_TRUE(log_->ensure_topic("users", settings));
  }

  std::unique_ptr<SourceRunner> open(const SourceSpec& spec) {
    auto source = make_source(spec);
    EXPECT_TRUE(source) << source.error().what;
    RunnerConfig config{spec.name, "users", folder_ + "/ingest"};
    config.note_every_ms = 1'000'000;
    config.note_every_records = 10'000;
    auto runner = SourceRunner::open(config, std::move(*source), *log_);
    EXPECT_TRUE(runner) << runner.error().what;
    return std::move(*runner);
  }

  /// Steps until the source has nothing more for now.
  static void drain(SourceRunner& runner) {
    for (int i = 0; i < 1000; ++i) {
      const auto stepped = runner.step();
      ASSERT_TRUE(stepped) << stepped.error().what;
      if (runner.status().idle) return;
    }
    FAIL() << "still not idle";
  }

  std::vector<std::string> values(const std::string& topic) {
    std::vector<std::string> found;
    const int partitions = log_->topic(topic)->settings.partitions;
    for (int p = 0; p < partitions; ++p) {
      auto partition = *log_->partition(topic, PartitionId(p));
      Offset next = partition->log_start();
      log::ReadBuffer buffer;
      while (next < partition->next_offset()) {
        EXPECT_TRUE(partition->read(next, 1 << 20, buffer));
        auto batches = buffer.batches();
        log::BatchView batch;
        std::string plain;
        while (batches.next(batch)) {
          auto reader = *batch.records(plain);
          log::RecordView record;
          while (reader.next(record)) found.emplace_back(record.value.value_or(""));
          next = batch.next_offset();
        }
      }
    }
    std::ranges::sort(found);
    return found;
  }

  void write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories(folder_ + "/in");
    std::ofstream(folder_ + "/in/" + name) << text;
  }

  std::string folder_;
  std::unique_ptr<log::Log> log_;
};

SourceSpec fake(int limit) {
  return {"gen", "fake", {{"limit", std::to_string(limit)}, {"key", "$.login.uuid"}}, ""};
}

TEST_F(ConnectTest, a_runner_that_dies_unnoted_at_any_step_loses_and_doubles_nothing) {
  for (int life = 0; life < 8; ++life) {
    auto runner = open(fake(30'000));
    for (int i = 0; i <= life; ++i) ASSERT_TRUE(runner->step());
  }
  auto runner = open(fake(30'000));
  drain(*runner);
  const auto found = values("users");
  EXPECT_EQ(found.size(), 30'000u);
  EXPECT_EQ(std::ranges::adjacent_find(found), found.end());
  EXPECT_EQ(runner->status().records, 30'000);
}

/// Records "0" to "29"; each third is told apart by how often anything was fetched, and cannot be
/// emitted again.
class MixedSource final : public Source {
 public:
  explicit MixedSource(std::vector<std::string>& noted) : noted_(noted) {}
  Status next(std::string_view position, Chunk& chunk, std::stop_token /*stop*/) override {
    static int fetched = 0;
    const int n = position.empty() ? 0 : std::stoi(std::string(position));
    chunk.position = position;
    chunk.idle = chunk.finished = n == 30;
    if (chunk.finished) return {};
    chunk.once = n % 3 == 2;
    const std::string suffix = chunk.once ? "/" + std::to_string(++fetched) : "";
    // Another partition each time it is fetched.
    chunk.add("key" + suffix, std::to_string(n) + suffix, n);
    chunk.position = std::to_string(n + 1);
    return {};
  }
  bool replayable() const override { return true; }
  void noted(std::string_view position) override { noted_.emplace_back(position); }
  std::string fingerprint() const override { return "mixed"; }
  std::string describe() const override { return "mixed"; }

 private:
  std::vector<std::string>& noted_;
};

TEST_F(ConnectTest, what_died_unnoted_is_counted_from_the_log_at_the_next_start) {
  const auto emitted = [](SourceRunner& runner) {
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(runner.step());  // noted from 10,000 records on
    return runner.status().records;
  };
  const std::int64_t records = emitted(*open(fake(30'000)));
  EXPECT_GT(records, 0);
  EXPECT_EQ(std::ssize(values("users")), records);
  auto runner = open(fake(30'000));
  EXPECT_EQ(runner->status().records, records);
  ASSERT_TRUE(runner->step());  // emits again what is there
  EXPECT_EQ(runner->status().records, records);
  drain(*runner);
  EXPECT_EQ(runner->status().records, 30'000);
}

TEST_F(ConnectTest, chunks_that_cannot_be_emitted_again_are_spooled_among_those_that_can) {
  std::vector<std::string> noted;
  const auto open_mixed = [&] {
    RunnerConfig config{"mixed", "users", folder_ + "/ingest"};
    config.note_every_ms = 1'000'000;
    return *SourceRunner::open(config, std::make_unique<MixedSource>(noted), *log_);
  };
  for (int life = 0; life < 8; ++life) {
    auto runner = open_mixed();
    for (int i = 0; i <= life % 5; ++i) ASSERT_TRUE(runner->step());
  }
  drain(*open_mixed());
  std::vector<int> numbers;
  for (const std::string& value : values("users")) numbers.push_back(std::stoi(value));
  std::ranges::sort(numbers);
  std::vector<int> all(30);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(numbers, all);
  // A restart is told where it stands; between two lives nothing that was noted is taken back.
  EXPECT_TRUE(std::ranges::is_sorted(
      noted, {}, [](const std::string& one) { return one.empty() ? 0 : std::stoi(one); }));
  EXPECT_EQ(noted.back(), "30");
}

TEST_F(ConnectTest, a_changed_seed_begins_again_and_keeps_what_is_there) {
  drain(*open(fake(100)));
  SourceSpec other = fake(100);
  other.options["seed"] = "7";
  drain(*open(other));
  EXPECT_EQ(values("users").size(), 200u);
}

TEST_F(ConnectTest, an_oversized_record_goes_to_the_rejects_with_its_bytes) {
  std::filesystem::create_directories(folder_ + "/in");
  log_.reset();
  std::filesystem::remove_all(folder_ + "/log");
  open_log(2000);
  write("a.jsonl", "{\"a\":1}\n{\"b\":\"" + std::string(3000, 'x') + "\"}\n{\"c\":2}\n");
  SourceSpec spec{"in",    "files", {{"path", "in"}, {"settle", "0"}},
                  folder_, {},      folder_ + "/ingest"};
  drain(*open(spec));
  EXPECT_EQ(values("users"), (std::vector<std::string>{"{\"a\":1}", "{\"c\":2}"}));
  const auto rejects = values("__rejected");
  ASSERT_EQ(rejects.size(), 1u);
  const auto json = nlohmann::json::parse(rejects[0]);
  EXPECT_EQ(json["reason"], "oversized");
  EXPECT_EQ(json["origin"], folder_ + "/in/a.jsonl:2");
}

/// Gives one record that is too large, and one that it rejects itself with the log's own word.
class RejectingSource final : public Source {
 public:
  Status next(std::string_view position, Chunk& chunk, std::stop_token /*stop*/) override {
    chunk.position = "end";
    chunk.idle = chunk.finished = position == "end";
    if (chunk.finished) return {};
    chunk.place = "made";
    chunk.rejects.push_back({"oversized", "the line is too long", "made:1", "its begin"});
    chunk.rejects.push_back({"schema", "it has no columns", "made:2", "no columns"});
    chunk.add(std::nullopt, std::string(3000, 'x'), 3);
    return {};
  }
  bool replayable() const override { return true; }
  std::string fingerprint() const override { return "rejecting"; }
  std::string describe() const override { return "rejecting"; }
};

TEST_F(ConnectTest, a_sources_own_rejects_stay_whatever_their_reason_is) {
  log_.reset();
  std::filesystem::remove_all(folder_ + "/log");
  open_log(2000);
  auto runner = SourceRunner::open({"in", "users", folder_ + "/ingest"},
                                   std::make_unique<RejectingSource>(), *log_);
  ASSERT_TRUE(runner);
  drain(**runner);
  std::vector<std::string> origins;
  for (const std::string& reject : values("__rejected"))
    origins.push_back(nlohmann::json::parse(reject)["origin"]);
  std::ranges::sort(origins);  // they lie in several partitions
  EXPECT_EQ(origins, (std::vector<std::string>{"made:1", "made:2", "made:3"}));
  EXPECT_EQ((*runner)->status().rejected, 3);
  EXPECT_EQ((*runner)->status().fetched, 3);
}

TEST_F(ConnectTest, files_are_read_once_each_over_restarts_and_bad_lines_are_rejects) {
  write("a.jsonl", "{\"n\":1}\nnot json\n\n{\"n\":2}");
  write("b.json", "[{\"n\": 3},\n {\"n\":4}]");
  write("c.csv", "n,text\n5,\"a \"\"b\"\"\nc\"\n6,007\n7\n");
  SourceSpec spec{"in",    "files", {{"path", "in"}, {"settle", "0"}},
                  folder_, {},      folder_ + "/ingest"};
  for (int life = 1; life < 6; ++life) {
    auto runner = open(spec);
    for (int i = 0; i < life; ++i) ASSERT_TRUE(runner->step());
  }
  drain(*open(spec));
  EXPECT_EQ(values("users"),
            (std::vector<std::string>{"{\"n\": 3}", "{\"n\":1}", "{\"n\":2}", "{\"n\":4}",
                                      "{\"n\":5,\"text\":\"a \\\"b\\\"\\nc\"}",
                                      "{\"n\":6,\"text\":\"007\"}"}));
  EXPECT_EQ(values("__rejected").size(), 2u);
  write("d.jsonl", "{\"n\":8}\n");
  drain(*open(spec));
  EXPECT_EQ(values("users").size(), 7u);
}

TEST_F(ConnectTest, stop_ends_a_waiting_source_and_the_next_run_goes_on) {
  SourceSpec spec = fake(1'000'000);
  spec.options["rate"] = "1";
  spec.options["first"] = "10";
  auto runner = open(spec);
  runner->start();
  while (runner->status().appended < 10) std::this_thread::yield();
  runner->stop();
  EXPECT_EQ(runner->status().state, SourceState::kStopped);
  EXPECT_EQ(open(spec)->status().records, runner->status().records);
}

TEST(Spool, comes_back_as_it_was_and_refuses_every_cut) {
  Chunk chunk;
  chunk.place = "http://x";
  chunk.position = "{}";
  chunk.add("k", "v", 3);
  chunk.add(std::nullopt, "w", 4);
  chunk.rejects.push_back({"r", "d", "o", "b"});
  const auto trace = telemetry::parse_context(
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "vendor=7");
  chunk.set_trace(1, chunk.add_trace(*trace));
  const std::string bytes = encode_spool({7, "from"}, chunk);
  Chunk read;
  const auto step = decode_spool(bytes, read);
  ASSERT_TRUE(step);
  EXPECT_EQ(*step, (SpoolStep{7, "from"}));
  EXPECT_EQ(read.key(0), "k");
  EXPECT_EQ(read.key(1), std::nullopt);
  EXPECT_EQ(read.value(1), "w");
  EXPECT_EQ(read.rejects[0].bytes, "b");
  EXPECT_EQ(read.trace_of(0), nullptr);
  ASSERT_NE(read.trace_of(1), nullptr);
  EXPECT_TRUE(read.trace_of(1)->same(*trace));
  EXPECT_EQ(read.trace_of(1)->state, "vendor=7");
  for (std::size_t cut = 0; cut < bytes.size(); ++cut)
    EXPECT_FALSE(decode_spool(std::string_view(bytes).substr(0, cut), read));
}

TEST(Partitioner, chooses_as_kafka_does) {
  // org.apache.kafka.common.utils.UtilsTest: murmur2("21") = -973932308, ("foobar") = -790332482,
  // ("abc") = 479470107.
  EXPECT_EQ(partition_of_key("21", 1 << 30), (-973932308 & 0x7fffffff) % (1 << 30));
  EXPECT_EQ(partition_of_key("foobar", 1 << 30), (-790332482 & 0x7fffffff) % (1 << 30));
  EXPECT_EQ(partition_of_key("abc", 1 << 30), 479470107 % (1 << 30));
}

}  // namespace
}  // namespace tailrace::connect
