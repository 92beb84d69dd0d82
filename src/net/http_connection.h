// One kept HTTP/1.1 connection to one origin, for programs that must be small and start in
// milliseconds; http_client.h is the client for everything else. Blocking. No redirects, no
// compression, no cookies.
//
// A connection that was closed while it was idle is opened again and the request sent once more,
// when nothing of an answer had come and the request may be repeated.
//
// Limits: the head of an answer 64 KiB, its body as told. Threads: one at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "net/tls.h"
#include "net/tls_socket.h"

namespace tailrace::net {

struct HttpAsk {
  std::string method = "GET";
  std::string target;  ///< path and query, encoded
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  std::size_t max_body_bytes = 16 << 20;
  bool repeatable = true;  ///< whether the server may get it twice
};

struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;                            ///< empty where it was taken in pieces

  std::string header(const std::string& name) const;
};

class HttpConnection {
 public:
  /// A piece of the body; an Error ends the exchange and the connection with it. Given the head,
  /// whose body is empty still.
  using Take = std::function<Status(const HttpAnswer& head, std::string_view piece)>;

  /// `origin` is http(s)://HOST[:PORT] or HOST:PORT. `patience` is for each wait; zero is for ever.
  /// kInvalidArgument for what is no origin. Connects with the first request.
  static Result<HttpConnection> make(std::string_view origin, std::chrono::seconds patience);

  /// kUnavailable: not reached, broken off. kResourceExhausted: larger than allowed. kDataLoss: not
  /// HTTP.
  Result<HttpAnswer> ask(const HttpAsk& request, const Take& take = {});
  /// As the Host header has it.
  const std::string& host() const { return host_; }

 private:
  struct Body {
    std::optional<std::uint64_t> length;
    bool chunked = false, until_end = false;
  };

  Status connect();
  Result<HttpAnswer> exchange(const HttpAsk& request, const Take& take, bool& begun);
  Result<HttpAnswer> read_head(bool& begun);
  Status read_body(HttpAnswer& answer, const Body& body, std::size_t most, const Take& take);
  Status read_chunks(const std::function<Status(std::string_view)>& give);
  Status read_length(std::uint64_t length, const std::function<Status(std::string_view)>& give);
  Result<std::string> read_line(std::size_t most);
  Status fill();

  std::string host_, address_;
  std::shared_ptr<const Tls> tls_;
  std::chrono::seconds patience_{0};
  std::optional<TlsSocket> socket_;
  std::string input_;
};

}  // namespace tailrace::net
