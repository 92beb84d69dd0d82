#include "app/cql_service.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/door_tls.h"
#include "app/host_port.h"
#include "base/log.h"
#include "rt/file.h"
#include "rt/memory.h"

namespace tailrace::app {
namespace {

/// Of the rows that are read: grows with them, from nothing.
std::size_t cache_bytes() {
  constexpr std::uint64_t kPart = 16, kLeast = 32 << 20, kMost = 512 << 20;
  return std::clamp(rt::machine_memory() / kPart, kLeast, kMost);
}

/// The file's first line; empty for no file.
Result<std::string> first_password(const std::string& file) {
  constexpr std::size_t kMostBytes = 4096;
  if (file.empty()) return std::string();
  ASSIGN(auto text, rt::read_whole(rt::posix_files(), file, kMostBytes));
  text.resize(std::min(text.find_first_of("\r\n"), text.size()));
  if (text.empty()) return error(Code::kInvalidArgument, file + ": the first line is the password");
  return text;
}

}  // namespace

Result<std::unique_ptr<CqlService>> CqlService::open(const std::string& folder, CqlLogins logins) {
  cql_query::Options options;
  if (logins.auth != "none" && logins.auth != "password") {
    return error(Code::kInvalidArgument,
                 logins.flags + "auth " + logins.auth + ": none or password is expected");
  }
  options.passwords = logins.auth == "password";
  options.store.block_cache_bytes = cache_bytes();
  ASSIGN(const auto password, first_password(logins.first_password_file));
  if (!password.empty()) options.first_password = password;
  auto service = std::make_unique<CqlService>();
  service->logins_ = std::move(logins);
  ASSIGN(service->engine_, cql_query::Engine::open(folder, std::move(options)));
  return service;
}

Status CqlService::check_default_password(const std::string& host,
                                          const CqlSettings& settings) const {
  if (!engine_->has_default_password()) return {};
  const std::string what =
      "the role cassandra can log in with the password that everybody knows: ALTER ROLE cassandra "
      "WITH PASSWORD = '…'";
  if (!is_loopback(host) && !logins_.allow_default_password) {
    return error(Code::kFailedPrecondition,
                 fmt::format("{} {}: {} on 127.0.0.1 first, or begin in an empty data folder with "
                             "{}first-password-file FILE; {}allow-default-password starts as it is",
                             settings.flag, settings.listen, what, logins_.flags, logins_.flags));
  }
  LOG(warn, "{}", what);
  return {};
}

Status CqlService::start(const CqlSettings& settings) {
  ASSIGN(auto at, host_port(settings.listen, settings.flag));
  cql::DoorConfig config;
  if (logins_.auth == "password") {
    TRY(check_default_password(at.host, settings));
    config.authenticator = std::make_shared<cql::PasswordAuthenticator>(*engine_);
  }
  config.host = std::move(at.host);
  config.port = at.port;
  config.flag = settings.flag;
  ASSIGN(config.tls, door_tls(settings.tls, logins_.flags));
  ASSIGN(door_, cql::Door::start(*engine_, std::move(config)));
  return {};
}

}  // namespace tailrace::app
