// Guessed schemas take the documents they were guessed from.
#include "schema/avro/inference.h"

#include <gtest/gtest.h>

#include "schema/avro/decoder.h"
#include "schema/avro/json_writer.h"

namespace tailrace::schema::avro {
namespace {

TEST(Inference, a_guessed_schema_takes_every_document_it_was_guessed_from) {
  const std::vector<std::string> documents = {
      R"({"id": 1, "name": {"first": "Ann", "last": null}, "tags": [], "n": 1, "any": true})",
      R"({"id": 2, "name": {"first": "Bob"}, "tags": ["a", null], "n": 1.5, "any": "x", "e": {}})",
      R"({"id": 3, "list": [{"x": 1}, {"y": [[1], [2.5]]}], "not a name": 1, "nothing": null})",
  };
  Inference inference;
  for (const auto& document : documents) ASSERT_TRUE(inference.add(document));
  const std::string text = inference.schema(record_name("some-orders.v1"));
  const auto schema = AvroSchema::parse(text);
  ASSERT_TRUE(schema) << schema.error().what << text;
  EXPECT_EQ((*schema)->root().full_name(), "SomeOrdersV1");
  const auto decoder = Decoder::make(**schema, **schema);
  ASSERT_TRUE(decoder) << decoder.error().what;
  JsonWriter writer(*schema);
  Rows rows = Rows::make(decoder->columns()).value();
  std::vector<std::string> records;
  for (const auto& document : documents) {
    const auto written = writer.write(document, records.emplace_back());
    ASSERT_TRUE(written) << written.error().what;
  }
  std::vector<Bytes> run;
  for (const auto& record : records) run.push_back(as_bytes(record));
  std::vector<BadRecord> bad;
  decoder->append(run, rows, bad);
  EXPECT_TRUE(bad.empty());
  EXPECT_EQ(rows.finish()->num_rows(), 3);
  EXPECT_EQ(writer.left_out(), std::set<std::string>{"SomeOrdersV1.not a name"});
}

TEST(Inference, what_is_no_object_is_told) {
  Inference inference;
  EXPECT_FALSE(inference.add("[1]"));
  EXPECT_FALSE(inference.add("{"));
  EXPECT_EQ(inference.documents(), 0);
  EXPECT_EQ(record_name("2nd"), "_2nd");
  EXPECT_EQ(record_name("-"), "Record");
}

}  // namespace
}  // namespace tailrace::schema::avro
