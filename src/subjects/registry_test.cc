// The registry's rules, told as conversations: what Confluent's registry answers to the same
// requests.
#include "subjects/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tailrace::subjects {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Keeps the records, so that a second registry can be made of them, or write among them.
struct Kept : Store {
  Status append(std::span<const RecordText> records) override {
    if (full) return error(Code::kResourceExhausted, "no space");
    all.insert(all.end(), between.begin(), between.end());
    between.clear();
    all.insert(all.end(), records.begin(), records.end());
    return {};
  }
  bool has_new() const override { return given < all.size(); }
  Status read_new(const Use& use) override {
    for (; given < all.size(); ++given) {
      if (given == damaged_at) return error(Code::kDataLoss, "_schemas-0@1: FILE is corrupt");
      auto change = decode(all[given].key, all[given].value, 1001 + static_cast<int>(given));
      EXPECT_TRUE(change) << all[given].key;
      if (change) use(std::move(*change));
    }
    return {};
  }
  std::vector<RecordText> all;
  std::vector<RecordText> between;  ///< another's, which come before the next append's
  std::size_t given = 0;
  bool full = false;
  std::size_t damaged_at = SIZE_MAX;
};

struct RegistryTest : testing::Test {
  Kept kept;
  Registry registry{kept};

  static Candidate avro(std::string text) { return {.text = std::move(text)}; }
  static std::string user(const std::string& fields) {
    return R"({"type":"record","name":"User","fields":[)" + fields + "]}";
  }
  // The id, or the code of the refusal below zero.
  int put(const std::string& subject, const std::string& text) { return put(subject, avro(text)); }
  int put(const std::string& subject, const Candidate& candidate) {
    const auto answer = registry.register_schema(subject, candidate, false, false);
    return answer ? (*answer)->id : -answer.error().code;
  }
  // Another registry of the same records.
  std::unique_ptr<Registry> restarted(Kept& other) {
    other.all = kept.all;
    return std::make_unique<Registry>(other);
  }
};

const std::string kName = R"({"name":"name","type":"string"})";
const std::string kAge = R"({"name":"age","type":"int"})";
const std::string kAgeWithDefault = R"({"name":"age","type":"int","default":0})";

TEST_F(RegistryTest, the_same_schema_has_one_id_under_every_subject_and_versions_count_up) {
  EXPECT_EQ(put("a", user(kName)), 1);
  EXPECT_EQ(put("a", user(kName)), 1);
  EXPECT_EQ(put("b", "  " + user(kName)), 1);
  EXPECT_EQ(put("a", user(kName + "," + kAgeWithDefault)), 2);
  EXPECT_THAT(registry.versions("a", Show::kLive).value(), ElementsAre(1, 2));
  EXPECT_THAT(registry.versions("b", Show::kLive).value(), ElementsAre(1));
  EXPECT_EQ(registry.versions("c", Show::kLive).error().code, 40401);
  EXPECT_EQ(registry.version("a", -1, false).value()->version, 2);
  EXPECT_EQ(registry.version("a", 3, false).error().message, "Version 3 not found.");
}

TEST_F(RegistryTest, a_primitive_comes_back_in_quotes) {
  EXPECT_EQ(put("a", R"({"type": "string"})"), 1);
  EXPECT_EQ(registry.by_id(1, "").value()->text, "\"string\"");
}

TEST_F(RegistryTest, what_earlier_readers_cannot_read_is_refused_with_every_reason) {
  put("a", user(kName));
  const auto answer = registry.register_schema("a", avro(user(kName + "," + kAge)), false, false);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, 409);
  EXPECT_EQ(answer.error().status(), 409);
  EXPECT_THAT(
      answer.error().message,
      HasSubstr("Schema being registered is incompatible with an earlier schema for subject "
                "\"a\", details: [{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE'"));
  EXPECT_THAT(answer.error().message,
              HasSubstr("{validateFields: 'false', compatibility: 'BACKWARD'}]"));
  EXPECT_EQ(put("a", "{"), -42201);
  EXPECT_EQ(put("a", Candidate{.schema_type = "XML", .text = "<a/>"}), -42201);
  ASSERT_TRUE(registry.set_config("a", {.compatibility = schema::Level::kNone}, {}));
  EXPECT_EQ(put("a", user(kName + "," + kAge)), 2);
}

