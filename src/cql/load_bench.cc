// A load of single-row statements over the native protocol, to any server that speaks version 4:
// `load_bench HOST PORT write|fill|read COUNT ROWS CONNECTIONS IN_FLIGHT [FIRST [RATE]]`. Prints a
// line of JSON. Rows are written in their order, from the first on; read at random. `fill` writes
// batches of ten, to have many rows soon: COUNT is theirs. Requests follow the answers, or come at
// RATE a second, whether or not there are answers: then they are timed from when they were due.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "cql_protocol/answers.h"
#include "cql_protocol/frame.h"
#include "cql_protocol/requests.h"
#include "rt/random.h"

namespace {

using namespace tailrace;
using namespace tailrace::cql_protocol;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr int kVersion4 = 4;
constexpr std::size_t kBatch = 10;  // no server warns of so few keys, nor of their size
constexpr std::string_view kTable =
    "CREATE TABLE IF NOT EXISTS spark_streams.created_users (id uuid PRIMARY KEY, first_name text, "
    "last_name text, gender text, address text, post_code text, email text, username text, dob "
    "text, "
    "registered_date text, phone text, picture text)";
constexpr std::string_view kWrite =
    "INSERT INTO spark_streams.created_users (id, first_name, last_name, gender, address, "
    "post_code, "
    "email, username, dob, registered_date, phone, picture) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)";
constexpr std::string_view kRead = "SELECT * FROM spark_streams.created_users WHERE id = ?";

[[noreturn]] void fail(const std::string& why) {
  fmt::print(stderr, "{}\n", why);
  std::exit(1);
}

/// One connection; requests of a window are answered in any order.
class Line {
 public:
  Line(const char* host, int port, std::size_t window) : begun_(window) {
    for (std::size_t stream = window; stream > 0; --stream) free_.push_back(stream - 1);
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    ::inet_pton(AF_INET, host, &address.sin_addr);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      fail("nothing answers there");
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ask(Startup{{{"CQL_VERSION", "3.0.0"}}});
  }

  int socket() const { return socket_; }

  /// One request and its answer, alone.
  std::string ask(const Request& request) {
    add(request, 0);
    send();
    for (;;) {
      receive();
      std::string_view body;
      Head head;
      if (!next(head, body)) continue;
      if (head.opcode == static_cast<std::uint8_t>(Opcode::kError))
        fail(std::string(body.substr(6)));
      return std::string(body);
    }
  }

  void add(const Request& request, std::int16_t stream) {
    append_request_message(out_, kVersion4, stream, request);
  }
  bool has_room() const { return !free_.empty(); }
  /// The stream of a request that was due then.
  std::int16_t begin(Clock::time_point due) {
    const std::size_t stream = free_.back();
    free_.pop_back();
    begun_[stream] = due;
    return static_cast<std::int16_t>(stream);
  }
  /// When the request was due whose answer came.
  Clock::time_point end(std::int16_t stream) {
    free_.push_back(static_cast<std::size_t>(stream));
    return begun_[free_.back()];
  }
  void send() {
    std::string_view left = out_;
    while (!left.empty()) {
      const auto size = ::send(socket_, left.data(), left.size(), MSG_NOSIGNAL);
      if (size <= 0) fail("the connection is gone");
      left.remove_prefix(static_cast<std::size_t>(size));
    }
    out_.clear();
  }
  void receive() {
    in_.erase(0, taken_);
    taken_ = 0;
    const std::size_t held = in_.size();
    in_.resize(held + (256U << 10U));
    const auto size = ::recv(socket_, in_.data() + held, in_.size() - held, 0);
    if (size <= 0) fail("the connection is gone");
    in_.resize(held + static_cast<std::size_t>(size));
  }
  bool next(Head& head, std::string_view& body) {
    const auto left = std::string_view(in_).substr(taken_);
    if (left.size() < kHeadBytes) return false;
    head = read_head(left);
    if (left.size() < kHeadBytes + head.length) return false;
    body = left.substr(kHeadBytes, head.length);
    taken_ += kHeadBytes + head.length;
    return true;
  }

 private:
  int socket_;
  std::string out_, in_;
  std::size_t taken_ = 0;
  std::vector<Clock::time_point> begun_;
  std::vector<std::size_t> free_;
};

/// The same row for the same number, shaped as the tutorials' users are.
class Users {
 public:
  void fill(std::uint64_t number, std::vector<Value>& values, bool key_only) {
    std::uint64_t state = number;
    for (const std::size_t half : {0U, 8U}) store_be(id_.data() + half, rt::splitmix64(state));
    values.clear();
    values.push_back(Value::of({id_.data(), id_.size()}));
    if (key_only) return;
    constexpr std::array<std::size_t, 11> kSizes{6, 8, 6, 48, 6, 28, 14, 24, 24, 14, 52};
    if (texts_.empty())
      for (int i = 0; i < 8192; ++i) texts_ += static_cast<char>('a' + i % 26);
    for (const auto size : kSizes)
      values.push_back(
          Value::of(std::string_view(texts_).substr(rt::splitmix64(state) % 8000, size)));
  }

