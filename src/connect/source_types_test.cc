// The tables of options: they are the documentation, and what a source asks for is in them.
#include "connect/source_types.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "connect/websocket_source.h"

namespace tailrace::connect {
namespace {

std::string markdown(const SourceType& type) {
  std::string text = fmt::format("**{}** {}\n\n| option | default | what |\n|---|---|---|\n",
                                 type.type, type.what);
  for (const OptionRow& row : type.options) {
    const bool is_word = row.fallback.empty() || row.fallback == "needed";
    text += fmt::format("| `{}` | {} | {} |\n", row.name,
                        is_word ? std::string(row.fallback) : fmt::format("`{}`", row.fallback),
                        row.what);
  }
  return text;
}

TEST(SourceTypes, the_readme_has_every_table_of_options_as_it_is) {
  std::ifstream file("src/connect/README.md");
  ASSERT_TRUE(file) << "run it in the repository's folder";
  std::stringstream readme;
  readme << file.rdbuf();
  for (const SourceType& type : source_types())
    EXPECT_NE(readme.str().find(markdown(type) + "\n"), std::string::npos)
        << "src/connect/README.md is to have this, a blank line behind it:\n\n"
        << markdown(type);
}

TEST(SourceTypes, each_type_and_each_option_is_there_once_and_explained) {
  std::set<std::string_view> types;
  for (const SourceType& type : source_types()) {
    EXPECT_TRUE(types.insert(type.type).second) << type.type;
    EXPECT_FALSE(type.what.empty()) << type.type;
    EXPECT_EQ(find_source_type(type.type)->type, type.type);
    std::set<std::string_view> names{"key"};
    for (const OptionRow& row : type.options) {
      EXPECT_TRUE(names.insert(row.name).second) << type.type << " " << row.name;
      EXPECT_FALSE(row.what.empty()) << type.type << " " << row.name;
    }
  }
  EXPECT_EQ(find_source_type("nonsense"), nullptr);
}

/// One that a source would not read would be refused or do nothing: each value is asked for.
TEST(SourceTypes, what_is_needed_is_named_and_what_no_table_has_is_refused) {
  for (const SourceType& type : source_types()) {
    SourceSpec spec{.name = "in", .type = std::string(type.type), .options = {}, .folder = "/"};
    for (const OptionRow& row : type.options) {
      if (row.fallback != "needed") continue;
      const auto made = type.make(spec);
      ASSERT_FALSE(made) << type.type;
      EXPECT_THAT(made.error().what, testing::HasSubstr("is needed")) << type.type;
    }
    spec.options["no_such_option"] = "1";
    const auto made = type.make(spec);
    ASSERT_FALSE(made) << type.type;
    EXPECT_THAT(made.error().what, testing::HasSubstr("has no option \"no_such_option\"; did you"));
  }
}

TEST(Websocket, sends_a_message_or_each_of_a_list_of_json) {
  using testing::ElementsAre;
  EXPECT_THAT(websocket_greetings(""), ElementsAre());
  EXPECT_THAT(websocket_greetings("hello, world"), ElementsAre("hello, world"));
  EXPECT_THAT(websocket_greetings(R"({"a": [1, 2]})"), ElementsAre(R"({"a": [1, 2]})"));
  EXPECT_THAT(websocket_greetings(R"({"a": 1},{"b": ","})"),
              ElementsAre(R"({"a": 1})", R"({"b": ","})"));
}

TEST(SourceTypes, an_unknown_type_is_answered_with_those_there_are) {
  const auto made = make_source({.name = "in", .type = "ftp", .options = {}, .folder = "/"});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().what,
            "ingest in: no source is called \"ftp\"; there are " + source_type_names());
  EXPECT_THAT(source_type_names(), testing::StartsWith("fake, http, "));
}

}  // namespace
}  // namespace tailrace::connect
