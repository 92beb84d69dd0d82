// Checks of parameters; their sentences name what would be right.
#include "console/params.h"

#include <algorithm>

namespace tailrace::console {

tailrace::Status only_params(const net::Request& request,
                             std::initializer_list<std::string_view> known,
                             std::initializer_list<std::string_view> repeated) {
  const auto among = [](auto names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
  };
  for (const auto& [name, value] : request.query) {
    if (among(repeated, name)) continue;
    if (!among(known, name)) return error(Code::kInvalidArgument, "unknown parameter: " + name);
    if (request.query.count(name) > 1)
      return error(Code::kInvalidArgument, name + " is given more than once");
  }
  return {};
}

Result<std::string> word_of(const net::Request& request, std::string_view name,
                            std::initializer_list<std::string_view> words,
                            std::string_view otherwise) {
  const std::string given = request.param(name).value_or(std::string(otherwise));
  if (given == otherwise || std::ranges::find(words, given) != words.end()) return given;
  std::string all;
  for (const auto word : words) all += (all.empty() ? "" : ", ") + std::string(word);
  return error(Code::kInvalidArgument, std::string(name) + " is one of " + all);
}

}  // namespace tailrace::console