 private:
  std::array<char, 16> id_{};
  std::string texts_;
};

std::string prepare(Line& line, std::string_view text) {
  const std::string body = line.ask(Prepare{text, {}});
  const auto size = load_be<std::uint16_t>(body.data() + 4);
  return body.substr(6, size);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 8 || argc > 10)
    fail("load_bench HOST PORT write|fill|read COUNT ROWS CONNECTIONS IN_FLIGHT [FIRST [RATE]]");
  const std::string_view kind = argv[3];
  const bool fill = kind == "fill", write = fill || kind == "write";
  const auto count = std::strtoull(argv[4], nullptr, 10),
             rows = std::strtoull(argv[5], nullptr, 10);
  const auto first = argc >= 9 ? std::strtoull(argv[8], nullptr, 10) : 0;
  const double rate = argc >= 10 ? std::strtod(argv[9], nullptr) : 0;
  const auto connections = std::strtoull(argv[6], nullptr, 10);
  const auto window = std::max(1ULL, std::strtoull(argv[7], nullptr, 10) / connections);
  std::vector<std::unique_ptr<Line>> lines;
  for (std::size_t i = 0; i < connections; ++i)
    lines.push_back(std::make_unique<Line>(argv[1], std::atoi(argv[2]), window));
  lines[0]->ask(
      Query{"CREATE KEYSPACE IF NOT EXISTS spark_streams WITH replication = {'class': "
            "'SimpleStrategy', 'replication_factor': 1}",
            {}});
  lines[0]->ask(Query{kTable, {}});
  const std::string id = prepare(*lines[0], write ? kWrite : kRead);

  Execute execute;
  execute.id = id;
  execute.parameters.skip_metadata = true;
  execute.parameters.consistency = Consistency::kLocalOne;
  Batch batch;
  batch.kind = Batch::Kind::kUnlogged;
  batch.parameters.consistency = Consistency::kLocalOne;
  batch.parts.resize(kBatch);
  for (auto& part : batch.parts) {
    part.prepared = true;
    part.text_or_id = id;
  }
  std::array<Users, kBatch> made;  // each holds the key that its row's values show
  rt::Random random(count);
  std::uint64_t begun = 0, done = 0, found = 0;
  const auto begin = [&](Line& line, Clock::time_point due) {
    const auto stream = line.begin(due);
    if (fill) {
      for (std::size_t i = 0; i < kBatch; ++i)
        made[i].fill((first + begun * kBatch + i) % rows, batch.parts[i].values, false);
      line.add(batch, stream);
    } else {
      made[0].fill(write ? (first + begun) % rows : random.below(rows), execute.parameters.values,
                   !write);
      line.add(execute, stream);
    }
    ++begun;
  };
  std::vector<std::uint32_t> latencies;
  latencies.reserve(count);
  const int poll = ::epoll_create1(0);
  for (auto& line : lines) {
    epoll_event event{EPOLLIN, {.ptr = line.get()}};
    ::epoll_ctl(poll, EPOLL_CTL_ADD, line->socket(), &event);
  }
  const auto start = Clock::now();
  const auto due = [&] {
    return start + std::chrono::nanoseconds(static_cast<std::int64_t>(
                       rate > 0 ? 1e9 * static_cast<double>(begun) / rate : 0));
  };
  /// Sends what is due and has a stream; says how long nothing more is.
  const auto send = [&] {
    const auto now = Clock::now();
    std::size_t full = 0;
    for (std::size_t i = begun; full < lines.size() && begun < count && due() <= now; ++i) {
      Line& line = *lines[i % lines.size()];
      if (!line.has_room()) {
        ++full;
        continue;
      }
      full = 0;
      begin(line, rate > 0 ? due() : now);
    }
    for (const auto& line : lines) line->send();
    if (full == lines.size() || begun == count) return std::chrono::nanoseconds(10s);
    return std::max(std::chrono::nanoseconds(0), std::chrono::nanoseconds(due() - Clock::now()));
  };
  std::array<epoll_event, 64> events;
  while (done < count) {
    const auto wait = send();
    const timespec most{wait / 1s, (wait % 1s).count()};
    const int ready = ::epoll_pwait2(poll, events.data(), events.size(), &most, nullptr);
    if (ready == 0 && wait >= 10s) fail("no answer for 10 seconds");
    for (int i = 0; i < ready; ++i) {
      Line& line = *static_cast<Line*>(events[static_cast<std::size_t>(i)].data.ptr);
      line.receive();
      const auto now = Clock::now();
      Head head;
      std::string_view body;
      while (line.next(head, body)) {
        if (head.opcode == static_cast<std::uint8_t>(Opcode::kError))
          fail(std::string(body.substr(6)));
        found += body.size() > 64 ? 1U : 0U;
        latencies.push_back(static_cast<std::uint32_t>(
            std::chrono::duration_cast<std::chrono::microseconds>(now - line.end(head.stream))
                .count()));
        ++done;
      }
    }
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  std::ranges::sort(latencies);
  const auto at = [&](double part) {
    return latencies[static_cast<std::size_t>(part * static_cast<double>(latencies.size() - 1))];
  };
  fmt::print(
      "{{\"per_second\": {:.0f}, \"p50_us\": {}, \"p99_us\": {}, \"max_us\": {}, \"found\": {}}}\n",
      static_cast<double>(count) / seconds, at(0.5), at(0.99), latencies.back(), found);
  return 0;
}
