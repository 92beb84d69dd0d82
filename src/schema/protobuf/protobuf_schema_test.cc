// What Protobuf schemas are taken, how they are shown, and which may follow which.
#include "schema/protobuf/protobuf_schema.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.pb.h>

#include "base/base64.h"

namespace tailrace::schema::protobuf {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::shared_ptr<const ProtobufSchema> parsed(std::string_view text,
                                             std::vector<Reference> references = {}) {
  auto made = ProtobufSchema::parse(text, references);
  EXPECT_TRUE(made.has_value()) << made.error().what;
  return made.value();
}

std::string refusal(std::string_view text, std::vector<Reference> references = {}) {
  const auto made = ProtobufSchema::parse(text, references);
  return made ? "taken" : made.error().what;
}

std::vector<std::string> reasons(std::string_view reader, std::string_view writer) {
  std::vector<std::string> made;
  for (const auto& one : parsed(reader)->incompatibilities(*parsed(writer)))
    made.push_back(one.type + " " + one.location);
  return made;
}

constexpr const char* kShop = R"(
syntax = 'proto3'; package shop;
// A note.
import "google/protobuf/timestamp.proto";
option java_package = "com.shop";
enum Kind { NONE = 0; BIG = 0x10; reserved 5, 7 to 9; reserved "OLD"; }
message Order {
  oneof pay { string card = 4; Money cash = 5; }
  map < string , Line > lines = 3;
  message Line { int32 count = 2 [deprecated=true, json_name="n"]; Kind kind = 1; }
  string id = 1; google.protobuf.Timestamp at = 2; optional int64 total = 9;
  reserved 100 to max;
}
message Money { sint64 cents = 1; }
service Shop { rpc Buy(stream Order) returns (Money) { option deprecated = true; }; }
)";

TEST(protobuf_schema, is_shown_in_one_form) {
  EXPECT_EQ(parsed(kShop)->canonical(), R"(syntax = "proto3";
package shop;

import "google/protobuf/timestamp.proto";

option java_package = "com.shop";

message Order {
  reserved 100 to max;

  map<string, Line> lines = 3;
  string id = 1;
  google.protobuf.Timestamp at = 2;
  optional int64 total = 9;

  oneof pay {
    string card = 4;
    Money cash = 5;
  }

  message Line {
    int32 count = 2 [
      deprecated = true,
      json_name = "n"
    ];
    Kind kind = 1;
  }
}
message Money {
  sint64 cents = 1;
}
enum Kind {
  reserved 5, 7 to 9;
  reserved "OLD";
  NONE = 0;
  BIG = 16;
}

service Shop {
  rpc Buy (stream Order) returns (Money) {
    option deprecated = true;
  };
}
)");
}

TEST(protobuf_schema, normal_form_has_fields_in_order_and_names_in_full) {
  const std::string normal = parsed(kShop)->normalized();
  EXPECT_THAT(normal, HasSubstr("  string id = 1;\n"
                                "  .google.protobuf.Timestamp at = 2;\n"
                                "  map<string, .shop.Order.Line> lines = 3;\n"));
  EXPECT_THAT(normal, HasSubstr("rpc Buy (stream .shop.Order) returns (.shop.Money)"));
  EXPECT_EQ(parsed(normal)->normalized(), normal);
}

TEST(protobuf_schema, numbers_of_options_have_one_normal_spelling) {
  const std::string options = R"(syntax = "proto2"; import "google/protobuf/descriptor.proto";
extend google.protobuf.MessageOptions { optional R r = 50001; }
message R { optional double d = 1; repeated int32 n = 2; }
message M { option (r) = { n: 0x10 d: 1.50 n: 010 }; option (r).n = 3; })";
  EXPECT_THAT(parsed(options)->normalized(), HasSubstr("option (r) = {\n    d: 1.5,\n    n: [\n"
                                                       "      16,\n      8,\n      3\n    ]\n"));
}

TEST(protobuf_schema, errors_tell_line_and_column) {
  EXPECT_THAT(refusal("syntax = \"proto3\";\nmessage A {\n  int32 = 1;\n}"), HasSubstr("3:9: "));
  EXPECT_THAT(refusal("syntax = \"proto3\";\nmessage A {\n  B b = 1;\n}"),
              HasSubstr("3:3: \"B\" is not defined"));
  EXPECT_THAT(refusal("syntax = \"proto3\";\nmessage A {\n  int32 a = 1; int32 b = 1;\n}"),
              HasSubstr("3:26: "));
  EXPECT_THAT(refusal("edition = \"2023\";"), HasSubstr("editions are not known"));
  EXPECT_THAT(refusal("no schema"), HasSubstr("1:1: "));
  EXPECT_THAT(refusal(""), "taken");
}

