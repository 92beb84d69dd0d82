#include "app/host_port.h"

#include "net/address.h"

namespace tailrace::app {

Result<HostPort> host_port(const std::string& address, const std::string& option) {
  auto at = net::parse_address(address.find(':') == std::string::npos ? ":" + address : address);
  if (!at)
    return error(Code::kInvalidArgument,
                 option + " " + address + ": HOST:PORT is expected, port 0 to 65535");
  HostPort found{.host = std::move(at->host), .port = at->port};
  if (found.host.empty() && !address.starts_with(':')) found.host = HostPort().host;
  return found;
}

bool is_loopback(const std::string& host) {
  return host.starts_with("127.") || host == "localhost" || host == "::1";
}

}  // namespace tailrace::app