TEST_F(RegistryTest, transitive_levels_look_at_every_version_and_others_at_the_latest) {
  ASSERT_TRUE(registry.set_config(std::nullopt, {.compatibility = schema::Level::kBackward}, {}));
  const std::string optional = R"({"name":"b","type":"string","default":""})";
  const std::string required = R"({"name":"b","type":"string"})";
  EXPECT_EQ(put("a", user(kName)), 1);
  EXPECT_EQ(put("a", user(kName + "," + optional)), 2);
  EXPECT_EQ(put("a", user(kName + "," + required)), 3);
  ASSERT_TRUE(registry.set_config("a", {.compatibility = schema::Level::kBackwardTransitive}, {}));
  EXPECT_EQ(put("a", user(required)), -409);
  const auto tried = registry.incompatibilities("a", avro(user(required)), std::nullopt, false);
  EXPECT_THAT(tried.value(), Not(IsEmpty()));
  EXPECT_THAT(registry.incompatibilities("a", avro(user(required)), -1, false).value(), IsEmpty());
  EXPECT_EQ(registry.incompatibilities("a", avro(user(required)), 9, false).error().code, 40402);
  EXPECT_THAT(registry.incompatibilities("none", avro(user(required)), -1, false).value(),
              IsEmpty());
}

TEST_F(RegistryTest, deletion_is_soft_first_then_for_good) {
  put("a", user(kName));
  put("a", user(kName + "," + kAgeWithDefault));
  EXPECT_EQ(registry.delete_version("a", 1, true).error().code, 40407);
  EXPECT_EQ(registry.delete_version("a", 1, false).value(), 1);
  EXPECT_EQ(registry.delete_version("a", 1, false).error().code, 40406);
  EXPECT_EQ(registry.version("a", 1, false).error().code, 40402);
  EXPECT_EQ(registry.version("a", 1, true).value()->id, 1);
  EXPECT_EQ(registry.by_id(1, "").value()->id, 1) << "an id is found as long as data may need it";
  EXPECT_EQ(registry.delete_subject("a", true).error().code, 40405);
  EXPECT_THAT(registry.delete_subject("a", false).value(), ElementsAre(2));
  EXPECT_EQ(registry.delete_subject("a", false).error().code, 40404);
  EXPECT_EQ(registry.delete_subject("b", false).error().code, 40401);
  EXPECT_THAT(registry.subjects(kEveryContext, Show::kLive), IsEmpty());
  EXPECT_THAT(registry.subjects(kEveryContext, Show::kDeletedOnly), ElementsAre("a"));
  EXPECT_THAT(registry.delete_subject("a", true).value(), ElementsAre(1, 2));
  EXPECT_THAT(registry.subjects(kEveryContext, Show::kAll), IsEmpty());
  EXPECT_EQ(put("a", user(kAge)), 3) << "ids are not used twice";
}

TEST_F(RegistryTest, a_soft_deleted_version_is_no_latest_and_a_new_registration_takes_its_id) {
  put("a", user(kName));
  put("a", user(kName + "," + kAgeWithDefault));
  ASSERT_TRUE(registry.delete_version("a", 2, false));
  EXPECT_EQ(registry.version("a", -1, false).value()->version, 1);
  EXPECT_EQ(put("a", user(kName + "," + kAgeWithDefault)), 2);
  EXPECT_THAT(registry.versions("a", Show::kAll).value(), ElementsAre(1, 3));
}

