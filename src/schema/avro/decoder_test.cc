// Avro records into columns and back. Random ones are compared with Avro for Java in
// tests/real/test_avro.py.
#include "schema/avro/decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/avro/columns.h"
#include "schema/avro/encoder.h"
#include "schema/testing/random_values.h"

namespace tailrace::schema::avro {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using AvroPtr = std::shared_ptr<const AvroSchema>;

AvroPtr parsed(std::string_view text) {
  return AvroSchema::parse(text).value();
}

AvroPtr record_of(const std::string& fields) {
  return parsed(R"({"type":"record","name":"R","fields":[)" + fields + "]}");
}

std::string number(std::int64_t value) {
  std::string bytes;
  append_long(bytes, value);
  return bytes;
}

std::string text(std::string_view value) {
  return number(static_cast<std::int64_t>(value.size())) + std::string(value);
}

struct Read {
  Batch batch;
  std::vector<BadRecord> bad;
};

Read read(const AvroSchema& writer, const AvroSchema& reader,
          const std::vector<std::string>& records) {
  const Decoder decoder = Decoder::make(writer, reader).value();
  Rows rows = Rows::make(decoder.columns()).value();
  std::vector<Bytes> run;
  for (const auto& record : records) run.push_back(as_bytes(record));
  Read made;
  decoder.append(run, rows, made.bad);
  made.batch = rows.finish();
  const auto valid = made.batch->ValidateFull();
  EXPECT_TRUE(valid.ok()) << valid.ToString();
  return made;
}

// Each row as Arrow writes a struct's value.
std::vector<std::string> texts(const Batch& batch) {
  std::vector<std::string> made;
  for (std::int64_t row = 0; row < batch->num_rows(); ++row) {
    std::string line;
    for (const auto& column : batch->columns())
      line += (line.empty() ? "" : "|") + column->GetScalar(row).ValueOrDie()->ToString();
    made.push_back(line);
  }
  return made;
}

std::string one(const std::string& writer, const std::string& reader, const std::string& record) {
  const auto made = read(*parsed(writer), *parsed(reader), {record});
  return made.bad.empty() ? texts(made.batch).front() : made.bad.front().why;
}

TEST(avro_columns, each_type_has_the_column_the_engine_knows) {
  const auto name = [](const std::string& type) {
    const auto columns = columns_of(record_of(R"({"name":"a","type":)" + type + "}")->root());
    return columns ? spark_name(*(*columns)->field(0)->type()) : columns.error().what;
  };
  EXPECT_EQ(name(R"(["null","int"])"), "INT");
  EXPECT_EQ(name(R"(["int","null","long"])"), "BIGINT");
  EXPECT_EQ(name(R"(["int","string"])"), "STRUCT<member0: INT, member1: STRING>");
  EXPECT_EQ(name(R"({"type":"array","items":{"type":"map","values":"bytes"}})"),
            "ARRAY<MAP<STRING, BINARY>>");
  EXPECT_EQ(name(R"({"type":"long","logicalType":"timestamp-millis"})"), "TIMESTAMP");
  EXPECT_EQ(name(R"({"type":"long","logicalType":"local-timestamp-nanos"})"), "TIMESTAMP_NTZ");
  EXPECT_EQ(name(R"({"type":"bytes","logicalType":"decimal","precision":10,"scale":2})"),
            "DECIMAL(10,2)");
  EXPECT_THAT(name(R"({"type":"bytes","logicalType":"decimal","precision":39})"),
              HasSubstr("a: a decimal of 39"));
  EXPECT_THAT(name(R"(["null","R"])"), HasSubstr("a: record R contains itself"));
}

TEST(avro_decoder, logical_types_become_their_columns) {
  const auto same = [](const std::string& type, const std::string& bytes) {
    return one(type, type, bytes);
  };
  EXPECT_EQ(same(R"({"type":"int","logicalType":"date"})", number(1)), "1970-01-02");
  EXPECT_EQ(same(R"({"type":"long","logicalType":"timestamp-millis"})", number(-1)),
            "1969-12-31 23:59:59.999000Z");
  EXPECT_EQ(same(R"({"type":"long","logicalType":"timestamp-nanos"})", number(-1)),
            "1969-12-31 23:59:59.999999Z");
  EXPECT_THAT(same(R"({"type":"long","logicalType":"timestamp-millis"})", number(INT64_MAX)),
              HasSubstr("out of range"));
  EXPECT_EQ(
      same(R"({"type":"bytes","logicalType":"decimal","precision":4,"scale":2})", text("\xFE\x0C")),
      "-5.00");
  EXPECT_THAT(same(R"({"type":"bytes","logicalType":"decimal","precision":2})", text("\x64")),
              HasSubstr("more digits"));
  EXPECT_EQ(
      same(R"({"type":"fixed","name":"U","size":16,"logicalType":"uuid"})", "0123456789abcdef"),
      "30313233-3435-3637-3839-616263646566");
}

TEST(avro_decoder, the_readers_schema_decides_the_columns) {
  const auto writer = record_of(
      R"({"name":"gone","type":{"type":"array","items":{"type":"record","name":"N","fields":[
          {"name":"next","type":["null","N"]},{"name":"x","type":"double"}]}}},
         {"name":"old","type":"int"},
         {"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}})");
  const auto reader = record_of(
      R"({"name":"e","type":{"type":"enum","name":"E","symbols":["C","A"],"default":"C"}},
         {"name":"new","type":["null","double"],"aliases":["old"],"default":null},
         {"name":"more","type":{"type":"array","items":"string"},"default":["x","é"]})");
  const std::string real(8, '\0');
  const std::string nested = number(1) + number(1) + number(0) + real + real + number(0);
  const auto made =
      read(*writer, *reader, {nested + number(7) + number(1), number(0) + number(-1) + number(0)});
  EXPECT_THAT(made.bad, IsEmpty());
  EXPECT_THAT(texts(made.batch),
              ElementsAre("C|7|list<element: string>[x, é]", "A|-1|list<element: string>[x, é]"));
}

