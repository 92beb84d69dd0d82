// A schema registry somewhere else, by Confluent's REST API (Apicurio's ccompat and others speak it
// too).
#pragma once

#include <memory>
#include <string>

#include "subjects/schema_client.h"

namespace tailrace::subjects {

struct RemoteRegistry {
  std::string url;        ///< "http://registry:8081", or with a path before /subjects
  std::string user = {};  ///< HTTP basic authentication; empty for none
  std::string password = {};
  std::string ca_file = {};  ///< PEM certificates to trust instead of the system's
  int tries = 3;             ///< of what passes
  int timeout_ms = 10'000;   ///< of one try
};

/// Asks nothing yet. What passes (no connection, a 5xx) is tried `tries` times, three within about
/// a second, then it is kUnavailable; schemas found by id are kept.
std::unique_ptr<SchemaClient> remote_client(RemoteRegistry registry);

}  // namespace tailrace::subjects
