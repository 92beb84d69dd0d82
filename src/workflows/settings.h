// `workflows`, `connections` and `variables` of tailrace.yml.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "tasks/process.h"

namespace tailrace::workflows {

struct Settings {
  tasks::Limits limits;
  std::map<std::string, std::string> connections = {};  ///< id → URI or JSON, as Airflow has them
  std::map<std::string, std::string> variables = {};
};

/// Of the project's folder; without a tailrace.yml what is there without it: a task may have half
/// of the machine's memory, 1,000 processes of 4,096 open files, and any time. An Error names the
/// place.
Result<Settings> load_settings(const std::string& folder);

/// Whether its tailrace.yml has connections or variables; their secrets need not be there.
Result<bool> has_connections(const std::string& folder);

}  // namespace tailrace::workflows
