// Templates rendered by Jinja 3.1 as Airflow builds it (tests/jinja/expected.jsonl) and by ours.
#include "jinja/template.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
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

TEST(Template, a_text_without_tags_is_plain) {
  EXPECT_TRUE(Template::parse("echo 1")->is_plain());
  EXPECT_TRUE(Template::parse("")->is_plain());
  for (const char* source :
       {"{{ 1 }}", "{# c #}", "{% raw %}x{% endraw %}", "ends in a line\n", "a\r\nb"})
    EXPECT_FALSE(Template::parse(source)->is_plain()) << source;
}

}  // namespace
}  // namespace tailrace::jinja
