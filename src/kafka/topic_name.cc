#include "kafka/topic_name.h"

#include <fmt/format.h>

#include "log/topic.h"

namespace tailrace::kafka {

std::optional<std::string> topic_name_problem(std::string_view name) {
  constexpr std::size_t kLongest = 249;
  if (log::check_topic_name(name)) return std::nullopt;
  std::string why;
  if (name.empty()) {
    why = "the empty string is not allowed";
  } else if (name == "." || name == "..") {
    why = fmt::format("'{}' is not allowed", name);
  } else if (name.size() > kLongest) {
    why =
        fmt::format("the length of '{}' is longer than the max allowed length {}", name, kLongest);
  } else {
    why = fmt::format(
        "'{}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
        name);
  }
  return "Topic name is invalid: " + why;
}

}  // namespace tailrace::kafka
