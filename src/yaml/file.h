// YAML nodes with places: typed reads that say file:line:column and the nearest known key.
#pragma once

#include <yaml-cpp/yaml.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tailrace::yaml {

struct File {
  std::string path;
  YAML::Node root;

  static Result<File> load(const std::string& path);

  /// A part of a mapping: its key and what stands behind it.
  struct Entry {
    std::string key;
    YAML::Node key_node, value;
  };

  std::string place(const YAML::Node& node) const;
  /// The mapping's entries in their order; none when it is absent or empty. `example` shows how it
  /// is written.
  Result<std::vector<Entry>> entries(const YAML::Node& node, std::string_view key,
                                     std::string_view example) const;
  /// The list's elements; none when it is absent or empty.
  Result<std::vector<YAML::Node>> items(const YAML::Node& node, std::string_view key,
                                        std::string_view example) const;
  /// kInvalidArgument naming the first key of the mapping that is not among `known`, with the
  /// nearest one, or a key that comes twice. An empty value is an empty mapping.
  Status only_keys(const YAML::Node& mapping, const std::vector<std::string_view>& known) const;
  /// One value, with ${NAME} from the environment; `file:PATH` is the content of that file, looked
  /// for beside this one.
  Result<std::string> text(const YAML::Node& node, std::string_view key) const;
  Result<std::int64_t> integer(const YAML::Node& node, std::string_view key) const;
  /// A time as `500ms`, `5s`, `10m`, `12h`, `7d`.
  Result<std::int64_t> milliseconds(const YAML::Node& node, std::string_view key) const;
  /// A size as `1048576`, `8MB`, `1GiB`.
  Result<std::int64_t> bytes(const YAML::Node& node, std::string_view key) const;
  std::unexpected<Error> fail(const YAML::Node& node, const std::string& what) const;
};

/// ${NAME} replaced by the environment; an unset name is an error.
Result<std::string> expand_environment(std::string_view text, std::string_view place);

/// The values of the variables that a text names as ${NAME}.
std::vector<std::string> environment_values(std::string_view text);

/// The candidate that is fewest edits away, or empty when none is near.
std::string nearest(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace tailrace::yaml
