// A bound UDP socket that is read in batches, and knows how many datagrams the system dropped.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tailrace::net {

class UdpSocket {
 public:
  /// `datagram`, from "ADDRESS:PORT"; the views hold during the call only.
  using Take = std::function<void(std::string_view datagram, const std::string& from)>;

  /// Port 0 picks a free one; `flag` is what a user changes the address with. kUnavailable when it
  /// is taken, kInvalidArgument when the host is not an address of this machine. The system holds
  /// up to `held_bytes` that nobody has read, if it allows so much.
  static Result<std::unique_ptr<UdpSocket>> bind(const std::string& host, std::uint16_t port,
                                                 std::size_t held_bytes, const std::string& flag);
  virtual ~UdpSocket() = default;

  /// Waits for datagrams, then takes what is there, 64 at most; how many that were.
  virtual Result<std::size_t> receive(std::chrono::milliseconds wait, const Take& take) = 0;
  /// Of the socket's lifetime, as told with the last datagram.
  virtual std::uint64_t dropped() const = 0;
  virtual std::uint16_t port() const = 0;
};

}  // namespace tailrace::net
