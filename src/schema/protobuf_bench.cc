// How fast Protobuf records become columns, on one core: `protobuf_bench [SECONDS]`.
//
// `flat` is a user as the pipeline serves it, twelve strings; `api` is the record as the source
// gives it, 22 values in seven messages in one another.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/check.h"
#include "schema/protobuf/decoder.h"
#include "schema/protobuf/encoder.h"

namespace {

using namespace tailrace;
using namespace tailrace::schema;

constexpr const char* kFlat = R"(syntax = "proto3"; message users_created {
  string id = 1; string first_name = 2; string last_name = 3; string gender = 4; string address = 5;
  string post_code = 6; string email = 7; string username = 8; string dob = 9;
  string registered_date = 10; string phone = 11; string picture = 12; })";

constexpr const char* kApi = R"(syntax = "proto3"; import "google/protobuf/timestamp.proto";
message user {
  message person { string title = 1; string first = 2; string last = 3; }
  message street { int32 number = 1; string name = 2; }
  message place { street street = 1; string city = 2; string state = 3; string country = 4;
    optional string postcode = 5; }
  message login { string uuid = 1; string username = 2; }
  message birth { google.protobuf.Timestamp date = 1; int32 age = 2; }
  message picture { string large = 1; string medium = 2; }
  string gender = 1; person name = 2; place location = 3; string email = 4; login account = 5;
  birth dob = 6; google.protobuf.Timestamp registered = 7; optional string phone = 8;
  picture pictures = 9; string nat = 10; })";

void number(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}
void text(std::string& out, int field, std::string_view value) {
  number(out, static_cast<std::uint64_t>(field) << 3 | 2);
  number(out, value.size());
  out += value;
}
void whole(std::string& out, int field, std::uint64_t value) {
  number(out, static_cast<std::uint64_t>(field) << 3);
  number(out, value);
}
std::string texts(std::initializer_list<std::string_view> values) {
  std::string made;
  int field = 0;
  for (const auto value : values) text(made, ++field, value);
  return made;
}

std::string flat_record(int i) {
  const std::string n = std::to_string(i);
  return texts({"5f0c1a2b-77aa-4b1e-9c3d-" + std::to_string(100000000000 + i), "Jennifer",
                "Peterson" + std::to_string(i % 97), "female",
                n + " Bollinger Road, Santa Clarita, California, United States", "85341",
                "jennifer.peterson" + n + "@example.com", "orangeleopard" + n, "1974-05-21",
                "2011-09-03T14:25:16Z", "(272) 790-0888",
                "https://randomuser.me/api/portraits/women/75.jpg"});
}

std::string time_of(std::uint64_t seconds) {
  std::string made;
  whole(made, 1, seconds);
  whole(made, 2, 120'000'000);
  return made;
}

std::string api_record(int i) {
  const std::string n = std::to_string(i);
  std::string out;
  text(out, 1, "female");
  text(out, 2, texts({"Ms", "Jennifer", "Peterson"}));
  std::string street;
  whole(street, 1, static_cast<std::uint64_t>(1000 + i % 9000));
  text(street, 2, "Bollinger Road");
  std::string place;
  text(place, 1, street);
  text(place, 2, "Santa Clarita");
  text(place, 3, "California");
  text(place, 4, "United States");
  text(place, 5, "85341");
  text(out, 3, place);
  text(out, 4, "jennifer.peterson" + n + "@example.com");
  text(out, 5,
       texts({"5f0c1a2b-77aa-4b1e-9c3d-" + std::to_string(100000000000 + i), "orangeleopard" + n}));
  std::string birth;
  text(birth, 1, time_of(138'000'000));
  whole(birth, 2, 50);
  text(out, 6, birth);
  text(out, 7, time_of(1'315'000'000));
  text(out, 8, "(272) 790-0888");
  text(out, 9,
       texts({"https://randomuser.me/api/portraits/women/75.jpg",
              "https://randomuser.me/api/portraits/med/women/75.jpg"}));
  text(out, 10, "US");
  return out;
}

void bench(const char* name, const char* schema_text, std::string (*make)(int), double seconds) {
  constexpr int kRecords = 4096;
  const auto schema = protobuf::ProtobufSchema::parse(schema_text).value();
  std::vector<std::string> records;
  for (int i = 0; i < kRecords; ++i) records.push_back(make(i));
  std::vector<Bytes> run;
  std::size_t bytes = 0;
  for (const auto& record : records) {
    run.push_back(as_bytes(record));
    bytes += record.size();
  }
  const auto decoder = protobuf::Decoder::make(*schema).value();
  Rows rows = Rows::make(decoder.columns()).value();
  std::vector<BadRecord> bad;
  double best = 1e9;
  Batch batch;
  for (double spent = 0; spent < seconds;) {
    const auto start = std::chrono::steady_clock::now();
    decoder.append(run, rows, bad);
    batch = rows.finish();
    const double took =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    spent += took;
    best = std::min(best, took);
  }
  CHECK(bad.empty() && batch->num_rows() == kRecords && batch->ValidateFull().ok());
  fmt::print("{} decode: {:.2f} M records/s, {:.2f} GB/s ({:.0f} B a record)\n", name,
             kRecords / best / 1e6, static_cast<double>(bytes) / best / 1e9,
             static_cast<double>(bytes) / kRecords);

  const auto encoder = protobuf::Encoder::make(*schema, batch->schema()).value();
  best = 1e9;
  for (double spent = 0; spent < seconds;) {
    EncodedRows out;
    const auto start = std::chrono::steady_clock::now();
    CHECK(encoder.encode(*batch, out).has_value());
    const double took =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
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
