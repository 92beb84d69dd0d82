// The topic `_schemas` in a log: what is appended here and by others, and what is none of a
// registry's.
#include "subjects/subject_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace tailrace::subjects {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct SubjectLogTest : testing::Test {
  SubjectLogTest() {
    folder = testing::TempDir() + testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(folder);
    reopen();
  }
  void reopen() {
    registry.reset();
    records.reset();
    log.reset();
    log = log::Log::open(folder, {}).value();
    records = std::make_unique<SubjectLog>(*log);
    registry = std::make_unique<Registry>(*records);
  }
  int put(const std::string& subject, std::string text) {
    const auto answer = registry->register_schema(subject, {.text = std::move(text)}, false, false);
    return answer ? (*answer)->id : -answer.error().code;
  }
  // As another program does, through the broker.
  void write(std::string_view key, std::optional<std::string_view> value) {
    log::Record record;
    record.key = key;
    record.value = value;
    record.timestamp = TimestampMs(1);
    ASSERT_TRUE(log->ensure_topic(kSchemasTopic));
    const auto partition = log->partition(kSchemasTopic, PartitionId(0)).value();
    ASSERT_TRUE(partition->append(std::span(&record, 1)));
  }
  void write_schema(const std::string& subject, int version, int id, const std::string& text) {
    SchemaVersion schema{.subject = subject, .version = version, .id = id, .text = text};
    const RecordText record = encode(PutSchema{std::move(schema)});
    write(record.key, *record.value);
  }

  std::string folder;
  std::unique_ptr<log::Log> log;
  std::unique_ptr<SubjectLog> records;
  std::unique_ptr<Registry> registry;
};

TEST_F(SubjectLogTest, the_topic_is_made_with_the_first_schema) {
  EXPECT_THAT(registry->subjects("", Show::kAll), IsEmpty());
  EXPECT_FALSE(log->topic(kSchemasTopic));
  EXPECT_EQ(put("a", "\"string\""), 1);
  EXPECT_TRUE(log->topic(kSchemasTopic));
  EXPECT_EQ(put("a", "\"string\""), 1);
  reopen();
  EXPECT_THAT(registry->subjects("", Show::kAll), ElementsAre("a"));
  EXPECT_EQ(put("b", "\"int\""), 2);
}

TEST_F(SubjectLogTest, a_topic_that_others_make_is_found_while_the_registry_runs) {
  EXPECT_THAT(registry->subjects("", Show::kAll), IsEmpty());
  write_schema("theirs", 1, 5, "\"long\"");
  EXPECT_THAT(registry->subjects("", Show::kAll), ElementsAre("theirs"));
  EXPECT_EQ(put("ours", "\"int\""), 6);
  write_schema("theirs", 2, 9, "\"double\"");
  EXPECT_THAT(registry->versions("theirs", Show::kAll).value(), ElementsAre(1, 2));
  EXPECT_EQ(put("ours", "\"string\""), -409);
  EXPECT_EQ(put("third", "\"float\""), 10);
}

TEST_F(SubjectLogTest, what_is_no_record_of_a_registry_is_passed_over) {
  EXPECT_EQ(put("a", "\"string\""), 1);
  write("no key of a registry", "{");
  write("{}", std::nullopt);
  EXPECT_EQ(put("b", "\"int\""), 2);
  EXPECT_FALSE(records->has_new());
  reopen();
  EXPECT_TRUE(records->has_new());
  EXPECT_THAT(registry->subjects("", Show::kAll), ElementsAre("a", "b"));
  EXPECT_FALSE(records->has_new());
}

TEST_F(SubjectLogTest, a_version_that_another_takes_away_is_gone) {
  EXPECT_EQ(put("a", "\"string\""), 1);
  const RecordText dropped = encode(DropSchema{"a", 1});
  write(dropped.key, std::nullopt);
  EXPECT_THAT(registry->subjects("", Show::kAll), IsEmpty());
}

}  // namespace
}  // namespace tailrace::subjects
