#include "net/web_socket.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/base64.h"
#include "base/check.h"
#include "net/http_client.h"

namespace tailrace::net {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxHead = 32 << 10;
constexpr std::size_t kReadBytes = 64 << 10;
constexpr std::size_t kMaxControl = 125;
constexpr milliseconds kLook{100};
constexpr milliseconds kSendPatience{30'000};

enum Opcode : std::uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10
};

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) == 1);
  return bytes;
}

struct Target {
  std::string http_url;  ///< for libcurl: the same place by http or https
  std::string host;      ///< with a port that is not the scheme's own
  std::string path;      ///< with the query
  std::string login;     ///< USER:PASSWORD, decoded
};

std::string part(CURLU* url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, flags) != CURLUE_OK) return {};
  std::string found = text;
  curl_free(text);
  return found;
}

Result<Target> parse_target(const std::string& url) {
  Target target;
  if (url.starts_with("ws://") || url.starts_with("wss://"))
    target.http_url = "http" + url.substr(2);
  CURLU* parsed = curl_url();
  const bool good = !target.http_url.empty() &&
                    curl_url_set(parsed, CURLUPART_URL, target.http_url.c_str(), 0) == CURLUE_OK;
  if (good) {
    const std::string port = part(parsed, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);
    const std::string query = part(parsed, CURLUPART_QUERY);
    target.host = part(parsed, CURLUPART_HOST) + (port.empty() ? "" : ":" + port);
    target.path = part(parsed, CURLUPART_PATH) + (query.empty() ? "" : "?" + query);
    const std::string user = part(parsed, CURLUPART_USER, CURLU_URLDECODE);
    if (!user.empty())
      target.login = user + ":" + part(parsed, CURLUPART_PASSWORD, CURLU_URLDECODE);
  }
  curl_url_cleanup(parsed);
  if (!good)
    return error(Code::kInvalidArgument, fmt::format("not a ws or wss URL: {}", redact_url(url)));
  return target;
}

class Connected final : public WebSocket {
 public:
  Connected(std::string shown, const WebSocketOptions& options)
      : shown_(std::move(shown)), options_(options), easy_(curl_easy_init()) {
    CHECK(easy_ != nullptr);
  }
  ~Connected() override {
    constexpr std::string_view kGoodbye("\x03\xE8", 2);  // 1000: normal
    if (open_) (void)write(frame(kClose, kGoodbye), Clock::now());
    curl_easy_cleanup(easy_);
  }

  Status open(const Target& target);
  Status send(std::string_view text) override { return send_frame(kText, text); }
  Status ping() override { return send_frame(kPing, ""); }
  Result<std::optional<WebSocketMessage>> receive(milliseconds wait) override;
  Clock::time_point heard() const override { return heard_; }

 private:
  Status shake(const Target& target);
  Status check_head(std::string_view head, const std::string& key) const;
  static std::string frame(Opcode opcode, std::string_view payload);
  Status send_frame(Opcode opcode, std::string_view payload) {
    return write(frame(opcode, payload), Clock::now() + kSendPatience);
  }
  Status write(std::string_view bytes, Clock::time_point until);
  Result<bool> read_some(Clock::time_point until);
  Result<bool> wait_for(short events, Clock::time_point until) const;
  Status begin_frame();
  Status take_payload();
  Status end_frame();
  Status closed_by_server();
  Error broken(std::string_view what) const {
    return {Code::kUnavailable, fmt::format("{} ({})", what, shown_)};
  }
  std::string_view unread() const { return std::string_view(buffer_).substr(read_); }

  const std::string shown_;
  const WebSocketOptions options_;
  CURL* const easy_;
  curl_socket_t socket_ = CURL_SOCKET_BAD;
  bool open_ = false;
  Clock::time_point heard_ = Clock::now();
  std::string buffer_;  // from read_ on: what came and was not taken
  std::size_t read_ = 0;
  // The frame that is being read.
  bool in_frame_ = false, final_ = false;
  std::uint8_t opcode_ = 0;
  std::uint64_t left_ = 0;
  std::string control_;
  // The message that is being joined.
  bool in_message_ = false;
  WebSocketMessage message_;
  std::optional<WebSocketMessage> whole_;
};

Status Connected::open(const Target& target) {
  std::array<char, CURL_ERROR_SIZE> detail{};
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, detail.data());
  curl_easy_setopt(easy_, CURLOPT_URL, target.http_url.c_str());
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy_, CURLOPT_CONNECT_ONLY, 1L);
  curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, long{options_.connect_timeout_ms});
  if (!options_.ca_file.empty()) curl_easy_setopt(easy_, CURLOPT_CAINFO, options_.ca_file.c_str());
  const CURLcode code = curl_easy_perform(easy_);
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, nullptr);
  if (code != CURLE_OK)
    return std::unexpected(broken(fmt::format(
        "cannot connect: {}", detail[0] != '\0' ? detail.data() : curl_easy_strerror(code))));
  curl_easy_getinfo(easy_, CURLINFO_ACTIVESOCKET, &socket_);
  TRY(shake(target));
  open_ = true;
  heard_ = Clock::now();
  return {};
}

