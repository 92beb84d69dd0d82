// Standard input or a named pipe as a stream of messages.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <thread>

#include "connect/listeners.h"

namespace tailrace::connect {
namespace {

constexpr int kLookMs = 100;
constexpr std::size_t kReadBytes = 64 << 10;

class PipeReader final : public Receiver {
 public:
  PipeReader(std::string path, Decoding decoding)
      : path_(std::move(path)), decoding_(std::move(decoding)) {
    whence_.place = is_stdin() ? "stdin" : path_;
  }
  ~PipeReader() override { stop(); }

  Status start(Inbox& inbox) override {
    if (!is_stdin()) {
      file_ = ::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
      if (file_ < 0)
        return error(Code::kUnavailable, fmt::format("cannot open {}: {}; make it with: mkfifo {}",
                                                     path_, std::strerror(errno), path_));
    }
    thread_ = std::jthread([this, &inbox](std::stop_token stop) { loop(inbox, stop); });
    return {};
  }
  void stop() override {
    thread_ = {};
    if (!is_stdin() && file_ >= 0) ::close(std::exchange(file_, -1));
  }
  std::string trouble() const override {
    const std::lock_guard lock(mutex_);
    return trouble_;
  }
  std::string state() const override { return "reading " + whence_.place; }

 private:
  bool is_stdin() const { return path_ == "-"; }
  void loop(Inbox& inbox, const std::stop_token& stop);
  bool give(Inbox& inbox, const std::stop_token& stop, std::string_view bytes);
  void fail(const std::string& why) {
    const std::lock_guard lock(mutex_);
    trouble_ = why;
  }

  const std::string path_;
  const Decoding decoding_;
  Whence whence_;
  int file_ = STDIN_FILENO;
  std::unique_ptr<Framing> framing_;
  mutable std::mutex mutex_;
  std::string trouble_;
  std::jthread thread_;
};

/// No bytes: the end.
bool PipeReader::give(Inbox& inbox, const std::stop_token& stop, std::string_view bytes) {
  Delivery delivery;
  const auto take = [&](std::string_view message, std::string_view problem) {
    ++whence_.number;
    decoding_.decode(message, problem, whence_, delivery);
  };
  if (bytes.empty())
    framing_->end(take);
  else
    framing_->feed(bytes, take);
  if (delivery.items.empty() && delivery.rejects.empty()) return true;
  return inbox.put(std::move(delivery), stop).has_value();
}

void PipeReader::loop(Inbox& inbox, const std::stop_token& stop) {
  framing_ = decoding_.framing();
  std::array<char, kReadBytes> bytes;
  bool unfinished = false;  // a pipe's writers have written since the last end
  while (!stop.stop_requested()) {
    pollfd readable{.fd = file_, .events = POLLIN, .revents = 0};
    if (::poll(&readable, 1, kLookMs) <= 0) continue;
    const ssize_t got = ::read(file_, bytes.data(), bytes.size());
    if (got > 0) {
      unfinished = true;
      if (!give(inbox, stop, {bytes.data(), static_cast<std::size_t>(got)})) return;
      continue;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got < 0) fail(fmt::format("reading {}: {}", whence_.place, std::strerror(errno)));
    if (unfinished && !give(inbox, stop, {})) return;
    unfinished = false;
    if (is_stdin()) return inbox.close();
    std::this_thread::sleep_for(std::chrono::milliseconds(kLookMs));
  }
}

}  // namespace

std::unique_ptr<Receiver> pipe_reader(std::string path, Decoding decoding) {
  return std::make_unique<PipeReader>(std::move(path), std::move(decoding));
}

}  // namespace tailrace::connect
