// The table of apis against the one of Kafka's own client library (tests/real/kafka_vectors).
#include "kafka/messages/api_table.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace tailrace::kafka {
namespace {

TEST(ApiTable, keys_names_versions_and_headers_are_kafkas) {
  std::ifstream file("src/kafka/testdata/apis.txt");
  std::size_t lines = 0;
  for (std::string line; std::getline(file, line); ++lines) {
    std::istringstream words(line);
    std::int16_t key, lowest, highest, offered_lowest, request_header, response_header;
    std::string name;
    words >> key >> name >> lowest >> highest >> offered_lowest;
    const ApiInfo* api = find_api(key);
    ASSERT_NE(api, nullptr) << line;
    EXPECT_EQ(api->name, name);
    EXPECT_EQ(api->lowest.value, lowest) << line;
    EXPECT_EQ(api->highest.value, highest) << line;
    EXPECT_EQ(api->offered_lowest().value, offered_lowest) << line;
    char slash;
    Version version(lowest);
    for (; words >> request_header >> slash >> response_header; ++version) {
      EXPECT_EQ(api->request_header(version).value, request_header) << line;
      EXPECT_EQ(api->response_header(version).value, response_header) << line;
    }
    EXPECT_GT(version.value, highest) << line;
  }
  EXPECT_EQ(apis().size(), lines);
  EXPECT_GT(lines, 0u);
}

TEST(ApiTable, keys_rise_and_others_are_not_found) {
  for (std::size_t i = 1; i < apis().size(); ++i) EXPECT_LT(apis()[i - 1].key, apis()[i].key);
  for (int key : {-1, 4, 71, 72, 93, 32767}) {
    EXPECT_EQ(find_api(static_cast<std::int16_t>(key)), nullptr) << key;
  }
}

}  // namespace
}  // namespace tailrace::kafka
