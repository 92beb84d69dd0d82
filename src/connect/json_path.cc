#include "connect/json_path.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace tailrace::connect {
namespace {

simdjson::dom::parser& dom_parser() {
  static thread_local simdjson::dom::parser parser;
  return parser;
}

Result<std::vector<std::string>> elements_of(simdjson::ondemand::value found,
                                             const JsonPath& path) {
  std::vector<std::string> elements;
  std::string_view raw;
  const auto type = found.type();
  if (type.error() == simdjson::SUCCESS &&
      type.value_unsafe() == simdjson::ondemand::json_type::object) {
    if (!simdjson::to_json_string(found).get(raw)) elements.emplace_back(raw);
    return elements;
  }
  simdjson::ondemand::array array;
  if (found.get_array().get(array))
    return error(Code::kInvalidArgument, fmt::format("neither an array nor an object at {}",
                                                     path.is_root() ? "the top" : path.pointer()));
  for (auto element : array) {
    if (simdjson::to_json_string(element).get(raw))
      return error(Code::kInvalidArgument, fmt::format("element {} is damaged", elements.size()));
    while (!raw.empty() &&
           (raw.back() == ' ' || raw.back() == '\n' || raw.back() == '\r' || raw.back() == '\t'))
      raw.remove_suffix(1);
    elements.emplace_back(raw);
  }
  return elements;
}

}  // namespace

Result<JsonPath> JsonPath::parse(std::string_view text) {
  JsonPath path;
  std::string_view rest = text;
  if (rest.starts_with("$")) rest.remove_prefix(1);
  while (!rest.empty()) {
    const bool index = rest.front() == '[';
    if (index || rest.front() == '.') rest.remove_prefix(1);
    const std::size_t end = std::min(rest.find_first_of(index ? "]" : ".["), rest.size());
    const std::string_view name = rest.substr(0, end);
    const bool digits =
        std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (name.empty() || (index && (end == rest.size() || !digits)))
      return error(Code::kInvalidArgument,
                   fmt::format("JSON path \"{}\": expected a name or [N] at column {}", text,
                               text.size() - rest.size() + 1));
    path.pointer_ += '/';
    for (const char c : name)
      path.pointer_ += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    rest.remove_prefix(end + (index ? 1 : 0));
  }
  return path;
}

std::optional<std::string> JsonPath::find(std::string_view json) const {
  simdjson::dom::element root;
  if (dom_parser().parse(json.data(), json.size()).get(root)) return std::nullopt;
  simdjson::dom::element found = root;
  if (!pointer_.empty() && root.at_pointer(pointer_).get(found)) return std::nullopt;
  if (found.is_null()) return std::nullopt;
  std::string_view text;
  if (!found.get(text)) return std::string(text);
  return simdjson::to_string(found);
}

Status check_json(std::string_view text) {
  const auto failure = dom_parser().parse(text.data(), text.size()).error();
  if (failure) return error(Code::kInvalidArgument, simdjson::error_message(failure));
  return {};
}

Result<std::vector<std::string>> json_elements(std::string_view json, const JsonPath& path) {
  simdjson::dom::element root;
  if (const auto failure = dom_parser().parse(json.data(), json.size()).get(root))
    return error(Code::kInvalidArgument,
                 fmt::format("not JSON: {}", simdjson::error_message(failure)));
  // The whole text is valid: walk it again lazily, which keeps each element as it is written.
  static thread_local simdjson::ondemand::parser parser;
  const simdjson::padded_string padded(json);
  simdjson::ondemand::document document;
  simdjson::ondemand::value found;
  const bool missing = parser.iterate(padded).get(document) ||
                       (path.is_root() ? document.get_value().get(found)
                                       : document.at_pointer(path.pointer()).get(found));
  if (missing) return error(Code::kInvalidArgument, fmt::format("no value at {}", path.pointer()));
  return elements_of(found, path);
}

void append_json_string(std::string& out, std::string_view text) {
  const nlohmann::json value = std::string(text);
  out += value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace tailrace::connect
