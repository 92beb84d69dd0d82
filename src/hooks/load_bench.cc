// A load of POST requests over kept connections: `hooks_load_bench HOST PORT PATH COUNT CONNECTIONS
// RATE BYTES [KEYS]`. RATE 0 is as fast as answers come. Each request is timed from when it was
// due, so a server that falls behind is not spared. With KEYS each request has an Idempotency-Key
// that begins so. Prints a line of JSON.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

[[noreturn]] void fail(const std::string& why) {
  fmt::print(stderr, "{}\n", why);
  std::exit(1);
}

struct Load {
  const char* host;
  int port;
  std::string path;
  std::int64_t count;
  int connections;
  double rate;
  std::size_t bytes;
  std::string keys;
};

struct Line {
  int socket = -1;
  bool busy = false;
  Clock::time_point due{};
  std::string in;
};

int connected(const Load& load) {
  const int line = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(load.port));
  ::inet_pton(AF_INET, load.host, &address.sin_addr);
  if (::connect(line, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    fail("nothing answers there");
  const int on = 1;
  ::setsockopt(line, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return line;
}

class Run {
 public:
  explicit Run(Load load) : load_(std::move(load)), epoll_(epoll_create1(0)) {
    head_ = fmt::format(
        "POST {} HTTP/1.1\r\nHost: {}:{}\r\nUser-Agent: load\r\nContent-Type: application/json\r\n",
        load_.path, load_.host, load_.port);
    for (int i = 0; i < load_.connections; ++i) {
      auto line = std::make_unique<Line>();
      line->socket = connected(load_);
      epoll_event event{.events = EPOLLIN, .data = {.ptr = line.get()}};
      epoll_ctl(epoll_, EPOLL_CTL_ADD, line->socket, &event);
      idle_.push_back(line.get());
      lines_.push_back(std::move(line));
    }
    took_ms_.reserve(static_cast<std::size_t>(load_.count));
  }

  void go() {
    begun_ = Clock::now();
    while (answered_ < load_.count) {
      send_due();
      receive();
    }
    report();
  }

 private:
  Clock::time_point due_of(std::int64_t number) const {
    if (load_.rate <= 0) return Clock::now();
    return begun_ + std::chrono::duration_cast<Clock::duration>(
                        Seconds(static_cast<double>(number) / load_.rate));
  }

  void send_due() {
    while (sent_ < load_.count && !idle_.empty()) {
      const auto due = due_of(sent_);
      if (due > Clock::now()) return;
      Line& line = *idle_.back();
      idle_.pop_back();
      std::string body = fmt::format(R"({{"id":"event-{}","number":{},"text":")", sent_, sent_);
      body.append(load_.bytes > body.size() + 2 ? load_.bytes - body.size() - 2 : 0, 'x');
      body += "\"}";
      std::string request = head_;
      if (!load_.keys.empty())
        request += fmt::format("Idempotency-Key: {}-{}\r\n", load_.keys, sent_);
      request += fmt::format("Content-Length: {}\r\n\r\n{}", body.size(), body);
      if (::send(line.socket, request.data(), request.size(), MSG_NOSIGNAL) !=
          static_cast<ssize_t>(request.size()))
        fail("a request could not be sent whole");
      line.busy = true;
      line.due = due;
      ++sent_;
    }
  }

  void receive() {
    std::array<epoll_event, 256> events{};
    int wait_ms = -1;
    if (sent_ < load_.count && !idle_.empty()) wait_ms = due_of(sent_) > Clock::now() ? 1 : 0;
    const int ready = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait_ms);
    for (int i = 0; i < ready; ++i) take(*static_cast<Line*>(events[i].data.ptr));
  }

  void take(Line& line) {
    std::array<char, 16384> bytes{};
    const ssize_t got = ::recv(line.socket, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) fail("the server closed a connection");
    line.in.append(bytes.data(), static_cast<std::size_t>(got));
    const std::size_t end = line.in.find("\r\n\r\n");
    if (end == std::string::npos) return;
    const std::size_t at = line.in.find("Content-Length: ");
    if (at == std::string::npos || at > end) fail("an answer without its length: " + line.in);
    const std::size_t length = std::strtoul(line.in.c_str() + at + 16, nullptr, 10);
    if (line.in.size() < end + 4 + length) return;
    if (!line.in.starts_with("HTTP/1.1 200")) {
      if (refused_++ == 0) fmt::print(stderr, "{}\n", line.in);
    }
    took_ms_.push_back(Seconds(Clock::now() - line.due).count() * 1e3);
    line.in.clear();
    line.busy = false;
    idle_.push_back(&line);
    ++answered_;
  }

  void report() {
    const double seconds = Seconds(Clock::now() - begun_).count();
    std::ranges::sort(took_ms_);
    const auto at = [&](double share) {
      return took_ms_[static_cast<std::size_t>(share * static_cast<double>(took_ms_.size() - 1))];
    };
    fmt::print(
        "{{\"requests\": {}, \"refused\": {}, \"seconds\": {:.3f}, \"rate\": {:.0f}, \"p50_ms\": "
        "{:.2f}, "
        "\"p99_ms\": {:.2f}, \"p999_ms\": {:.2f}, \"max_ms\": {:.2f}}}\n",
        answered_, refused_, seconds, static_cast<double>(answered_) / seconds, at(0.5), at(0.99),
        at(0.999), took_ms_.back());
  }

  const Load load_;
  const int epoll_;
  std::string head_;
  std::vector<std::unique_ptr<Line>> lines_;
  std::vector<Line*> idle_;
  Clock::time_point begun_;
  std::int64_t sent_ = 0, answered_ = 0, refused_ = 0;
  std::vector<double> took_ms_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 8) fail("hooks_load_bench HOST PORT PATH COUNT CONNECTIONS RATE BYTES [KEYS]");
  Run({.host = argv[1],
       .port = std::atoi(argv[2]),
       .path = argv[3],
       .count = std::atoll(argv[4]),
       .connections = std::atoi(argv[5]),
       .rate = std::atof(argv[6]),
       .bytes = static_cast<std::size_t>(std::atoll(argv[7])),
       .keys = argc > 8 ? argv[8] : ""})
      .go();
}
