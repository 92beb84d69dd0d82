#include "kafka/client.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/bytes.h"

namespace tailrace::kafka {
namespace {

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

}  // namespace

Result<Client> Client::connect(const std::string& address, std::chrono::seconds patience) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos) {
    return error(Code::kInvalidArgument, fmt::format("'{}' is not HOST:PORT", address));
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int failed = getaddrinfo(address.substr(0, colon).c_str(),
                                 address.substr(colon + 1).c_str(), &hints, &list);
  const std::unique_ptr<addrinfo, FreeAddresses> held(list);
  if (failed != 0) {
    return error(Code::kUnavailable, fmt::format("{}: {}", address, gai_strerror(failed)));
  }
  int reason = 0;
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    const int socket = ::socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, 0);
    const timeval limit{patience.count(), 0};
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (::connect(socket, one->ai_addr, one->ai_addrlen) == 0) return Client(address, socket);
    reason = errno;
    ::close(socket);
  }
  return error(Code::kUnavailable,
               fmt::format("no broker at {}: {}; `tailrace run` and `tailrace broker` start one, "
                           "--broker names another",
                           address, std::strerror(reason)));
}

Client::Client(Client&& other) noexcept
    : address_(std::move(other.address_)),
      socket_(std::exchange(other.socket_, -1)),
      correlation_(other.correlation_),
      answer_(std::move(other.answer_)) {}

Client& Client::operator=(Client&& other) noexcept {
  std::swap(address_, other.address_);
  std::swap(socket_, other.socket_);
  std::swap(correlation_, other.correlation_);
  std::swap(answer_, other.answer_);
  return *this;
}

Client::~Client() {
  if (socket_ >= 0) ::close(socket_);
}

RequestHeader Client::header(const ApiInfo& api, Version version) {
  RequestHeader header;
  header.request_api_key = static_cast<std::int16_t>(api.key);
  header.request_api_version = version.value;
  header.correlation_id = ++correlation_;
  header.client_id = "tailrace";
  return header;
}

Status Client::receive(char* to, std::size_t size) {
  while (size > 0) {
    const ssize_t got = ::recv(socket_, to, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      return error(Code::kUnavailable, fmt::format("{}: {}", address_, std::strerror(errno)));
    }
    if (got == 0) return error(Code::kUnavailable, address_ + " closed the connection");
    to += got;
    size -= static_cast<std::size_t>(got);
  }
  return {};
}

Status Client::exchange(const std::string& frame) {
  for (std::size_t sent = 0; sent < frame.size();) {
    const ssize_t n = ::send(socket_, frame.data() + sent, frame.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      return error(Code::kUnavailable, fmt::format("{}: {}", address_, std::strerror(errno)));
    }
    sent += static_cast<std::size_t>(n);
  }
  char head[4];
  TRY(receive(head, sizeof head));
  const auto size = load_be<std::int32_t>(head);
  if (size < 0 || size > kMostAnswerBytes) {
    return error(Code::kResourceExhausted,
                 fmt::format("{} announces an answer of {} bytes", address_, size));
  }
  answer_.resize(static_cast<std::size_t>(size));
  return receive(answer_.data(), answer_.size());
}

}  // namespace tailrace::kafka
