// How fast JSON documents of a topic with a JSON Schema become columns, on one core:
// `json_rows_bench [SECONDS]`. Each is held to its schema and read, as a running topic's are.
//
// `flat` is a user as the pipeline serves it, twelve strings; `api` is the record as the source
// gives it, 22 values in seven records in one another, read into nested columns.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/check.h"
#include "pipeline/json_rows.h"

namespace {

using namespace tailrace;

constexpr const char* kFlat = R"({"type":"object","required":["id","first_name","last_name"],
  "properties":{"id":{"type":"string"},"first_name":{"type":"string"},
  "last_name":{"type":"string"},"gender":{"type":"string"},"address":{"type":"string"},
  "post_code":{"type":"string"},"email":{"type":"string"},"username":{"type":"string"},
  "dob":{"type":"string"},"registered_date":{"type":"string"},"phone":{"type":"string"},
  "picture":{"type":"string"}}})";

constexpr const char* kApi = R"({"type":"object","required":["gender","name","email","login"],
  "properties":{"gender":{"type":"string"},
  "name":{"type":"object","properties":{"title":{"type":"string"},"first":{"type":"string"},
    "last":{"type":"string"}}},
  "location":{"type":"object","properties":{
    "street":{"type":"object","properties":{"number":{"type":"integer"},
      "name":{"type":"string"}}},
    "city":{"type":"string"},"state":{"type":"string"},"country":{"type":"string"},
    "postcode":{"type":["string","null"]}}},
  "email":{"type":"string"},
  "login":{"type":"object","properties":{"uuid":{"type":"string"},
    "username":{"type":"string"}}},
  "dob":{"type":"object","properties":{"date":{"type":"string"},"age":{"type":"integer"}}},
  "registered":{"type":"string"},"phone":{"type":["string","null"]},
  "picture":{"type":"object","properties":{"large":{"type":"string"},
    "medium":{"type":"string"}}},
  "nat":{"type":"string"}}})";

std::string flat_record(int i) {
  return fmt::format(
      R"({{"id":"5f0c1a2b-77aa-4b1e-9c3d-{}","first_name":"Jennifer","last_name":"Peterson{}",)"
      R"("gender":"female","address":"{} Bollinger Road, Santa Clarita, California, )"
      R"(United States",)"
      R"("post_code":"85341","email":"jennifer.peterson{}@example.com",)"
      R"("username":"orangeleopard{}","dob":"1974-05-21","registered_date":"2011-09-03T14:25:16Z",)"
      R"("phone":"(272) 790-0888","picture":"https://randomuser.me/api/portraits/women/75.jpg"}})",
      100000000000 + i, i % 97, i, i, i);
}

std::string api_record(int i) {
  return fmt::format(
      R"({{"gender":"female","name":{{"title":"Ms","first":"Jennifer","last":"Peterson"}},)"
      R"("location":{{"street":{{"number":{},"name":"Bollinger Road"}},"city":"Santa Clarita",)"
      R"("state":"California","country":"United States","postcode":"85341"}},)"
      R"("email":"jennifer.peterson{}@example.com",)"
      R"("login":{{"uuid":"5f0c1a2b-77aa-4b1e-9c3d-{}","username":"orangeleopard{}"}},)"
      R"("dob":{{"date":"1974-05-21T00:00:00Z","age":50}},"registered":"2011-09-03T14:25:16Z",)"
      R"("phone":"(272) 790-0888",)"
      R"("picture":{{"large":"https://randomuser.me/api/portraits/women/75.jpg",)"
      R"("medium":"https://randomuser.me/api/portraits/med/women/75.jpg"}},"nat":"US"}})",
      1000 + i % 9000, i, 100000000000 + i, i);
}

void bench(const char* name, const char* schema_text, std::string (*make)(int), double seconds) {
  constexpr int kRecords = 4096;
  const auto parsed = schema::parse_schema(schema::Format::kJsonSchema, schema_text).value();
  std::vector<std::string> records;
  for (int i = 0; i < kRecords; ++i) records.push_back(make(i));
  std::vector<Bytes> run;
  std::size_t bytes = 0;
  for (const auto& record : records) {
    run.push_back(as_bytes(record));
    bytes += record.size();
  }
  const auto rows = pipeline::make_rows(parsed).value();
  const std::size_t writer = rows->add_writer(parsed).value();
  std::vector<schema::BadRecord> bad;
  double best = 1e9;
  Batch batch;
  for (double spent = 0; spent < seconds;) {
    const auto start = std::chrono::steady_clock::now();
    rows->append(writer, run, bad);
    batch = rows->finish();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    spent += took.count();
    best = std::min(best, took.count());
  }

  CHECK(bad.empty() && batch->num_rows() == kRecords && batch->ValidateFull().ok());
  fmt::print("{} decode: {:.2f} M records/s, {:.2f} GB/s ({:.0f} B a record)\n", name,
             kRecords / best / 1e6, static_cast<double>(bytes) / best / 1e9,
             static_cast<double>(bytes) / kRecords);
}

}  // namespace

int main(int count, char** words) {
  const double seconds = count > 1 ? std::strtod(words[1], nullptr) : 2;
  bench("flat", kFlat, flat_record, seconds);
  bench("api ", kApi, api_record, seconds);
  return 0;
}
