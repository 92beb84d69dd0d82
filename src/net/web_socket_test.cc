// The client's frames against a server made by hand: RFC 6455's own examples (§1.3, §5.7).
#include "net/web_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "net/frame_server.h"

namespace tailrace::net {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using namespace std::string_literals;

/// Answers the handshake, then sends what it was given, and keeps what the client sends.
class Server {
 public:
  explicit Server(std::string after, std::string status = "101 Switching Protocols") {
    FrameServerConfig config;
    config.name = "test";
    config.open = [this, after = std::move(after), status](const Peer&) {
      return std::make_unique<Session>(*this, after, status);
    };
    server_ = *FrameServer::start(std::move(config));
  }

  std::string url() const { return "ws://127.0.0.1:" + std::to_string(server_->port()) + "/s?a=b"; }
  std::string head;

 private:
  class Session final : public FrameSession {
   public:
    Session(Server& server, std::string after, std::string status)
        : server_(server), after_(std::move(after)), status_(std::move(status)) {}
    Result<std::size_t> frame_length(std::string_view bytes) override {
      if (shaken_) return bytes.size();
      const auto end = bytes.find("\r\n\r\n");
      return end == std::string_view::npos ? 0 : end + 4;
    }
    void serve(std::string_view bytes, Reply reply) override {
      if (shaken_) return reply.send({});
      shaken_ = true;
      server_.head = bytes;
      const auto at = bytes.find("Sec-WebSocket-Key: ") + 19;
      const auto key = bytes.substr(at, bytes.find("\r\n", at) - at);
      reply.send(Outgoing("HTTP/1.1 " + status_ +
                          "\r\nUpgrade: websocket\r\nsec-websocket-accept: " +
                          web_socket_accept(key) + "\r\n\r\n" + after_));
    }

   private:
    Server& server_;
    const std::string after_, status_;
    bool shaken_ = false;
  };
  std::unique_ptr<FrameServer> server_;
};

TEST(WebSocket, the_key_of_the_rfc_has_its_answer) {
  EXPECT_EQ(web_socket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(WebSocket, reads_the_rfcs_frames_and_a_goodbye) {
  const Server server("\x81\x05Hello"s + "\x01\x03Hel"s + "\x89\x05Hello"s + "\x80\x02lo"s +
                      "\x82\x7E\x01\x00"s + std::string(256, 'b') +
                      "\x88\x06\x03\xE9"
                      "away"s);
  auto socket = WebSocket::connect(server.url(), {});
  ASSERT_TRUE(socket) << socket.error().what;
  for (int i = 0; i < 2; ++i) {
    const auto message = (*socket)->receive(milliseconds(5000));
    ASSERT_TRUE(message && *message);
    EXPECT_EQ((*message)->bytes, "Hello");
    EXPECT_TRUE((*message)->text);
  }
  const auto binary = (*socket)->receive(milliseconds(5000));
  EXPECT_EQ((*binary)->bytes, std::string(256, 'b'));
  EXPECT_FALSE((*binary)->text);
  const auto end = (*socket)->receive(milliseconds(5000));
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, Code::kUnavailable);
  EXPECT_THAT(end.error().what, HasSubstr("closed it with 1001: away"));
  EXPECT_THAT(server.head, HasSubstr("GET /s?a=b HTTP/1.1\r\n"));
}

TEST(WebSocket, a_large_message_is_cut_and_the_next_is_whole) {
  const Server server("\x81\x7F\x00\x00\x00\x00\x00\x01\x86\xA0"s + std::string(100'000, 'x') +
                      "\x81\x05Hello"s);
  auto socket = *WebSocket::connect(server.url(), {.max_message_bytes = 1000});
  const auto large = socket->receive(milliseconds(5000));
  EXPECT_TRUE((*large)->cut);
  EXPECT_EQ((*large)->bytes, std::string(1000, 'x'));
  EXPECT_EQ((*socket->receive(milliseconds(5000)))->bytes, "Hello");
  EXPECT_EQ(*socket->receive(milliseconds(1)), std::nullopt);
}

TEST(WebSocket, what_breaks_the_protocol_ends_it) {
  for (const std::string& frame : {"\xC1\x01x"s, "\x81\x81xxxxx"s, "\x80\x01x"s, "\x09\x01x"s,
                                   "\x83\x01x"s, "\x89\x7E\x01\x00"s}) {
    const Server server(frame);
    auto socket = *WebSocket::connect(server.url(), {});
    EXPECT_FALSE(socket->receive(milliseconds(5000)));
  }
}

TEST(WebSocket, a_refusal_is_named_without_the_login) {
  const Server server("", "403 Forbidden");
  std::string url = server.url();
  url.insert(5, "me:secret@");
  const auto refused = WebSocket::connect(url, {});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, HasSubstr("answered 403 Forbidden, not 101"));
  EXPECT_THAT(refused.error().what, testing::Not(HasSubstr("secret")));
  EXPECT_THAT(server.head, HasSubstr("Authorization: Basic bWU6c2VjcmV0\r\n"));
  EXPECT_EQ(WebSocket::connect("http://x", {}).error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace tailrace::net
