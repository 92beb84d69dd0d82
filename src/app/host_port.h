// "HOST:PORT" as the options of commands take it.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace tailrace::app {

struct HostPort {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
};

/// The host may be left out; kInvalidArgument names the `option`.
Result<HostPort> host_port(const std::string& address, const std::string& option);

/// Whether nobody but this machine's users reaches the address.
bool is_loopback(const std::string& host);

}  // namespace tailrace::app
