// How fast Avro records become columns, on one core: `avro_bench [SECONDS]`.
//
// `flat` is a user as the pipeline serves it, twelve strings; `api` is the record as the
// source gives it, 22 values in seven records in one another, decoded into nested columns.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/check.h"
#include "schema/avro/decoder.h"
#include "schema/avro/encoder.h"

namespace {

using namespace tailrace;
using namespace tailrace::schema::avro;

constexpr const char* kFlat = R"({"type":"record","name":"users_created","fields":[
  {"name":"id","type":"string"},{"name":"first_name","type":"string"},
    {"name":"last_name","type":"string"},
  {"name":"gender","type":"string"},{"name":"address","type":"string"},
    {"name":"post_code","type":"string"},
  {"name":"email","type":"string"},{"name":"username","type":"string"},
    {"name":"dob","type":"string"},
  {"name":"registered_date","type":"string"},{"name":"phone","type":"string"},
    {"name":"picture","type":"string"}]})";

constexpr const char* kApi = R"({"type":"record","name":"user","fields":[
  {"name":"gender","type":"string"},
  {"name":"name","type":{"type":"record","name":"person","fields":[{"name":"title",
      "type":"string"},
    {"name":"first","type":"string"},{"name":"last","type":"string"}]}},
  {"name":"location","type":{"type":"record","name":"location","fields":[
    {"name":"street","type":{"type":"record","name":"street","fields":[{"name":"number",
      "type":"int"},
      {"name":"name","type":"string"}]}},
    {"name":"city","type":"string"},{"name":"state","type":"string"},
    {"name":"country","type":"string"},
    {"name":"postcode","type":["null","string"]}]}},
  {"name":"email","type":"string"},
  {"name":"login","type":{"type":"record","name":"login","fields":[{"name":"uuid",
      "type":"string"},
    {"name":"username","type":"string"}]}},
  {"name":"dob","type":{"type":"record","name":"dob","fields":[
    {"name":"date","type":{"type":"long","logicalType":"timestamp-millis"}},
    {"name":"age","type":"int"}]}},
  {"name":"registered","type":{"type":"long","logicalType":"timestamp-millis"}},
  {"name":"phone","type":["null","string"]},
  {"name":"picture","type":{"type":"record","name":"picture","fields":[{"name":"large",
      "type":"string"},
    {"name":"medium","type":"string"}]}},
  {"name":"nat","type":"string"}]})";

void text(std::string& out, std::string_view value) {
  append_long(out, static_cast<std::int64_t>(value.size()));
  out += value;
}

std::string flat_record(int i) {
  const std::string n = std::to_string(i);
  std::string out;
  for (const std::string& value :
       {"5f0c1a2b-77aa-4b1e-9c3d-" + std::to_string(100000000000 + i), std::string("Jennifer"),
        "Peterson" + std::to_string(i % 97), std::string("female"),
        n + " Bollinger Road, Santa Clarita, California, United States", std::string("85341"),
        "jennifer.peterson" + n + "@example.com", "orangeleopard" + n, std::string("1974-05-21"),
        std::string("2011-09-03T14:25:16Z"), std::string("(272) 790-0888"),
        std::string("https://randomuser.me/api/portraits/women/75.jpg")})
    text(out, value);
  return out;
}

std::string api_record(int i) {
  const std::string n = std::to_string(i);
  std::string out;
  for (const auto* value : {"female", "Ms", "Jennifer", "Peterson"}) text(out, value);
  append_long(out, 1000 + i % 9000);
  for (const auto* value : {"Bollinger Road", "Santa Clarita", "California", "United States"})
    text(out, value);
  append_long(out, 1);
  text(out, "85341");
  text(out, "jennifer.peterson" + n + "@example.com");
  text(out, "5f0c1a2b-77aa-4b1e-9c3d-" + std::to_string(100000000000 + i));
  text(out, "orangeleopard" + n);
  append_long(out, 138'000'000'000 + i);
  append_long(out, 50);
  append_long(out, 1'315'000'000'000 + i);
  append_long(out, 1);
  text(out, "(272) 790-0888");
  text(out, "https://randomuser.me/api/portraits/women/75.jpg");
  text(out, "https://randomuser.me/api/portraits/med/women/75.jpg");
  text(out, "US");
  return out;
}

double seconds_of(const auto& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void bench(const char* name, const char* schema_text, std::string (*make)(int), double seconds) {
  constexpr int kRecords = 4096;
  const auto schema = AvroSchema::parse(schema_text).value();
  std::vector<std::string> records;
  for (int i = 0; i < kRecords; ++i) records.push_back(make(i));
  std::vector<Bytes> run;
  std::size_t bytes = 0;
  for (const auto& record : records) {
    run.push_back(as_bytes(record));
    bytes += record.size();
  }
  const Decoder decoder = Decoder::make(*schema, *schema).value();
  Rows rows = Rows::make(decoder.columns()).value();
  std::vector<BadRecord> bad;
  double best = 1e9;
  Batch batch;
  for (double spent = 0; spent < seconds;) {
    const double took = seconds_of([&] {
      decoder.append(run, rows, bad);
      batch = rows.finish();
    });
    spent += took;
    best = std::min(best, took);
  }
  CHECK(bad.empty() && batch->num_rows() == kRecords && batch->ValidateFull().ok());
  fmt::print("{} decode: {:.2f} M records/s, {:.2f} GB/s ({:.0f} B a record)\n", name,
             kRecords / best / 1e6, static_cast<double>(bytes) / best / 1e9,
             static_cast<double>(bytes) / kRecords);

  const Encoder encoder = Encoder::make(schema, batch->schema()).value();
  best = 1e9;
  for (double spent = 0; spent < seconds;) {
    EncodedRows out;
    const double took = seconds_of([&] { CHECK(encoder.encode(*batch, out).has_value()); });
    CHECK(out.bytes.size() == bytes);
    spent += took;
    best = std::min(best, took);
  }
  fmt::print("{} encode: {:.2f} M records/s\n", name, kRecords / best / 1e6);
}

}  // namespace

int main(int count, char** words) {
  const double seconds = count > 1 ? std::strtod(words[1], nullptr) : 2;
  bench("flat", kFlat, flat_record, seconds);
  bench("api ", kApi, api_record, seconds);
  return 0;
}
