// Opens the listening socket of a server. For the files of this room that already know Asio.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <string>

#include "base/result.h"

namespace tailrace::net {

/// kUnavailable, with the line to print, when the address is taken (`flag` is what a user changes
/// it with); kInvalidArgument when the host is not an address or a name of this machine.
Status listen(boost::asio::ip::tcp::acceptor& acceptor, const std::string& host, std::uint16_t port,
              const std::string& flag);

}  // namespace tailrace::net
