// Documents of a topic with a JSON Schema into rows: as they are read, they are what the schema's
// validator and a parser of whole documents make of them.
#include "pipeline/json_rows.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "engine/functions/json_columns.h"
#include "pipeline/json_demands.h"
#include "schema/json_schema/columns.h"
#include "schema/json_schema/validator.h"
#include "schema/testing/random_json_schema.h"

namespace tailrace::pipeline {
namespace {

using schema::json_schema::JsonSchema;
using schema::json_schema::Validator;

struct Rows {
  Rows(const std::string& reader, const std::string& writer)
      : rows(make_rows(parsed(reader)).value()), number(rows->add_writer(parsed(writer)).value()) {}
  explicit Rows(const std::string& schema) : Rows(schema, schema) {}

  static schema::SchemaPtr parsed(const std::string& text) {
    return schema::parse_schema(schema::Format::kJsonSchema, text).value();
  }
  /// Why not; empty when it was.
  std::string append(const std::string& text) {
    std::vector<schema::BadRecord> bad;
    const Bytes record = as_bytes(text);
    rows->append(number, {&record, 1}, bad);
    return bad.empty() ? "" : bad[0].why;
  }
  std::string finish() {
    const Batch batch = rows->finish();
    EXPECT_TRUE(batch->ValidateFull().ok()) << batch->ValidateFull().ToString();
    return batch->ToStructArray().ValueOrDie()->ToString();
  }
  std::unique_ptr<schema::RecordRows> rows;
  std::size_t number;
};

constexpr const char* kOrder = R"({"type":"object","required":["id"],"additionalProperties":false,
  "properties":{"id":{"type":"integer","minimum":1},"name":{"type":"string","maxLength":5},
  "tags":{"type":"array","items":{"enum":["a","b"]}},
  "at":{"type":"object","required":["x"],"properties":{"x":{"type":["number","null"]}}},
  "note":{"oneOf":[{"type":"null"},{"type":"string","pattern":"^n"}]}}})";

TEST(JsonRows, none_are_left_when_the_rows_were_given) {
  Rows rows(kOrder);
  for (int step = 0; step < 3; ++step) {
    for (int i = 1; i < 4; ++i)
      EXPECT_EQ(rows.append(fmt::format(
                    R"({{"id":{},"name":"n{}","tags":["a","b"],"at":{{"x":{}.5}}}})", i, i, i)),
                "");
    EXPECT_EQ(rows.append(R"({"name":"none"})"), "lacks 'id' (/required)");
    rows.rows->append_null();
    EXPECT_EQ(rows.rows->size(), 4);
    const Batch batch = rows.rows->finish();
    EXPECT_TRUE(batch->ValidateFull().ok()) << batch->ValidateFull().ToString();
    EXPECT_EQ(batch->num_rows(), 4);
    EXPECT_EQ(batch->column(0)->null_count(), 1);
    EXPECT_EQ(rows.rows->size(), 0);
  }
}

TEST(JsonRows, what_breaks_a_rule_is_told_and_leaves_no_trace) {
  Rows rows(kOrder);
  for (const char* bad : {R"({"id":0})",
                          R"({"id":1.5})",
                          R"({"id":"1"})",
                          R"({"id":1,"name":"longer"})",
                          R"({"id":1,"tags":["a","c"]})",
                          R"({"id":1,"at":{}})",
                          R"({"id":1,"at":{"x":"1"}})",
                          R"({"id":1,"note":"x"})",
                          R"({"id":1,"other":1})",
                          R"({"id":1,"name":null})",
                          R"([1])",
                          R"({"id":1}})",
                          R"({"id":1,})",
                          R"({"id":01})",
                          R"({"id":1,"name":"\q"})",
                          "",
                          "{",
                          "null",
                          "{\"id\":1,\"name\":\"\xFF\"}",
                          "{\"id\":1,\"name\":\"a\nb\"}",
                          R"({"id":1 "name":"a"})"})
    EXPECT_NE(rows.append(bad), "") << bad;
  EXPECT_EQ(rows.rows->size(), 0);
  for (const char* good :
       {R"({"id":1})", R"( { "id" : 2 , "name" : "Zoë\n" } )", R"({"id":3,"note":null})",
        R"({"at":{"x":1e2,"y":[{}]},"id":4,"note":"n\u00e9"})", R"({"id":1,"id":5,"tags":[]})"})
    EXPECT_EQ(rows.append(good), "") << good;
  Rows again(kOrder);
  for (const char* good : {R"({"id":1})", R"({"id":2,"name":"Zoë\u000a"})", R"({"id":3})",
                           R"({"id":4,"at":{"x":100},"note":"né"})", R"({"id":5,"tags":[]})"})
    EXPECT_EQ(again.append(good), "") << good;
  EXPECT_EQ(rows.finish(), again.finish());
}

