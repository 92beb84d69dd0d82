#include "yaml/file.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <span>

#include "base/edit_distance.h"

namespace tailrace::yaml {
namespace {

/// What newcomers trip over, seen from the line that the parser did not understand.
std::string hint(const std::string& path, int line) {
  std::ifstream in(path);
  std::string text;
  for (int i = 0; i <= line && std::getline(in, text); ++i)
    if (text.substr(0, text.find_first_not_of(" \t")).find('\t') != std::string::npos)
      return "; line " + std::to_string(i + 1) + " is indented with a tab: YAML takes blanks only";
  return "; look at the indentation, quotes and brackets of this line and the one before";
}

struct Unit {
  std::string_view suffix;
  std::int64_t factor;
};

constexpr Unit kTimes[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
constexpr Unit kSizes[] = {
    {"", 1},          {"B", 1},         {"KB", 1000},    {"MB", 1'000'000}, {"GB", 1'000'000'000},
    {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};

/// A whole number and one of `units`, in the first one's.
Result<std::int64_t> quantity(const File& file, const YAML::Node& node, std::string_view key,
                              std::span<const Unit> units) {
  ASSIGN(const std::string text, file.text(node, key));
  std::int64_t number = 0;
  auto [rest, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view suffix(rest, text.data() + text.size() - rest);
  for (const Unit& unit : units)
    if (code == std::errc() && number >= 0 && suffix == unit.suffix) return number * unit.factor;
  std::string known;
  for (const Unit& unit : units)
    known += (known.empty() ? "" : ", ") + std::string("5") + std::string(unit.suffix);
  return file.fail(
      node, "`" + std::string(key) + ": " + text + "` is not understood; write it like " + known);
}

}  // namespace

Result<File> File::load(const std::string& path) {
  try {
    return File{path, YAML::LoadFile(path)};
  } catch (const YAML::BadFile&) {
    return error(Code::kNotFound, path + ": cannot be read");
  } catch (const YAML::Exception& e) {
    return error(Code::kInvalidArgument, path + ":" + std::to_string(e.mark.line + 1) + ":" +
                                             std::to_string(e.mark.column + 1) + ": " + e.msg +
                                             hint(path, e.mark.line));
  }
}

std::string File::place(const YAML::Node& node) const {
  const YAML::Mark mark = node.Mark();
  if (mark.is_null()) return path;
  return path + ":" + std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1);
}

std::unexpected<Error> File::fail(const YAML::Node& node, const std::string& what) const {
  return error(Code::kInvalidArgument, place(node) + ": " + what);
}

Status File::only_keys(const YAML::Node& mapping,
                       const std::vector<std::string_view>& known) const {
  std::string all;
  for (std::string_view k : known) all += (all.empty() ? "" : ", ") + std::string(k);
  if (!mapping || mapping.IsNull()) return {};
  if (!mapping.IsMap()) return fail(mapping, "a mapping is expected here, with keys of: " + all);
  std::set<std::string> seen;
  for (const auto& entry : mapping) {
    if (!entry.first.IsScalar()) return fail(entry.first, "a key is one word");
    const std::string key = entry.first.Scalar();
    if (!seen.insert(key).second)
      return fail(entry.first, "`" + key + "` is here twice; leave one of them");
    if (std::ranges::find(known, key) != known.end()) continue;
    const std::string near = nearest(key, known);
    return fail(entry.first,
                "unknown key `" + key + "`" +
                    (near.empty() ? "; known keys: " + all : "; did you mean `" + near + "`?"));
  }
  return {};
}

Result<std::vector<File::Entry>> File::entries(const YAML::Node& node, std::string_view key,
                                               std::string_view example) const {
  std::vector<Entry> found;
  if (!node || node.IsNull()) return found;
  if (!node.IsMap())
    return fail(node, "`" + std::string(key) + "` is a mapping, written " + std::string(example));
  std::set<std::string> seen;
  for (const auto& entry : node) {
    if (!entry.first.IsScalar()) return fail(entry.first, "a key is one word");
    found.push_back({entry.first.Scalar(), entry.first, entry.second});
    if (!seen.insert(found.back().key).second)
      return fail(entry.first, "`" + found.back().key + "` is here twice; leave one of them");
  }
  return found;
}

Result<std::vector<YAML::Node>> File::items(const YAML::Node& node, std::string_view key,
                                            std::string_view example) const {
  std::vector<YAML::Node> found;
  if (!node || node.IsNull()) return found;
  if (!node.IsSequence())
    return fail(node, "`" + std::string(key) + "` is a list, written " + std::string(example));
  for (const auto& item : node) found.push_back(item);
  return found;
}

Result<std::string> File::text(const YAML::Node& node, std::string_view key) const {
  if (!node.IsScalar())
    return fail(node, "`" + std::string(key) + "` is one value, not " +
                          (node.IsNull() ? "nothing" : "a list or mapping"));
  ASSIGN(const std::string value, expand_environment(node.Scalar(), place(node)));
  if (!value.starts_with("file:")) return value;
  std::filesystem::path secret(value.substr(5));
  if (secret.is_relative()) secret = std::filesystem::path(path).parent_path() / secret;
  std::ifstream in(secret, std::ios::binary);
  std::string content((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in)
    return fail(node,
                "`" + std::string(key) + "`: the file " + secret.string() + " cannot be read");
  while (content.ends_with('\n') || content.ends_with('\r')) content.pop_back();
  return content;
}

Result<std::int64_t> File::integer(const YAML::Node& node, std::string_view key) const {
  ASSIGN(const std::string value, text(node, key));
  std::int64_t number = 0;
  auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (code != std::errc() || end != value.data() + value.size())
    return fail(node, "`" + std::string(key) + "` is a whole number, not `" + value + "`");
  return number;
}

Result<std::int64_t> File::milliseconds(const YAML::Node& node, std::string_view key) const {
  return quantity(*this, node, key, kTimes);
}

Result<std::int64_t> File::bytes(const YAML::Node& node, std::string_view key) const {
  return quantity(*this, node, key, kSizes);
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
      return error(Code::kInvalidArgument, std::string(place) +
                                               ": the environment has no variable " + name +
                                               "; set it before the start: export " + name + "=…");
    out += value;
    at = close + 1;
  }
  return out;
}

std::vector<std::string> environment_values(std::string_view text) {
  std::vector<std::string> values;
  for (auto open = text.find("${"); open != std::string_view::npos; open = text.find("${", open)) {
    const auto close = text.find('}', open);
    if (close == std::string_view::npos) break;
    const std::string name(text.substr(open + 2, close - open - 2));
    if (const char* value = std::getenv(name.c_str())) values.emplace_back(value);
    open = close;
  }
  return values;
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

}  // namespace tailrace::yaml
