// The HTTP doors of the program that runs on a project, as commands on the same machine ask them:
// known by the key in DATA/run.json where they speak TLS, with the token of DATA/console.token
// where they want a login.
#pragma once

#include <string>

#include "app/instance.h"
#include "net/http_client.h"

namespace tailrace::app {

struct RunningApi {
  std::string url;  ///< without a slash at its end; empty: the program has no such door
  std::string key;
  std::string token;

  /// Of a request with a body of JSON, or with none.
  net::HttpOptions options(int timeout_ms, std::size_t most_bytes = 64 << 20) const;
};

/// The control centre of what runs on `data`.
RunningApi running_console(const RunFile& running, const std::string& data);
/// The control centre, else the door for Airflow's clients.
RunningApi running_workflows(const RunFile& running, const std::string& data);

}  // namespace tailrace::app