TEST(avro_decoder, a_union_of_several_is_a_struct_of_which_one_is_set) {
  const std::string several = R"(["null","int","string"])";
  EXPECT_THAT(one(several, several, number(2) + text("x")),
              HasSubstr("member0:int32 = null, member1:string = x"));
  EXPECT_EQ(one("\"int\"", R"(["null","long"])", number(5)), "5");
  EXPECT_EQ(one(several, R"(["null","string"])", number(2) + text("x")), "x");
  EXPECT_THAT(one(several, R"(["null","string"])", number(1) + number(3)),
              HasSubstr("cannot be read as"));
}

TEST(avro_decoder, a_bad_record_is_told_and_leaves_its_neighbours_unharmed) {
  const auto schema = record_of(
      R"({"name":"a","type":"string"},
         {"name":"b","type":["null",{"type":"array","items":"string"}]},
         {"name":"c","type":"boolean"})");
  const std::string good = text("one") + number(1) + number(1) + text("x") + number(0) + "\1";
  const std::string short_text = text("two") + number(1) + number(1) + number(500) + "xyz";
  const std::string bad_branch = text("three") + number(2);
  const std::string bad_text = text("\xC3(") + number(0) + std::string(1, '\0');
  const std::string bad_flag =
      text("four") + number(1) + number(2) + text("p") + text("q") + number(0) + "\2";
  const std::string huge_count = text("five") + number(1) + number(1'000'000'000'000);
  const auto made = read(*schema, *schema,
                         {good, short_text, bad_branch, good, bad_text, bad_flag, huge_count,
                          good + "!", "", std::string(11, '\xFF'), good});
  EXPECT_EQ(texts(made.batch), texts(read(*schema, *schema, {good, good, good}).batch));
  std::vector<std::string> said;
  for (const auto& record : made.bad)
    said.push_back(std::to_string(record.index) + ": " + record.why);
  EXPECT_THAT(said,
              ElementsAre("1: byte 8, b.element: the record ends before the value does",
                          "2: byte 7, b: a branch that the union has not",
                          "4: byte 1, a: a string that is not UTF-8",
                          "5: byte 12, c: a boolean that is neither 0 nor 1",
                          "6: byte 12, b: a count of elements that the bytes left cannot hold",
                          "7: byte 10: bytes are left over after the record",
                          "8: byte 0, a: the record ends before the value does",
                          "9: byte 0, a: a number of more than ten bytes"));
}

