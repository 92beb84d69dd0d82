// dag-factory's YAML to Dags: the format of dag-factory 1.1 on Airflow 3, with every fault named at
// its line.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "dags/dag.h"

namespace tailrace::dags {

/// What is wrong, or doubtful, in one place.
struct Finding {
  Place place;
  bool fatal = true;  ///< false: read anyway (what Airflow's loader ignores in silence, too)
  std::string what;   ///< and what to do about it
  std::string text() const;
};

struct Reading {
  std::vector<std::shared_ptr<const Dag>> dags;  ///< those without a fatal finding
  std::vector<Finding> findings;
};

/// What an operator takes, for checking names and required arguments; operators that are unknown
/// are a finding that lists the nearest.
class Operators {
 public:
  virtual ~Operators() = default;
  struct Signature {
    std::string path;                  ///< its present dotted path
    std::vector<std::string> aliases;  ///< older paths that Airflow still imports
    std::vector<std::string> arguments, required, template_fields;
    bool any_arguments = false;  ///< takes others, too (decorators' op_kwargs)
  };
  virtual const Signature* find(std::string_view path) const = 0;
  virtual std::vector<std::string> paths() const = 0;
};

/// Every `*.yml`/`*.yaml` below `folder` (not defaults.yml, which give their folder's defaults), or
/// the one file. `$VAR` and `${VAR}` are the environment's, over the whole text as dag-factory
/// does.
Result<Reading> read(const std::string& path, const Operators& operators);

}  // namespace tailrace::dags
