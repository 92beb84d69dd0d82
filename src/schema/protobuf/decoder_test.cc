// Protobuf records into columns: by hand, and random ones that libprotobuf wrote, value by value.
#include "schema/protobuf/decoder.h"

#include <gmock/gmock.h>
#include <google/protobuf/dynamic_message.h>

#include <cmath>
#include <map>

#include "schema/protobuf/encoder.h"
#include "schema/protobuf/printer.h"
#include "schema/testing/random_protobuf.h"

namespace tailrace::schema::protobuf {
namespace {

namespace pb = google::protobuf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::shared_ptr<const ProtobufSchema> parsed(const std::string& text,
                                             std::vector<Reference> references = {}) {
  auto made = ProtobufSchema::parse(text, references);
  EXPECT_TRUE(made.has_value()) << made.error().what << "\n" << text;
  return made.value();
}

struct Read {
  Batch batch;
  std::vector<BadRecord> bad;
};

Read read(const Decoder& decoder, const std::vector<std::string>& records) {
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

// A value of a column, as text.
std::string shown(const arrow::Array& array, std::int64_t row);

std::string shown_struct(const arrow::StructArray& array, std::int64_t row) {
  std::string made = "{";
  for (int i = 0; i < array.num_fields(); ++i)
    made += array.type()->field(i)->name() + ":" + shown(*array.field(i), row) + " ";
  return made + "}";
}

std::string shown_map(const std::map<std::string, std::string>& entries) {
  std::string made = "<";
  for (const auto& [key, value] : entries) made += key + "=" + value + " ";
  return made + ">";
}

std::string shown(const arrow::Array& array, std::int64_t row) {
  if (array.IsNull(row)) return "null";
  switch (array.type_id()) {
    case arrow::Type::STRUCT:
      return shown_struct(static_cast<const arrow::StructArray&>(array), row);
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapArray&>(array);
      std::map<std::string, std::string> entries;
      for (auto i = map.value_offset(row); i < map.value_offset(row + 1); ++i)
        entries[shown(*map.keys(), i)] = shown(*map.items(), i);
      return shown_map(entries);
    }
    case arrow::Type::LIST: {
      const auto& list = static_cast<const arrow::ListArray&>(array);
      std::string made = "[";
      for (auto i = list.value_offset(row); i < list.value_offset(row + 1); ++i)
        made += shown(*list.values(), i) + " ";
      return made + "]";
    }
    case arrow::Type::BINARY:
      return std::string(static_cast<const arrow::BinaryArray&>(array).GetView(row));
    case arrow::Type::FLOAT:
      return std::to_string(static_cast<const arrow::FloatArray&>(array).Value(row));
    case arrow::Type::DOUBLE:
      return std::to_string(static_cast<const arrow::DoubleArray&>(array).Value(row));
    case arrow::Type::TIMESTAMP:
      return std::to_string(static_cast<const arrow::TimestampArray&>(array).Value(row));
    default:
      return array.GetScalar(row).ValueOrDie()->ToString();
  }
}

std::vector<std::string> texts(const Batch& batch) {
  std::vector<std::string> made;
  const auto rows = batch->ToStructArray().ValueOrDie();
  for (std::int64_t i = 0; i < batch->num_rows(); ++i) made.push_back(shown_struct(*rows, i));
  return made;
}

// The same of a message, by the rules of plan.h.
class Expected {
 public:
  static std::string of(const pb::Message& message) {
    std::string made = "{";
    const auto* type = message.GetDescriptor();
    for (int i = 0; i < type->field_count(); ++i) {
      const auto& field = *type->field(i);
      if (field.message_type() && field.message_type()->field_count() == 0) continue;
      made += field.name() + ":" + value(message, field) + " ";
    }
    return made + "}";
  }