// RFC 6455 §4.1.
Status Connected::shake(const Target& target) {
  const auto until = Clock::now() + milliseconds(options_.connect_timeout_ms);
  const std::string key = encode_base64(random_bytes(16));
  std::string request = fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: {}\r\nSec-WebSocket-Version: 13\r\nUser-Agent: tailrace/0.1\r\n",
      target.path, target.host, key);
  if (!options_.protocol.empty())
    request += fmt::format("Sec-WebSocket-Protocol: {}\r\n", options_.protocol);
  if (!target.login.empty())
    request += fmt::format("Authorization: Basic {}\r\n", encode_base64(target.login));
  for (const auto& [name, value] : options_.headers)
    if ((name + value).find_first_of("\r\n") == std::string::npos)
      request += fmt::format("{}: {}\r\n", name, value);
  TRY(write(request + "\r\n", until));
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (buffer_.size() > kMaxHead)
      return std::unexpected(broken("the answer to the handshake is too long"));
    ASSIGN(const bool more, read_some(until));
    if (!more) return std::unexpected(broken("the handshake was not answered in time"));
  }
  read_ = end + 4;
  return check_head(std::string_view(buffer_).substr(0, end + 2), key);
}

Status Connected::check_head(std::string_view head, const std::string& key) const {
  const std::string_view status = head.substr(0, head.find("\r\n"));
  const auto space = status.find(' ');
  if (!status.starts_with("HTTP/1.") || space == std::string_view::npos)
    return std::unexpected(broken("the handshake was not answered with HTTP"));
  if (status.substr(space + 1, 3) != "101")
    return std::unexpected(broken(fmt::format("answered {}, not 101", status.substr(space + 1))));
  const auto header = [&](std::string_view wanted) -> std::string_view {
    std::string_view rest = head.substr(status.size() + 2);
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find("\r\n"));
      rest.remove_prefix(std::min(line.size() + 2, rest.size()));
      if (line.size() <= wanted.size() || line[wanted.size()] != ':' ||
          curl_strnequal(line.data(), wanted.data(), wanted.size()) == 0)
        continue;
      std::string_view value = line.substr(wanted.size() + 1);
      while (value.starts_with(' ')) value.remove_prefix(1);
      while (value.ends_with(' ')) value.remove_suffix(1);
      return value;
    }
    return {};
  };
  if (header("Sec-WebSocket-Accept") != web_socket_accept(key))
    return std::unexpected(broken("the answer's Sec-WebSocket-Accept is wrong: no WebSocket"));
  if (header("Sec-WebSocket-Protocol") != options_.protocol)
    return std::unexpected(
        broken(fmt::format("the server speaks the protocol \"{}\", not \"{}\"",
                           header("Sec-WebSocket-Protocol"), options_.protocol)));
  if (!header("Sec-WebSocket-Extensions").empty())
    return std::unexpected(broken("the server uses an extension that was not asked for"));
  return {};
}

// RFC 6455 §5.2; what a client sends is masked (§5.3).
std::string Connected::frame(Opcode opcode, std::string_view payload) {
  std::string bytes;
  bytes += static_cast<char>(0x80 | opcode);
  const std::uint64_t size = payload.size();
  const int extended = size < 126 ? 0 : size <= 0xFFFF ? 2 : 8;
  bytes += static_cast<char>(0x80 | (extended == 0 ? size : extended == 2 ? 126U : 127U));
  for (int shift = 8 * (extended - 1); shift >= 0; shift -= 8)
    bytes += static_cast<char>(size >> shift & 0xFF);
  const std::string mask = random_bytes(4);
  bytes += mask;
  for (std::size_t i = 0; i < payload.size(); ++i)
    bytes += static_cast<char>(payload[i] ^ mask[i % 4]);
  return bytes;
}

/// False when the time is over.
Result<bool> Connected::wait_for(short events, Clock::time_point until) const {
  for (;;) {
    if (options_.stop.stop_requested()) return error(Code::kCancelled, "stopped: " + shown_);
    const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
    const auto wait = std::clamp(left, milliseconds(0), kLook);
    pollfd one{.fd = socket_, .events = events, .revents = 0};
    if (::poll(&one, 1, static_cast<int>(wait.count())) > 0) return true;
    if (left <= milliseconds(0)) return false;
  }
}

Status Connected::write(std::string_view bytes, Clock::time_point until) {
  while (!bytes.empty()) {
    std::size_t sent = 0;
    const CURLcode code = curl_easy_send(easy_, bytes.data(), bytes.size(), &sent);
    bytes.remove_prefix(sent);
    if (code == CURLE_OK) continue;
    if (code != CURLE_AGAIN) return std::unexpected(broken("the connection was broken off"));
    ASSIGN(const bool ready, wait_for(POLLOUT, until));
    if (!ready) return std::unexpected(broken("the server does not read"));
  }
  return {};
}

