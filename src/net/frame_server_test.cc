// The server on real sockets: whatever the pieces in which bytes come and go, each request has its
// answer, in order.
#include "net/frame_server.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fstream>
#include <mutex>
#include <random>
#include <thread>

#include "net/answers_together.h"
#include "net/testing/frame_wire.h"

namespace tailrace::net {
namespace {

using namespace std::chrono_literals;

Outgoing in_pieces(std::string bytes) {
  auto held = std::make_shared<const std::string>(std::move(bytes));
  return {{std::string_view(*held).substr(0, 4), std::string_view(*held).substr(4)}, held};
}

/// Holds the replies to bodies that begin with "later" until told; answers the rest with the body.
class Door {
 public:
  using Admit = std::function<Admission(const Peer&)>;
  explicit Door(FrameLimits limits = {}, Admit admit = {}) {
    FrameServerConfig config{.flag = "--frames", .name = "test", .threads = 2, .limits = limits};
    config.length = [](std::string_view head) -> Result<std::size_t> {
      std::uint32_t size = 0;
      std::memcpy(&size, head.data(), sizeof size);
      return sizeof size + std::size_t{ntohl(size)};
    };
    config.open = [this](const Peer&) { return std::make_unique<Session>(*this); };
    config.admit = std::move(admit);
    auto started = FrameServer::start(std::move(config));
    EXPECT_TRUE(started);
    server = std::move(*started);
  }

  std::size_t held() {
    const std::lock_guard lock(mutex);
    return replies.size();
  }
  void wait_for_held(std::size_t count) {
    while (held() < count) std::this_thread::sleep_for(1ms);
  }
  void release(std::mt19937& random) {
    std::vector<std::pair<Reply, std::string>> all;
    {
      const std::lock_guard lock(mutex);
      all.swap(replies);
    }
    std::ranges::shuffle(all, random);
    for (auto& [reply, body] : all) reply.send(Outgoing(frame(body)));
  }

  struct Session : FrameSession {
    explicit Session(Door& d) : door(d) {}
    void serve(std::string_view bytes, Reply reply) override {
      const std::string body(bytes.substr(4));
      ++door.served;
      if (body == "none") return reply.send({});
      if (body == "bad") return reply.close("a test wants it");
      if (body == "dropped") return;
      if (!body.starts_with("later")) return reply.send(in_pieces(frame(body)));
      const std::lock_guard lock(door.mutex);
      door.replies.emplace_back(std::move(reply), body);
    }
    Door& door;
  };

