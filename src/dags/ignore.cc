#include "dags/ignore.h"

#include <fstream>

namespace tailrace::dags {
namespace {

/// `[…]` at the pattern's start: whether it takes `c`, and how long it is; 0: it is no class.
std::size_t class_length(std::string_view pattern, char c, bool& takes) {
  std::size_t at = 1;
  const bool negated = at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^');
  if (negated) ++at;
  bool found = false;
  for (bool first = true; at < pattern.size() && (first || pattern[at] != ']'); first = false) {
    const char low = pattern[at];
    char high = low;
    if (at + 2 < pattern.size() && pattern[at + 1] == '-' && pattern[at + 2] != ']') {
      high = pattern[at + 2];
      at += 2;
    }
    found = found || (c >= low && c <= high);
    ++at;
  }
  if (at >= pattern.size()) return 0;
  takes = found != negated && c != '/';
  return at + 1;
}

}  // namespace

bool glob_match(std::string_view pattern, std::string_view path) {
  if (pattern.empty()) return path.empty();
  if (pattern.starts_with("**/")) {
    for (std::size_t at = 0;; ++at) {
      if ((at == 0 || path[at - 1] == '/') && glob_match(pattern.substr(3), path.substr(at)))
        return true;
      if (at >= path.size()) return false;
    }
  }
  if (pattern == "**") return true;
  if (pattern[0] == '*') {
    for (std::size_t at = 0;; ++at) {
      if (glob_match(pattern.substr(1), path.substr(at))) return true;
      if (at >= path.size() || path[at] == '/') return false;
    }
  }
  if (path.empty()) return false;
  if (pattern[0] == '?') return path[0] != '/' && glob_match(pattern.substr(1), path.substr(1));
  if (pattern[0] == '[') {
    bool takes = false;
    if (const std::size_t length = class_length(pattern, path[0], takes); length > 0)
      return takes && glob_match(pattern.substr(length), path.substr(1));
  }
  if (pattern[0] == '\\' && pattern.size() > 1) pattern.remove_prefix(1);
  return pattern[0] == path[0] && glob_match(pattern.substr(1), path.substr(1));
}

void Ignore::load(const std::string& folder) {
  std::ifstream in(folder + "/.airflowignore");
  for (std::string line; std::getline(in, line);) {
    line = line.substr(0, line.find('#'));
    line.erase(line.find_last_not_of(" \t\r") + 1);
    line.erase(0, line.find_first_not_of(" \t"));
    if (line.empty()) continue;
    Pattern pattern{.folder = folder, .glob = line};
    if (pattern.glob.starts_with('!')) {
      pattern.negated = true;
      pattern.glob.erase(0, 1);
    }
    if (pattern.glob.ends_with('/')) {
      pattern.folders_only = true;
      pattern.glob.pop_back();
    }
    pattern.anchored = pattern.glob.find('/') != std::string::npos;
    if (pattern.glob.starts_with('/')) pattern.glob.erase(0, 1);
    patterns_.push_back(std::move(pattern));
  }
}

bool Ignore::matches(const std::string& path, bool is_folder) const {
  bool ignored = false;
  for (const Pattern& pattern : patterns_) {
    if (!path.starts_with(pattern.folder + "/") || (pattern.folders_only && !is_folder)) continue;
    const std::string_view relative = std::string_view(path).substr(pattern.folder.size() + 1);
    const std::string_view name = relative.substr(relative.rfind('/') + 1);
    if (glob_match(pattern.glob, pattern.anchored ? relative : name)) ignored = !pattern.negated;
  }
  return ignored;
}

}  // namespace tailrace::dags
