// Random texts and bytes: no schema's text makes the reader or libprotobuf crash or hang, what is
// shown is read again as the same, and no record's bytes make the decoder crash, hang, read beyond
// them, or leave columns uneven. TAILRACE_FUZZ_ROUNDS makes it longer.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "base/base64.h"
#include "schema/protobuf/decoder.h"
#include "schema/protobuf/reader.h"
#include "schema/testing/random_protobuf.h"
#include "schema/testing/thread_time.h"

namespace tailrace::schema::protobuf {
namespace {

std::size_t rounds(std::size_t usual) {
  const char* text = std::getenv("TAILRACE_FUZZ_ROUNDS");
  return text ? static_cast<std::size_t>(std::atoll(text)) : usual;
}

// A byte changed, taken away or put in, or a part written twice or cut off.
std::string damaged(schema::testing::RandomProtobuf& random, std::string bytes) {
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
        bytes.insert(at, 1, ";{}[]<>()=\".\xFF\0"[random.below(15)]);
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

TEST(protobuf_fuzz, random_schemas_are_schemas_or_an_error) {
  schema::testing::RandomProtobuf random(1);
  std::size_t taken = 0;
  std::shared_ptr<const ProtobufSchema> last;
  for (std::size_t i = 0; i < rounds(1'500); ++i) {
    const auto references = random.references(random.one_in(2));
    std::string text = random.written(random.changed(random.file()));
    if (i % 2 == 0) text = damaged(random, text);
    SCOPED_TRACE("round " + std::to_string(i) + ": " + text);
    const auto schema =
        ProtobufSchema::parse(text, references, i % 3 == 0 ? Age::kKnown : Age::kNew);
    if (!schema) {
      ASSERT_EQ(schema.error().code, Code::kInvalidArgument) << schema.error().what;
      continue;
    }
    ++taken;
    const std::string shown = (*schema)->canonical();
    const auto again = ProtobufSchema::parse(shown, references, Age::kKnown);
    ASSERT_TRUE(again.has_value()) << again.error().what << "\n" << shown;
    ASSERT_EQ((*again)->canonical(), shown);
    const std::string normal = (*schema)->normalized();
    const auto normal_again = ProtobufSchema::parse(normal, references, Age::kKnown);
    ASSERT_TRUE(normal_again.has_value()) << normal_again.error().what << "\n" << normal;
    ASSERT_EQ((*normal_again)->normalized(), normal);
    ASSERT_TRUE((*schema)->incompatibilities(**schema).empty());
    if (last) (void)(*schema)->incompatibilities(*last);
    last = *schema;
  }
  EXPECT_GT(taken, rounds(1'500) / 4);
}

TEST(protobuf_fuzz, damaged_descriptors_are_schemas_or_an_error) {
  schema::testing::RandomProtobuf random(2);
  std::size_t taken = 0;
  for (std::size_t i = 0; i < rounds(300); ++i) {
    const auto references = random.references(false);
    const auto schema = ProtobufSchema::parse(random.written(random.file()), references);
    if (!schema) continue;
    const auto bytes = (*schema)->serialized();
    if (!bytes) continue;
    for (int k = 0; k < 10; ++k) {
      const std::string broken = encode_base64(damaged(random, decode_base64(*bytes).value_or("")));
      const auto again = ProtobufSchema::parse(broken, references, Age::kKnown);
      if (!again) continue;
      ++taken;
      const auto text_again = ProtobufSchema::parse((*again)->canonical(), references, Age::kKnown);
      ASSERT_TRUE(text_again.has_value()) << (*again)->canonical();
      ASSERT_EQ((*text_again)->canonical(), (*again)->canonical());
    }
  }
  EXPECT_GT(taken, 100U);
}

TEST(protobuf_fuzz, damaged_records_are_records_or_told_and_leave_the_columns_whole) {
  schema::testing::RandomProtobuf random(3);
  random.keep_to_columns();
  std::size_t read = 0;
  std::size_t refused = 0;
  for (std::size_t i = 0; i < rounds(300); ++i) {
    const auto schema =
        ProtobufSchema::parse(random.written(random.file()), random.references(false));
    if (!schema) continue;
    const auto decoder = Decoder::make(**schema);
    if (!decoder) continue;
    std::vector<std::string> records(100);
    for (auto& record : records) {
      // Fields of small numbers and any wire type, with short lengths.
      for (std::size_t parts = random.below(12); parts > 0; --parts) {
        const std::size_t wire = random.one_in(10) ? random.below(8) : random.one_in(2) ? 2 : 0;
        record += static_cast<char>((1 + random.below(14)) << 3 | wire);
        const std::size_t size = random.below(20);
        if (wire == 2) record += static_cast<char>(size);
        if (wire == 0) record += static_cast<char>(random.below(256));
        if (wire == 2)
          for (std::size_t k = 0; k < size; ++k)
            record += static_cast<char>(random.below(random.one_in(5) ? 256 : 128));
      }
      record.shrink_to_fit();
    }
    std::vector<Bytes> run;
    for (const auto& record : records) run.push_back(as_bytes(record));
    auto rows = Rows::make(decoder->columns()).value();
    std::vector<BadRecord> bad;
    decoder->append(run, rows, bad);
    const auto batch = rows.finish();
    ASSERT_EQ(static_cast<std::size_t>(batch->num_rows()) + bad.size(), records.size());
    const auto valid = batch->ValidateFull();
    ASSERT_TRUE(valid.ok()) << valid.ToString();
    read += static_cast<std::size_t>(batch->num_rows());
    refused += bad.size();
  }
  EXPECT_GT(read, 1'000U);
  EXPECT_GT(refused, 1'000U);
}

std::string repeated(std::string_view part, std::size_t times) {
  std::string made;
  for (std::size_t i = 0; i < times; ++i) made += part;
  return made;
}

std::string messages(std::size_t count, const auto& body) {
  std::string made = "syntax = \"proto3\";";
  for (std::size_t i = 0; i < count; ++i)
    made += " message M" + std::to_string(i) + " {" + body(i) + "}";
  return made;
}

// Takes a second at most, where no sanitizer makes it slow, and is refused unless `may_be_taken`.
void in_time(const std::string& text, bool may_be_taken = false) {
  const double start = thread_seconds();
  const auto made = ProtobufSchema::parse(text);
  if (made) {
    (void)(*made)->canonical();
    (void)(*made)->normalized();
    (void)(*made)->incompatibilities(**made);
    (void)Decoder::make(**made);
  }
  const double took = thread_seconds() - start;
  if (std::getenv("TAILRACE_FUZZ_TIMES")) std::cerr << took << " s: " << text.substr(0, 60) << "\n";
  EXPECT_LT(took, kExploded);
  EXPECT_TRUE(may_be_taken || !made) << text.substr(0, 80);
}

TEST(protobuf_fuzz, huge_and_deep_texts_are_refused_soon) {
  in_time(repeated("message A {", 100'000));
  in_time("message A {" + repeated("oneof a {", 100'000));
  in_time("option (a) = " + repeated("{a:", 100'000));
  in_time("option (a) = " + repeated("[", 100'000));
  in_time("option (a)" + repeated(".b", 100'000) + " = 1;");
  in_time(std::string(6 * 1024 * 1024, ' '));
  in_time(std::string(5 * 1024 * 1024, '\0'));
  in_time("syntax = \"proto3\"; message A { " + repeated("a", 4'000'000) + " b = 1; }");
  in_time(messages(10'001, [](std::size_t) { return ""; }));
  in_time(messages(9'000, [](std::size_t i) { return " M" + std::to_string(i + 1) + " f = 1;"; }));
  in_time(
      messages(9'000,
               [](std::size_t i) { return " M" + std::to_string((i + 1) % 9'000) + " f = 1;"; }),
      true);
  std::string fields = "syntax = \"proto3\"; message A {";
  for (int i = 1; i < 150'000; ++i)
    fields +=
        " int32 f" + std::to_string(i) + " = " + std::to_string(i < 19'000 ? i : i + 1'000) + ";";
  in_time(fields + "}");
  const std::string custom =
      "syntax = \"proto2\"; import \"google/protobuf/descriptor.proto\";"
      "extend google.protobuf.MessageOptions { optional R r = 50001; }"
      "message R { repeated int32 n = 1; } message M { option (r) = { n: [1" +
      repeated(", 2", 300'000) + "] }; option (r).n = 3; }";
  in_time(custom, true);
  std::string extends = "syntax = \"proto2\"; message A { extensions 1 to max; }";
  for (int i = 1; i < 60'000; ++i)
    extends += "extend A { optional int32 e" + std::to_string(i) + " = " +
               std::to_string(i < 19'000 ? i : i + 1'000) + "; }";
  in_time(extends);
  in_time(messages(200,
                   [](std::size_t i) {
                     const std::string next =
                         " M" + std::to_string(std::min<std::size_t>(i + 1, 199));
                     return i == 199 ? "" : next + " f = 1;" + next + " g = 2;";
                   }),
          true);
}

}  // namespace
}  // namespace tailrace::schema::protobuf
