#include "app/host_port.h"

namespace tailrace::app {

Result<HostPort> host_port(const std::string& address, const std::string& option) {
  const std::size_t colon = address.rfind(':');
  HostPort at;
  if (colon != std::string::npos) at.host = address.substr(0, colon);
  const std::string port = colon == std::string::npos ? address : address.substr(colon + 1);
  if (port.empty() || port.size() > 5 ||
      port.find_first_not_of("0123456789") != std::string::npos || std::stoi(port) > 65535)
    return error(Code::kInvalidArgument,
                 option + " " + address + ": HOST:PORT is expected, port 0 to 65535");
  at.port = static_cast<std::uint16_t>(std::stoi(port));
  return at;
}

}  // namespace tailrace::app
