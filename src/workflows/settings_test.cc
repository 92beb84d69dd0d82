// What tailrace.yml says of tasks, and the message for each fault.
#include "workflows/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "metadata/metadata.h"
#include "rt/memory.h"

namespace tailrace::workflows {
namespace {

using testing::HasSubstr;
using testing::Not;

class SettingsTest : public testing::Test {
 protected:
  SettingsTest() {
    std::string pattern = testing::TempDir() + "settingsXXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~SettingsTest() override { std::filesystem::remove_all(folder_); }

  Result<Settings> of(const std::string& text) {
    std::ofstream(folder_ + "/tailrace.yml") << text;
    return load_settings(folder_);
  }
  std::string fault_of(const std::string& text) {
    const auto read = of(text);
    return read ? "" : read.error().what;
  }

  std::string folder_;
};

TEST_F(SettingsTest, without_a_word_a_task_has_half_of_the_machine) {
  const auto read = load_settings(folder_);
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->limits.memory_bytes, rt::machine_memory() / 2);
  EXPECT_FALSE(read->limits.processor_time);
  EXPECT_EQ(read->limits.processes, 1000U);
  EXPECT_EQ(read->limits.open_files, 4096U);
}

TEST_F(SettingsTest, limits_are_sizes_times_and_numbers_or_none) {
  const auto read =
      of("workflows: {task_memory: 2GiB, task_processor_time: 30m, task_processes: unlimited, "
         "task_open_files: 100}\n");
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->limits.memory_bytes, std::uint64_t{2} << 30);
  EXPECT_EQ(read->limits.processor_time, std::chrono::minutes(30));
  EXPECT_FALSE(read->limits.processes);
  EXPECT_EQ(read->limits.open_files, 100U);
  EXPECT_THAT(fault_of("workflows: {task_memry: 2GiB}"), HasSubstr("did you mean `task_memory`?"));
  EXPECT_THAT(fault_of("workflows: {task_memory: 2GB2}"),
              HasSubstr("tailrace.yml:1:26: `task_memory"));
  EXPECT_THAT(fault_of("workflows: {task_open_files: 0}"), HasSubstr("more than 0, or unlimited"));
}

TEST_F(SettingsTest, connections_are_uris_or_fields_with_secrets_from_outside) {
  ::setenv("SETTINGS_TEST_WORD", "a:b@\"c", 1);
  std::ofstream(folder_ + "/word") << "from file\n";
  const auto read =
      of("connections:\n"
         "  uri: postgresql://me:p%40ss@db:5433/shop\n"
         "  fields:\n"
         "    conn_type: http\n"
         "    host: api.example.com\n"
         "    port: 8443\n"
         "    login: file:word\n"
         "    password: ${SETTINGS_TEST_WORD}\n"
         "    extra: {timeout: 10, verify: false, token: '${SETTINGS_TEST_WORD}', text: '5', none: "
         "~}\n");
  ASSERT_TRUE(read) << read.error().what;
  const auto uri = metadata::parse_connection("uri", read->connections.at("uri"));
  ASSERT_TRUE(uri);
  EXPECT_EQ(uri->password, "p@ss");
  EXPECT_EQ(uri->port, 5433);
  const auto fields = metadata::parse_connection("fields", read->connections.at("fields"));
  ASSERT_TRUE(fields);
  EXPECT_EQ(fields->type, "http");
  EXPECT_EQ(fields->port, 8443);
  EXPECT_EQ(fields->login, "from file");
  EXPECT_EQ(fields->password, "a:b@\"c");
  EXPECT_EQ(fields->extra,
            R"({"none":null,"text":"5","timeout":10,"token":"a:b@\"c","verify":false})");
}

TEST_F(SettingsTest, variables_are_texts_as_they_stand_or_json) {
  const auto read = of("variables: {region: eu, many: 010, all: [1, two, '3'], more: {a: 1.5}}\n");
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_THAT(
      read->variables,
      testing::ElementsAre(testing::Pair("all", R"([1,"two","3"])"), testing::Pair("many", "010"),
                           testing::Pair("more", R"({"a":1.5})"), testing::Pair("region", "eu")));
}

TEST_F(SettingsTest, what_is_wrong_is_told_with_its_place_and_without_its_secret) {
  EXPECT_THAT(fault_of("connections: {one: swordfish}"),
              testing::AllOf(HasSubstr("tailrace.yml:1:20: connection `one` is TYPE://"),
                             Not(HasSubstr("swordfish"))));
  EXPECT_THAT(fault_of("connections: {one: 'http://me:swordfish@h:port'}"),
              testing::AllOf(HasSubstr("connection `one`"), Not(HasSubstr("swordfish"))));
  EXPECT_THAT(fault_of("connections: {one: {host: h}}"), HasSubstr("has no `conn_type`"));
  EXPECT_THAT(fault_of("connections: {one: {conn_type: http, pasword: x}}"),
              HasSubstr("did you mean `password`?"));
  EXPECT_THAT(fault_of("connections: {one: {conn_type: http, password: '${NO_SUCH_WORD}'}}"),
              HasSubstr("NO_SUCH_WORD"));
  EXPECT_THAT(fault_of("connections: [one]"), HasSubstr("`connections` is a mapping"));
}

TEST_F(SettingsTest, whether_there_are_connections_is_known_without_their_secrets) {
  EXPECT_FALSE(*has_connections(folder_));
  ASSERT_FALSE(of("connections: {one: '${NO_SUCH_WORD}'}"));
  EXPECT_TRUE(*has_connections(folder_));
  ASSERT_TRUE(of("topics: {}"));
  EXPECT_FALSE(*has_connections(folder_));
}

}  // namespace
}  // namespace tailrace::workflows
