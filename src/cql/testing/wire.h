// A client's side of a connection to the door, for tests: bytes out, messages in.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "cql_protocol/frame.h"
#include "cql_protocol/segment.h"

namespace tailrace::cql {

/// A blocking socket; reads give up after ten seconds.
class Wire {
 public:
  explicit Wire(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    timeval limit{.tv_sec = 10, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~Wire() { ::close(fd_); }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  /// From now on messages come in segments.
  void expect_segments(bool lz4 = false) { segments_.emplace(lz4); }

  /// A whole message, head included; nullopt: the connection ended, or nothing came.
  std::optional<std::string> receive() {
    for (;;) {
      const std::size_t size = whole();
      if (size > 0 && messages_.size() >= size) {
        std::string message = messages_.substr(0, size);
        messages_.erase(0, size);
        return message;
      }
      if (!more()) return std::nullopt;
    }
  }

  struct Message {
    cql_protocol::Head head;
    std::string body;
  };
  std::optional<Message> next() {
    const auto bytes = receive();
    if (!bytes) return std::nullopt;
    return Message{cql_protocol::read_head(*bytes), bytes->substr(cql_protocol::kHeadBytes)};
  }

 private:
  /// Of versions 1 and 2 a head has a byte less.
  std::size_t whole() const {
    if (messages_.empty()) return 0;
    const bool old = messages_[0] == '\x81' || messages_[0] == '\x82';
    std::string head = messages_.substr(0, cql_protocol::kHeadBytes - (old ? 1 : 0));
    if (old) head.insert(2, 1, '\0');
    if (head.size() < cql_protocol::kHeadBytes) return 0;
    return head.size() - (old ? 1 : 0) + cql_protocol::read_head(head).length;
  }

  bool more() {
    char chunk[1 << 16];
    const auto got = recv(fd_, chunk, sizeof chunk, 0);
    if (got <= 0) return false;
    std::string& into = segments_ ? raw_ : messages_;
    into.append(chunk, static_cast<std::size_t>(got));
    if (segments_) unpack();
    return true;
  }

  void unpack() {
    for (;;) {
      const std::size_t size = segments_->length(raw_);
      if (size == 0 || raw_.size() < size) return;
      std::optional<cql_protocol::BadCheck> bad;
      const auto segment = segments_->read(std::string_view(raw_).substr(0, size), bad);
      EXPECT_TRUE(segment && !bad);
      messages_ += segment->payload;
      raw_.erase(0, size);
    }
  }

  int fd_;
  std::optional<cql_protocol::SegmentReader> segments_;
  std::string raw_, messages_;
};

}  // namespace tailrace::cql