 private:
  static std::string value(const pb::Message& message, const pb::FieldDescriptor& field) {
    const auto& reflection = *message.GetReflection();
    if (field.is_map()) {
      std::map<std::string, std::string> entries;
      for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
        const auto& entry = reflection.GetRepeatedMessage(message, &field, i);
        entries[one(entry, *entry.GetDescriptor()->map_key(), -1)] =
            one(entry, *entry.GetDescriptor()->map_value(), -1);
      }
      return shown_map(entries);
    }
    if (field.is_repeated()) {
      std::string made = "[";
      for (int i = 0; i < reflection.FieldSize(message, &field); ++i)
        made += one(message, field, i) + " ";
      return made + "]";
    }
    if (!reflection.HasField(message, &field) && !field.has_default_value()) return "null";
    return one(message, field, -1);
  }

  static std::string one(const pb::Message& message, const pb::FieldDescriptor& field, int at) {
    const auto& r = *message.GetReflection();
    using Cpp = pb::FieldDescriptor::CppType;
    switch (field.cpp_type()) {
      case Cpp::CPPTYPE_INT32:
        return std::to_string(at < 0 ? r.GetInt32(message, &field)
                                     : r.GetRepeatedInt32(message, &field, at));
      case Cpp::CPPTYPE_INT64:
        return std::to_string(at < 0 ? r.GetInt64(message, &field)
                                     : r.GetRepeatedInt64(message, &field, at));
      case Cpp::CPPTYPE_UINT32:
        return std::to_string(static_cast<std::int32_t>(
            at < 0 ? r.GetUInt32(message, &field) : r.GetRepeatedUInt32(message, &field, at)));
      case Cpp::CPPTYPE_UINT64:
        return std::to_string(static_cast<std::int64_t>(
            at < 0 ? r.GetUInt64(message, &field) : r.GetRepeatedUInt64(message, &field, at)));
      case Cpp::CPPTYPE_FLOAT:
        return std::to_string(at < 0 ? r.GetFloat(message, &field)
                                     : r.GetRepeatedFloat(message, &field, at));
      case Cpp::CPPTYPE_DOUBLE:
        return std::to_string(at < 0 ? r.GetDouble(message, &field)
                                     : r.GetRepeatedDouble(message, &field, at));
      case Cpp::CPPTYPE_BOOL:
        return (at < 0 ? r.GetBool(message, &field) : r.GetRepeatedBool(message, &field, at))
                   ? "true"
                   : "false";
      case Cpp::CPPTYPE_ENUM:
        return (at < 0 ? r.GetEnum(message, &field) : r.GetRepeatedEnum(message, &field, at))
            ->name();
      case Cpp::CPPTYPE_STRING:
        return at < 0 ? r.GetString(message, &field) : r.GetRepeatedString(message, &field, at);
      case Cpp::CPPTYPE_MESSAGE:
        return nested(at < 0 ? r.GetMessage(message, &field)
                             : r.GetRepeatedMessage(message, &field, at));
    }
    return "";
  }

  static std::string nested(const pb::Message& message) {
    const auto* type = message.GetDescriptor();
    if (!is_timestamp(*type)) return of(message);
    const auto& r = *message.GetReflection();
    return std::to_string(r.GetInt64(message, type->field(0)) * 1'000'000 +
                          r.GetInt32(message, type->field(1)) / 1000);
  }
};

// Random values.
class Filling {
 public:
  explicit Filling(schema::testing::RandomProtobuf& random) : random_(random) {}

  void fill(pb::Message& message, int depth) {
    const auto* type = message.GetDescriptor();
    for (int i = 0; i < type->field_count(); ++i) {
      const auto& field = *type->field(i);
      const bool skip = !field.is_required() && (depth > 4 || random_.one_in(3));
      if (skip) continue;
      const std::size_t count = field.is_repeated() ? random_.below(4) : 1;
      for (std::size_t k = 0; k < count; ++k) set(message, field, depth);
    }
  }

