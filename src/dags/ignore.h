// .airflowignore files: git's patterns, each relative to the folder of its file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tailrace::dags {

class Ignore {
 public:
  /// Takes the folder's .airflowignore, where it has one. Folders come before those in them.
  void load(const std::string& folder);
  /// By the last pattern that matches, in the deepest folder that has one.
  bool matches(const std::string& path, bool is_folder) const;

 private:
  struct Pattern {
    std::string folder, glob;
    bool negated = false, folders_only = false, anchored = false;
  };
  std::vector<Pattern> patterns_;
};

/// gitignore's match of a whole path: `*` and `?` without a slash, `**` with, `[a-z]`.
bool glob_match(std::string_view pattern, std::string_view path);

}  // namespace tailrace::dags
