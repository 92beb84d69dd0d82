#include "app/airflow_config.h"

#include <fmt/format.h>

#include "app/door_tls.h"
#include "app/door_users.h"
#include "app/host_port.h"

namespace tailrace::app {

Result<airflow::DoorConfig> airflow_config(const AirflowSettings& settings) {
  const auto& [address, users, tls] = settings;
  ASSIGN(auto at, host_port(address, "--airflow"));
  airflow::DoorConfig config{.host = std::move(at.host), .port = at.port};
  ASSIGN(config.tls, door_tls(tls, "--airflow-"));
  if (users.empty()) {
    if (is_loopback(config.host)) return config;
    return error(Code::kFailedPrecondition,
                 fmt::format("--airflow {}: others would reach it and run what they like; name who "
                             "may: --airflow-users FILE, of lines USER: PASSWORD",
                             address));
  }
  ASSIGN(config.users, door_users(users, "--airflow-users"));
  return config;
}

}  // namespace tailrace::app