 private:
  std::string text() {
    static const std::vector<std::string> kTexts = {"", "a", "Grüße", "日本語のテキスト、長めの",
                                                    "a text of more than sixteen bytes, in ASCII"};
    return kTexts[random_.below(kTexts.size())];
  }
  std::uint64_t number() {
    const std::uint64_t raw = random_.random()();
    return random_.one_in(4) ? 0 : raw >> random_.below(64);
  }

  void set(pb::Message& message, const pb::FieldDescriptor& field, int depth) {
    const auto& r = *message.GetReflection();
    const bool many = field.is_repeated();
    using Cpp = pb::FieldDescriptor::CppType;
    const auto put = [&](auto single, auto repeated, auto value) {
      many ? (r.*repeated)(&message, &field, value) : (r.*single)(&message, &field, value);
    };
    using R = pb::Reflection;
    switch (field.cpp_type()) {
      case Cpp::CPPTYPE_INT32:
        return put(&R::SetInt32, &R::AddInt32, static_cast<std::int32_t>(number()));
      case Cpp::CPPTYPE_INT64:
        return put(&R::SetInt64, &R::AddInt64, static_cast<std::int64_t>(number()));
      case Cpp::CPPTYPE_UINT32:
        return put(&R::SetUInt32, &R::AddUInt32, static_cast<std::uint32_t>(number()));
      case Cpp::CPPTYPE_UINT64:
        return put(&R::SetUInt64, &R::AddUInt64, number());
      case Cpp::CPPTYPE_FLOAT:
        return put(&R::SetFloat, &R::AddFloat, static_cast<float>(number()) / 7);
      case Cpp::CPPTYPE_DOUBLE:
        return put(&R::SetDouble, &R::AddDouble, static_cast<double>(number()) / 7);
      case Cpp::CPPTYPE_BOOL:
        return put(&R::SetBool, &R::AddBool, random_.one_in(2));
      case Cpp::CPPTYPE_ENUM: {
        const auto* value = field.enum_type()->value(static_cast<int>(
            random_.below(static_cast<std::size_t>(field.enum_type()->value_count()))));
        return many ? r.AddEnum(&message, &field, value) : r.SetEnum(&message, &field, value);
      }
      case Cpp::CPPTYPE_STRING:
        return many ? r.AddString(&message, &field, text()) : r.SetString(&message, &field, text());
      case Cpp::CPPTYPE_MESSAGE: {
        auto* inner = many ? r.AddMessage(&message, &field) : r.MutableMessage(&message, &field);
        if (!is_timestamp(*inner->GetDescriptor())) return fill(*inner, depth + 1);
        inner->GetReflection()->SetInt64(inner, inner->GetDescriptor()->field(0),
                                         static_cast<std::int64_t>(number() >> 30));
        inner->GetReflection()->SetInt32(inner, inner->GetDescriptor()->field(1),
                                         static_cast<std::int32_t>(number() % 1'000'000'000));
      }
    }
  }

  schema::testing::RandomProtobuf& random_;
};

TEST(protobuf_decoder, what_libprotobuf_writes_is_read_value_by_value) {
  schema::testing::RandomProtobuf random(7);
  random.keep_to_columns();
  std::size_t compared = 0;
  std::size_t written_again = 0;
  for (int round = 0; round < 400; ++round) {
    const auto references = random.references(false);
    const auto schema = parsed(printed(random.file()), references);
    const auto* type = schema->message("").value();
    const auto decoder = Decoder::make(*schema);
    ASSERT_TRUE(decoder.has_value()) << decoder.error().what << schema->canonical();
    pb::DynamicMessageFactory factory;
    std::vector<std::string> records;
    std::vector<std::string> expected;
    for (int i = 0; i < 20; ++i) {
      std::string bytes;
      // Messages one behind the other are one message, merged.
      for (std::size_t parts = random.one_in(3) ? 2 : 1; parts > 0; --parts) {
        const std::unique_ptr<pb::Message> made(factory.GetPrototype(type)->New());
        Filling(random).fill(*made, 0);
        bytes += made->SerializePartialAsString();
      }
      const std::unique_ptr<pb::Message> whole(factory.GetPrototype(type)->New());
      ASSERT_TRUE(whole->ParsePartialFromString(bytes));
      records.push_back(std::move(bytes));
      expected.push_back(Expected::of(*whole));
    }
    SCOPED_TRACE("round " + std::to_string(round) + "\n" + schema->canonical());
    const Read made = read(*decoder, records);
    ASSERT_THAT(made.bad, IsEmpty()) << made.bad.front().why;
    ASSERT_EQ(texts(made.batch), expected);
    compared += expected.size();
    // The default of a member of a oneof stands beside the member that is there.
    if (schema->canonical().find("default = ") != std::string::npos) continue;
    // What is written of the columns libprotobuf reads as the same.
    const auto encoder = Encoder::make(*schema, made.batch->schema());
    ASSERT_TRUE(encoder.has_value()) << encoder.error().what;
    EncodedRows out;
    const auto written = encoder->encode(*made.batch, out);
    ASSERT_TRUE(written.has_value()) << written.error().what;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const std::unique_ptr<pb::Message> whole(factory.GetPrototype(type)->New());
      ASSERT_TRUE(whole->ParseFromString(out.bytes.substr(begin, out.ends[i] - begin)));
      ASSERT_EQ(Expected::of(*whole), expected[i]);
      begin = out.ends[i];
    }
    written_again += expected.size();
  }
  EXPECT_EQ(compared, 8'000U);
  EXPECT_GT(written_again, 5'000U);
}

TEST(protobuf_decoder, columns_are_those_of_spark) {
  const auto decoder = Decoder::make(*parsed(R"(syntax = "proto3";
import "google/protobuf/timestamp.proto"; import "google/protobuf/duration.proto";
import "google/protobuf/wrappers.proto"; import "google/protobuf/empty.proto";
message A { uint32 a = 1; uint64 b = 2; bytes c = 3; repeated sint32 d = 4; map<string, B> e = 5;
  google.protobuf.Timestamp f = 6; google.protobuf.Duration g = 7; google.protobuf.Int32Value h = 8;
  E i = 9; float j = 10; google.protobuf.Empty k = 11; oneof o { bool l = 12; double m = 13; } }
message B { fixed64 x = 1; } enum E { NONE = 0; })"));
  ASSERT_TRUE(decoder.has_value()) << decoder.error().what;
  std::string types;
  for (const auto& field : decoder->columns()->fields())
    types += field->name() + " " + spark_name(*field->type()) + ", ";
  EXPECT_EQ(types,
            "a INT, b BIGINT, c BINARY, d ARRAY<INT>, e MAP<STRING, STRUCT<x: BIGINT>>, "
            "f TIMESTAMP, g INTERVAL DAY TO SECOND, h STRUCT<value: INT>, i STRING, j FLOAT, "
            "l BOOLEAN, m DOUBLE, ");
}

TEST(protobuf_decoder, recursion_is_refused_with_the_fields_name) {
  const auto decoder = Decoder::make(
      *parsed("syntax = \"proto3\"; message A { B b = 1; } message B { repeated A as = 1; }"));
  ASSERT_FALSE(decoder.has_value());
  EXPECT_EQ(decoder.error().code, Code::kUnimplemented);
  EXPECT_THAT(decoder.error().what, HasSubstr("b.as: message A contains itself"));
}

TEST(protobuf_decoder, fields_come_in_any_order_packed_or_not_and_unknown_ones_are_skipped) {
  const auto decoder = Decoder::make(*parsed("syntax = \"proto3\"; message A { repeated int32 n = "
                                             "1; string s = 2; oneof o { int32 x = 3;"
                                             " string y = 4; } }"))
                           .value();
  const Read made =
      read(decoder, {std::string("\x12\x01z\x0A\x02\x05\x06\x08\x07\x1A\x00"
                                 "\x4B\x50\x01\x4C\x9D\x06\x01\x02\x03\x04\x18\x09\x22\x01y",
                                 26),
                     std::string("\x22\x01y\x18\x00", 5), ""});
  EXPECT_THAT(made.bad, IsEmpty()) << made.bad.front().why;
  EXPECT_THAT(texts(made.batch),
              ElementsAre("{n:[5 6 7 ] s:z x:null y:y }", "{n:[] s:null x:0 y:null }",
                          "{n:[] s:null x:null y:null }"));
}

TEST(protobuf_decoder, proto2_has_defaults_required_fields_groups_and_closed_enums) {
  const auto decoder =
      Decoder::make(
          *parsed("message A { required int32 r = 1; optional string s = 2 [default = \"none\"];"
                  " optional sint32 z = 3 [default = -5]; optional group G = 4 { optional string t "
                  "= 1; }"
                  " optional E e = 5 [default = TWO]; repeated E es = 6; } enum E { ONE = 1; TWO = "
                  "2; }"))
          .value();
  const Read made = read(decoder, {"\x08\x01\x23\x0A\x01\xC3\x24", "\x12\x01x",
                                   "\x08\x01\x28\x09\x30\x01\x30\x09\x23\x0A\x01t\x24"});
  ASSERT_EQ(made.bad.size(), 2U);
  EXPECT_EQ(made.bad[0].why, "byte 5, g.t: a string that is not UTF-8");
  EXPECT_EQ(made.bad[1].why, "byte 0, r: a required field is missing");
  EXPECT_THAT(texts(made.batch), ElementsAre("{r:1 s:none z:-5 e:TWO es:[ONE ] g:{t:t } }"));
}

TEST(protobuf_decoder, entries_of_a_map_have_what_is_not_written) {
  const auto decoder =
      Decoder::make(
          *parsed(
              "syntax = \"proto3\"; message A { map<int32, string> m = 1; map<string, B> b = 2; }"
              " message B { int32 x = 1; }"))
          .value();
  const Read made = read(decoder, {std::string("\x0A\x00\x12\x00", 4)});
  EXPECT_THAT(texts(made.batch), ElementsAre("{m:<0= > b:<={x:null } > }"));
}

TEST(protobuf_decoder, broken_records_are_told_with_their_place) {
  const auto decoder =
      Decoder::make(*parsed("syntax = \"proto3\"; import \"google/protobuf/timestamp.proto\";"
                            "message A { string s = 1; B b = 2; google.protobuf.Timestamp t = 3; }"
                            "message B { string s = 1; }"))
          .value();
  const Read made =
      read(decoder, {"\x0A\x05xy", "\x12\x03\x0A\x05x", "\x12\x03\x0A\x01\xFF", "\x07", "\x0B",
                     std::string("\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"),
                     "\x1A\x0A\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F"});
  std::vector<std::string> why;
  for (const auto& one : made.bad) why.push_back(one.why);
  EXPECT_THAT(
      why,
      ElementsAre("byte 2: the record ends before the value does",
                  "byte 4, b: the record ends before the value does",
                  "byte 4, b.s: a string that is not UTF-8", "byte 0: a tag that no field has",
                  "byte 1: a group that does not end", "byte 1: a number of more than ten bytes",
                  "byte 0, t: a time out of range"));
  EXPECT_EQ(made.batch->num_rows(), 0);
}

TEST(protobuf_decoder, empty_messages_of_many_fields_have_a_budget) {
  std::string text = "syntax = \"proto3\"; message A { repeated B b = 1; } message B {";
  for (int i = 1; i <= 5'000; ++i) {
    const std::string n = std::to_string(i);
    text += " int32 f" + n + " = " + n + ";";
  }
  const auto decoder = Decoder::make(*parsed(text + "}")).value();
  std::string record;
  for (int i = 0; i < 100'000; ++i) record += std::string("\x0A\x00", 2);
  const Read made = read(decoder, {record, record.substr(0, 20)});
  ASSERT_EQ(made.bad.size(), 1U);
  EXPECT_THAT(made.bad[0].why, HasSubstr("b: more fields in empty messages"));
  EXPECT_EQ(made.batch->num_rows(), 1);
}

TEST(protobuf_encoder, what_does_not_fit_is_told_with_row_and_field) {
  const auto schema = parsed(
      "message A { required int32 r = 1; oneof o { string x = 2; string y = 3; }"
      " optional E e = 4; } enum E { ONE = 1; }");
  const auto decoder = Decoder::make(*schema).value();
  const auto encoder = Encoder::make(*schema, decoder.columns()).value();
  const auto why = [&](auto fill) {
    Rows rows = Rows::make(decoder.columns()).value();
    ColumnBuilder* const* all = rows.all();
    fill(*all[0], *all[1], *all[2], *all[3]);
    rows.keep_row();
    EncodedRows out;
    const auto done = encoder.encode(*rows.finish(), out);
    EXPECT_TRUE(out.bytes.empty());
    return done ? "taken" : done.error().what;
  };
  std::vector<std::string> names;
  for (const auto& field : decoder.columns()->fields()) names.push_back(field->name());
  ASSERT_THAT(names, ElementsAre("r", "e", "x", "y"));
  EXPECT_EQ(why([](auto& r, auto& e, auto& x, auto& y) {
              r.append_null();
              e.append_null();
              x.append_null();
              y.append_null();
            }),
            "row 0: r: null, and the field is required");
  EXPECT_EQ(why([](auto& r, auto& e, auto& x, auto& y) {
              r.append(std::int32_t{1});
              e.append_null();
              x.append_bytes("a");
              y.append_bytes("b");
            }),
            "row 0: y: another member of the oneof is there as well");
  EXPECT_EQ(why([](auto& r, auto& e, auto& x, auto& y) {
              r.append(std::int32_t{1});
              e.append_bytes("TWO");
              x.append_null();
              y.append_null();
            }),
            "row 0: e: \"TWO\" is no name of the enum");
  EXPECT_EQ(Encoder::make(*schema, arrow::schema({arrow::field("r", arrow::utf8())})).error().what,
            "r: a column of STRING does not go into Protobuf's int32");
  EXPECT_EQ(Encoder::make(*schema, arrow::schema({arrow::field("e", arrow::utf8())})).error().what,
            "r: no such column, and it is required");
  EXPECT_EQ(Encoder::make(*schema, arrow::schema({arrow::field("r", arrow::int32()),
                                                  arrow::field("q", arrow::utf8())}))
                .error()
                .what,
            "q: the message has no such field");
}

TEST(message_index, is_read_as_it_is_written) {
  for (const MessageIndex& index : {MessageIndex{0}, {1}, {0, 0}, {3, 70, 1}}) {
    std::string bytes;
    append_message_index(index, bytes);
    bytes += "rest";
    Bytes left = as_bytes(bytes);
    EXPECT_EQ(take_message_index(left).value(), index);
    EXPECT_EQ(left.size(), 4U);
  }
  const std::string long_one = "\x02\x01";
  Bytes left = as_bytes(long_one);
  EXPECT_EQ(take_message_index(left).error().code, Code::kDataLoss);
  const auto schema = parsed("package p; message A { message B {} message C { message D {} } }");
  EXPECT_EQ(schema->message_at({0, 1, 0}).value(), "p.A.C.D");
  EXPECT_EQ(schema->index_of("p.A.C.D").value(), (MessageIndex{0, 1, 0}));
  EXPECT_EQ(schema->message_at({0, 2}).error().code, Code::kNotFound);
}

}  // namespace
}  // namespace tailrace::schema::protobuf