TEST_F(RegistryTest, references_are_resolved_kept_and_hinder_deletion) {
  put("user", user(kName));
  Candidate order =
      avro(R"({"type":"record","name":"Order","fields":[{"name":"by","type":"User"}]})");
  EXPECT_EQ(put("order", order), -42201) << "User is not known";
  order.references = {{"User", "user", -1}};
  EXPECT_EQ(put("order", order), 2);
  EXPECT_THAT(registry.referenced_by("user", 1, false).value(), ElementsAre(2));
  EXPECT_EQ(registry.delete_version("user", 1, false).error().code, 42206);
  EXPECT_EQ(registry.delete_subject("user", false).error().code, 42206);
  Candidate inlined = avro(R"({"type":"record","name":"Order","fields":[{"name":"by","type":)" +
                           user(kName) + "}]}");
  EXPECT_EQ(registry.lookup("order", inlined, false, false).value()->id, 2);
  order.references = {{"User", "nobody", 1}};
  EXPECT_EQ(put("order", order), -42201);
  ASSERT_TRUE(registry.delete_subject("order", false));
  EXPECT_TRUE(registry.delete_subject("user", false));
  EXPECT_EQ(registry.delete_subject("user", true).error().code, 42206)
      << "a soft-deleted schema may be wanted again";
}

TEST_F(RegistryTest, references_in_a_circle_end) {
  const auto put_raw = [&](const char* subject, int id, const char* other) {
    SchemaVersion schema{.subject = subject, .version = 1, .id = id, .text = "\"string\""};
    schema.references = {{other, other, 1}};
    kept.all.push_back(encode(PutSchema{schema}));
  };
  put_raw("a", 1, "b");
  put_raw("b", 2, "a");
  Candidate candidate = avro("\"int\"");
  candidate.references = {{"a", "a", 1}};
  EXPECT_EQ(put("c", candidate), 3);
}

TEST_F(RegistryTest, modes_say_who_may_write) {
  put("a", user(kName));
  ASSERT_TRUE(registry.set_mode("a", Mode::kReadOnly, false));
  EXPECT_EQ(put("a", user(kName)), 1) << "what is there is no write";
  EXPECT_EQ(put("a", user(kName + "," + kAgeWithDefault)), -42205);
  EXPECT_EQ(registry.delete_subject("a", false).error().code, 42205);
  EXPECT_EQ(registry.set_mode("a", Mode::kImport, false).error().code, 42205);
  EXPECT_EQ(registry.delete_mode("a", false).value(), Mode::kReadOnly);
  EXPECT_EQ(registry.delete_mode("a", false).error().code, 40401);
  EXPECT_EQ(registry.mode("a", false).error().code, 40409);
  EXPECT_EQ(registry.mode("a", true).value(), Mode::kReadWrite);
  Candidate own_id = avro(user(kAge));
  own_id.id = 77;
  EXPECT_EQ(put("b", own_id), -42205) << "ids may be given in mode IMPORT alone";
  ASSERT_TRUE(registry.set_mode("b", Mode::kImport, false));
  EXPECT_EQ(put("b", avro(user(kAge))), -42205);
  EXPECT_EQ(put("b", own_id), 77);
  Candidate other = avro(user(kName + "," + kAge));
  other.id = 77;
  EXPECT_EQ(put("b", other), -42205) << "an id is never another schema's";
  EXPECT_EQ(put("c", user(kAge + "," + kName)), 78);
}

TEST_F(RegistryTest, contexts_have_ids_of_their_own) {
  EXPECT_EQ(put("a", user(kName)), 1);
  EXPECT_EQ(put(":.eu:a", user(kAge)), 1);
  EXPECT_THAT(registry.contexts(), ElementsAre(".", ".eu"));
  EXPECT_THAT(registry.subjects(kEveryContext, Show::kLive), ElementsAre(":.eu:a", "a"));
  EXPECT_THAT(registry.subjects("", Show::kLive), ElementsAre(":.eu:a", "a"));
  EXPECT_THAT(registry.subjects(":.eu:", Show::kLive), ElementsAre(":.eu:a"));
  EXPECT_EQ(registry.by_id(1, ":.eu:").value()->subject, ":.eu:a");
  EXPECT_EQ(registry.by_id(1, "").value()->subject, "a");
  EXPECT_EQ(registry.delete_context(".eu").error().code, 42211);
  ASSERT_TRUE(registry.delete_subject(":.eu:a", false));
  ASSERT_TRUE(registry.delete_subject(":.eu:a", true));
  EXPECT_TRUE(registry.delete_context(".eu"));
  EXPECT_THAT(registry.contexts(), ElementsAre("."));
}

