// Numbers about a running program, and Prometheus' text format 0.0.4 to show them in.
//
// A number lives where it is updated and is reached without a lookup: an update is one or two
// relaxed atomic additions, takes no lock and no memory. Who answers a scrape reads the numbers and
// writes them into one MetricsText, family by family; what is cheap to ask for then (sizes,
// offsets, states) is asked for then and kept nowhere.
//
// Labels are bounded: a family has at most `most_series` series, those that were added first. How
// many were left out says tailrace_metrics_left_out_series{family}.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tailrace {

/// A number that only grows. Any thread.
class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

/// How long things took, in fixed buckets from 0.1 ms to 30 s. Any thread.
class DurationHistogram {
 public:
  using Duration = std::chrono::nanoseconds;
  /// Upper ends, each included in its bucket; one more bucket has the rest.
  static constexpr std::array<Duration, 16> kBounds = {
      std::chrono::microseconds(100),  std::chrono::microseconds(250),
      std::chrono::microseconds(500),  std::chrono::milliseconds(1),
      std::chrono::microseconds(2500), std::chrono::milliseconds(5),
      std::chrono::milliseconds(10),   std::chrono::milliseconds(25),
      std::chrono::milliseconds(50),   std::chrono::milliseconds(100),
      std::chrono::milliseconds(250),  std::chrono::milliseconds(500),
      std::chrono::seconds(1),         std::chrono::milliseconds(2500),
      std::chrono::seconds(10),        std::chrono::seconds(30)};

  void observe(Duration took) {
    std::size_t bucket = 0;
    while (bucket < kBounds.size() && took > kBounds[bucket]) ++bucket;
    counts_[bucket].add();
    sum_ns_.add(static_cast<std::uint64_t>(std::max(took, Duration(0)).count()));
  }
  /// Of bucket i, without those below it; the last one is what is beyond kBounds.
  std::uint64_t count(std::size_t i) const { return counts_[i].value(); }
  Duration sum() const { return Duration(sum_ns_.value()); }
  /// Takes in what another one has counted.
  void add(const DurationHistogram& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i].add(other.counts_[i].value());
    sum_ns_.add(other.sum_ns_.value());
  }

 private:
  std::array<Counter, kBounds.size() + 1> counts_;
  Counter sum_ns_;
};

/// Numbers that many threads update all the time: each thread has a copy, or shares one with few
/// others, so that they do not wait for one cache line. Who shows them adds the copies up.
template <typename Numbers>
class ByThread {
 public:
  Numbers& mine() { return copies_[this_thread() % kCopies].numbers; }
  template <typename Use>
  void each(Use use) const {
    for (const Copy& copy : copies_) use(copy.numbers);
  }

 private:
  static constexpr std::size_t kCopies = 16;
  struct alignas(64) Copy {
    Numbers numbers;
  };
  static std::size_t this_thread() {
    static std::atomic<std::size_t> next = 0;
    thread_local const std::size_t mine = next.fetch_add(1, std::memory_order_relaxed);
    return mine;
  }

  std::array<Copy, kCopies> copies_;
};

enum class MetricType { kCounter, kGauge, kHistogram };

/// A scrape's answer while it is written.
class MetricsText {
 public:
  struct Label {
    std::string_view name;   ///< as it is: [a-zA-Z_][a-zA-Z0-9_]*
    std::string_view value;  ///< any text; escaped
  };
  using Labels = std::initializer_list<Label>;
  static constexpr std::size_t kMostSeries = 20'000;

  explicit MetricsText(std::size_t most_series = kMostSeries) : most_series_(most_series) {}

  /// Begins a family: what is added belongs to it until the next one begins. Each name once;
  /// counters end in _total.
  void family(std::string_view name, MetricType type, std::string_view help);
  void add(Labels labels, std::integral auto value) { add_text(labels, std::to_string(value)); }
  void add(Labels labels, double value);
  /// Into a family of histograms, in the unit that its name says.
  void add(Labels labels, const DurationHistogram& durations, std::chrono::nanoseconds unit);
  /// The whole text; add nothing after it.
  std::string finish();

 private:
  bool has_room();
  void add_text(Labels labels, std::string_view value);
  void line(std::string_view suffix, Labels labels, std::string_view le, std::string_view value);

  const std::size_t most_series_;
  std::string text_;
  std::string family_;
  std::size_t series_ = 0;
  std::vector<std::pair<std::string, std::size_t>> left_out_;
};

}  // namespace tailrace
