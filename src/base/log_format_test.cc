// A line of the log as a JSON object, whatever is in it.
#include "base/log_format.h"

#include <gtest/gtest.h>

namespace tailrace {
namespace {

std::string line(std::string_view message, const LogFields& fields = {}) {
  const std::chrono::system_clock::time_point time{std::chrono::milliseconds(1'790'000'000'007)};
  return json_log_line(LogLevel::kWarn, time, "connect", message, fields);
}

TEST(JsonLog, a_line_is_an_object_with_time_level_room_and_message) {
  EXPECT_EQ(line("ingest a: refused"),
            R"({"time":"2026-09-21T14:13:20.007Z","level":"warn","room":"connect",)"
            R"("message":"ingest a: refused"})");
}

TEST(JsonLog, what_a_line_speaks_of_is_in_fields) {
  const std::string all = line("x", log_of("topic", "a \"b\"", "offset", 12, "partition", -1));
  EXPECT_TRUE(all.ends_with(R"("message":"x","topic":"a \"b\"","offset":12,"partition":-1})"))
      << all;
}

TEST(JsonLog, the_room_is_the_folder_of_the_file) {
  static_assert(log_room("/home/a/src/tailrace/src/connect/runner.cc") == "connect");
  static_assert(log_room("../src/kafka/handlers/fetch.cc") == "kafka");
  static_assert(log_room("tools/x.cc").empty());
}

TEST(JsonLog, whatever_a_message_holds_is_a_json_string) {
  const auto message = [](std::string_view text) {
    const std::string all = line(text);
    const auto at = all.find("\"message\":") + 10;
    return all.substr(at, all.size() - at - 1);
  };
  EXPECT_EQ(message("a \"b\" \\ \n\t\x01"), R"("a \"b\" \\ \u000a\u0009\u0001")");
  EXPECT_EQ(message("Gr\xC3\xBC\xC3\x9F"
                    "e \xE2\x82\xAC \xF0\x9F\x98\x80"),
            "\"Gr\xC3\xBC\xC3\x9F"
            "e \xE2\x82\xAC \xF0\x9F\x98\x80\"");
  // Overlong, a surrogate, beyond U+10FFFF, cut off.
  for (const std::string_view bad : {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82"}) {
    std::string expected = "\"";
    for (std::size_t i = 0; i < bad.size(); ++i) expected += "\xEF\xBF\xBD";
    EXPECT_EQ(message(bad), expected + "\"");
  }
}

}  // namespace
}  // namespace tailrace
