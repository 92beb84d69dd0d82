#include "app/console_door.h"

#include <filesystem>

#include "app/door_tls.h"
#include "app/door_users.h"
#include "app/host_port.h"
#include "auth/digest.h"
#include "auth/word_file.h"
#include "base/hex.h"
#include "base/log.h"

namespace tailrace::app {
namespace {

std::string token_file(const std::string& data) {
  return data + "/console.token";
}

}  // namespace

Result<console::ConsoleConfig> console_config(const ConsoleSettings& settings,
                                              const std::string& data) {
  ASSIGN(auto at, host_port(settings.listen, "--console"));
  console::ConsoleConfig config;
  config.host = std::move(at.host);
  config.port = at.port;
  ASSIGN(config.tls, door_tls(settings.tls, "--console-"));
  if (settings.users.empty()) return config;
  ASSIGN(config.login.users, door_users(settings.users, "--console-users"));
  constexpr std::size_t kTokenBytes = 32;
  config.login.token = encode_hex(auth::random_bytes(kTokenBytes));
  TRY(auth::write_words(token_file(data), {{config.login.token}}));
  if (!config.tls && !is_loopback(config.host))
    LOG(warn,
        "--console {}: passwords come over the network as they are: speak TLS, by "
        "--console-tls-certificate and --console-tls-key",
        settings.listen);
  return config;
}

std::string console_token(const std::string& data) {
  const auto lines = auth::read_words(token_file(data));
  return lines && lines->size() == 1 && lines->front().size() == 1 ? lines->front().front() : "";
}

void forget_console_token(const std::string& data) {
  std::error_code ignored;
  std::filesystem::remove(token_file(data), ignored);
}

}  // namespace tailrace::app
