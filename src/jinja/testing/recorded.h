// Reads what Jinja was recorded with, and compares ours with it.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "jinja/json.h"
#include "jinja/template.h"

namespace tailrace::jinja::testing {

inline std::string read(const std::string& path) {
  std::ifstream file(path);
  std::stringstream out;
  out << file.rdbuf();
  return out.str();
}

inline std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> out;
  std::istringstream lines(read(path));
  for (std::string line; std::getline(lines, line);) out.push_back(line);
  return out;
}

inline std::vector<Value> recorded(const std::string& path) {
  std::vector<Value> out;
  for (const auto& line : lines_of(path)) {
    auto value = load_json(line);
    EXPECT_TRUE(value) << line;
    if (value) out.push_back(*value);
  }
  return out;
}

inline std::string text_at(const Value& value, const char* key) {
  const Value* found = value.dict()->find(key);
  return found ? found->text() : "";
}

/// What a rendering gave: its text; or type and repr of a native value; or `error`, its class, its
/// sentence.
struct Outcome {
  std::string kind, text, sentence;
};

inline Outcome render(const std::string& source, const Scope& scope, bool native,
                      const Template::Options& options) {
  const auto failed = [](const Error& error) {
    return Outcome{"error", std::string(exception_class(error)), error.what};
  };
  const auto parsed = Template::parse(source);
  if (!parsed) return failed(parsed.error());
  if (!native) {
    const auto made = parsed->render(scope, options);
    return made ? Outcome{"text", *made, ""} : failed(made.error());
  }
  const auto made = parsed->render_native(scope, options);
  if (!made) return failed(made.error());
  const Value shown = made->is_markup() ? Value(*made->string()) : *made;
  return Outcome{shown.type_name(), shown.repr(), ""};
}

inline Outcome wanted(const Value& line) {
  if (line.dict()->find("error"))
    return {"error", text_at(line, "error"),
            text_at(line, "error") + ": " + text_at(line, "message")};
  if (line.dict()->find("native")) return {text_at(line, "kind"), text_at(line, "out"), ""};
  return {"text", text_at(line, "out"), ""};
}

/// How ours differs from what was recorded: another text, or a failure of another class.
struct Difference {
  std::string told;          ///< empty: it does not
  bool other_words = false;  ///< it fails as theirs does, with another sentence
};
inline Difference difference(const Value& line, const Scope& scope,
                             const Template::Options& options) {
  const std::string source = text_at(line, "template");
  const Outcome theirs = wanted(line);
  const Outcome ours = render(source, scope, line.dict()->find("native") != nullptr, options);
  const bool same =
      ours.kind == theirs.kind && (ours.text == theirs.text || ours.kind == "generator");
  if (same) return {"", !ours.sentence.starts_with(theirs.sentence)};
  return {"template: " + source + "\n  theirs: " + theirs.kind + " " + theirs.text + " " +
          theirs.sentence + "\n  ours:   " + ours.kind + " " + ours.text + " " + ours.sentence +
          "\n"};
}

}  // namespace tailrace::jinja::testing
