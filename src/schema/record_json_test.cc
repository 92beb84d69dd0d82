// Records as JSON: each form of each format, and what is no record. What JsonWriter takes comes
// back.
#include "schema/record_json.h"

#include <gmock/gmock.h>

#include "schema/avro/avro_schema.h"
#include "schema/avro/json_writer.h"
#include "schema/protobuf/json_writer.h"
#include "schema/protobuf/protobuf_schema.h"

namespace tailrace::schema {
namespace {

using namespace std::string_literals;
using testing::EndsWith;
using testing::HasSubstr;

/// The JSON of a record, or why there is none.
std::string shown(const SchemaPtr& schema, std::string_view record) {
  auto reader = make_record_json(schema);
  if (!reader) return "reader: " + reader.error().what;
  std::string out = "before ";
  const auto done = (*reader)->append(as_bytes(record), out);
  return done ? out.substr(7) : done.error().what;
}

std::shared_ptr<const avro::AvroSchema> avro_of(const std::string& text) {
  auto schema = avro::AvroSchema::parse(text);
  EXPECT_TRUE(schema) << schema.error().what;
  return *schema;
}

std::string written(const std::shared_ptr<const avro::AvroSchema>& schema, std::string_view json) {
  std::string bytes;
  const auto done = avro::JsonWriter(schema).write(json, bytes);
  EXPECT_TRUE(done) << done.error().what;
  return bytes;
}

TEST(RecordJson, what_the_avro_writer_takes_comes_back) {
  const auto schema = avro_of(R"({"type":"record","name":"R","fields":[
      {"name":"n","type":"null"},{"name":"b","type":"boolean"},{"name":"i","type":"int"},
      {"name":"l","type":"long"},{"name":"f","type":"float"},{"name":"d","type":"double"},
      {"name":"y","type":"bytes"},{"name":"x","type":{"type":"fixed","name":"X","size":2}},
      {"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}},
      {"name":"a","type":{"type":"array","items":"string"}},
      {"name":"m","type":{"type":"map","values":["null","R"]}},
      {"name":"day","type":{"type":"int","logicalType":"date"}},
      {"name":"t","type":{"type":"long","logicalType":"timestamp-millis"}},
      {"name":"u","type":{"type":"long","logicalType":"timestamp-micros"}},
      {"name":"z","type":{"type":"long","logicalType":"local-timestamp-nanos"}},
      {"name":"c","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}}]})");
  const std::string row =
      R"({"n":null,"b":true,"i":-3,"l":9223372036854775807,"f":1.5,"d":-0.1,"y":"\u0000é",)"
      R"("x":"ÿa","e":"B","a":["","ü\n"],"m":{"k":null},"day":"1969-12-31",)"
      R"("t":"1969-12-31T23:59:59.999Z","u":"2024-02-29T12:00:00.000001Z",)"
      R"("z":"2024-02-29T12:00:00.123456789","c":"-12.50"})";
  EXPECT_EQ(shown(schema, written(schema, row)), row);
  std::string nested = row;
  nested.replace(row.find("null}"), 4, row);
  EXPECT_EQ(shown(schema, written(schema, nested)), nested);
}

TEST(RecordJson, avro_values_that_json_has_no_form_for_are_text_or_numbers) {
  EXPECT_EQ(shown(avro_of(R"("double")"), "\0\0\0\0\0\0\xf8\x7f"s), "\"NaN\"");
  EXPECT_EQ(shown(avro_of(R"("float")"), "\0\0\x80\xff"s), "\"-Infinity\"");
  EXPECT_EQ(shown(avro_of(R"({"type":"int","logicalType":"time-millis"})"), "\xfe\x01"),
            "\"00:00:00.127\"");
  EXPECT_EQ(shown(avro_of(R"({"type":"int","logicalType":"time-millis"})"), "\x01"), "-1");
  EXPECT_EQ(shown(avro_of(R"({"type":"int","logicalType":"date"})"), "\xff\xff\xff\xff\x0f"),
            "-2147483648");
  EXPECT_EQ(shown(avro_of(R"({"type":"fixed","name":"D","size":12,"logicalType":"duration"})"),
                  "\1\0\0\0\2\0\0\0\0\1\0\0"s),
            R"({"months":1,"days":2,"millis":256})");
  EXPECT_EQ(shown(avro_of(R"({"type":"fixed","name":"U","size":16,"logicalType":"uuid"})"),
                  "\x12\x3e\x45\x67\xe8\x9b\x12\xd3\xa4\x56\x42\x66\x14\x17\x40\x00"s),
            "\"123e4567-e89b-12d3-a456-426614174000\"");
  EXPECT_EQ(shown(avro_of(R"({"type":"bytes","logicalType":"decimal","precision":4})"), "\0"s),
            "\"0\"");
  EXPECT_EQ(shown(avro_of(R"({"type":"array","items":"int"})"), "\x01\x02\x04\x02\x06\x00"s),
            "[2,3]");
}

TEST(RecordJson, what_is_no_avro_record_is_told_with_its_place) {
  const auto schema = avro_of(R"({"type":"record","name":"R","fields":[{"name":"who","type":
      {"type":"array","items":{"type":"record","name":"W","fields":[
        {"name":"name","type":"string"},{"name":"u","type":["null","int"]}]}}}]})");
  EXPECT_EQ(shown(schema, "\x02\x02\x61\x00\x00"s), R"({"who":[{"name":"a","u":null}]})");
  EXPECT_EQ(shown(schema, "\x02\x0e\x61"), "who.[0].name: the record ends too early");
  EXPECT_EQ(shown(schema, "\x02\x02\xff\x00\x00"s), "who.[0].name: text that is not UTF-8");
  EXPECT_EQ(shown(schema, "\x02\x02\x61\x04\x00"s), "who.[0].u: the union has no branch 2");
  EXPECT_EQ(shown(schema, "\x02\x01"), "who.[0].name: a length below zero");
  EXPECT_EQ(shown(schema, "\x00more"s), "4 bytes are left over");
  EXPECT_EQ(shown(avro_of(R"("int")"), "\xff\xff\xff\xff\x7f"), "-17179869184 is beyond an int");
  EXPECT_EQ(shown(avro_of(R"("long")"), std::string(11, '\xff')), "a number of more than 64 bits");
}

TEST(RecordJson, avro_records_that_would_grow_without_end_are_refused) {
  // Ten bytes that say two thousand million nulls.
  EXPECT_THAT(shown(avro_of(R"({"type":"array","items":"null"})"), "\x80\xa8\xd6\xb9\x07"),
              HasSubstr("longer than is shown"));
  const auto list = avro_of(R"({"type":"record","name":"L","fields":[
      {"name":"next","type":["null","L"]}]})");
  EXPECT_THAT(shown(list, std::string(100'000, '\x02')), EndsWith("too deep in one another"));
}

TEST(RecordJson, protobuf_messages_are_shown_by_their_index_with_the_names_of_the_file) {
  const std::string text = R"(syntax = "proto3";
    package shop;
    message Order { int64 order_number = 1; map<string, Item> items = 2; bytes raw = 3;
      message Item { string label = 1; } }
    message Receipt { double total = 1; })";
  auto parsed = protobuf::ProtobufSchema::parse(text);
  ASSERT_TRUE(parsed) << parsed.error().what;
  auto writer = protobuf::JsonWriter::make(*parsed).value();
  std::string bytes;
  ASSERT_TRUE(writer.write(
      R"({"orderNumber":"9007199254740993","items":{"a":{"label":"ü"}},"raw":"AP8="})", bytes));
  EXPECT_EQ(shown(*parsed, bytes),
            R"({"order_number":"9007199254740993","items":{"a":{"label":"ü"}},"raw":"AP8="})");
  EXPECT_EQ(shown(*parsed, "\x04\x00\x00\x0a\x01x"s), R"({"label":"x"})");
  EXPECT_EQ(shown(*parsed, "\x02\x02"), "{}");
  EXPECT_THAT(shown(*parsed, "\x02\x08"), HasSubstr("no message"));
  EXPECT_THAT(shown(*parsed, "\x00\x08"s), HasSubstr("it is no shop.Order"));
  EXPECT_THAT(shown(*parsed, "\x04\x00\x00\x0a\x01\xff"s), HasSubstr("it is no shop.Order.Item"));
  EXPECT_EQ(shown(*parsed, ""), "the message index is cut off");
  const auto old = protobuf::ProtobufSchema::parse(
      "syntax = \"proto2\"; message M { required int32 n = 1; optional string s = 2; }");
  ASSERT_TRUE(old) << old.error().what;
  EXPECT_EQ(shown(*old, "\x00\x08\x05"s), R"({"n":5})");
  EXPECT_EQ(shown(*old, "\0"s), "required fields are missing: n");
  EXPECT_EQ(shown(*old, "\x00\x08\x05\x12\x01\xff"s), "text that is not UTF-8");
}

TEST(RecordJson, documents_keep_every_digit_and_lose_their_spaces) {
  const auto schema = parse_schema(Format::kJsonSchema, R"({"type":"object"})").value();
  EXPECT_EQ(shown(schema, "{ \"n\": 1.0,\n \"big\": 12345678901234567890, \"s\": \" \" }"),
            R"({"n":1.0,"big":12345678901234567890,"s":" "})");
  EXPECT_THAT(shown(schema, "{\"n\""), HasSubstr("it is no JSON"));
  EXPECT_THAT(shown(schema, ""), HasSubstr("it is no JSON"));
}

}  // namespace
}  // namespace tailrace::schema