/// False when nothing came in time.
Result<bool> Connected::read_some(Clock::time_point until) {
  buffer_.erase(0, read_);
  read_ = 0;
  const std::size_t held = buffer_.size();
  for (;;) {
    std::size_t got = 0;
    buffer_.resize(held + kReadBytes);
    const CURLcode code = curl_easy_recv(easy_, buffer_.data() + held, kReadBytes, &got);
    buffer_.resize(held + (code == CURLE_OK ? got : 0));
    if (code == CURLE_OK && got > 0) {
      heard_ = Clock::now();
      return true;
    }
    if (code != CURLE_AGAIN)
      return std::unexpected(broken("the server has ended the connection without a goodbye"));
    ASSIGN(const bool ready, wait_for(POLLIN, until));
    if (!ready) return false;
  }
}

Result<std::optional<WebSocketMessage>> Connected::receive(milliseconds wait) {
  const auto until = Clock::now() + wait;
  for (;;) {
    while (!whole_) {
      const std::size_t before = unread().size();
      const bool begun = in_frame_;
      TRY(in_frame_ ? take_payload() : begin_frame());
      if (unread().size() == before && begun == in_frame_) break;
    }
    if (whole_) return std::exchange(whole_, std::nullopt);
    ASSIGN(const bool more, read_some(until));
    if (!more) return std::nullopt;
  }
}

Status Connected::begin_frame() {
  const std::string_view bytes = unread();
  if (bytes.size() < 2) return {};
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  const std::uint8_t length = at(1) & 0x7F;
  const std::size_t extended = length == 126 ? 2 : length == 127 ? 8 : 0;
  if (bytes.size() < 2 + extended) return {};
  if ((at(0) & 0x70) != 0 || (at(1) & 0x80) != 0)
    return std::unexpected(broken("a frame uses reserved bits or a mask"));
  final_ = (at(0) & 0x80) != 0;
  opcode_ = at(0) & 0x0F;
  left_ = extended == 0 ? length : 0;
  for (std::size_t i = 0; i < extended; ++i) left_ = left_ << 8 | at(2 + i);
  const bool is_control = opcode_ >= kClose;
  if (is_control && (!final_ || left_ > kMaxControl || opcode_ > kPong))
    return std::unexpected(broken("a control frame is in pieces, too long or unknown"));
  if (!is_control && (opcode_ > kBinary || (opcode_ == kContinuation) != in_message_))
    return std::unexpected(broken("a frame that does not belong to the message"));
  if (opcode_ == kText || opcode_ == kBinary) {
    in_message_ = true;
    message_ = {.bytes = {}, .text = opcode_ == kText, .cut = false};
  }
  read_ += 2 + extended;
  in_frame_ = true;
  return {};
}

Status Connected::take_payload() {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, unread().size()));
  const std::string_view piece = unread().substr(0, size);
  if (opcode_ >= kClose) {
    control_ += piece;
  } else {
    const std::size_t room = options_.max_message_bytes - message_.bytes.size();
    message_.bytes += piece.substr(0, room);
    message_.cut = message_.cut || piece.size() > room;
  }
  read_ += size;
  left_ -= size;
  return left_ == 0 ? end_frame() : Status();
}

Status Connected::end_frame() {
  in_frame_ = false;
  if (opcode_ < kClose) {
    if (!final_) return {};
    in_message_ = false;
    whole_ = std::move(message_);
    message_ = {};
    return {};
  }
  const std::string said = std::exchange(control_, {});
  if (opcode_ == kPing) return send_frame(kPong, said);
  if (opcode_ == kPong) return {};
  control_ = said;
  return closed_by_server();
}

// RFC 6455 §5.5.1: the code is sent back, then the connection is over.
Status Connected::closed_by_server() {
  open_ = false;
  (void)send_frame(kClose, std::string_view(control_).substr(0, 2));
  int code = 1005;
  if (control_.size() >= 2)
    code = static_cast<std::uint8_t>(control_[0]) << 8 | static_cast<std::uint8_t>(control_[1]);
  const std::string reason = control_.size() > 2 ? ": " + control_.substr(2) : "";
  return std::unexpected(broken(fmt::format("the server closed it with {}{}", code, reason)));
}

}  // namespace

std::string web_socket_accept(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::string digest(SHA_DIGEST_LENGTH, '\0');
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       reinterpret_cast<unsigned char*>(digest.data()));
  return encode_base64(digest);
}

Result<std::unique_ptr<WebSocket>> WebSocket::connect(const std::string& url,
                                                      const WebSocketOptions& options) {
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  CHECK(ready);
  ASSIGN(const Target target, parse_target(url));
  auto made = std::make_unique<Connected>(redact_url(url), options);
  TRY(made->open(target));
  return made;
}

}  // namespace tailrace::net
