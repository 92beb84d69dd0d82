// How many rows a second a served table takes: `keyed_table_bench [FOLDER]`. Twelve columns, keys
// in no order, steps and checkpoints as a running project makes them.
#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <random>

#include "base/check.h"
#include "table/keyed_table.h"

namespace {

using namespace tailrace;

constexpr std::int64_t kStepRows = 8192;
constexpr std::int64_t kUsers = 300'000;

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

Schema columns() {
  arrow::FieldVector fields{arrow::field("id", arrow::utf8())};
  for (const char* name :
       {"first_name", "last_name", "gender", "address", "post_code", "email", "username", "phone"})
    fields.push_back(arrow::field(name, arrow::utf8()));
  fields.push_back(arrow::field("dob", arrow::date32()));
  fields.push_back(arrow::field("registered", timestamp_type()));
  fields.push_back(arrow::field("age", arrow::int32()));
  return arrow::schema(fields);
}

/// A UUID's text of a user's number, which has nothing of its order.
std::string id_of(std::int64_t user) {
  std::mt19937_64 random(static_cast<std::uint64_t>(user));
  const std::uint64_t a = random(), b = random();
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", a >> 32, (a >> 16) & 0xFFFF, a & 0xFFFF,
                     b >> 48, b & 0xFFFF'FFFF'FFFF);
}

void add_row(arrow::RecordBatchBuilder& rows, std::int64_t user, int version) {
  const auto text = [&](int i, const std::string& value) {
    CHECK(rows.GetFieldAs<arrow::StringBuilder>(i)->Append(value).ok());
  };
  text(0, id_of(user));
  text(1, fmt::format("First{}", user % 997));
  text(2, fmt::format("Last{}", user % 9973));
  text(3, user % 2 == 0 ? "female" : "male");
  text(4,
       fmt::format("{} Mill Lane, City {}, State, Country {}", user % 100, user % 1000, version));
  text(5, fmt::format("{:05}", user % 100'000));
  text(6, fmt::format("user.{}@example.com", user));
  text(7, fmt::format("user{}", user));
  text(8, fmt::format("+49 30 {:07}", user % 10'000'000));
  CHECK(rows.GetFieldAs<arrow::Date32Builder>(9)->Append(static_cast<int>(user % 20'000)).ok());
  CHECK(rows.GetFieldAs<arrow::TimestampBuilder>(10)->Append(user * 1'000'000).ok());
  CHECK(rows.GetFieldAs<arrow::Int32Builder>(11)->Append(static_cast<int>(user % 90)).ok());
}

/// Steps of users; `updates`: each row follows the retraction of the one before it.
std::vector<Delta> steps(std::int64_t rows, bool updates, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Delta> all;
  for (std::int64_t done = 0; done < rows; done += kStepRows) {
    auto builder = arrow::RecordBatchBuilder::Make(columns(), arrow::default_memory_pool());
    Delta delta;
    for (std::int64_t i = 0; i < kStepRows; ++i) {
      const auto user =
          updates ? static_cast<std::int64_t>(random() % kUsers) : (done + i) % kUsers;
      if (updates) {
        add_row(**builder, user, 0);
        delta.weights.push_back(-1);
        delta.weights.push_back(1);
      }
      add_row(**builder, user, updates ? 1 : 0);
    }
    delta.rows = (*builder)->Flush().ValueOrDie();
    all.push_back(std::move(delta));
  }
  return all;
}

struct Spent {
  double apply = 0, write = 0, checkpoint = 0;
};

void measure(const char* what, kv::Store& store, const table::KeyedTable& table,
             const std::vector<Delta>& deltas) {
  using Clock = std::chrono::steady_clock;
  const auto seconds = [](Clock::time_point from) {
    return std::chrono::duration<double>(Clock::now() - from).count();
  };
  Spent spent;
  kv::WriteBatch batch;
  const double cpu = cpu_seconds();
  const auto start = Clock::now();
  for (const Delta& delta : deltas) {
    auto at = Clock::now();
    batch.clear();
    CHECK(table.apply(delta, batch).has_value());
    spent.apply += seconds(at);
    at = Clock::now();
    CHECK(store.write(batch).has_value());
    spent.write += seconds(at);
    at = Clock::now();
    if (store.needs_checkpoint()) CHECK(store.begin_checkpoint().has_value());
    spent.checkpoint += seconds(at);
  }
  CHECK(store.checkpoint().has_value());
  const double all = seconds(start);
  const auto rows = static_cast<double>(deltas.size()) * kStepRows;
  fmt::print(
      "{}: {:.0f} rows/s; a row {:.2f} µs of CPU; apply {:.2f}, write {:.2f}, waiting for "
      "checkpoints {:.2f} µs\n",
      what, rows / all, 1e6 * (cpu_seconds() - cpu) / rows, 1e6 * spent.apply / rows,
      1e6 * spent.write / rows, 1e6 * spent.checkpoint / rows);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : "/tmp/tailrace_keyed_table_bench";
  std::filesystem::remove_all(folder);
  auto store = *kv::Store::open(folder);
  auto catalogue = *table::Catalogue::open(*store);
  const auto table = *catalogue->create({"users", columns(), {"id"}});
  measure("new rows", *store, *table, steps(kUsers, false, 1));
  measure("the same rows again", *store, *table, steps(kUsers, false, 1));
  measure("updates, with what they replace", *store, *table, steps(kUsers, true, 2));
  std::filesystem::remove_all(folder);
}
