// YAML nodes with places: typed reads that say file:line:column and the nearest known key.
#pragma once

#include <yaml-cpp/yaml.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tailrace::pipeline {

struct YamlFile {
  std::string path;
  YAML::Node root;

  static Result<YamlFile> load(const std::string& path);

  std::string place(const YAML::Node& node) const;
  /// kInvalidArgument naming the first key of the mapping that is not among `known`, with the
  /// nearest one.
  Status only_keys(const YAML::Node& mapping, const std::vector<std::string_view>& known) const;
  Result<std::string> text(const YAML::Node& node, std::string_view key) const;
  Result<std::int64_t> integer(const YAML::Node& node, std::string_view key) const;
  std::unexpected<Error> fail(const YAML::Node& node, const std::string& what) const;
};

/// ${NAME} replaced by the environment; an unset name is an error.
Result<std::string> expand_environment(std::string_view text, std::string_view place);

/// The candidate that is fewest edits away, or empty when none is near.
std::string nearest(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace tailrace::pipeline