TEST_F(RegistryTest, configs_are_inherited_merged_and_taken_away) {
  EXPECT_EQ(registry.config(std::nullopt, false).value().compatibility, schema::Level::kBackward);
  EXPECT_EQ(registry.config("a", false).error().code, 40408);
  ASSERT_TRUE(registry.set_config(":.eu:", {.compatibility = schema::Level::kFull}, {}));
  EXPECT_EQ(registry.config(":.eu:x", true).value().compatibility, schema::Level::kFull);
  EXPECT_EQ(registry.config("x", true).value().compatibility, schema::Level::kBackward);
  ASSERT_TRUE(registry.set_config("x", {.alias = "y"}, {}));
  EXPECT_EQ(registry.resolved_alias("x"), "y");
  ASSERT_TRUE(registry.set_config("x", {.normalize = true}, {"alias"}));
  EXPECT_EQ(registry.resolved_alias("x"), "x");
  EXPECT_EQ(registry.delete_config("x").value().normalize, true);
  EXPECT_EQ(registry.delete_config("x").error().code, 40401);
}

TEST_F(RegistryTest, metadata_comes_from_the_version_before_and_from_the_config) {
  Candidate first = avro(user(kName));
  first.metadata = Metadata{.properties = {{"owner", "ann"}}};
  EXPECT_EQ(put("a", first), 1);
  EXPECT_EQ(put("a", user(kName)), 1) << "with the metadata of the version before it is that one";
  EXPECT_EQ(registry.version("a", -1, false).value()->metadata->properties.at("owner"), "ann");
  ASSERT_TRUE(registry.set_config(
      "b", {.override_metadata = Metadata{.properties = {{"tier", "gold"}}}}, {}));
  put("b", user(kName));
  EXPECT_EQ(registry.version("b", 1, false).value()->metadata->properties.at("tier"), "gold");
  EXPECT_EQ(registry.latest_with("b", {{"tier", "gold"}}, false).value()->version, 1);
  EXPECT_EQ(registry.latest_with("b", {{"tier", "tin"}}, false).error().code, 40403);
}

TEST_F(RegistryTest, a_registry_of_the_same_records_is_the_same_registry) {
  put("user", user(kName));
  Candidate order =
      avro(R"({"type":"record","name":"Order","fields":[{"name":"by","type":"User"}]})");
  order.references = {{"User", "user", 1}};
  order.rules = RuleSet{.domain = {Rule{.name = "r", .type = "CEL", .expr = "true"}}};
  put(":.eu:order", order);
  order.references = {{"User", ":.:user", 1}};
  put("order", order);
  put("user", user(kName + "," + kAgeWithDefault));
  ASSERT_TRUE(registry.delete_version("user", 2, false));
  ASSERT_TRUE(registry.set_config("user", {.compatibility = schema::Level::kForward}, {}));
  ASSERT_TRUE(registry.set_mode(":.eu:", Mode::kReadOnly, false));
  Kept sink;
  const auto again = restarted(sink);
  EXPECT_EQ(again->subjects("", Show::kAll), registry.subjects("", Show::kAll));
  for (const auto& schema : registry.schemas("", true, false)) {
    const auto copy = again->version(schema->subject, schema->version, true);
    ASSERT_TRUE(copy) << schema->subject;
    EXPECT_EQ((*copy)->text, schema->text);
    EXPECT_EQ((*copy)->guid(), schema->guid());
    EXPECT_EQ((*copy)->deleted, schema->deleted);
    EXPECT_EQ((*copy)->rules, schema->rules);
  }
  EXPECT_EQ(again->config("user", false).value(), registry.config("user", false).value());
  EXPECT_EQ(again->mode(":.eu:order", true).value(), Mode::kReadOnly);
  EXPECT_EQ(again->max_id("."), registry.max_id("."));
}

