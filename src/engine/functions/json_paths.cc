// get_json_object, json_object_keys and json_array_length.
#include <charconv>

#include "engine/functions/json_document.h"
#include "engine/functions/registry.h"

namespace tailrace::engine {
namespace {

using Text = std::string_view;
using simdjson::dom::element;

/// A step of a path: .name, ['name'], [3] or [*].
struct Step {
  enum class Kind { kName, kIndex, kEvery } kind;
  std::string name;
  std::size_t index = 0;
};

bool bracket_step(Text& path, std::vector<Step>& steps) {
  const auto end = path.find(']');
  if (end == Text::npos) return false;
  const Text inside = path.substr(1, end - 1);
  path.remove_prefix(end + 1);
  if (inside == "*") {
    steps.push_back({Step::Kind::kEvery, {}});
    return true;
  }
  if (inside.size() > 2 && inside.front() == '\'' && inside.back() == '\'') {
    steps.push_back({Step::Kind::kName, std::string(inside.substr(1, inside.size() - 2))});
    return true;
  }
  std::size_t index = 0;
  const auto [last, fault] = std::from_chars(inside.data(), inside.data() + inside.size(), index);
  if (fault != std::errc() || last != inside.data() + inside.size()) return false;
  steps.push_back({Step::Kind::kIndex, {}, index});
  return true;
}

std::optional<std::vector<Step>> parse_path(Text path) {
  if (!path.starts_with('$')) return std::nullopt;
  path.remove_prefix(1);
  std::vector<Step> steps;
  while (!path.empty()) {
    if (path.front() == '[') {
      if (!bracket_step(path, steps)) return std::nullopt;
      continue;
    }
    if (path.front() != '.') return std::nullopt;
    path.remove_prefix(1);
    const auto name = path.substr(0, path.find_first_of(".["));
    if (name.empty()) return std::nullopt;
    steps.push_back({Step::Kind::kName, std::string(name)});
    path.remove_prefix(name.size());
  }
  return steps;
}

void collect(element value, std::span<const Step> steps, std::vector<element>& out) {
  if (steps.empty()) return out.push_back(value);
  const Step& step = steps.front();
  const auto rest = steps.subspan(1);
  if (step.kind == Step::Kind::kName) {
    simdjson::dom::object object;
    element found;
    if (!value.get_object().get(object) && !object.at_key(step.name).get(found))
      collect(found, rest, out);
    return;
  }
  simdjson::dom::array array;
  if (value.get_array().get(array)) return;
  std::size_t index = 0;
  for (const element one : array) {
    if (step.kind == Step::Kind::kEvery || index == step.index) collect(one, rest, out);
    ++index;
  }
}

std::optional<std::string> at_path(element root, const std::vector<Step>& steps) {
  std::vector<element> found;
  collect(root, steps, found);
  if (found.empty()) return std::nullopt;
  std::string out;
  if (found.size() > 1) {
    for (const element one : found) {
      out += out.empty() ? '[' : ',';
      append_json(out, one);
    }
    return out + "]";
  }
  if (found.front().is_null()) return std::nullopt;
  Text text;
  if (!found.front().get_string().get(text)) {
    if (text.starts_with(kBigNumber)) text.remove_prefix(kBigNumber.size());
    return std::string(text);
  }
  append_json(out, found.front());
  return out;
}

Result<Array> get_json_object(Call& call) {
  JsonDocument document;
  std::string last;
  std::optional<std::vector<Step>> steps;
  return map_rows<Text, Text>(call, [&](auto, Text text, Text path) -> std::optional<std::string> {
    if (!steps || path != last) {
      last = path;
      steps = parse_path(path);
    }
    if (!steps) return std::nullopt;
    const auto root = document.parse(text);
    return root ? at_path(*root, *steps) : std::nullopt;
  });
}

Result<Array> array_length(Call& call) {
  JsonDocument document;
  return map_rows<Text>(call, [&](auto, Text text) -> std::optional<std::int32_t> {
    const auto root = document.parse(text);
    simdjson::dom::array array;
    if (!root || root->get_array().get(array)) return std::nullopt;
    std::int32_t count = 0;
    for ([[maybe_unused]] const element one : array) ++count;
    return count;
  });
}

Result<Array> object_keys(Call& call) {
  JsonDocument document;
  const Reader<Text> texts(call.args[0]);
  arrow::ListBuilder out(arrow::default_memory_pool(), std::make_shared<arrow::StringBuilder>(),
                         call.type());
  auto& keys = static_cast<arrow::StringBuilder&>(*out.value_builder());
  for (std::int64_t row = 0; row < call.rows; ++row) {
    const auto root = texts.nulls[row] ? std::nullopt : document.parse(texts[row]);
    simdjson::dom::object object;
    if (!root || root->get_object().get(object)) {
      TRY(from_arrow(out.AppendNull()));
      continue;
    }
    TRY(from_arrow(out.Append()));
    for (const auto& field : object) TRY(from_arrow(keys.Append(field.key)));
  }
  return from_arrow(out.Finish());
}

}  // namespace

void add_json(Functions& out) {
  out.push_back({{"get_json_object", "get_json_object(text, path)",
                  "The value at a path as $.a.b[0].c, as text.",
                  "get_json_object('{\"a\":{\"b\":[1,{\"c\":\"x\"}]}}', '$.a.b[1].c')", "x"},
                 {},
                 signature("string, string -> string"),
                 get_json_object});
  out.push_back({{"json_array_length", "json_array_length(text)", "Elements of a JSON array.",
                  "json_array_length('[1,2,[3]]')", "3"},
                 {},
                 signature("string -> int"),
                 array_length});
  out.push_back({{"json_object_keys", "json_object_keys(text)", "Keys of a JSON object.",
                  "json_object_keys('{\"a\":1,\"b\":{\"c\":2}}')", "[a, b]"},
                 {},
                 signature("string -> array<string>"),
                 object_keys});
}

}  // namespace tailrace::engine