TEST(JsonRows, a_number_without_a_fraction_is_whole_however_it_is_written) {
  Rows rows(R"({"type":"object","properties":{"n":{"type":"integer"},
      "list":{"type":"array","items":{"type":"integer"}},"small":{"type":"integer"}}})");
  for (const char* text :
       {R"({"n":2.0,"list":[1,2.0,3e2],"small":-0.0})", R"({"n":-4e0,"list":[9007199254740992.0]})",
        R"({"n":9223372036854775807})"})
    EXPECT_EQ(rows.append(text), "") << text;
  EXPECT_NE(rows.append(R"({"n":2.5})"), "");
  Rows plain(R"({"type":"object","properties":{"n":{"type":"integer"},
      "list":{"type":"array","items":{"type":"integer"}},"small":{"type":"integer"}}})");
  for (const char* text : {R"({"n":2,"list":[1,2,300],"small":0})",
                           R"({"n":-4,"list":[9007199254740992]})", R"({"n":9223372036854775807})"})
    EXPECT_EQ(plain.append(text), "") << text;
  EXPECT_EQ(rows.finish(), plain.finish());
}

TEST(JsonRows, whole_numbers_are_the_same_with_a_point_behind_them) {
  schema::testing::RandomJsonSchema random(7);
  const std::string schema = R"({"properties":{"n":{"type":"integer"}}})";
  Rows with_point(schema), without(schema);
  for (int i = 0; i < 20'000; ++i) {
    const std::int64_t number =
        static_cast<std::int64_t>(random.below(std::size_t{1} << random.below(54))) - 1000;
    const char* const point[] = {".0", ".000", "e0", "E+00"};
    EXPECT_EQ(with_point.append(fmt::format(R"({{"n":{}{}}})", number, point[i % 4])), "");
    EXPECT_EQ(without.append(fmt::format(R"({{"n":{}}})", number)), "");
    // What is shown of an array are ten values.
    if (i % 8 != 7) continue;
    ASSERT_EQ(with_point.finish(), without.finish());
  }
}

/// The same, document by document: parsed as a whole, validated, then read.
std::string by_the_whole(const Validator& validator, engine::JsonColumn& column,
                         const std::string& text) {
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  if (parser.parse(text).get(document)) return "no document";
  if (validator.check(document)) return "not valid";
  return column.append(document) ? "" : "no row";
}

TEST(JsonRows, random_documents_are_read_as_the_validator_and_the_parser_have_them) {
  int demanded = 0, taken = 0, refused = 0;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    schema::testing::RandomJsonSchema random(seed);
    const schema::Json made = random.schema();
    std::string text;
    schema::append_json(text, made);
    const auto schema = JsonSchema::parse(text);
    if (!schema) continue;
    const auto type = schema::json_schema::type_of(**schema);
    if (!type) continue;
    auto column = engine::JsonColumn::make(*type, 0, engine::JsonColumn::Wholes::kByValue);
    const auto validator = Validator::compile(*schema);
    if (!column || !validator) continue;
    demanded += JsonDemands::of(validator->rules()).has_value();
    Rows rows(text);
    for (int i = 0; i < 20; ++i) {
      std::string document;
      schema::append_json(document, random.document(made));
      if (random.one_in(5) && !document.empty()) {  // damaged
        const std::size_t at = random.below(document.size());
        document[at] = "{}[]\",:0-.e\\ x\x01\xC3"[random.below(17)];
      }
      const std::string expected = by_the_whole(*validator, **column, document);
      EXPECT_EQ(rows.append(document).empty(), expected.empty()) << text << "\n"
                                                                 << document << "\n"
                                                                 << expected;
      expected.empty() ? ++taken : ++refused;
    }
    const Array whole = (*column)->finish().value();
    const Batch batch = rows.rows->finish();
    ASSERT_TRUE(batch->ValidateFull().ok()) << text << batch->ValidateFull().ToString();
    const Array read = (*type)->id() == arrow::Type::STRUCT ? batch->ToStructArray().ValueOrDie()
                                                            : batch->column(0);
    EXPECT_EQ(read->ToString(), whole->ToString()) << text;
  }
  EXPECT_GT(demanded, 300);
  EXPECT_GT(taken, 10'000);
  EXPECT_GT(refused, 5'000);
}

}  // namespace
}  // namespace tailrace::pipeline