TEST_F(RegistryTest, what_cannot_be_kept_is_refused_and_not_known) {
  kept.full = true;
  const auto answer = registry.register_schema("a", avro(user(kName)), false, false);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, 50001);
  EXPECT_EQ(answer.error().status(), 500);
  EXPECT_THAT(registry.subjects("", Show::kAll), IsEmpty());
  kept.full = false;
  EXPECT_EQ(put("a", user(kName)), 1);
}

TEST_F(RegistryTest, while_a_record_cannot_be_read_nothing_is_written) {
  EXPECT_EQ(put("a", user(kName)), 1);
  EXPECT_EQ(put("b", "\"string\""), 2);
  Kept other;
  const auto again = restarted(other);
  other.damaged_at = 1;
  const auto put_again = [&] {
    const auto answer = again->register_schema("c", avro("\"long\""), false, false);
    return answer ? (*answer)->id : -answer.error().code;
  };
  EXPECT_EQ(again->available().error().code, 50001);
  EXPECT_THAT(again->available().error().message, HasSubstr("FILE is corrupt"));
  EXPECT_EQ(put_again(), -50001);
  EXPECT_EQ(again->delete_subject("a", false).error().code, 50001);
  EXPECT_EQ(other.all.size(), 2U);
  other.damaged_at = SIZE_MAX;
  EXPECT_TRUE(again->available());
  EXPECT_EQ(put_again(), 3);
}

TEST_F(RegistryTest, what_could_not_be_read_again_is_not_kept) {
  // Every quotation mark takes four bytes in the record.
  std::string doc;
  for (int i = 0; i < 1'500'000; ++i) doc += R"(\")";
  const std::string text = R"({"type":"record","name":"User","doc":")" + doc + R"(","fields":[]})";
  ASSERT_LT(text.size(), schema::kMaxSchemaBytes);
  EXPECT_EQ(put("a", text), -42209);
  EXPECT_THAT(registry.subjects("", Show::kAll), IsEmpty());
  EXPECT_EQ(put("a", user(kName)), 1);
}

TEST(Records, have_the_form_of_confluents_registry) {
  const auto text = [](const Change& change) {
    const RecordText record = encode(change);
    return record.key + " " + record.value.value_or("-");
  };
  EXPECT_EQ(text(PutSchema{{.subject = "s", .version = 2, .id = 7, .text = "\"int\""}}),
            R"({"keytype":"SCHEMA","subject":"s","version":2,"magic":1} )"
            R"({"subject":"s","version":2,"id":7,"schemaType":"AVRO",)"
            R"("schema":"\"int\"","deleted":false})");
  EXPECT_EQ(text(DropSchema{"s", 2}),
            R"({"keytype":"SCHEMA","subject":"s","version":2,"magic":1} -)");
  EXPECT_EQ(text(PutMode{std::nullopt, Mode::kImport}),
            R"({"keytype":"MODE","magic":0} {"mode":"IMPORT"})");
  EXPECT_EQ(text(DeleteSubject{"s", 3}),
            R"({"keytype":"DELETE_SUBJECT","subject":"s","magic":0} {"subject":"s","version":3})");
}

