// A client's side of a connection to the door, for tests: bytes out, messages in.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

#include "cql_protocol/frame.h"
#include "cql_protocol/segment.h"
#include "net/testing/client_socket.h"

namespace tailrace::cql {

class Wire : public net::ClientSocket {
 public:
  explicit Wire(std::uint16_t port) : ClientSocket(port, 10) {}

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
    if (!receive_some(segments_ ? raw_ : messages_)) return false;
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

  std::optional<cql_protocol::SegmentReader> segments_;
  std::string raw_, messages_;
};

}  // namespace tailrace::cql
