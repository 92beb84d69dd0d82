// Python functions as far as a DAG file's reader must know them: whether a file has one, and the
// names of its arguments (dag-factory gives a decorated task's keys to the function that names
// them).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace tailrace::dags {

class Callables {
 public:
  explicit Callables(std::string folder) : folder_(std::move(folder)) {}

  struct Function {
    std::vector<std::string> arguments;  ///< those that may be given without a name
  };
  /// kNotFound when the file is not there, or it has no such function, class or name on its first
  /// level.
  Result<Function> in_file(const std::string& file, const std::string& name);
  /// A dotted path whose module is a file below the folder; none when it is not (an installed
  /// package: nothing is known of it).
  std::optional<Result<Function>> by_path(const std::string& path);

 private:
  struct Module {
    std::map<std::string, Function> functions;
    std::vector<std::string> names;
  };
  Result<const Module*> load(const std::string& file);
  std::string folder_;
  std::map<std::string, Result<Module>> modules_;
};

}  // namespace tailrace::dags
