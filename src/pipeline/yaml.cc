#include "pipeline/yaml.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <numeric>

namespace tailrace::pipeline {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t up = row[j];
      row[j] = std::min({up + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = up;
    }
  }
  return row[b.size()];
}

}  // namespace

Result<YamlFile> YamlFile::load(const std::string& path) {
  try {
    return YamlFile{path, YAML::LoadFile(path)};
  } catch (const YAML::BadFile&) {
    return error(Code::kNotFound, path + ": cannot be read");
  } catch (const YAML::ParserException& e) {
    return error(Code::kInvalidArgument, path + ":" + std::to_string(e.mark.line + 1) + ":" +
                                             std::to_string(e.mark.column + 1) + ": " + e.msg);
  }
}

std::string YamlFile::place(const YAML::Node& node) const {
  const YAML::Mark mark = node.Mark();
  if (mark.is_null()) return path;
  return path + ":" + std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1);
}

std::unexpected<Error> YamlFile::fail(const YAML::Node& node, const std::string& what) const {
  return error(Code::kInvalidArgument, place(node) + ": " + what);
}

Status YamlFile::only_keys(const YAML::Node& mapping,
                           const std::vector<std::string_view>& known) const {
  if (!mapping.IsMap()) return fail(mapping, "a mapping is expected here");
  for (const auto& entry : mapping) {
    const std::string key = entry.first.Scalar();
    if (std::ranges::find(known, key) != known.end()) continue;
    const std::string near = nearest(key, known);
    std::string all;
    for (std::string_view k : known) all += (all.empty() ? "" : ", ") + std::string(k);
    return fail(entry.first,
                "unknown key `" + key + "`" +
                    (near.empty() ? "; known keys: " + all : "; did you mean `" + near + "`?"));
  }
  return {};
}

Result<std::string> YamlFile::text(const YAML::Node& node, std::string_view key) const {
  if (!node.IsScalar())
    return fail(node, "`" + std::string(key) + "` is one value, not a list or mapping");
  return expand_environment(node.Scalar(), place(node));
}

Result<std::int64_t> YamlFile::integer(const YAML::Node& node, std::string_view key) const {
  ASSIGN(const std::string value, text(node, key));
  std::int64_t number = 0;
  auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (code != std::errc() || end != value.data() + value.size())
    return fail(node, "`" + std::string(key) + "` is a whole number, not `" + value + "`");
  return number;
}

Result<std::string> expand_environment(std::string_view text, std::string_view place) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t open = text.find("${", at);
    const std::size_t close = open == std::string_view::npos ? open : text.find('}', open);
    if (close == std::string_view::npos) {
      out += text.substr(at);
      break;
    }
    out += text.substr(at, open - at);
    const std::string name(text.substr(open + 2, close - open - 2));
    const char* value = std::getenv(name.c_str());
    if (!value)
      return error(Code::kInvalidArgument,
                   std::string(place) + ": the environment has no variable " + name);
    out += value;
    at = close + 1;
  }
  return out;
}

std::string nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  std::string best;
  std::size_t least = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace tailrace::pipeline
