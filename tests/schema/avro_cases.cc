// What we say of random pairs of Avro schemas, a line a pair: `avro_cases pairs COUNT SEED`.
//
//   reader TAB writer TAB reader's canonical text TAB parsing form TAB fingerprint TAB differences
//
// A schema we refuse has "refused" for its canonical text. Differences are `type location detail`
// with "; " between them. Two of three writers are a change of their reader, the others random.
#include <fmt/format.h>

#include <cstdlib>
#include <string>

#include "schema/avro/avro_schema.h"
#include "schema/testing/random_avro.h"

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
               !written         ? "refused"
               : read ? differences(**read, **written)
                      : "");
  }
}

}  // namespace

int main(int count, char** words) {
  if (count < 4 || std::string(words[1]) != "pairs") return 2;
  print_pairs(std::strtoull(words[2], nullptr, 10), std::strtoull(words[3], nullptr, 10));
  return 0;
}
