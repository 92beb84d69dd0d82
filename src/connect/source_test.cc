// Sources alone: the generator's shape and determinism, options, JSON paths.
#include <gtest/gtest.h>

#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>

#include "connect/fake_source.h"
#include "connect/fake_user.h"
#include "connect/json_path.h"

namespace tailrace::connect {
namespace {

TEST(Fake, records_have_the_shape_of_the_api) {
  const FakeUsers users(42, {});
  std::size_t bytes = 0;
  for (int n = 0; n < 1000; ++n) {
    std::string text;
    const auto made = users.append(n, text);
    bytes += text.size();
    const auto json = nlohmann::json::parse(text);
    EXPECT_EQ(json.size(), 12u);
    EXPECT_EQ(json["login"]["uuid"], text.substr(made.uuid_at, 36));
    EXPECT_EQ(json["login"]["sha256"].get<std::string>().size(), 64u);
    const int year = std::stoi(json["dob"]["date"].get<std::string>().substr(0, 4));
    EXPECT_NEAR(2026 - year, json["dob"]["age"].get<int>(), 1);
    EXPECT_TRUE(json["location"]["postcode"].is_string() ||
                json["location"]["postcode"].is_number());
    EXPECT_TRUE(json["picture"]["thumbnail"].get<std::string>().ends_with(".jpg"));
  }
  EXPECT_GT(bytes / 1000, 900u);
  EXPECT_LT(bytes / 1000, 1200u);
}

TEST(Fake, a_record_is_found_without_those_before_it) {
  auto one = *make_source({"a", "fake", {{"limit", "10000"}}, ""});
  auto two = *make_source({"a", "fake", {{"limit", "10000"}}, ""});
  Chunk all, part;
  ASSERT_TRUE(one->next("", all, {}));
  ASSERT_TRUE(two->next("{\"n\":100}", part, {}));
  EXPECT_EQ(all.value(100), part.value(0));
  EXPECT_NE(all.value(100), all.value(101));
}

TEST(Fake, faults_come_in_their_shares) {
  const FakeUsers users(1, {.duplicates = 0.1, .bad_json = 0.05, .null_ids = 0.02, .late = 0.01});
  int bad = 0, late = 0, null_ids = 0;
  for (int n = 0; n < 10'000; ++n) {
    std::string text;
    const auto made = users.append(n, text);
    bad += !check_json(text);
    late += made.late;
    null_ids += made.uuid_at == 0;
  }
  EXPECT_NEAR(bad, 500, 100);
  EXPECT_NEAR(late, 100, 50);
  EXPECT_NEAR(null_ids, 200, 70);
}

TEST(Fake, a_core_makes_enough_records) {
  auto source = *make_source({"a", "fake", {{"key", "$.login.uuid"}}, ""});
  Chunk chunk;
  std::string position;
  std::int64_t records = 0;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 50; ++i, records += static_cast<std::int64_t>(chunk.size())) {
    chunk.clear();
    ASSERT_TRUE(source->next(position, chunk, {}));
    position = chunk.position;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::cout << "records a second: " << static_cast<double>(records) / took.count() << "\n";
  EXPECT_EQ(records, 50 * 4096);
}

TEST(Options, an_unknown_one_names_the_nearest) {
  const auto made = make_source({"a", "fake", {{"sede", "1"}}, ""});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().what,
            "ingest a: fake has no option \"sede\"; did you mean \"seed\"? "
            "All of them: tailrace sources fake");
  EXPECT_FALSE(make_source({"a", "fake", {{"rate", "fast"}}, ""}));
  EXPECT_FALSE(make_source({"a", "http", {}, ""}));
  EXPECT_FALSE(make_source({"a", "http", {{"url", "http://x"}, {"every", "soon"}}, ""}));
}

TEST(JsonPath, finds_nested_values_and_keeps_elements_as_written) {
  const std::string text = R"({"results": [ {"id": 1.10, "a":{"b":["x","y"]}}, 2 ]})";
  EXPECT_EQ(JsonPath::parse("$.results[0].a.b[1]")->find(text), "y");
  EXPECT_EQ(JsonPath::parse("$.nothing")->find(text), std::nullopt);
  EXPECT_FALSE(JsonPath::parse("$.a["));
  const auto elements = json_elements(text, *JsonPath::parse("$.results"));
  ASSERT_TRUE(elements);
  EXPECT_EQ(*elements, (std::vector<std::string>{R"({"id": 1.10, "a":{"b":["x","y"]}})", "2"}));
  EXPECT_FALSE(json_elements("{\"results\": [1", *JsonPath::parse("results")));
}

}  // namespace
}  // namespace tailrace::connect
