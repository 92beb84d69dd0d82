#include "app/airflow_config.h"

#include <fmt/format.h>

#include <cstdlib>
#include <string_view>

#include "app/host_port.h"
#include "rt/file.h"

namespace tailrace::app {
namespace {

constexpr std::size_t kMostBytes = 16 << 20;

/// Of a file, or of an environment variable: env:NAME.
Result<std::string> users_text(const std::string& users) {
  constexpr std::string_view kEnvironment = "env:";
  if (!users.starts_with(kEnvironment)) return rt::read_whole(rt::posix_files(), users, kMostBytes);
  const char* text = std::getenv(users.substr(kEnvironment.size()).c_str());
  if (text == nullptr || *text == '\0')
    return error(Code::kInvalidArgument,
                 users + ": the environment has no such variable, of lines USER: PASSWORD");
  return std::string(text);
}

}  // namespace

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
  const auto text = users_text(users);
  if (!text) return std::unexpected(text.error().in("--airflow-users"));
  auto known = auth::parse_users(*text);
  if (!known) return std::unexpected(known.error().in(users));
  config.users = std::make_shared<const auth::Passwords>(std::move(*known));
  return config;
}

}  // namespace tailrace::app
