// The server without order: answers leave as they come, several of a frame, and what nobody asked
// for is pushed between them.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "net/frame_server.h"
#include "net/testing/frame_wire.h"

namespace tailrace::net {
namespace {

using namespace std::chrono_literals;

/// A frame's body is requests between commas; each is answered by itself. "later…" waits until it
/// is told, "listen" is pushed to from then on, "last" ends the connection, "short" changes the
/// frames that follow to bodies of one byte without a length.
class Door {
 public:
  explicit Door(FrameLimits limits = {}) {
    FrameServerConfig config{.flag = "--frames", .name = "test", .threads = 2, .limits = limits};
    config.ordered = false;
    config.open = [this](const Peer&) { return std::make_unique<Session>(*this); };
    auto started = FrameServer::start(std::move(config));
    EXPECT_TRUE(started);
    server = std::move(*started);
  }
  ~Door() { server->stop(); }

  void wait_for_held(std::size_t count) {
    for (;; std::this_thread::sleep_for(1ms)) {
      const std::lock_guard lock(mutex);
      if (held.size() >= count) return;
    }
  }
  /// From as many threads as there are answers; how many that were.
  std::size_t release() {
    std::vector<std::pair<Reply, std::string>> all;
    {
      const std::lock_guard lock(mutex);
      all.swap(held);
    }
    std::vector<std::thread> threads;
    for (auto& [reply, body] : all)
      threads.emplace_back([&reply, &body] { answer(std::move(reply), body); });
    for (auto& thread : threads) thread.join();
    return all.size();
  }
  bool push(std::string_view body) {
    const std::lock_guard lock(mutex);
    return std::ranges::all_of(outlets, [&](const Outlet& one) { return one.push(frame(body)); });
  }

  static void answer(Reply reply, const std::string& body) {
    if (body.size() % 2 == 0) return reply.send_copy(frame(body));
    reply.send(Outgoing(frame(body)));
  }

  struct Session : FrameSession {
    explicit Session(Door& d) : door(d) {}

    Result<std::size_t> frame_length(std::string_view bytes) override {
      if (one_byte) return 1;
      if (bytes.size() < 4) return 0;
      std::uint32_t size = 0;
      std::memcpy(&size, bytes.data(), sizeof size);
      return sizeof size + std::size_t{ntohl(size)};
    }
    void serve(std::string_view bytes, Reply reply) override {
      std::string body(bytes.substr(one_byte ? 0 : 4));
      for (std::size_t comma; (comma = body.find(',')) != std::string::npos;) {
        serve_one(body.substr(0, comma), reply.another());
        body.erase(0, comma + 1);
      }
      serve_one(body, std::move(reply));
    }
    void serve_one(const std::string& body, Reply reply) {
      ++door.served;
      if (body == "none") return reply.send({});
      if (body == "close") return reply.close("a test wants it");
      if (body == "last") {
        Manner manner;
        manner.close_after = true;
        return reply.send(Outgoing(frame(body)), manner);
      }
      if (body == "short") one_byte = true;
      if (body == "listen") {
        const std::lock_guard lock(door.mutex);
        door.outlets.push_back(reply.outlet());
      }
      if (!body.starts_with("later")) return answer(std::move(reply), body);
      const std::lock_guard lock(door.mutex);
      door.held.emplace_back(std::move(reply), body);
    }
    Door& door;
    bool one_byte = false;
  };

