// Power fails at every place where something is written: what was answered is there, and what has
// an id is there once, however often it is sent.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "connect/pushed_source.h"
#include "connect/runner.h"
#include "log/partition.h"
#include "rt/simulated_files.h"

namespace tailrace::connect {
namespace {

constexpr int kDeliveries = 24;
/// Of which the topic takes only what is smaller.
constexpr int kTooLarge = 7;

/// Delivery n: most are one record, some two, some have no id, one is too large for the topic.
Delivery delivery(int n) {
  Delivery made;
  const std::string value = std::to_string(n) + (n == kTooLarge ? std::string(9000, 'x') : "");
  made.items.push_back({.key = "k" + value.substr(0, 3), .value = value, .timestamp_ms = -1});
  if (n % 6 == 5) made.items.push_back({.key = "l", .value = value + "b", .timestamp_ms = -1});
  if (n % 4 != 3 || n == kTooLarge) made.id = "id " + std::to_string(n);
  return made;
}

/// What a process has; it ends with it.
struct Process {
  std::unique_ptr<log::Log> log;
  std::shared_ptr<Inbox> inbox = std::make_shared<Inbox>();
  std::unique_ptr<SourceRunner> runner;
};

class Life {
 public:
  explicit Life(std::uint64_t seed) : files_(seed) {}

  /// Sends what was not answered, and again what was, until a write fails.
  Status run(bool again) {
    Process process;
    TRY(open(process));
    for (int n = 0; n < kDeliveries; n += 2) {
      for (const int one : {n, n + 1}) {
        if (answered_.contains(one) && !again) continue;
        if (answered_.contains(one) && delivery(one).id.empty()) continue;
        Delivery sent = delivery(one);
        sent.done = [this, one](const Status& how) {
          if (how || how.error().code == Code::kAlreadyExists) answered_.insert(one);
        };
        TRY(offer(process, std::move(sent)));
      }
      TRY(process.runner->step());
      if (n % 8 == 6) TRY(process.runner->note());
    }
    return {};
  }

  /// How often each value is in the topic and among the rejects.
  Result<std::map<std::string, int>> found() {
    std::map<std::string, int> values;
    Process process;
    TRY(open(process));
    for (int i = 0; i < 2; ++i) TRY(count(*process.log, "events", i, values));
    TRY(count(*process.log, std::string(kRejectedTopic), 0, values));
    return values;
  }

  rt::SimulatedFiles& files() { return files_; }
  const std::set<int>& answered() const { return answered_; }

 private:
  /// What was spooled before the crash comes first; the door opens after it.
  static Status offer(Process& process, Delivery sent) {
    const auto offered = process.inbox->offer(sent);
    if (offered || offered.error().code != Code::kUnavailable) return offered;
    TRY(process.runner->step());
    return process.inbox->offer(std::move(sent));
  }

  Status open(Process& process) {
    ASSIGN(process.log, log::Log::open("/data/log", {}, files_, clock_));
    log::TopicSettings settings;
    settings.partitions = 2;
    settings.max_message_bytes = 8000;
    TRY(process.log->ensure_topic("events", settings));
    PushedConfig config{.name = "hook", .describe = "a hook", .ids_folder = "/data/ingest"};
    ASSIGN(process.runner,
           SourceRunner::open({.name = "hook", .topic = "events", .folder = "/data/ingest"},
                              pushed_source(config, process.inbox, nullptr, clock_, files_),
                              *process.log, files_, clock_));
    TRY(process.runner->step());
    return {};
  }

  static Status count(log::Log& log, const std::string& topic, int partition,
                      std::map<std::string, int>& values) {
    ASSIGN(const auto from, log.partition(topic, PartitionId(partition)));
    log::ReadBuffer buffer;
    std::string plain;
    for (Offset at(0); at < from->next_offset();) {
      TRY(from->read(at, 1 << 20, buffer));
      log::BatchReader batches = buffer.batches();
      for (log::BatchView batch; batches.next(batch);) {
        at = batch.next_offset();
        ASSIGN(auto records, batch.records(plain));
        for (log::RecordView record; records.next(record);)
          ++values[topic == "events" ? std::string(*record.value) : "a reject"];
      }
    }
    return {};
  }

  rt::SimulatedFiles files_;
  rt::ManualClock clock_{TimestampMs(1'000'000)};
  std::set<int> answered_;
};

void look(Life& life, const std::string& when) {
  const auto found = life.found();
  ASSERT_TRUE(found) << when << found.error().what;
  for (int n = 0; n < kDeliveries; ++n) {
    const std::string value = n == kTooLarge ? "a reject" : std::to_string(n);
    const int times = found->contains(value) ? found->at(value) : 0;
    const Delivery sent = delivery(n);
    if (life.answered().contains(n)) {
      EXPECT_GE(times, 1) << when << n << " is lost";
    }
    if (!sent.id.empty()) {
      EXPECT_LE(times, 1) << when << n << " is doubled";
    }
    if (sent.items.size() > 1 && life.answered().contains(n)) {
      EXPECT_EQ(found->contains(value + "b"), times > 0) << when << n << " is half there";
    }
  }
}

TEST(PushedCrashTest, power_may_fail_at_any_write_and_what_has_an_id_is_there_once) {
  std::uint64_t places = 0;
  {
    Life life(1);
    ASSERT_TRUE(life.run(true));
    places = life.files().calls();
    look(life, "without a crash: ");
    EXPECT_EQ(life.answered().size(), std::size_t{kDeliveries});
  }
  ASSERT_GT(places, 100U);
  for (std::uint64_t place = 1; place <= places; ++place) {
    Life life(place);
    life.files().crash_at(place);
    (void)life.run(true);
    life.files().restart();
    const std::string when = "crash at " + std::to_string(place) + ": ";
    // A second one soon after, while what the first has left is put right.
    life.files().crash_at(1 + place % 40);
    (void)life.run(true);
    life.files().restart();
    const Status last = life.run(true);
    ASSERT_TRUE(last) << when << last.error().what;
    EXPECT_EQ(life.answered().size(), std::size_t{kDeliveries}) << when;
    look(life, when);
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace tailrace::connect