TEST(protobuf_schema, well_known_files_need_no_reference_and_no_import) {
  EXPECT_EQ(refusal("syntax = \"proto3\"; import \"google/type/money.proto\";"
                    "import \"confluent/meta.proto\"; import \"confluent/type/decimal.proto\";"
                    "message A { google.type.Money m = 1 [(confluent.field_meta).doc = \"x\"];"
                    " confluent.type.Decimal d = 2; google.protobuf.Duration t = 3; }"),
            "taken");
}

TEST(protobuf_schema, imports_are_references_by_their_path) {
  const Reference other{"b/other.proto", "syntax = \"proto3\"; package b; message B {}"};
  const char* text = "syntax = \"proto3\"; import \"b/other.proto\"; message A { b.B b = 1; }";
  EXPECT_EQ(refusal(text, {other}), "taken");
  EXPECT_THAT(refusal(text), HasSubstr("\"b.B\" is not defined"));
  // What only options need may be missing.
  EXPECT_EQ(refusal("syntax = \"proto3\"; import \"x/rules.proto\";"
                    "message A { string a = 1 [(x.rule).min = 3]; }"),
            "taken");
  const Reference one{"1.proto", "syntax = \"proto3\"; import \"2.proto\";"};
  const Reference two{"2.proto", "syntax = \"proto3\"; import \"1.proto\";"};
  EXPECT_THAT(refusal("syntax = \"proto3\"; import \"1.proto\";", {one, two}),
              HasSubstr("imports itself"));
}

TEST(protobuf_schema, custom_options_that_cannot_be_read_are_no_fault) {
  const auto schema = parsed(
      "syntax = \"proto3\"; import \"confluent/meta.proto\"; option (confluent.file_meta).tags = "
      "[\"a\"];"
      "message A { string a = 1 [(confluent.field_meta) = { unknown: 10f }]; }");
  EXPECT_THAT(schema->canonical(), HasSubstr("(confluent.file_meta).tags = [\"a\"];"));
  EXPECT_THAT(schema->canonical(), HasSubstr("unknown: 10f\n"));
  EXPECT_THAT(schema->normalized(), HasSubstr("unknown: 10\n"));
  EXPECT_EQ(schema->message("").value()->field_count(), 1);
}

TEST(protobuf_schema, may_come_as_a_descriptor_and_be_given_as_one) {
  const auto schema = parsed(kShop);
  const std::string bytes = schema->serialized().value();
  google::protobuf::FileDescriptorProto descriptor;
  ASSERT_TRUE(descriptor.ParseFromString(decode_base64(bytes).value()));
  EXPECT_EQ(descriptor.message_type(0).field(0).type_name(), ".shop.Order.LinesEntry");
  const auto again = parsed(bytes);
  EXPECT_THAT(again->canonical(), HasSubstr("repeated .shop.Order.LinesEntry lines = 3"));
  EXPECT_THAT(again->canonical(), HasSubstr("option map_entry = true;"));
  EXPECT_EQ(again->normalized(), parsed(again->canonical())->normalized());
  EXPECT_THAT(again->incompatibilities(*schema), IsEmpty());
  EXPECT_THAT(schema->incompatibilities(*again), IsEmpty());
}

TEST(protobuf_schema, without_extensions_only_confluents_options_stay) {
  EXPECT_EQ(
      parsed("syntax = \"proto2\"; import \"confluent/meta.proto\";"
             "message A { optional int32 a = 1 [(x.y) = 1, (confluent.field_meta).doc = \"d\"];"
             " extensions 5 to 9; } extend A { optional int32 e = 5; }")
          ->without_extensions(),
      "syntax = \"proto2\";\n\nimport \"confluent/meta.proto\";\n\nmessage A {\n"
      "  optional int32 a = 1 [(confluent.field_meta).doc = \"d\"];\n}\n");
}

TEST(protobuf_schema, fields_are_compared_by_number) {
  const std::string head = "syntax = \"proto3\"; message A { ";
  const std::string writer = head + "int32 a = 1; string b = 2; oneof o { string c = 3; } }";
  EXPECT_THAT(reasons(head + "int64 z = 1; bytes b = 2; oneof o { string c = 3; } }", writer),
              IsEmpty());
  EXPECT_THAT(reasons(head + "}", head + "int32 a = 1; }"), IsEmpty());
  EXPECT_THAT(reasons(head + "string a = 1; string b = 2; string c = 3; }", writer),
              ElementsAre("FIELD_SCALAR_KIND_CHANGED #/A/1"));
  EXPECT_THAT(reasons(head + "oneof o { int32 a = 1; string b = 2; string c = 3; } }", writer),
              ElementsAre("MULTIPLE_FIELDS_MOVED_TO_ONEOF #/A/o"));
  EXPECT_THAT(reasons("syntax = \"proto3\"; package p; message B {}", writer),
              ElementsAre("PACKAGE_CHANGED #/", "MESSAGE_REMOVED #/A"));
  EXPECT_THAT(reasons("message A { required int32 a = 1; }", "message A { }"),
              ElementsAre("REQUIRED_FIELD_ADDED #/A/1"));
}

}  // namespace
}  // namespace tailrace::schema::protobuf
