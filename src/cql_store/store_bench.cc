// Measures the store of cells: store_bench FOLDER [ROWS [IN_FLIGHT]]. Writes rows of twelve columns
// one at a time, each durable before the next of its line is sent; then reads them at random, from
// memory and files and from files alone. With 0 in flight: reads what is there.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <random>
#include <semaphore>
#include <string>
#include <vector>

#include "base/check.h"
#include "cql_store/store.h"

namespace {

using namespace tailrace;
using Clock = std::chrono::steady_clock;

constexpr cql_store::TableNumber kTable = 1;
constexpr std::uint32_t kColumns = 12;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// A key and its token, spread as a hash would.
struct Key {
  explicit Key(std::uint64_t number)
      : token(static_cast<std::int64_t>(number * 0x9E3779B97F4A7C15)),
        bytes(fmt::format("user-{:012}", number)) {}
  cql_store::PartitionKey key() const { return {token, bytes}; }
  std::int64_t token;
  std::string bytes;
};

cql_store::Mutation user(std::uint64_t number, std::int64_t timestamp) {
  cql_store::Mutation mutation;
  const Key key(number);
  mutation.row(kTable, key.key(), {});
  mutation.liveness({timestamp, 0, 0});
  static const std::string text(40, 'x');
  for (std::uint32_t column = 0; column < kColumns; ++column)
    mutation.put(column, {}, timestamp, std::string_view(text).substr(0, 8 + 2 * column));
  return mutation;
}

/// What ran from one reading to the next.
class Meter {
 public:
  void say(const char* what, std::uint64_t operations) const {
    const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    const double cpu = cpu_seconds() - cpu_;
    const auto count = static_cast<double>(operations);
    fmt::print("{:28} {:9.0f} /s  {:6.2f} us of processor each\n", what, count / seconds,
               cpu / count * 1e6);
    std::fflush(stdout);
  }

 private:
  Clock::time_point start_ = Clock::now();
  double cpu_ = cpu_seconds();
};

void write_all(cql_store::Store& store, std::uint64_t rows, int in_flight, bool again) {
  std::vector<float> took(rows);
  std::atomic<std::uint64_t> next = 0;
  std::counting_semaphore<> ended(0);
  const std::function<void()> send = [&] {
    const std::uint64_t number = next++;
    if (number >= rows) return ended.release();
    const auto start = Clock::now();
    store.commit(user(number, again ? 2000 : 1000), [&, number, start](Status status) {
      CHECK(status.has_value());
      took[number] = std::chrono::duration<float, std::micro>(Clock::now() - start).count();
      send();
    });
  };
  const Meter meter;
  for (int i = 0; i < in_flight; ++i) send();
  for (int i = 0; i < in_flight; ++i) ended.acquire();
  meter.say(again ? "overwrites" : "writes", rows);
  std::ranges::sort(took);
  fmt::print("{:28} p50 {:.0f} us, p99 {:.0f} us, worst {:.0f} us\n", "", took[rows / 2],
             took[rows * 99 / 100], took.back());
}

void read_all(const cql_store::Store& store, std::uint64_t rows, const char* what) {
  std::mt19937_64 random(1);
  const std::uint64_t reads = std::min<std::uint64_t>(rows, 1'000'000);
  cql_store::Row row;
  cql_store::Snapshot::Buffer buffer;
  std::vector<float> took(reads);
  const Meter meter;
  for (std::uint64_t i = 0; i < reads; ++i) {
    const auto start = Clock::now();
    const Key key(random() % rows);
    const auto there = store.read(kTable, key.key(), {}, 1, row, buffer);
    CHECK(there && *there && row.cells.size() == kColumns);
    took[i] = std::chrono::duration<float, std::micro>(Clock::now() - start).count();
  }
  meter.say(what, reads);
  std::ranges::sort(took);
  fmt::print("{:28} p50 {:.1f} us, p99 {:.1f} us\n", "", took[reads / 2], took[reads * 99 / 100]);
}

void scan_all(const cql_store::Store& store) {
  std::uint64_t rows = 0;
  const Meter meter;
  CHECK(store.snapshot()->scan({.table = kTable}, 1, [&](const cql_store::Row&) {
    ++rows;
    return cql_store::Snapshot::Next::kRow;
  }));
  meter.say("rows of a scan", rows);
}

}  // namespace

int main(int count, char** words) {
  CHECK(count > 1);
  const std::uint64_t rows = count > 2 ? std::strtoull(words[2], nullptr, 10) : 1'000'000;
  const int in_flight = count > 3 ? std::atoi(words[3]) : 50;
  auto opened = cql_store::Store::open(words[1], {.block_cache_bytes = std::size_t{512} << 20});
  CHECK(opened.has_value());
  cql_store::Store& store = **opened;
  if (in_flight > 0) {
    write_all(store, rows, in_flight, false);
    read_all(store, rows, "reads, memory and files");
    write_all(store, rows / 4, in_flight, true);
    read_all(store, rows, "reads, some written twice");
    const Meter compaction;
    CHECK(store.flush() && store.compact());
    compaction.say("rows of a compaction", rows);
  }
  read_all(store, rows, "reads, files");
  read_all(store, rows, "reads, files, once more");
  scan_all(store);
  return 0;
}
