// An HTTP server on loopback that cuts the connection of chosen requests once it has read them, and
// answers all others 200, keeping their connections.
#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace tailrace::net {

class CuttingServer {
 public:
  /// `cut`: which requests, the first is 1.
  explicit CuttingServer(std::set<int> cut)
      : cut_(std::move(cut)), listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 8), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    url_ = fmt::format("http://127.0.0.1:{}", ntohs(address.sin_port));
    accepts_ = std::jthread([this] { accept_all(); });
  }
  ~CuttingServer() {
    shutdown(listener_, SHUT_RDWR);
    accepts_.join();
    const std::lock_guard lock(mutex_);
    for (const int fd : open_) shutdown(fd, SHUT_RDWR);
  }
  CuttingServer(const CuttingServer&) = delete;
  CuttingServer& operator=(const CuttingServer&) = delete;

  const std::string& url() const { return url_; }
  int requests() const { return requests_; }
  int connections() const { return connections_; }

 private:
  void accept_all() {
    for (int fd = 0; (fd = accept(listener_, nullptr, nullptr)) >= 0;) {
      ++connections_;
      const std::lock_guard lock(mutex_);
      open_.insert(fd);
      serving_.emplace_back([this, fd] {
        while (serve(fd)) continue;
        const std::lock_guard over(mutex_);
        open_.erase(fd);
        close(fd);
      });
    }
    close(listener_);
  }

  /// One request, whose body's length is said; false: the connection is over.
  bool serve(int fd) {
    std::string request;
    std::size_t whole = std::string::npos;
    while (request.size() < whole) {
      char bytes[4096];
      const auto got = recv(fd, bytes, sizeof bytes, 0);
      if (got <= 0) return false;
      request.append(bytes, static_cast<std::size_t>(got));
      const auto head = request.find("\r\n\r\n");
      if (head == std::string::npos) continue;
      const auto length = request.find("Content-Length: ");
      whole = head + 4 + (length < head ? std::stoul(request.substr(length + 16)) : 0);
    }
    if (cut_.contains(++requests_)) return false;
    constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    return send(fd, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL) > 0;
  }

  const std::set<int> cut_;
  const int listener_;
  std::string url_;
  std::atomic<int> requests_ = 0, connections_ = 0;
  std::mutex mutex_;
  std::set<int> open_;
  std::vector<std::jthread> serving_;
  std::jthread accepts_;
};

}  // namespace tailrace::net