  std::mutex mutex;
  std::vector<std::pair<Reply, std::string>> replies;
  std::atomic<std::size_t> served = 0;
  std::unique_ptr<FrameServer> server;
};

TEST(FrameServer, answers_come_in_the_order_of_requests_however_bytes_are_cut) {
  Door door;
  std::mt19937 random(5);
  const Wire wire(door.server->port());
  for (int round = 0; round < 20; ++round) {
    std::string bytes;
    std::vector<std::string> expected;
    std::size_t later = 0;
    for (int i = 0; i < 40; ++i) {
      std::string body = std::to_string(round) + ":" + std::to_string(i);
      if (random() % 3 == 0) body = "later" + body;
      if (random() % 10 == 0) body += std::string(random() % 300'000, 'x');
      later += body.starts_with("later") ? 1 : 0;
      bytes += frame(body);
      if (random() % 8 == 0) bytes += frame("none");
      expected.push_back(std::move(body));
    }
    std::thread writer([&] {
      for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t size = std::min<std::size_t>(1 + random() % 50'000, bytes.size() - at);
        wire.send(std::string_view(bytes).substr(at, size));
        at += size;
      }
    });
    std::thread releaser([&] {
      door.wait_for_held(later);
      std::mt19937 order(static_cast<unsigned>(round));
      door.release(order);
    });
    for (const std::string& body : expected) ASSERT_TRUE(wire.receive() == body);
    writer.join();
    releaser.join();
  }
}

TEST(FrameServer, answers_that_a_thread_gives_together_reach_all_their_connections_at_its_end) {
  Door door;
  std::mt19937 random(7);
  const Wire first(door.server->port()), second(door.server->port());
  for (int i = 0; i < 3; ++i) {
    first.send(frame("later a" + std::to_string(i)));
    second.send(frame("later b" + std::to_string(i)));
  }
  door.wait_for_held(6);
  std::thread answering([&] {
    const AnswersTogether together;
    const AnswersTogether within;
    door.release(random);
  });
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(first.receive(), "later a" + std::to_string(i));
    EXPECT_EQ(second.receive(), "later b" + std::to_string(i));
  }
  answering.join();
}

TEST(FrameServer, who_is_refused_is_closed_unserved_and_others_are_served_meanwhile) {
  std::atomic<int> asked = 0;
  Door door({}, [&](const Peer& peer) {
    EXPECT_EQ(peer.address, "127.0.0.1");
    return ++asked == 1 ? Admission{.refused = 1s} : Admission{};
  });
  const Wire refused(door.server->port());
  refused.send(frame("a"));
  const Wire other(door.server->port());
  other.send(frame("b"));
  EXPECT_EQ(other.receive(), "b");
  EXPECT_EQ(refused.receive(), "closed");
  EXPECT_EQ(door.served, 1u);
}

TEST(FrameServer, who_has_to_wait_is_served_later_and_those_behind_him_after_him) {
  std::atomic<int> asked = 0;
  Door door({}, [&](const Peer&) { return Admission{.wait = ++asked == 1 ? 50ms : 0ms}; });
  const Wire one(door.server->port());
  const Wire other(door.server->port());
  other.send(frame("b"));
  one.send(frame("a"));
  EXPECT_EQ(other.receive(), "b");
  EXPECT_EQ(one.receive(), "a");
  EXPECT_EQ(asked, 2);
}

TEST(FrameServer, stopping_waits_for_nobody_who_waits_or_is_refused) {
  std::atomic<int> asked = 0;
  Door door({}, [&](const Peer&) {
    return ++asked == 1 ? Admission{.refused = 1h} : Admission{.wait = 1h};
  });
  const Wire refused(door.server->port());
  const Wire waiting(door.server->port());
  while (asked < 2) std::this_thread::sleep_for(1ms);
  door.server->stop();
  EXPECT_EQ(refused.receive(), "closed");
  EXPECT_EQ(waiting.receive(), "closed");
}

TEST(FrameServer, a_client_that_ends_its_side_still_gets_its_answers) {
  Door door;
  const Wire wire(door.server->port());
  wire.send(frame("a") + frame("later b"));
  wire.end();
  EXPECT_EQ(wire.receive(), "a");
  door.wait_for_held(1);
  std::mt19937 random(1);
  door.release(random);
  EXPECT_EQ(wire.receive(), "later b");
  EXPECT_EQ(wire.receive(), "closed");
}

std::size_t resident_bytes() {
  std::size_t size = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> size >> resident;
  return resident * static_cast<std::size_t>(getpagesize());
}

TEST(FrameServer, a_length_that_is_announced_and_not_sent_takes_no_memory) {
  Door door({.frame_bytes = std::size_t{3} << 30});
  const std::size_t before = resident_bytes();
  const std::uint32_t two_gib = htonl(0x7FFF'FFF0);
  const std::string head(reinterpret_cast<const char*>(&two_gib), sizeof two_gib);
  std::vector<std::unique_ptr<Wire>> wires;
  for (int i = 0; i < 50; ++i) {
    wires.push_back(std::make_unique<Wire>(door.server->port()));
    wires.back()->send(head + "x");
  }
  const Wire other(door.server->port());
  other.send(frame("still served"));
  EXPECT_EQ(other.receive(), "still served");
  EXPECT_LT(resident_bytes(), before + (std::size_t{30} << 20));
}

TEST(FrameServer,
     a_frame_over_the_limit_and_a_bad_one_close_the_connection_after_what_came_before) {
  Door door({.frame_bytes = 1000});
  for (const std::string& bad : {frame(std::string(997, 'x')), frame("bad"), frame("dropped")}) {
    const Wire wire(door.server->port());
    wire.send(frame("before") + bad + frame("after"));
    EXPECT_EQ(wire.receive(), "before");
    EXPECT_EQ(wire.receive(), "closed");
  }
  const Wire wire(door.server->port());
  wire.send(frame(std::string(996, 'x')));
  EXPECT_EQ(wire.receive().size(), 996U);
}

TEST(FrameServer, who_does_not_read_answers_is_not_read_from) {
  Door door({.in_flight = 8, .unsent_bytes = 1 << 20});
  const Wire wire(door.server->port());
  const std::string body(100'000, 'x');
  std::thread writer([&] {
    for (int i = 0; i < 400; ++i) wire.send(frame(body));
  });
  // Sockets hold some megabytes: what is served stays far below what is sent until we read. Nothing
  // says that both sockets are full; that frames came and no more are coming can only be watched.
  std::size_t seen = 0;
  do {
    seen = door.served;
    std::this_thread::sleep_for(200ms);
  } while (seen == 0 || seen != door.served);
  EXPECT_LT(door.served, 300U);
  for (int i = 0; i < 400; ++i) ASSERT_EQ(wire.receive().size(), body.size());
  writer.join();
}

#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t kMostBytesIdle = 40'000;  // with what AddressSanitizer puts around objects
#else
constexpr std::size_t kMostBytesIdle = 20'000;
#endif

TEST(FrameServer, thousands_of_idle_connections_are_cheap) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  const std::size_t count = std::min<std::size_t>(5000, files.rlim_cur / 2 - 100);
  Door door;
  const std::size_t before = resident_bytes();
  std::vector<std::unique_ptr<Wire>> wires;
  for (std::size_t i = 0; i < count; ++i)
    wires.push_back(std::make_unique<Wire>(door.server->port()));
  while (door.server->connections() < count) std::this_thread::sleep_for(1ms);
  EXPECT_LT(resident_bytes(), before + count * kMostBytesIdle);
  const Wire other(door.server->port());
  other.send(frame("hello"));
  EXPECT_EQ(other.receive(), "hello");
}

TEST(FrameServer, idle_connections_are_closed_in_the_end) {
  Door door({.idle = 50ms});
  std::vector<std::unique_ptr<Wire>> wires;
  for (int i = 0; i < 200; ++i) {
    wires.push_back(std::make_unique<Wire>(door.server->port()));
    if (i % 2 == 0) wires.back()->send(frame("a"));
  }
  for (const auto& wire : wires) {
    while (wire->receive() != "closed") {
    }
  }
  while (door.server->connections() > 0) std::this_thread::sleep_for(1ms);
}

TEST(FrameServer, who_never_asks_anything_is_closed_long_before_who_has_asked) {
  Door door({.handshake = 20ms});
  std::unique_ptr<Wire> asked;
  do {  // again on a machine so slow that this one, too, was late
    asked = std::make_unique<Wire>(door.server->port());
    asked->send(frame("a"));
  } while (asked->receive() != "a");
  const Wire silent(door.server->port()), half(door.server->port());
  half.send(frame("half a frame").substr(0, 7));
  EXPECT_EQ(silent.receive(), "closed");
  EXPECT_EQ(half.receive(), "closed");
  asked->send(frame("b"));
  EXPECT_EQ(asked->receive(), "b");
}

TEST(FrameServer, connections_over_the_limit_are_closed) {
  Door door({.connections = 2});
  const Wire first(door.server->port()), second(door.server->port());
  first.send(frame("a"));
  second.send(frame("b"));
  EXPECT_EQ(first.receive() + second.receive(), "ab");
  EXPECT_EQ(Wire(door.server->port()).receive(), "closed");
}

TEST(FrameServer, stop_waits_for_answers_on_their_way_and_reads_no_more) {
  Door door;
  const Wire wire(door.server->port()), idle(door.server->port());
  wire.send(frame("later"));
  door.wait_for_held(1);
  std::thread stopper([&] { door.server->stop(); });
  EXPECT_EQ(idle.receive(), "closed");
  wire.send(frame("too late"));
  std::mt19937 random(1);
  door.release(random);
  EXPECT_EQ(wire.receive(), "later");
  EXPECT_EQ(wire.receive(), "closed");
  stopper.join();
  EXPECT_EQ(door.served, 1U);
}

}  // namespace
}  // namespace tailrace::net
