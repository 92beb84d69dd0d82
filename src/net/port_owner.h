// Who listens on a TCP port, as far as /proc tells: for the line about a taken port.
#pragma once

#include <cstdint>
#include <string>

namespace tailrace::net {

/// " by PROGRAM, pid N", or "" when the owner belongs to another user or cannot be found.
std::string port_owner(std::uint16_t port);

}  // namespace tailrace::net