  std::mutex mutex;
  std::vector<std::pair<Reply, std::string>> held;
  std::vector<Outlet> outlets;
  std::atomic<std::size_t> served = 0;
  std::unique_ptr<FrameServer> server;
};

std::multiset<std::string> receive(const Wire& wire, std::size_t count) {
  std::multiset<std::string> bodies;
  while (bodies.size() < count) bodies.insert(wire.receive());
  return bodies;
}

TEST(FrameStreams, an_answer_that_is_late_holds_up_no_other) {
  Door door;
  const Wire wire(door.server->port());
  wire.send(frame("later a") + frame("b") + frame("none") + frame("later cc") + frame("dd"));
  EXPECT_EQ(receive(wire, 2), (std::multiset<std::string>{"b", "dd"}));
  door.wait_for_held(2);
  door.release();
  EXPECT_EQ(receive(wire, 2), (std::multiset<std::string>{"later a", "later cc"}));
}

TEST(FrameStreams, each_request_has_its_answer_from_whatever_thread) {
  Door door;
  const Wire wire(door.server->port());
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    std::multiset<std::string> expected;
    std::string body;
    std::size_t late = 0;
    for (int i = 0; i < 60; ++i) {
      std::string one = std::to_string(round) + ":" + std::to_string(i);
      if (random() % 2 == 0) one += std::string(random() % 20'000, 'x');
      if (random() % 3 == 0) {
        one = "later" + one;
        ++late;
      }
      body += (body.empty() ? "" : ",") + one;
      expected.insert(one);
    }
    wire.send(frame(body));
    door.wait_for_held(late);
    door.release();
    ASSERT_TRUE(receive(wire, expected.size()) == expected);
  }
}

TEST(FrameStreams, framing_may_change_between_two_frames_of_one_packet) {
  Door door;
  const Wire wire(door.server->port());
  wire.send(frame("short") + "abc");
  EXPECT_EQ(receive(wire, 4), (std::multiset<std::string>{"a", "b", "c", "short"}));
}

TEST(FrameStreams, what_is_pushed_reaches_who_listens_between_his_answers) {
  Door door;
  const Wire wire(door.server->port());
  wire.send(frame("listen,later x"));
  EXPECT_EQ(wire.receive(), "listen");
  door.wait_for_held(1);
  EXPECT_TRUE(door.push("news"));
  EXPECT_EQ(wire.receive(), "news");
  door.release();
  EXPECT_EQ(wire.receive(), "later x");
}

TEST(FrameStreams, an_outlet_of_a_connection_that_is_gone_says_so) {
  Door door;
  {
    const Wire wire(door.server->port());
    wire.send(frame("listen"));
    EXPECT_EQ(wire.receive(), "listen");
  }
  while (door.push("anybody")) std::this_thread::sleep_for(1ms);
  while (door.server->connections() > 0) std::this_thread::sleep_for(1ms);
}

TEST(FrameStreams, who_does_not_read_what_is_pushed_is_closed) {
  Door door({.pushed_bytes = 1 << 16});
  const Wire wire(door.server->port());
  wire.send(frame("listen"));
  EXPECT_EQ(wire.receive(), "listen");
  const std::string news(1 << 14, 'x');
  while (door.push(news)) {
  }
  const Wire other(door.server->port());
  other.send(frame("b"));
  EXPECT_EQ(other.receive(), "b");
}

TEST(FrameStreams, the_last_answer_ends_the_connection_after_those_on_their_way) {
  Door door;
  const Wire wire(door.server->port());
  wire.send(frame("later a,last") + frame("too late"));
  EXPECT_EQ(wire.receive(), "last");
  door.wait_for_held(1);
  door.release();
  EXPECT_EQ(wire.receive(), "later a");
  EXPECT_EQ(wire.receive(), "closed");
  EXPECT_EQ(door.served, 2u);
}

TEST(FrameStreams, a_request_that_closes_lets_out_what_was_answered_before) {
  Door door;
  const Wire wire(door.server->port());
  wire.send(frame("a,later b,close,cc"));
  EXPECT_EQ(wire.receive(), "a");
  EXPECT_EQ(wire.receive(), "closed");
  door.wait_for_held(1);
  door.release();
  while (door.server->connections() > 0) std::this_thread::sleep_for(1ms);
}

TEST(FrameStreams, requests_without_an_answer_are_limited) {
  Door door({.in_flight = 4});
  const Wire wire(door.server->port());
  for (int i = 0; i < 20; ++i) wire.send(frame("later" + std::to_string(i)));
  std::size_t received = 0;
  while (received < 20) {
    door.wait_for_held(1);
    {
      const std::lock_guard lock(door.mutex);
      EXPECT_LE(door.held.size(), 4u);
    }
    EXPECT_LE(door.served, received + 4);
    for (std::size_t due = door.release(); due > 0; --due) {
      ASSERT_TRUE(wire.receive().starts_with("later"));
      ++received;
    }
  }
}

}  // namespace
}  // namespace tailrace::net
