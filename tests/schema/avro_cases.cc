// What we say of random Avro schemas and records, for another implementation to say the same.
//
// `avro_cases pairs COUNT SEED` prints a line for each pair of schemas:
//   reader TAB writer TAB reader's canonical text TAB parsing form TAB fingerprint TAB differences
//
// A schema we refuse has "refused" for its canonical text. Differences are `type location detail`
// with "; " between them. Two of three pairs are a schema and a change of it, the others random.
//
// `avro_cases records COUNT SEED` prints a line for each record: what a writer wrote, and what we
// read of it by the reader's schema, written again by that. Or "incompatible" where no record of
// the writer's could be read, "unreadable" where this one cannot, "no text" where bytes that are to
// be read as a string are not UTF-8.
//
//   writer TAB reader TAB record in hex TAB the reader's record in hex
//
// `avro_cases read` takes such lines, reads the records again, and counts those that differ.
#include <fmt/format.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "schema/avro/avro_schema.h"
#include "schema/avro/columns.h"
#include "schema/avro/decoder.h"
#include "schema/avro/encoder.h"
#include "schema/testing/random_avro.h"
#include "schema/testing/random_values.h"

namespace {

using namespace tailrace;
using namespace tailrace::schema;

std::string text_of(const Json& json) {
  std::string text;
  append_json(text, json);
  return text;
}

std::string differences(const avro::AvroSchema& reader, const avro::AvroSchema& writer) {
  std::string text;
  for (const auto& one : reader.incompatibilities(writer)) {
    if (one.type == "AMBIGUOUS_FIELD") return "ambiguous";
    if (!text.empty()) text += "; ";
    text += one.type + " " + one.location + " " + one.detail;
  }
  return text;
}

void print_pairs(std::uint64_t count, std::uint64_t seed) {
  testing::RandomAvro random(seed);
  for (std::uint64_t i = 0; i < count; ++i) {
    const Json one = random.schema();
    const Json other = i % 3 == 0 ? random.schema() : random.changed(one);
    const std::string reader = text_of(i % 2 == 0 ? one : other);
    const std::string writer = text_of(i % 2 == 0 ? other : one);
    const auto read = avro::AvroSchema::parse(reader);
    const auto written = avro::AvroSchema::parse(writer);
    fmt::print("{}\t{}\t{}\t{}\t{}\t{}\n", reader, writer, read ? (*read)->canonical() : "refused",
               read ? (*read)->parsing_form() : "",
               read ? fmt::format("{:016x}", (*read)->fingerprint()) : "",
               !written ? "refused"
               : read   ? differences(**read, **written)
                        : "");
  }
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

std::string unhex(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
  return bytes;
}

using AvroPtr = std::shared_ptr<const avro::AvroSchema>;

std::string read_again(const AvroPtr& writer, const AvroPtr& reader, const std::string& record) {
  const auto decoder = avro::Decoder::make(*writer, *reader);
  if (!decoder) return "incompatible";
  auto rows = avro::Rows::make(decoder->columns()).value();
  std::vector<BadRecord> bad;
  const Bytes bytes = as_bytes(record);
  decoder->append({&bytes, 1}, rows, bad);
  if (!bad.empty()) return bad.front().why.ends_with("not UTF-8") ? "no text" : "unreadable";
  const auto encoder = avro::Encoder::make(reader, decoder->columns());
  if (!encoder) return "no encoder: " + encoder.error().what;
  avro::EncodedRows out;
  const auto done = encoder->encode(*rows.finish(), out);
  return done ? hex(out.bytes) : "not encoded: " + done.error().what;
}

void print_records(std::uint64_t count, std::uint64_t seed) {
  testing::RandomAvro random(seed);
  random.keep_to_columns();
  for (std::uint64_t made = 0; made < count;) {
    const Json one = random.schema();
    const Json other = random.one_in(3) ? one : random.changed(one);
    const auto writer = avro::AvroSchema::parse(text_of(one));
    const auto reader = avro::AvroSchema::parse(text_of(other));
    if (!writer || !reader || !avro::columns_of((*reader)->root())) continue;
    if (!avro::columns_of((*writer)->root())) continue;
    ++made;
    std::string record;
    testing::append_value(random, (*writer)->root(), record);
    fmt::print("{}\t{}\t{}\t{}\n", text_of(one), text_of(other), hex(record),
               read_again(*writer, *reader, record));
  }
}

int read_lines() {
  std::size_t same = 0;
  std::size_t different = 0;
  for (std::string line; std::getline(std::cin, line);) {
    std::vector<std::string> cells(1);
    for (const char c : line) c == '\t' ? void(cells.emplace_back()) : void(cells.back() += c);
    if (cells.size() != 4) continue;
    const auto writer = avro::AvroSchema::parse(cells[0]);
    const auto reader = avro::AvroSchema::parse(cells[1]);
    const bool equal =
        writer && reader && read_again(*writer, *reader, unhex(cells[2])) == cells[3];
    ++(equal ? same : different);
    if (!equal) fmt::print("{}\n", line);
  }
  fmt::print("same {} different {}\n", same, different);
  return different == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
  const std::string what = count > 1 ? words[1] : "";
  if (what == "read") return read_lines();
  if (count < 4 || (what != "pairs" && what != "records")) return 2;
  const auto print = what == "pairs" ? print_pairs : print_records;
  print(std::strtoull(words[2], nullptr, 10), std::strtoull(words[3], nullptr, 10));
  return 0;
}
