// Writes a Delta table of every type through all that happens to a table, and prints the rows it
// must hold as JSON lines of (id, times): lake_writer FOLDER. With `bench ROWS` it measures the
// encoding of bronze rows instead.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "base/check.h"
#include "lake/delta_table.h"
#include "lake/disk.h"

namespace tailrace::lake {
namespace {

Schema every_type() {
  using arrow::field;
  const Type point = arrow::struct_(
      {field("x", arrow::int32()), field("tags", arrow::list(field("element", arrow::utf8())))});
  return arrow::schema({field("id", arrow::int64()), field("flag", arrow::boolean()),
                        field("tiny", arrow::int8()), field("small", arrow::int16()),
                        field("int", arrow::int32()), field("real", arrow::float32()),
                        field("double", arrow::float64()), field("money", arrow::decimal128(18, 4)),
                        field("text", arrow::utf8()), field("bytes", arrow::binary()),
                        field("day", arrow::date32()), field("at", timestamp_type()),
                        field("point", point),
                        field("counts", arrow::map(arrow::utf8(), arrow::int64()))});
}

template <typename Builder, typename... Value>
void put(arrow::ArrayBuilder* builder, Value... value) {
  CHECK(static_cast<Builder*>(builder)->Append(value...).ok());
}

/// Row `id` is a function of `id`; every seventh value of a column is null.
Batch rows_of(const std::vector<std::int64_t>& ids) {
  const Schema schema = every_type();
  auto rows = arrow::RecordBatchBuilder::Make(schema, arrow::default_memory_pool()).ValueOrDie();
  for (const std::int64_t id : ids) {
    put<arrow::Int64Builder>(rows->GetField(0), id);
    put<arrow::BooleanBuilder>(rows->GetField(1), id % 2 == 0);
    put<arrow::Int8Builder>(rows->GetField(2), static_cast<std::int8_t>(id % 100));
    put<arrow::Int16Builder>(rows->GetField(3), static_cast<std::int16_t>(-id % 1000));
    if (id % 7 == 0) {
      put<arrow::Int32Builder>(rows->GetField(4), 5);
      CHECK(rows->GetField(8)->AppendNull().ok());
    } else {
      put<arrow::Int32Builder>(rows->GetField(4), static_cast<std::int32_t>(id * 3));
      put<arrow::StringBuilder>(rows->GetField(8), "text ä\"\\\n " + std::to_string(id % 50));
    }
    put<arrow::FloatBuilder>(rows->GetField(5), static_cast<float>(id) / 4);
    put<arrow::DoubleBuilder>(rows->GetField(6), static_cast<double>(id) * 1.5e10);
    put<arrow::Decimal128Builder>(rows->GetField(7), arrow::Decimal128(id * 12345 - 1000));
    put<arrow::BinaryBuilder>(rows->GetField(9), std::string("\0\xFF", 2) + std::to_string(id));
    put<arrow::Date32Builder>(rows->GetField(10), static_cast<std::int32_t>(id - 100));
    put<arrow::TimestampBuilder>(rows->GetField(11), id * 1'000'003 - 5'000'000);
    auto* point = static_cast<arrow::StructBuilder*>(rows->GetField(12));
    CHECK(point->Append().ok());
    put<arrow::Int32Builder>(point->field_builder(0), static_cast<std::int32_t>(id));
    auto* tags = static_cast<arrow::ListBuilder*>(point->field_builder(1));
    CHECK(tags->Append().ok());
    for (int i = 0; i < id % 3; ++i)
      put<arrow::StringBuilder>(tags->value_builder(), std::string("tag"));
    auto* counts = static_cast<arrow::MapBuilder*>(rows->GetField(13));
    CHECK(counts->Append().ok());
    put<arrow::StringBuilder>(counts->key_builder(), std::string("k"));
    put<arrow::Int64Builder>(counts->item_builder(), id);
  }
  return rows->Flush().ValueOrDie();
}

void must(const Status& status) {
  if (!status) std::fprintf(stderr, "%s\n", status.error().what.c_str());
  CHECK(status.has_value());
}

template <typename T>
T must(Result<T> result) {
  must(result ? Status() : Status(std::unexpected(result.error())));
  return std::move(*result);
}

int write_table(const std::string& folder) {
  std::map<std::int64_t, std::int64_t> expected;
  TableOptions options;
  options.files.row_group_rows = 64;
  auto table = must(DeltaTable::open_or_create(folder, every_type(), options));
  for (int commit = 1; commit <= 25; ++commit) {
    std::vector<std::int64_t> ids;
    std::vector<Weight> weights;
    for (std::int64_t id = commit * 20; id < commit * 20 + 40; ++id) {
      ids.push_back(id);
      weights.push_back(1 + id % 2);
      expected[id] += 1 + id % 2;
    }
    for (std::int64_t id = commit * 20 - 15; commit > 1 && id < commit * 20 - 5; ++id) {
      ids.push_back(id);
      weights.push_back(-1);
      --expected[id];
    }
    must(table->apply({rows_of(ids), weights}));
    must(table->commit({"writer", commit}));
    if (commit % 8 == 0) must(table->compact(commit == 16));
    if (commit == 20) must(table->vacuum(std::chrono::milliseconds(0)));
  }
  must(table->stage(rows_of({1, 2, 3})));  // never committed
  for (const auto& [id, times] : expected) std::printf("{\"id\":%ld,\"times\":%ld}\n", id, times);
  return 0;
}

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

Batch bronze(std::int64_t first, std::int64_t count) {
  using arrow::field;
  const Schema schema =
      arrow::schema({field("key", arrow::utf8()), field("value", arrow::utf8()),
                     field("topic", arrow::utf8()), field("partition", arrow::int32()),
                     field("offset", arrow::int64()), field("timestamp", timestamp_type())});
  auto rows = arrow::RecordBatchBuilder::Make(schema, arrow::default_memory_pool()).ValueOrDie();
  for (std::int64_t i = first; i < first + count; ++i) {
    std::string value = "{\"gender\":\"female\",\"login\":{\"uuid\":\"" + random_uuid() +
                        "\",\"n\":" + std::to_string(i);
    while (value.size() < 1000) {
      value += ",\"field" + std::to_string(value.size()) + "\":\"" +
               std::to_string(i * 7919 + static_cast<long>(value.size())) +
               " Some Street, Springfield\"";
    }
    put<arrow::StringBuilder>(rows->GetField(0), random_uuid());
    put<arrow::StringBuilder>(rows->GetField(1), value + "}}");
    put<arrow::StringBuilder>(rows->GetField(2), std::string("users_created"));
    put<arrow::Int32Builder>(rows->GetField(3), static_cast<std::int32_t>(i % 3));
    put<arrow::Int64Builder>(rows->GetField(4), i);
    put<arrow::TimestampBuilder>(rows->GetField(5), 1'700'000'000'000'000 + i * 10);
  }
  return rows->Flush().ValueOrDie();
}

int bench(const std::string& folder, std::int64_t rows) {
  std::vector<Batch> batches;
  for (std::int64_t i = 0; i < 16; ++i) batches.push_back(bronze(i * 4096, 4096));
  const std::pair<const char*, Compression> all[] = {{"none", Compression::kNone},
                                                     {"snappy", Compression::kSnappy},
                                                     {"lz4", Compression::kLz4},
                                                     {"zstd1", Compression::kZstd}};
  for (const auto& [name, compression] : all) {
    TableOptions options;
    options.files.compression = compression;
    auto table =
        must(DeltaTable::open_or_create(folder + "/" + name, batches[0]->schema(), options));
    const double cpu = cpu_seconds();
    const auto start = std::chrono::steady_clock::now();
    std::int64_t done = 0;
    for (; done < rows; done += 4096)
      must(table->stage(batches[static_cast<std::size_t>(done / 4096) % 16]));
    must(table->commit({"bench", 1}));
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    std::printf(
        "%-7s %8.0f rows/s  %5.2f us CPU/row  %5.1f bytes/row\n", name,
        static_cast<double>(done) / seconds,
        (cpu_seconds() - cpu) / static_cast<double>(done) * 1e6,
        static_cast<double>(must(table->snapshot())->size_bytes()) / static_cast<double>(done));
  }
  return 0;
}

}  // namespace
}  // namespace tailrace::lake

int main(int argc, char** argv) {
  if (argc == 2) return tailrace::lake::write_table(argv[1]);
  if (argc == 4) return tailrace::lake::bench(argv[1], std::atoll(argv[3]));
  std::fprintf(stderr, "lake_writer FOLDER | lake_writer FOLDER bench ROWS\n");
  return 2;
}
