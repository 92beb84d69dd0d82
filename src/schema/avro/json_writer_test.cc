// JSON documents as Avro records, read back by the decoder.
#include "schema/avro/json_writer.h"

#include <gtest/gtest.h>

#include "schema/avro/decoder.h"

namespace tailrace::schema::avro {
namespace {

std::shared_ptr<const AvroSchema> schema_of(const std::string& text) {
  auto schema = AvroSchema::parse(text);
  EXPECT_TRUE(schema) << schema.error().what;
  return *schema;
}

std::shared_ptr<const AvroSchema> record(const std::string& fields) {
  return schema_of(R"({"type":"record","name":"R","fields":[)" + fields + "]}");
}

/// The row a document becomes, or why not.
std::string row(const std::shared_ptr<const AvroSchema>& schema, const std::string& json) {
  JsonWriter writer(schema);
  std::string bytes = "before";
  if (auto written = writer.write(json, bytes); !written) {
    EXPECT_EQ(bytes, "before");
    return written.error().what;
  }
  const auto decoder = Decoder::make(*schema, *schema).value();
  Rows rows = Rows::make(decoder.columns()).value();
  const Bytes one[] = {as_bytes(std::string_view(bytes).substr(6))};
  std::vector<BadRecord> bad;
  decoder.append(one, rows, bad);
  if (!bad.empty()) return "decoder: " + bad.front().why;
  std::string text;
  const Batch batch = rows.finish();
  for (int i = 0; i < batch->num_columns(); ++i)
    text += (i ? " " : "") + batch->column(i)->GetScalar(0).ValueOrDie()->ToString();
  return text;
}

TEST(JsonWriter, members_go_to_the_fields_of_their_names) {
  const auto schema = record(
      R"({"name":"a","type":"int"},{"name":"b","type":"string"},
         {"name":"c","type":["null","double"]},
         {"name":"d","type":"boolean","default":true},{"name":"e","type":["null","long"]})");
  EXPECT_EQ(row(schema, R"({"b":"x","a":7,"c":1.5,"other":1})"), "7 x 1.5 true null");
  EXPECT_EQ(row(schema, R"({"b":"","a":-1,"c":null,"d":false,"e":3})"), "-1  null false 3");
  EXPECT_EQ(row(schema, R"({"a":1})"), "b: the field is missing, and has no default");
  EXPECT_EQ(row(schema, R"({"a":3000000000,"b":""})"), "a: 3000000000 is beyond an int");
  EXPECT_EQ(row(schema, R"({"a":"1","b":""})"), "a: text where a whole number is expected");
  EXPECT_EQ(row(schema, R"([1])"), "an array where an object is expected");
  JsonWriter writer(schema);
  std::string out;
  ASSERT_TRUE(writer.write(R"({"a":1,"b":"","extra":{"x":1}})", out));
  EXPECT_EQ(writer.left_out(), std::set<std::string>{"R.extra"});
}

TEST(JsonWriter, what_lies_within_is_named_by_its_path) {
  const auto schema = record(
      R"({"name":"who","type":{"type":"record","name":"W","fields":[
            {"name":"tags","type":{"type":"array","items":"string"}},
            {"name":"n","type":{"type":"map","values":"long"},"default":{}}]}})");
  const std::string all = row(schema, R"({"who":{"tags":["a","b"],"n":{"k":1}}})");
  EXPECT_NE(all.find("[a, b]"), std::string::npos) << all;
  EXPECT_NE(all.find("{key:string = k, value:int64 = 1}"), std::string::npos) << all;
  EXPECT_EQ(row(schema, R"({"who":{"tags":["a",5]}})"),
            "who.tags.[1]: a whole number where text is expected");
}

TEST(JsonWriter, logical_types_take_text) {
  const auto schema = record(
      R"({"name":"d","type":{"type":"int","logicalType":"date"}},
         {"name":"t","type":{"type":"long","logicalType":"timestamp-millis"}},
         {"name":"m","type":{"type":"bytes","logicalType":"decimal","precision":6,"scale":2}},
         {"name":"f","type":{"type":"fixed","name":"F","size":4,"logicalType":"decimal",
                             "precision":6,"scale":2}})");
  EXPECT_EQ(row(schema, R"({"d":"2024-01-31","t":"2024-01-31T12:00:00.25Z","m":"-12.5","f":0.01})"),
            "2024-01-31 2024-01-31 12:00:00.250000Z -12.50 0.01");
  EXPECT_EQ(row(schema, R"({"d":0,"t":1,"m":"128","f":-9999.99})"),
            "1970-01-01 1970-01-01 00:00:00.001000Z 128.00 -9999.99");
  EXPECT_EQ(row(schema, R"({"d":0,"t":1,"m":"12345","f":0})"),
            "m: 12345 is no decimal of 6 digits, 2 behind the point");
  EXPECT_EQ(row(schema, R"({"d":"soon","t":1,"m":0,"f":0})"),
            "d: text that is no date (2024-01-31)");
}

TEST(JsonWriter, a_union_takes_the_first_branch_that_fits) {
  const auto schema = record(
      R"({"name":"u","type":["null","int","double",
           {"type":"enum","name":"E","symbols":["A","B"]},"string"]})");
  EXPECT_NE(row(schema, R"({"u":5})").find("= 5"), std::string::npos);
  EXPECT_NE(row(schema, R"({"u":5.5})").find("= 5.5"), std::string::npos);
  EXPECT_NE(row(schema, R"({"u":"B"})").find("= B"), std::string::npos)
      << row(schema, R"({"u":"B"})");
  EXPECT_EQ(row(schema, R"({"u":[1]})"), "u: an array where a branch of the union is expected");
}

}  // namespace
}  // namespace tailrace::schema::avro
