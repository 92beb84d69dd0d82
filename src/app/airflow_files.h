// What a real Airflow needs of a project: its loader, the packages that its DAG files name, and
// Tailrace's own provider. `tailrace airflow` and `tailrace compose` write it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"

namespace tailrace::app {

struct AirflowFile {
  std::string name;  ///< relative
  std::string text;
};

struct AirflowNeeds {
  std::size_t dags = 0;
  std::vector<std::string> packages;  ///< as pip takes them, but for Tailrace's own
  bool own_provider = false;          ///< a task is of tailrace_provider, or connections are
  bool secrets = false;               ///< tailrace.yml has connections or variables
  std::vector<std::string> doubts;    ///< of the files, with their places
};

/// Of the DAG files in `folder`, the project's; kInvalidArgument: what is wrong with them.
Result<AirflowNeeds> airflow_needs(const std::string& folder);

/// The files of Airflow's DAGs folder that load the DAG files of `dags`, a path as Airflow has it.
std::vector<AirflowFile> airflow_loader(const std::string& dags, const std::string& project);

/// Below tailrace_provider/: a Python package, and what pip builds it from.
std::vector<AirflowFile> airflow_provider();

}  // namespace tailrace::app
