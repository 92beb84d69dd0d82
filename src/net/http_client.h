// An HTTP client for pollers and webhooks, on libcurl. Blocking; a client keeps its connection
// between calls.
//
// Redirects stay within http and https, at most `max_redirects`; to another origin no header of the
// caller's and no credential goes along. A body over `max_body_bytes` ends the transfer while it is
// received. Errors name the URL with credentials and token-like query values blanked.
//
// Threads: calls on one client take turns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tailrace::net {

struct HttpOptions {
  std::vector<std::pair<std::string, std::string>> headers = {};
  int timeout_ms = 10'000;  ///< for the whole exchange, redirects included
  int connect_timeout_ms = 5'000;
  std::size_t max_body_bytes = 64 << 20;
  int max_redirects = 5;
  bool follow_redirects = true;  ///< false: a redirect is the answer
  /// The request has a connection of its own: where a kept one is cut before the answer, it is sent
  /// again on a new one, though the server may have done what it asks.
  bool at_most_once = false;
  bool verify_tls = true;    ///< false: any certificate will do
  bool unpack = true;        ///< false: the body as it is sent, whatever its Content-Encoding
  std::string etag = {};     ///< sent as If-None-Match: the answer may be 304
  std::string ca_file = {};  ///< PEM certificates that are trusted instead of the system's
  /// "sha256//BASE64" of the server's public key (net/certificate.h): no other is talked to. With
  /// verify_tls = false it alone is what the server is known by.
  std::string public_key = {};
  std::string user_agent = "tailrace/0.1";
  std::stop_token stop = {};  ///< ends the exchange with kCancelled
};

/// Any status is an answer, 404 and 500 included. Header names are in lower case.
struct HttpResponse {
  int status = 0;
  std::string reason = {};  ///< "Not Found", as the server says it
  std::map<std::string, std::string> headers;
  std::string body;
  std::string url;  ///< after redirects, redacted

  std::string_view header(std::string_view name) const;
  std::string_view etag() const { return header("etag"); }
};

/// What is done with a body that has no end. Both are called by the thread that called stream(),
/// and may block: nothing more is read from the server meanwhile. Their Error ends the exchange and
/// is stream()'s answer.
struct HttpSink {
  /// Status and headers, once, before the first byte of a body.
  std::function<Status(const HttpResponse& head)> head;
  std::function<Status(std::string_view bytes)> bytes;
  int idle_timeout_ms = 60'000;  ///< kDeadlineExceeded when nothing came for so long
};

class HttpClient {
 public:
  HttpClient();
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// kUnavailable: refused, unknown host, TLS, broken off. kDeadlineExceeded: timed out.
  /// kResourceExhausted: body too large. kInvalidArgument: not an http or https URL.
  /// kFailedPrecondition: too many redirects.
  Result<HttpResponse> get(const std::string& url, const HttpOptions& options = {});
  Result<HttpResponse> post(const std::string& url, std::string_view body,
                            const HttpOptions& options = {});
  /// GET of a body that comes for as long as it likes: what it brings goes to the sink as it comes,
  /// `options.timeout_ms` and `max_body_bytes` do not hold. Returns when the server has ended it. A
  /// redirect's body is dropped.
  Result<HttpResponse> stream(const std::string& url, const HttpOptions& options,
                              const HttpSink& sink);
  /// Any method. Without `body` none is sent, and no length of one.
  Result<HttpResponse> request(const std::string& method, const std::string& url,
                               std::optional<std::string_view> body,
                               const HttpOptions& options = {});

  /// Whether a part of the last request had left, however it ended: what failed without that did
  /// not arrive.
  bool request_left() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Seconds since 1970 of an HTTP date (RFC 9110 §5.6.7, the two obsolete forms too).
std::optional<std::int64_t> parse_http_date(std::string_view text);

/// scheme://host:port of a URL; "" when it is not one.
std::string origin_of(const std::string& url);

/// The URL without user:password and with the values of token-like query parameters blanked: fit
/// for a log.
std::string redact_url(std::string_view url);

}  // namespace tailrace::net
