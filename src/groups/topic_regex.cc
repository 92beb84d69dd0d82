#include "groups/topic_regex.h"

#include <re2/re2.h>

namespace tailrace::groups {

namespace {

re2::RE2::Options quiet() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  return options;
}

}  // namespace

std::optional<std::string> regex_error(const std::string& regex) {
  const re2::RE2 compiled(regex, quiet());
  if (compiled.ok()) return std::nullopt;
  return compiled.error();
}

std::vector<std::string> matching_topics(const std::string& regex, const Topics& topics) {
  std::vector<std::string> names;
  const re2::RE2 compiled(regex, quiet());
  if (!compiled.ok()) return names;
  for (const auto& [name, topic] : topics)
    if (re2::RE2::FullMatch(name, compiled)) names.push_back(name);
  return names;
}

}  // namespace tailrace::groups