TEST(Records, of_older_registries_are_read) {
  const auto config = decode(R"({"keytype":"CONFIG","subject":null,"magic":0})",
                             R"({"compatibilityLevel":"FULL"})", 0);
  ASSERT_TRUE(config);
  const auto& put = std::get<PutConfig>(*config);
  EXPECT_FALSE(put.scope);
  EXPECT_EQ(put.config->compatibility, schema::Level::kFull);
  const auto schema =
      decode(R"({"keytype":"SCHEMA","subject":"s","version":1,"magic":1})",
             R"({"subject":"s","version":1,"id":1,"schema":"\"string\"","deleted":false})", 5);
  ASSERT_TRUE(schema);
  EXPECT_EQ(std::get<PutSchema>(*schema).schema.format, schema::Format::kAvro);
  EXPECT_EQ(std::get<PutSchema>(*schema).schema.timestamp_ms, 5);
  EXPECT_TRUE(std::holds_alternative<Noop>(*decode(R"({"keytype":"NOOP","magic":0})", {}, 0)));
  EXPECT_FALSE(decode("not json", std::nullopt, 0));
  EXPECT_FALSE(decode("{}", std::nullopt, 0));
}

// What the command `printf '"string"' | md5sum` prints.
TEST(Fingerprint, is_the_md5_of_the_text_where_there_is_nothing_else) {
  const std::string print = fingerprint("\"string\"", {}, std::nullopt, std::nullopt);
  EXPECT_EQ(guid_of(print), "095d71cf-1255-6b9d-5e33-0ad575b3df5d");
  EXPECT_EQ(fingerprint_of_guid(guid_of(print)), print);
  EXPECT_EQ(fingerprint_of_guid("no guid"), std::nullopt);
}

TEST(Names, have_a_context_before_them) {
  EXPECT_EQ(SubjectName::parse("a"), (SubjectName{".", "a"}));
  EXPECT_EQ(SubjectName::parse(":.eu:a:b"), (SubjectName{".eu", "a:b"}));
  EXPECT_EQ(SubjectName::parse(":.eu"), (SubjectName{".eu", ""}));
  EXPECT_EQ(normalized(":.:a"), "a");
  EXPECT_EQ(SubjectName::within(":.eu:x", "a").qualified(), ":.eu:a");
  EXPECT_EQ(context_prefix("eu"), ":.eu:");
  EXPECT_EQ(context_prefix(":.eu:"), ":.eu:");
  EXPECT_EQ(context_prefix("."), "");
  EXPECT_FALSE(is_valid_subject("a\nb", true));
  EXPECT_FALSE(is_valid_subject("__GLOBAL", true));
}

RecordText schema_record(const std::string& subject, int version, int id, std::string text) {
  SchemaVersion schema{.subject = subject, .version = version, .id = id, .text = std::move(text)};
  schema.fingerprint = fingerprint(schema.text, {}, std::nullopt, std::nullopt);
  return encode(PutSchema{std::move(schema)});
}

TEST_F(RegistryTest, what_others_write_to_the_topic_is_known_with_the_next_request) {
  put("a", user(kName));
  kept.all.push_back(schema_record("b", 1, 7, "\"long\""));
  EXPECT_EQ(registry.by_id(7, "").value()->text, "\"long\"");
  EXPECT_THAT(registry.subjects("", Show::kLive), ElementsAre("a", "b"));
  kept.all.push_back(schema_record("c", 1, 9, "\"int\""));
  EXPECT_EQ(put("d", "\"string\""), 10);
}

TEST_F(RegistryTest, a_schema_that_lost_its_id_to_another_writer_gets_the_next_one) {
  put("a", user(kName));
  kept.between.push_back(schema_record("b", 1, 2, "\"long\""));
  EXPECT_EQ(put("a", user(kName + "," + kAgeWithDefault)), 3);
  EXPECT_EQ(registry.by_id(2, "").value()->text, "\"long\"");
  EXPECT_THAT(registry.versions("a", Show::kLive).value(), ElementsAre(1, 2));
  EXPECT_EQ(registry.version("a", 2, false).value()->id, 3);
  Kept other;
  EXPECT_EQ(restarted(other)->version("a", 2, false).value()->id, 3);
}

}  // namespace
}  // namespace tailrace::subjects
