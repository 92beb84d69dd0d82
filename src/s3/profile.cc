// The two files of AWS's tools.
#include "s3/profile.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "rt/file.h"

namespace tailrace::s3 {
namespace {

constexpr std::uint64_t kMostBytes = 1 << 20;

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::string file_of(const Environment& environment, const char* variable, const char* name) {
  std::string given = environment(variable);
  if (!given.empty()) return given;
  const std::string home = environment("HOME");
  return home.empty() ? "" : home + "/.aws/" + name;
}

Result<std::string> text_of(const std::string& path) {
  if (path.empty()) return std::string();
  auto text = rt::read_whole(rt::posix_files(), path, kMostBytes);
  if (!text && text.error().code == Code::kNotFound) return std::string();
  return text;
}

}  // namespace

std::optional<Section> section_of(std::string_view text, std::string_view name) {
  std::optional<Section> found;
  bool inside = false;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    const bool nested = line.starts_with(' ') || line.starts_with('\t');
    const std::string_view word = trim(line);
    if (word.empty() || word.starts_with('#') || word.starts_with(';')) continue;
    if (word.starts_with('[') && !nested) {
      inside = trim(word.substr(1, word.find(']') - 1)) == name;
      if (inside && !found) found.emplace();
      continue;
    }
    const auto equals = word.find('=');
    if (!inside || nested || equals == word.npos) continue;
    (*found)[std::string(trim(word.substr(0, equals)))] = trim(word.substr(equals + 1));
  }
  return found;
}

Result<Section> profile_of(const Environment& environment) {
  const std::string asked = environment("AWS_PROFILE");
  const std::string name = asked.empty() ? "default" : asked;
  const std::string keys = file_of(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
  const std::string config = file_of(environment, "AWS_CONFIG_FILE", "config");
  ASSIGN(const std::string keys_text, text_of(keys));
  ASSIGN(const std::string config_text, text_of(config));
  auto profile = section_of(keys_text, name);
  const auto more = section_of(config_text, name == "default" ? name : "profile " + name);
  if (!profile && !more && !asked.empty())
    return error(Code::kNotFound,
                 fmt::format("AWS_PROFILE is {}, but neither {} nor {} has this profile", asked,
                             keys, config));
  Section all = profile.value_or(Section());
  if (more) all.insert(more->begin(), more->end());
  return all;
}

}  // namespace tailrace::s3
