// What a function is told, by its package and by its environment.
#include "lambda/settings.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/base64.h"
#include "lambda/msk_token.h"
#include "lambda/package.h"

namespace tailrace::lambda {
namespace {

class File : public testing::Test {
 protected:
  File() { std::filesystem::create_directories(folder); }
  ~File() override { std::filesystem::remove_all(folder); }
  std::string write(const std::string& text, const std::string& name = "tailrace.yml") const {
    const std::string path = folder + "/" + name;
    std::ofstream(path) << text;
    return path;
  }
  const std::string folder = testing::TempDir() + "lambda_settings_" + std::to_string(getpid());
};

TEST_F(File, and_environment_are_one_and_the_environment_goes_before) {
  const std::string path = write(
      "topics: {users: {}}\n"
      "lambda:\n"
      "  kafka: kafka://a:9092,b:9092\n"
      "  topic: from_the_file\n"
      "  key: $.id\n"
      "  s3: lines\n"
      "  properties: {security.protocol: SASL_SSL, sasl.username: u}\n");
  const auto settings = read_settings(path, {{"TAILRACE_TOPIC", "events-{source}"},
                                             {"TAILRACE_KAFKA_SASL_USERNAME", "other"},
                                             {"TAILRACE_KAFKA_PROPERTIES", R"({"linger.ms": 7})"}});
  ASSERT_TRUE(settings) << settings.error().what;
  EXPECT_EQ(settings->topic, "events-{source}");
  EXPECT_EQ(settings->key_path, std::vector<std::string>{"id"});
  EXPECT_FALSE(settings->own_key);
  EXPECT_TRUE(settings->s3_lines);
  EXPECT_EQ(settings->kafka.at("bootstrap.servers"), "a:9092,b:9092");
  EXPECT_EQ(settings->kafka.at("security.protocol"), "SASL_SSL");
  EXPECT_EQ(settings->kafka.at("sasl.username"), "other");
  EXPECT_EQ(settings->kafka.at("linger.ms"), "7");
  EXPECT_EQ(settings->kafka.at("acks"), "all");
  EXPECT_EQ(settings->rejected, "__rejected");
}

TEST_F(File, that_is_wrong_is_named_with_its_place) {
  const auto failure = [&](const std::string& text, const Environment& environment = {}) {
    const auto settings = read_settings(write(text), environment);
    return settings ? "" : settings.error().what;
  };
  EXPECT_NE(failure("lambda: {kafka: a:1, topics: x}").find("did you mean `topic`"),
            std::string::npos);
  EXPECT_NE(failure("lambda: {kafka: a:1}").find("no topic"), std::string::npos);
  EXPECT_NE(failure("lambda: {topic: x}").find("no Kafka"), std::string::npos);
  EXPECT_NE(failure("lambda: {kafka: a:1, topic: 'x y'}").find("yml:1:"), std::string::npos);
  EXPECT_NE(failure("lambda: {kafka: a:1, topic: 'x{y}'}").find("{source}"), std::string::npos);
  EXPECT_NE(failure("lambda: {kafka: a:1, topic: x, key: id}").find("$.name"), std::string::npos);
  EXPECT_NE(failure("lambda: {kafka: a:1, topic: x, envelope: all}").find("record nor event"),
            std::string::npos);
  EXPECT_NE(failure("lambda: {kafka: u@a:1, topic: x}").find("sasl.username"), std::string::npos);
  EXPECT_NE(failure("lambda: {kafka: a:1, topic: x, properties: {acks: 1}}").find("acks"),
            std::string::npos);
  EXPECT_NE(
      failure("", {{"TAILRACE_KAFKA", "a:1"}, {"TAILRACE_TOPIC", "a/b"}}).find("TAILRACE_TOPIC"),
      std::string::npos);
}

TEST_F(File, of_a_project_gives_its_part_and_what_it_names_to_the_package) {
  write("topics: {users: {}}\nlambda: {kafka: a:1, topic: '${X}', files: [ca.pem]}\n");
  write("a certificate", "ca.pem");
  const auto files = project_files(folder);
  ASSERT_TRUE(files) << files.error().what;
  ASSERT_EQ(files->size(), 2U);
  EXPECT_EQ(files->at(0).content.find("users"), std::string::npos);
  EXPECT_NE(files->at(0).content.find("${X}"), std::string::npos) << "expanded where it runs";
  EXPECT_EQ(files->at(1).name, "ca.pem");
  EXPECT_EQ(files->at(1).content, "a certificate");
  const auto read = read_settings(write(files->at(0).content), {{"TAILRACE_TOPIC", "t"}});
  EXPECT_FALSE(read) << "X is not set";
  write("lambda: {kafka: a:1, topic: t, files: [../../etc/passwd]}");
  EXPECT_FALSE(project_files(folder));
  write("roles: {}");
  EXPECT_TRUE(project_files(folder)->empty());
}

TEST(Package, only_static_programs_of_a_machine_that_lambda_has) {
  EXPECT_FALSE(architecture_of("#!/bin/sh\n"));
  EXPECT_FALSE(architecture_of(""));
  std::ifstream in("/proc/self/exe", std::ios::binary);
  const std::string own((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto refused = architecture_of(own);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("shared libraries"), std::string::npos);
}

TEST(MskToken, is_the_request_that_aws_signs) {
  // The signature is aws_msk_iam_sasl_signer 1.0.2's for these keys at 2024-05-06T07:08:09Z.
  std::string token =
      msk_token_text("us-east-1", "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                     "session/token+", 1714979289);
  for (char& c : token) c = c == '-' ? '+' : c == '_' ? '/' : c;
  EXPECT_EQ(decode_base64(token),
            "https://kafka.us-east-1.amazonaws.com/?Action=kafka-cluster%3AConnect"
            "&X-Amz-Algorithm=AWS4-HMAC-SHA256"
            "&X-Amz-Credential=AKIDEXAMPLE%2F20240506%2Fus-east-1%2Fkafka-cluster%2Faws4_request"
            "&X-Amz-Date=20240506T070809Z&X-Amz-Expires=900"
            "&X-Amz-Security-Token=session%2Ftoken%2B&X-Amz-SignedHeaders=host"
            "&X-Amz-Signature=bc858287ac552af99502069887aa0e5fa723a9bce4038979b3b8269f70d9bc30"
            "&User-Agent=tailrace");
}

}  // namespace
}  // namespace tailrace::lambda
