// The client on real sockets: frames in any pieces, servers that refuse, send too much or nothing.
#include "net/frame_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <future>
#include <vector>

#include "net/frame_server.h"

namespace tailrace::net {
namespace {

using namespace std::chrono_literals;

std::string frame(std::string_view body) {
  const std::uint32_t size = htonl(static_cast<std::uint32_t>(body.size()));
  return std::string(reinterpret_cast<const char*>(&size), sizeof size) + std::string(body);
}

Result<std::size_t> frame_length(std::string_view head) {
  std::uint32_t size = 0;
  std::memcpy(&size, head.data(), sizeof size);
  return sizeof size + ntohl(size);
}

class Echo final : public FrameSession {
  void serve(std::string_view request, Reply reply) override {
    if (request.substr(4) == "bye") return reply.close("asked to");
    reply.send(Outgoing(std::string(request)));
  }
};

std::unique_ptr<FrameServer> echo() {
  FrameServerConfig config;
  config.name = "test";
  config.length = frame_length;
  config.open = [](const Peer&) { return std::make_unique<Echo>(); };
  return FrameServer::start(std::move(config)).value();
}

/// Sends its frames when it is connected; keeps what comes.
class Listener final : public FrameListener {
 public:
  explicit Listener(std::vector<std::string> frames) : frames_(std::move(frames)) {}
  void connected() override {
    for (const std::string& one : frames_) link->send(one);
  }
  void received(std::string_view frame) override {
    came.push_back(std::string(frame));
    if (came.size() == frames_.size()) all.set_value();
  }
  void closed(const Error& why) override { ended.set_value(why); }

  std::shared_ptr<FrameLink> link;
  std::vector<std::string> came;  // the client's thread, until all or ended is told
  std::promise<void> all;
  std::promise<Error> ended;

 private:
  std::vector<std::string> frames_;
};

std::shared_ptr<Listener> reach(FrameClient& client, std::uint16_t port,
                                std::vector<std::string> frames,
                                std::chrono::milliseconds patience = 30s) {
  const auto listener = std::make_shared<Listener>(std::move(frames));
  client.post([&client, port, listener, patience] {
    listener->link = client.connect("127.0.0.1", port, nullptr, patience, listener);
  });
  return listener;
}

/// Listens, and never says a word.
class Mute {
 public:
  Mute() : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(fd_, 4), 0);
    socklen_t size = sizeof address;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~Mute() { ::close(fd_); }
  Mute(const Mute&) = delete;
  Mute& operator=(const Mute&) = delete;
  std::uint16_t port() const { return port_; }

 private:
  int fd_;
  std::uint16_t port_ = 0;
};

TEST(FrameClient, frames_of_every_size_go_and_come_on_many_connections) {
  const auto server = echo();
  FrameClient client({.name = "test", .length = frame_length});
  std::vector<std::string> frames;
  for (const std::size_t size : {0, 1, 3, 4, 5, 65'531, 65'532, 65'533, 3'000'000, 1})
    frames.push_back(frame(std::string(size, 'x')));
  std::vector<std::shared_ptr<Listener>> all;
  for (int i = 0; i < 8; ++i) all.push_back(reach(client, server->port(), frames));
  for (const auto& one : all) {
    one->all.get_future().wait();
    EXPECT_EQ(one->came, frames);
  }
}

TEST(FrameClient, a_server_that_is_not_there_or_leaves_is_told_once) {
  FrameClient client({.name = "test", .length = frame_length});
  std::uint16_t port = 0;
  {
    const auto server = echo();
    port = server->port();
    const auto leaves = reach(client, port, {frame("bye")});
    EXPECT_EQ(leaves->ended.get_future().get().code, Code::kUnavailable);
  }
  const auto nobody = reach(client, port, {});
  const Error why = nobody->ended.get_future().get();
  EXPECT_EQ(why.code, Code::kUnavailable);
  EXPECT_EQ(why.what, "Connection refused");
}

TEST(FrameClient, a_frame_over_the_limit_ends_the_connection) {
  const auto server = echo();
  FrameClient client({.name = "test", .frame_bytes = 1000, .length = frame_length});
  const auto listener =
      reach(client, server->port(), {frame(std::string(900, 'x')), frame(std::string(1000, 'x'))});
  EXPECT_EQ(listener->ended.get_future().get().code, Code::kInvalidArgument);
  EXPECT_EQ(listener->came.size(), 1u);
}

TEST(FrameClient, a_closed_link_and_a_client_that_ends_tell_nobody) {
  const Mute mute;
  const auto listener = std::make_shared<Listener>(std::vector<std::string>{});
  {
    FrameClient client({.name = "test", .length = frame_length});
    std::promise<void> closed;
    client.post([&] {
      const auto link = client.connect("127.0.0.1", mute.port(), nullptr, 30s, listener);
      link->close();
      closed.set_value();
    });
    closed.get_future().wait();
    reach(client, mute.port(), {frame("hello")});
  }
  EXPECT_EQ(listener->ended.get_future().wait_for(0s), std::future_status::timeout);
}

TEST(FrameClient, what_is_asked_of_it_later_happens_later_and_not_after_its_end) {
  std::promise<void> early;
  std::atomic<bool> late = false;
  {
    FrameClient client({.name = "test", .length = frame_length});
    client.after(1h, [&] { late = true; });
    client.after(1ms, [&] { early.set_value(); });
    early.get_future().wait();
  }
  EXPECT_FALSE(late);
}

}  // namespace
}  // namespace tailrace::net
