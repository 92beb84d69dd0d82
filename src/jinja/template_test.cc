// Templates rendered by Jinja 3.1 as Airflow builds it (tests/jinja/expected.jsonl) and by ours;
// and what no template may do to the process.
#include "jinja/template.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>

#include "jinja/json.h"

namespace tailrace::jinja {
namespace {

std::string read(const std::string& path) {
  std::ifstream file(path);
  std::stringstream out;
  out << file.rdbuf();
  return out.str();
}

std::vector<Value> recorded(const std::string& path) {
  std::vector<Value> out;
  std::istringstream lines(read(path));
  for (std::string line; std::getline(lines, line);) {
    auto value = load_json(line);
    EXPECT_TRUE(value) << line;
    if (value) out.push_back(*value);
  }
  return out;
}

std::string text_at(const Value& value, const char* key) {
  const Value* found = value.dict()->find(key);
  return found ? found->text() : "";
}

Scope scope_of(const Value& names) {
  return [names](std::string_view name) -> Value {
    const Value* found = names.dict()->find(name);
    return found ? *found : Value(Undefined{std::string(name)});
  };
}

struct Outcome {
  std::string kind, text;  ///< of a failure: `error` and its class
  std::string whole;       ///< for messages
};

Outcome render(const std::string& source, const Scope& scope, bool native) {
  const auto failed = [](const Error& error) {
    return Outcome{"error", std::string(exception_class(error)), error.what};
  };
  const auto parsed = Template::parse(source);
  if (!parsed) return failed(parsed.error());
  if (!native) {
    const auto made = parsed->render(scope, {});
    return made ? Outcome{"text", *made, *made} : failed(made.error());
  }
  const auto made = parsed->render_native(scope, {});
  return made ? Outcome{made->type_name(), made->repr(), made->repr()} : failed(made.error());
}

Outcome wanted(const Value& line) {
  const Dict& dict = *line.dict();
  if (dict.find("error"))
    return {"error", text_at(line, "error"),
            text_at(line, "error") + ": " + text_at(line, "message")};
  if (dict.find("native"))
    return {text_at(line, "kind"), text_at(line, "out"), text_at(line, "out")};
  return {"text", text_at(line, "out"), text_at(line, "out")};
}

/// Templates that ours answers in another way, each for a reason the README tells.
const std::set<std::string> kDifferent = {
    "b'bytes'",
};

TEST(Template, renders_what_jinja_renders_and_fails_where_it_fails) {
  const auto names = from_json(read("tests/jinja/context.json"));
  ASSERT_TRUE(names) << names.error().what;
  const Scope scope = scope_of(*names);
  int different = 0;
  const auto lines = recorded("tests/jinja/expected.jsonl");
  ASSERT_GE(lines.size(), 500U);
  for (const Value& line : lines) {
    const std::string source = text_at(line, "template");
    if (kDifferent.contains(source)) continue;
    const Outcome theirs = wanted(line);
    const Outcome ours = render(source, scope, line.dict()->find("native") != nullptr);
    if (theirs.kind == "generator") continue;
    EXPECT_TRUE(ours.kind == theirs.kind && ours.text == theirs.text)
        << "template: " << source << "\n  theirs: " << theirs.kind << " " << theirs.whole
        << "\n  ours:   " << ours.kind << " " << ours.whole;
    different +=
        theirs.kind == "error" && ours.kind == "error" && !ours.whole.starts_with(theirs.whole);
    if (std::getenv("TAILRACE_MESSAGES") && theirs.kind == "error" && ours.kind == "error" &&
        !ours.whole.starts_with(theirs.whole))
      std::cout << "message of " << source << "\n  theirs: " << theirs.whole
                << "\n  ours:   " << ours.whole << "\n";
  }
  if (std::getenv("TAILRACE_MESSAGES")) std::cout << different << " messages differ\n";
}

}  // namespace
}  // namespace tailrace::jinja
