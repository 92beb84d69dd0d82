#include "net/listen.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>

#include "net/port_owner.h"

namespace tailrace::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

Result<tcp::endpoint> resolve(const std::string& host, std::uint16_t port) {
  error_code failed;
  auto address = asio::ip::make_address(host, failed);
  if (!failed) return tcp::endpoint(address, port);
  asio::io_context io;
  tcp::resolver resolver(io);
  auto found = resolver.resolve(tcp::v4(), host, std::to_string(port), failed);
  if (failed || found.empty()) {
    return error(Code::kInvalidArgument, fmt::format("{} is not an address of this machine", host));
  }
  return found.begin()->endpoint();
}

}  // namespace

Status listen(tcp::acceptor& acceptor, const std::string& host, std::uint16_t port,
              const std::string& flag) {
  ASSIGN(auto endpoint, resolve(host, port));
  error_code failed;
  acceptor.open(endpoint.protocol(), failed);
  if (!failed) acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed) acceptor.bind(endpoint, failed);
  if (!failed) acceptor.listen(asio::socket_base::max_listen_connections, failed);
  if (failed == asio::error::address_in_use) {
    return error(Code::kUnavailable,
                 fmt::format("{}:{} is in use{}; choose another with {} HOST:PORT, or port 0 for "
                             "a free one",
                             host, port, port_owner(port), flag));
  }
  if (failed) {
    return error(Code::kInvalidArgument,
                 fmt::format("cannot listen on {}:{}: {}", host, port, failed.message()));
  }
  return {};
}

}  // namespace tailrace::net
