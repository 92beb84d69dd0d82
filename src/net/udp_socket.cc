#include "net/udp_socket.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <vector>

namespace tailrace::net {
namespace {

constexpr std::size_t kBatch = 64;
constexpr std::size_t kMaxDatagram = 65536;

std::string place_of(const sockaddr_storage& address, socklen_t size) {
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  const int failed =
      getnameinfo(reinterpret_cast<const sockaddr*>(&address), size, host.data(), host.size(),
                  port.data(), port.size(), NI_NUMERICHOST | NI_NUMERICSERV);
  if (failed != 0) return "?";
  const bool v6 = address.ss_family == AF_INET6;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", host.data(), v6 ? "]" : "", port.data());
}

class BoundSocket final : public UdpSocket {
 public:
  explicit BoundSocket(int socket) : socket_(socket), memory_(kBatch * kMaxDatagram) {}
  ~BoundSocket() override { ::close(socket_); }

  Result<std::size_t> receive(std::chrono::milliseconds wait, const Take& take) override;
  std::uint64_t dropped() const override { return dropped_; }
  std::uint16_t port() const override;

 private:
  struct Slot {
    iovec bytes{};
    sockaddr_storage from{};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(std::uint32_t))> control{};
  };
  void count_drops(msghdr& head);

  const int socket_;
  std::vector<char> memory_;
  std::array<Slot, kBatch> slots_;
  std::uint64_t dropped_ = 0;
};

// The kernel's counter has 32 bits and goes round.
void BoundSocket::count_drops(msghdr& head) {
  for (cmsghdr* one = CMSG_FIRSTHDR(&head); one != nullptr; one = CMSG_NXTHDR(&head, one)) {
    if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SO_RXQ_OVFL) continue;
    std::uint32_t now = 0;
    std::memcpy(&now, CMSG_DATA(one), sizeof now);
    dropped_ += now - static_cast<std::uint32_t>(dropped_);
  }
}

Result<std::size_t> BoundSocket::receive(std::chrono::milliseconds wait, const Take& take) {
  pollfd readable{.fd = socket_, .events = POLLIN, .revents = 0};
  if (::poll(&readable, 1, static_cast<int>(wait.count())) <= 0) return 0;
  std::array<mmsghdr, kBatch> heads{};
  for (std::size_t i = 0; i < kBatch; ++i) {
    Slot& slot = slots_[i];
    slot.bytes = {.iov_base = memory_.data() + i * kMaxDatagram, .iov_len = kMaxDatagram};
    msghdr& head = heads[i].msg_hdr;
    head.msg_name = &slot.from;
    head.msg_namelen = sizeof slot.from;
    head.msg_iov = &slot.bytes;
    head.msg_iovlen = 1;
    head.msg_control = slot.control.data();
    head.msg_controllen = slot.control.size();
  }
  const int got = ::recvmmsg(socket_, heads.data(), kBatch, MSG_DONTWAIT, nullptr);
  if (got < 0) {
    if (errno == EAGAIN || errno == EINTR || errno == ECONNREFUSED) return 0;
    return error(Code::kUnavailable, fmt::format("reading datagrams: {}", std::strerror(errno)));
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(got); ++i) {
    count_drops(heads[i].msg_hdr);
    take({memory_.data() + i * kMaxDatagram, heads[i].msg_len},
         place_of(slots_[i].from, heads[i].msg_hdr.msg_namelen));
  }
  return static_cast<std::size_t>(got);
}

std::uint16_t BoundSocket::port() const {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(address).sin6_port
                                             : reinterpret_cast<sockaddr_in&>(address).sin_port);
}

}  // namespace

Result<std::unique_ptr<UdpSocket>> UdpSocket::bind(const std::string& host, std::uint16_t port,
                                                   std::size_t held_bytes,
                                                   const std::string& flag) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0)
    return error(Code::kInvalidArgument, fmt::format("{} is not an address of this machine", host));
  const int socket = ::socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int bound = socket < 0 ? -1 : ::bind(socket, found->ai_addr, found->ai_addrlen);
  const int why = errno;
  freeaddrinfo(found);
  if (bound != 0) {
    if (socket >= 0) ::close(socket);
    const Code code = why == EADDRINUSE ? Code::kUnavailable : Code::kInvalidArgument;
    return error(code, fmt::format("cannot receive datagrams at {}:{}: {}; choose another address "
                                   "with {}, or port 0 for a free one",
                                   host, port, std::strerror(why), flag));
  }
  const int held = static_cast<int>(std::min<std::size_t>(held_bytes, INT_MAX / 2));
  const int on = 1;
  setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &held, sizeof held);
  setsockopt(socket, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
  return std::make_unique<BoundSocket>(socket);
}

}  // namespace tailrace::net
