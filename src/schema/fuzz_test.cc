// Random texts and bytes: no schema's text makes the parser crash or hang, and no record's bytes
// make the decoder crash, hang, read beyond them, or leave columns uneven. TAILRACE_FUZZ_ROUNDS
// makes it longer; a failure prints the round and what was given.
#include <gtest/gtest.h>

#include <cstdlib>

#include "schema/avro/columns.h"
#include "schema/avro/decoder.h"
#include "schema/avro/encoder.h"
#include "schema/compatibility.h"
#include "schema/json_schema/columns.h"
#include "schema/json_schema/validator.h"
#include "schema/testing/random_json_schema.h"
#include "schema/testing/random_values.h"

namespace tailrace::schema {
namespace {

std::size_t rounds(std::size_t usual) {
  const char* text = std::getenv("TAILRACE_FUZZ_ROUNDS");
  return text ? static_cast<std::size_t>(std::atoll(text)) : usual;
}

std::string text_of(const Json& json) {
  std::string text;
  append_json(text, json);
  return text;
}

// A byte changed, taken away or put in, or a part written twice or cut off.
template <typename Random>
std::string damaged(Random& random, std::string bytes) {
  for (std::size_t i = 1 + random.below(4); i > 0; --i) {
    const std::size_t at = random.below(bytes.size() + 1);
    switch (random.below(5)) {
      case 0:
        if (at < bytes.size()) bytes[at] = static_cast<char>(random.below(256));
        break;
      case 1:
        bytes.erase(at, random.below(4));
        break;
      case 2:
        bytes.insert(at, 1, static_cast<char>(random.one_in(2) ? 0xFF : random.below(256)));
        break;
      case 3:
        bytes.insert(at, bytes.substr(random.below(at + 1), random.below(40)));
        break;
      default:
        if (random.one_in(4)) bytes.resize(at);
    }
  }
  return bytes;
}

TEST(fuzz, random_schemas_are_schemas_or_an_error) {
  testing::RandomAvro random(1);
  std::size_t taken = 0;
  avro::AvroSchema::parse("\"int\"").value();
  std::shared_ptr<const avro::AvroSchema> last;
  for (std::size_t i = 0; i < rounds(20'000); ++i) {
    std::string text = text_of(random.changed(random.schema()));
    if (i % 2 == 0) text = damaged(random, text);
    SCOPED_TRACE("round " + std::to_string(i) + ": " + text);
    const auto schema = avro::AvroSchema::parse(text, {}, i % 3 == 0 ? Age::kKnown : Age::kNew);
    if (!schema) {
      ASSERT_EQ(schema.error().code, Code::kInvalidArgument) << schema.error().what;
      continue;
    }
    ++taken;
    // What is shown is read again as the same.
    const auto again = avro::AvroSchema::parse((*schema)->canonical(), {}, Age::kKnown);
    ASSERT_TRUE(again.has_value()) << again.error().what << "\n" << (*schema)->canonical();
    ASSERT_EQ((*again)->canonical(), (*schema)->canonical());
    ASSERT_EQ((*again)->parsing_form(), (*schema)->parsing_form());
    const std::string normal = (*schema)->normalized();
    const auto normal_again = avro::AvroSchema::parse(normal, {}, Age::kKnown);
    ASSERT_TRUE(normal_again.has_value()) << normal_again.error().what << "\n" << normal;
    ASSERT_EQ((*normal_again)->normalized(), normal);
    if (last) (void)(*schema)->incompatibilities(*last);
    last = *schema;
  }
  EXPECT_GT(taken, rounds(20'000) / 4);
}

TEST(fuzz, damaged_records_are_records_or_told_and_leave_the_columns_whole) {
  testing::RandomAvro random(2);
  random.keep_to_columns();
  std::size_t read = 0;
  std::size_t refused = 0;
  for (std::size_t i = 0; i < rounds(4'000); ++i) {
    const Json one = random.schema();
    const auto writer = avro::AvroSchema::parse(text_of(one));
    const auto reader =
        avro::AvroSchema::parse(text_of(random.one_in(2) ? one : random.changed(one)));
    if (!writer || !reader) continue;
    SCOPED_TRACE("round " + std::to_string(i) + ": " + (*writer)->canonical() + " " +
                 (*reader)->canonical());
    const auto decoder = avro::Decoder::make(**writer, **reader);
    if (!decoder) continue;
    std::vector<std::string> records(20);
    for (auto& record : records) {
      testing::append_value(random, (*writer)->root(), record);
      if (!random.one_in(4)) record = damaged(random, record);
      record.shrink_to_fit();
    }
    std::vector<Bytes> run;
    for (const auto& record : records) run.push_back(as_bytes(record));
    auto rows = avro::Rows::make(decoder->columns()).value();
    std::vector<BadRecord> bad;
    decoder->append(run, rows, bad);
    const auto batch = rows.finish();
    ASSERT_EQ(static_cast<std::size_t>(batch->num_rows()) + bad.size(), records.size());
    const auto valid = batch->ValidateFull();
    ASSERT_TRUE(valid.ok()) << valid.ToString();
    const auto encoder = avro::Encoder::make(*reader, batch->schema());
    avro::EncodedRows out;
    if (encoder) (void)encoder->encode(*batch, out);
    read += static_cast<std::size_t>(batch->num_rows());
    refused += bad.size();
  }
  EXPECT_GT(read, rounds(4'000));
  EXPECT_GT(refused, rounds(4'000));
}

TEST(fuzz, random_json_schemas_are_schemas_or_an_error_and_so_are_documents) {
  testing::RandomJsonSchema random(3);
  std::size_t taken = 0;
  std::size_t conforming = 0;
  std::shared_ptr<const json_schema::JsonSchema> last;
  simdjson::dom::parser parser;
  for (std::size_t i = 0; i < rounds(6'000); ++i) {
    const Json made = random.schema();
    std::string text = text_of(i % 3 == 0 ? random.changed(made) : made);
    if (i % 4 == 0) text = damaged(random, text);
    SCOPED_TRACE("round " + std::to_string(i) + ": " + text);
    const auto schema = json_schema::JsonSchema::parse(text);
    if (!schema) {
      ASSERT_EQ(schema.error().code, Code::kInvalidArgument) << schema.error().what;
      continue;
    }
    ++taken;
    // What is shown is read again as the same.
    const auto again = json_schema::JsonSchema::parse((*schema)->canonical()).value();
    ASSERT_EQ(again->canonical(), (*schema)->canonical());
    ASSERT_EQ(again->normalized(), (*schema)->normalized());
    ASSERT_TRUE(again->incompatibilities(**schema).empty());
    if (last) (void)(*schema)->incompatibilities(*last);
    (void)json_schema::columns_of(**schema);
    const auto validator = json_schema::Validator::compile(*schema);
    if (!validator) continue;
    std::string document = text_of(random.document(made));
    if (random.one_in(8)) document = damaged(random, document);
    const auto parsed = parser.parse(simdjson::padded_string(document));
    if (!parsed.error() && !validator->check(parsed.value_unsafe())) ++conforming;
    last = *schema;
  }
  EXPECT_GT(taken, rounds(6'000) / 2);
  EXPECT_GT(conforming, rounds(6'000) / 10);
}

}  // namespace
}  // namespace tailrace::schema
