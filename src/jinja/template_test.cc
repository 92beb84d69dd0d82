// Templates rendered by Jinja 3.1 as Airflow builds it (tests/jinja/expected.jsonl) and by ours.
#include "jinja/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <map>
#include <set>

#include "jinja/testing/recorded.h"

namespace tailrace::jinja {
namespace {

using testing::recorded;
using testing::text_at;

/// Templates that ours answers in another way, for the reasons the README tells.
const std::set<std::string> kDifferent = {
    "b'bytes'",
};

Scope names() {
  const auto held = from_json(testing::read("tests/jinja/context.json"));
  EXPECT_TRUE(held) << held.error().what;
  return [held = held.value_or(Value(Dict()))](std::string_view name) -> Value {
    const Value* found = held.dict()->find(name);
    return found ? *found : Value(Undefined{std::string(name)});
  };
}

TEST(Template, renders_what_jinja_renders_and_fails_where_it_fails) {
  const auto lines = recorded("tests/jinja/expected.jsonl");
  ASSERT_GE(lines.size(), 500U);
  const Scope scope = names();
  int errors = 0, other_words = 0;
  for (const Value& line : lines) {
    if (kDifferent.contains(text_at(line, "template"))) continue;
    const auto difference = testing::difference(line, scope, {});
    EXPECT_EQ(difference.told, "");
    errors += line.dict()->find("error") ? 1 : 0;
    other_words += difference.other_words ? 1 : 0;
  }
  EXPECT_GT(errors, 150);
  EXPECT_LE(other_words * 10, errors)
      << other_words << " of " << errors << " failures in other words";
}

TEST(Template, random_templates_render_as_jinja_renders_them) {
  const char* path = std::getenv("TAILRACE_JINJA_VECTORS");
  if (!path) GTEST_SKIP() << "tests/real/test_jinja.py brings the templates";
  const Scope scope = names();
  // Not all: what Jinja finds in constants while it compiles, it may find in another order.
  const auto lines = recorded(path);
  std::size_t different = 0;
  for (const Value& line : lines) {
    const auto told = testing::difference(line, scope, {}).told;
    if (told.empty()) continue;
    ++different;
    std::cout << told;
  }
  EXPECT_LE(different * 2000, lines.size()) << different << " of " << lines.size();
}

TEST(Template, a_syntax_error_names_its_line) {
  for (const Value& line : recorded("tests/jinja/expected.jsonl")) {
    const Value* wanted = line.dict()->find("line");
    const auto parsed = Template::parse(text_at(line, "template"));
    if (!wanted || parsed) continue;
    EXPECT_TRUE(parsed.error().what.ends_with("(line " + wanted->text() + ")"))
        << text_at(line, "template") << ": " << parsed.error().what;
  }
}

TEST(Template, a_failure_while_rendering_names_its_line) {
  const auto parsed = Template::parse("a\nb {{ 1 }}\n{% if true %}\n{{ missing }}\n{% endif %}");
  const auto made = parsed->render(names(), {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().what, "UndefinedError: 'missing' is undefined (line 4)");
  EXPECT_EQ(made.error().code, Code::kNotFound);
}

/// Files as `load` knows them, and what Jinja 3.1's DictLoader made of them.
Template::Options with_files() {
  Template::Options options;
  options.load = [](const std::string& name) -> Result<std::string> {
    static const std::map<std::string, std::string> kFiles = {
        {"line.sql", "<{{ x }}{{ y|default('-') }}>\n"},
        {"set.sql", "{% set x = 2 %}{{ x }}"},
        {"outer.sql", "[{% include 'line.sql' %}]"},
        {"wrong.sql", "a\n{{ missing }}"},
        {"broken.sql", "a\n\n{% if %}"},
        {"around.sql", "{% include 'around.sql' %}"},
        {"block.sql", "{% block b %}{{ x }}{% endblock %}"},
    };
    const auto at = kFiles.find(name);
    if (at == kFiles.end()) return error(Code::kNotFound, "TemplateNotFound: " + name);
    return at->second;
  };
  return options;
}

std::string included(const std::string& source) {
  const Scope scope = [](std::string_view name) -> Value {
    return name == "x" ? Value(1) : Value(Undefined{std::string(name)});
  };
  const auto parsed = Template::parse(source, "main.sql");
  if (!parsed) return parsed.error().what;
  const auto made = parsed->render(scope, with_files());
  return made ? *made : made.error().what;
}

TEST(Template, includes_have_the_names_of_their_place_and_leave_none_behind) {
  EXPECT_EQ(included("a{% include 'line.sql' %}b"), "a<1->b");
  EXPECT_EQ(included("{% for y in [7, 8] %}{% include 'line.sql' %}{% endfor %}"), "<17><18>");
  EXPECT_EQ(included("{% set y = 3 %}{% include 'outer.sql' %}"), "[<13>]");
  EXPECT_EQ(included("{% include 'set.sql' %}{{ x }}"), "21");
  EXPECT_EQ(included("{% include 'block.sql' %}"), "1");
  EXPECT_EQ(included("{% include 'line' ~ '.sql' %}"), "<1->");
  EXPECT_EQ(included("{% include ['none.sql', 'line.sql'] %}"), "<1->");
  EXPECT_EQ(included("{% include 'set.sql' without context %}"), "2");
  EXPECT_EQ(included("{% include 'line.sql' with context %}"), "<1->");
  EXPECT_EQ(included("a{% include 'none.sql' ignore missing %}b"), "ab");
  EXPECT_EQ(included("a{% include ['none.sql'] ignore missing with context %}b"), "ab");
}

TEST(Template, what_fails_in_an_include_names_its_file_and_line) {
  EXPECT_EQ(included("\n{% include 'wrong.sql' %}"),
            "UndefinedError: 'missing' is undefined (line 2 of wrong.sql)");
  EXPECT_EQ(included("{% include 'broken.sql' %}"),
            "TemplateSyntaxError: Expected an expression, got 'end of statement block' (line 3 of "
            "broken.sql)");
  EXPECT_EQ(included("\n{% include 'none.sql' %}"),
            "TemplateNotFound: none.sql (line 2 of main.sql)");
  EXPECT_EQ(included("{% include ['a', 'b'] %}"),
            "TemplatesNotFound: none of the templates given were found: a, b (line 1 of main.sql)");
  EXPECT_EQ(included("{% include 'line.sql' without context %}"),
            "UndefinedError: 'x' is undefined (line 1 of line.sql)");
  EXPECT_THAT(included("{% include 'around.sql' %}"),
              ::testing::HasSubstr("RecursionError: maximum recursion depth exceeded"));
}

TEST(Template, a_text_without_tags_is_plain) {
  EXPECT_TRUE(Template::parse("echo 1")->is_plain());
  EXPECT_TRUE(Template::parse("")->is_plain());
  for (const char* source :
       {"{{ 1 }}", "{# c #}", "{% raw %}x{% endraw %}", "ends in a line\n", "a\r\nb"})
    EXPECT_FALSE(Template::parse(source)->is_plain()) << source;
}

}  // namespace
}  // namespace tailrace::jinja
