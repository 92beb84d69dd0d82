// What a project's sources need of a container: ports that others send to, folders that are read.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "pipeline/project.h"

namespace tailrace::compose {

struct IngestNeeds {
  std::vector<std::string> ports;    ///< as Compose publishes them: "5514:5514/udp"
  std::vector<std::string> folders;  ///< outside the project's folder, as its files are named
  /// The settings with every source listening at all of the container's addresses, for it is asked
  /// at none of the host's; the same text where all do.
  std::string settings;
};

/// kFailedPrecondition where a port is chosen only when the source starts.
Result<IngestNeeds> ingest_needs(const pipeline::Project& project, const std::string& settings);

}  // namespace tailrace::compose
