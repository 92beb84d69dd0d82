// dag-factory's YAML to Dags: the format of dag-factory 1.1 on Airflow 3, with every fault named at
// its line.
#pragma once

#include <functional>
#include <memory>
#include <optional>
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
    bool any_arguments = false;               ///< takes others, too: it is not known
    std::vector<std::string> template_files;  ///< a template field that ends so is a file's name
    bool decorator = false;                   ///< airflow.sdk.task …
    /// What dag-factory and the scheduler do for it (spec/airflow_operators.yml): `python`,
    /// `http`, `http_sensor`, `sql_sensor`, `sensor`, `skips`.
    std::vector<std::string> kinds;
    bool is(std::string_view kind) const;
  };
  virtual const Signature* find(std::string_view path) const = 0;
  virtual std::vector<std::string> paths() const = 0;
  /// False: reading goes on with a doubt, since tasks of it fail where the DAGs are to run.
  virtual bool runs(const std::string& path) const;
  /// True: a doubt says that the argument, which every operator takes, does nothing.
  virtual bool ignores(std::string_view argument) const;
  /// What an operator is taken for that find() does not know, with a doubt; null: that is fatal.
  virtual const Signature* stand_in(bool decorator) const;
};

/// The signatures of spec/airflow_operators.yml: Airflow's and its providers'.
const Operators& airflow_operators();
/// The same for DAGs that an Airflow runs, which may have more operators than are known here.
const Operators& operators_of_an_airflow();

/// What a reading depends on beside the files.
struct Surroundings {
  /// Where defaults.yml files count from, and where dotted paths of Python are looked for; empty:
  /// the folder read, or that of the one file.
  std::string folder;
  std::function<std::optional<std::string>(const std::string&)> environment;  ///< none: getenv
  calendar::Micros now = 0;  ///< for a start_date of `2 days`; 0: the system's clock
};

/// Every `*.yml`/`*.yaml` below `path` (not defaults.yml, which give their folder's and those
/// below it defaults; not what an .airflowignore names), or the one file. `$VAR` and `${VAR}` are
/// the environment's, over the whole text as dag-factory does. An Error only when `path` is not
/// there; all else is a finding.
Result<Reading> read(const std::string& path, const Operators& operators,
                     const Surroundings& surroundings = {});

/// A DAG as JSON, every attribute with its name, without places: the digest in Dag::version is of
/// it.
std::string describe(const Dag& dag);

}  // namespace tailrace::dags
