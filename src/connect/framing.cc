#include "connect/framing.h"

#include <fmt/format.h>

namespace tailrace::connect {
namespace {

constexpr std::size_t kCountDigits = 9;

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

std::string too_long(std::string_view what, std::size_t max_bytes) {
  return fmt::format("{} is longer than {} bytes; these are its first", what, max_bytes);
}

/// Bytes up to an end mark; of what is too long the beginning.
class Collected {
 public:
  Collected(std::string_view what, std::string_view ends, std::size_t max_bytes)
      : what_(what), ends_(ends), max_bytes_(max_bytes) {}

  /// Takes from the front of `bytes` what belongs to the message; true when it has ended.
  bool add(std::string_view& bytes, const Framing::Take& take) {
    const auto end = bytes.find_first_of(ends_);
    const std::string_view piece = bytes.substr(0, end);
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    if (end != std::string_view::npos && held_.empty() && !skipping_ && fits(piece)) {
      give(piece, take);
      return true;
    }
    if (!skipping_) keep(piece, take);
    if (end == std::string_view::npos) return false;
    finish(take);
    return true;
  }

  void finish(const Framing::Take& take) {
    if (!skipping_) give(held_, take);
    held_.clear();
    skipping_ = false;
  }

  bool empty() const { return held_.empty() && !skipping_; }

 private:
  /// The CR before an LF is no part of it.
  bool fits(std::string_view line) const {
    return line.size() <= max_bytes_ || (line.size() == max_bytes_ + 1 && line.ends_with('\r'));
  }

  void keep(std::string_view piece, const Framing::Take& take) {
    const std::size_t room = max_bytes_ + 1 - held_.size();
    held_ += piece.substr(0, room);
    if (fits(held_) && piece.size() <= room) return;
    take(std::string_view(held_).substr(0, max_bytes_), too_long(what_, max_bytes_));
    skipping_ = true;
    held_.clear();
    held_.shrink_to_fit();
  }

  static void give(std::string_view message, const Framing::Take& take) {
    if (message.ends_with('\r')) message.remove_suffix(1);
    if (!is_blank(message)) take(message, "");
  }

  const std::string_view what_, ends_;
  const std::size_t max_bytes_;
  std::string held_;
  bool skipping_ = false;
};

class LineFraming final : public Framing {
 public:
  explicit LineFraming(std::size_t max_bytes) : line_("a line", "\n", max_bytes) {}

  void feed(std::string_view bytes, const Take& take) override {
    while (!bytes.empty()) line_.add(bytes, take);
  }
  void end(const Take& take) override { line_.finish(take); }

 private:
  Collected line_;
};

class SyslogFraming final : public Framing {
 public:
  explicit SyslogFraming(std::size_t max_bytes)
      : max_bytes_(max_bytes), line_("a message", std::string_view("\n\0", 2), max_bytes) {}

  void feed(std::string_view bytes, const Take& take) override {
    while (!bytes.empty()) {
      switch (state_) {
        case State::kBegin:
          begin(bytes);
          break;
        case State::kCount:
          count(bytes);
          break;
        case State::kOctets:
          octets(bytes, take);
          break;
        case State::kLine:
          line(bytes, take);
          break;
      }
    }
  }

  void end(const Take& take) override {
    if (state_ == State::kLine) line_.finish(take);
    if (state_ == State::kCount) take(digits_, "the connection ended within a length");
    if (state_ == State::kOctets)
      take(held_, fmt::format("the connection ended {} bytes before the message's end", left_));
    state_ = State::kBegin;
    forget();
  }

 private:
  enum class State { kBegin, kCount, kOctets, kLine };

  void forget() {
    digits_.clear();
    held_.clear();
    left_ = 0;
    too_long_ = false;
  }

  // Some senders end counted messages with LF all the same.
  void begin(std::string_view& bytes) {
    const char first = bytes.front();
    if (first == '\n' || first == '\r' || first == '\0' || first == ' ')
      bytes.remove_prefix(1);
    else
      state_ = first >= '1' && first <= '9' ? State::kCount : State::kLine;
  }

  void count(std::string_view& bytes) {
    while (!bytes.empty() && bytes.front() >= '0' && bytes.front() <= '9' &&
           digits_.size() < kCountDigits) {
      digits_ += bytes.front();
      bytes.remove_prefix(1);
    }
    if (bytes.empty()) return;
    if (bytes.front() == ' ') {
      bytes.remove_prefix(1);
      left_ = std::stoul(digits_);
      too_long_ = left_ > max_bytes_;
      digits_.clear();
      state_ = State::kOctets;
      return;
    }
    // A line that begins with a digit.
    std::string_view digits = digits_;
    line_.add(digits, [](auto, auto) {});
    digits_.clear();
    state_ = State::kLine;
  }

  void octets(std::string_view& bytes, const Take& take) {
    const std::string_view piece = bytes.substr(0, left_);
    bytes.remove_prefix(piece.size());
    left_ -= piece.size();
    const bool whole_piece = left_ == 0 && held_.empty() && piece.size() <= max_bytes_;
    if (!whole_piece) held_ += piece.substr(0, max_bytes_ - held_.size());
    if (left_ > 0) return;
    take(whole_piece ? piece : held_, too_long_ ? too_long("a message", max_bytes_) : "");
    forget();
    state_ = State::kBegin;
  }

  void line(std::string_view& bytes, const Take& take) {
    if (line_.add(bytes, take)) state_ = State::kBegin;
  }

  const std::size_t max_bytes_;
  State state_ = State::kBegin;
  std::string digits_, held_;
  std::size_t left_ = 0;
  bool too_long_ = false;
  Collected line_;
};

}  // namespace

std::unique_ptr<Framing> line_framing(std::size_t max_bytes) {
  return std::make_unique<LineFraming>(max_bytes);
}

std::unique_ptr<Framing> syslog_framing(std::size_t max_bytes) {
  return std::make_unique<SyslogFraming>(max_bytes);
}

}  // namespace tailrace::connect