TEST(avro_decoder, elements_without_bytes_cannot_fill_memory) {
  const std::string nulls = R"({"type":"array","items":"null"})";
  EXPECT_THAT(one(nulls, nulls, number(1'000'000'000'000)), HasSubstr("cannot hold"));
  EXPECT_THAT(one(nulls, nulls, number(3) + number(0)), HasSubstr("null, null, null"));
}

TEST(avro_decoder, a_reader_that_cannot_read_the_writer_is_told_the_field) {
  const auto why = [](const std::string& writer, const std::string& reader) {
    return Decoder::make(*record_of(writer), *record_of(reader)).error().what;
  };
  EXPECT_EQ(why(R"({"name":"a","type":"long"})", R"({"name":"a","type":"int"})"),
            "a: the writer's long cannot be read as int");
  EXPECT_EQ(why("", R"({"name":"a","type":"int"})"),
            "a: the writer has no such field, and it has no default");
}

TEST(avro_encoder, what_does_not_fit_is_told_with_row_and_field) {
  const auto schema =
      record_of(R"({"name":"a","type":{"type":"enum","name":"E","symbols":["A"]}})");
  const auto columns = arrow::schema({arrow::field("a", arrow::utf8())});
  const auto encoder = Encoder::make(schema, columns);
  ASSERT_TRUE(encoder.has_value());
  arrow::StringBuilder builder;
  ASSERT_TRUE(builder.AppendValues({"A", "B"}).ok());
  const auto batch = arrow::RecordBatch::Make(columns, 2, {builder.Finish().ValueOrDie()});
  EncodedRows out;
  const auto done = encoder->encode(*batch, out);
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().what, "row 1: a: \"B\" is no symbol of the enum");
  EXPECT_TRUE(out.bytes.empty() && out.ends.empty());
  const auto other = Encoder::make(schema, arrow::schema({arrow::field("z", arrow::utf8())}));
  EXPECT_EQ(other.error().what, "a: no such column, and no default");
}

TEST(avro_codec, random_records_come_back_as_the_same_bytes) {
  testing::RandomAvro random(20'261'121);
  random.keep_to_columns();
  int tried = 0;
  for (int i = 0; i < 3'000; ++i) {
    std::string json;
    append_json(json, random.schema());
    SCOPED_TRACE(json);
    const auto schema = AvroSchema::parse(json);
    if (!schema || !columns_of((*schema)->root())) continue;
    ++tried;
    std::vector<std::string> records(1 + random.below(20));
    std::string all;
    for (auto& record : records) {
      testing::append_value(random, (*schema)->root(), record);
      all += record;
    }
    const auto made = read(**schema, **schema, records);
    ASSERT_THAT(made.bad, IsEmpty());
    EncodedRows out;
    const auto encoder = Encoder::make(*schema, made.batch->schema());
    ASSERT_TRUE(encoder.has_value()) << encoder.error().what;
    ASSERT_TRUE(encoder->encode(*made.batch, out).has_value());
    ASSERT_EQ(out.bytes, all);
    ASSERT_EQ(out.ends.size(), records.size());
  }
  EXPECT_GT(tried, 2'000);
}

}  // namespace

void PrintTo(const BadRecord& record, std::ostream* out) {
  *out << record.index << ": " << record.why;
}

}  // namespace tailrace::schema::avro
