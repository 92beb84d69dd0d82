// The HTTP client on one libcurl easy handle. Redirects are followed here, not by libcurl, so that
// headers of the caller's never reach another origin.
#include "net/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <mutex>

#include "base/check.h"
#include "net/authorities.h"

namespace tailrace::net {
namespace {

using Clock = std::chrono::steady_clock;

struct Transfer {
  const HttpOptions* options = nullptr;
  HttpResponse response;
  bool too_large = false;
  // Of a stream.
  const HttpSink* sink = nullptr;
  CURL* easy = nullptr;
  Clock::time_point heard = Clock::now();
  bool head_told = false;
  bool silent = false;
  Status outcome = {};  ///< what the sink says
};

/// Tells the head before the first byte; false when the sink wants no more.
bool tell_head(Transfer& transfer) {
  if (std::exchange(transfer.head_told, true)) return transfer.outcome.has_value();
  long status = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
  transfer.response.status = static_cast<int>(status);
  transfer.outcome = transfer.sink->head(transfer.response);
  return transfer.outcome.has_value();
}

bool is_redirect(const Transfer& transfer) {
  long status = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
  return transfer.options->follow_redirects && status >= 300 && status < 400 && status != 304 &&
         !transfer.response.header("location").empty();
}

std::size_t on_piece(char* data, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::size_t length = size * count;
  if (is_redirect(transfer)) return length;
  if (!tell_head(transfer)) return CURL_WRITEFUNC_ERROR;
  transfer.outcome = transfer.sink->bytes({data, length});
  transfer.heard = Clock::now();
  return transfer.outcome ? length : CURL_WRITEFUNC_ERROR;
}

struct Exchange {
  std::string url;
  std::string method = "GET";
  std::optional<std::string_view> body = {};
  bool describes_body = true;  ///< its Content-Type goes along
  bool trusted = true;  ///< still at the caller's origin: its headers and credentials may go along
};

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  auto length = size * count;
  if (transfer.response.body.size() + length > transfer.options->max_body_bytes) {
    transfer.too_large = true;
    return CURL_WRITEFUNC_ERROR;
  }
  transfer.response.body.append(data, length);
  return length;
}

std::string_view trim(std::string_view text) {
  auto first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* user) {
  auto& response = static_cast<Transfer*>(user)->response;
  std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) {
    response.headers.clear();
    const auto code = line.find(' ');
    const auto word = code == line.npos ? line.npos : line.find(' ', code + 1);
    response.reason = word == line.npos ? "" : trim(line.substr(word));
    return line.size();
  }
  auto colon = line.find(':');
  if (colon == line.npos) return line.size();
  std::string name(line.substr(0, colon));
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  response.headers[name] = trim(line.substr(colon + 1));
  return line.size();
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (transfer.options->stop.stop_requested()) return 1;
  if (transfer.sink == nullptr) return 0;
  const auto patience = std::chrono::milliseconds(transfer.sink->idle_timeout_ms);
  transfer.silent = Clock::now() - transfer.heard > patience;
  return transfer.silent ? 1 : 0;
}

}  // namespace

std::string origin_of(const std::string& url) {
  std::string origin;
  CURLU* parsed = curl_url();
  char *scheme = nullptr, *host = nullptr, *port = nullptr;
  if (curl_url_set(parsed, CURLUPART_URL, url.c_str(), 0) == CURLUE_OK &&
      curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
      curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
      curl_url_get(parsed, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK) {
    origin = fmt::format("{}://{}:{}", scheme, host, port);
  }
  curl_free(scheme);
  curl_free(host);
  curl_free(port);
  curl_url_cleanup(parsed);
  return origin;
}

namespace {

/// host:port, for messages.
std::string place_of(const std::string& url) {
  auto origin = origin_of(url);
  auto at = origin.find("://");
  return at == origin.npos ? redact_url(url) : origin.substr(at + 3);
}

std::string seconds(int ms) {
  return ms % 1000 == 0 ? fmt::format("{} s", ms / 1000) : fmt::format("{} ms", ms);
}

}  // namespace

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  const std::time_t seconds = curl_getdate(std::string(text).c_str(), nullptr);
  if (seconds < 0) return std::nullopt;
  return std::int64_t{seconds};
}

std::string_view HttpResponse::header(std::string_view name) const {
  auto found = headers.find(std::string(name));
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

struct HttpClient::Impl {
  std::mutex mutex;
  CURL* easy = nullptr;
  std::array<char, CURL_ERROR_SIZE> detail{};
  std::atomic<bool> left = false;  ///< a part of the last request

  Result<HttpResponse> exchange(Exchange exchange, const HttpOptions& options,
                                const HttpSink* sink = nullptr);
  Result<HttpResponse> once(const Exchange& exchange, const HttpOptions& options, long left_ms,
                            const HttpSink* sink);
  void set_up(const Exchange& exchange, Transfer& transfer, long left_ms, curl_slist* headers);
};

HttpClient::HttpClient() : impl_(std::make_unique<Impl>()) {
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  CHECK(ready);
  impl_->easy = curl_easy_init();
  CHECK(impl_->easy != nullptr);
}

HttpClient::~HttpClient() {
  curl_easy_cleanup(impl_->easy);
}

bool HttpClient::request_left() const {
  return impl_->left;
}

Result<HttpResponse> HttpClient::get(const std::string& url, const HttpOptions& options) {
  return impl_->exchange({.url = url}, options);
}

Result<HttpResponse> HttpClient::post(const std::string& url, std::string_view body,
                                      const HttpOptions& options) {
  return impl_->exchange({.url = url, .method = "POST", .body = body}, options);
}

Result<HttpResponse> HttpClient::stream(const std::string& url, const HttpOptions& options,
                                        const HttpSink& sink) {
  return impl_->exchange({.url = url}, options, &sink);
}

Result<HttpResponse> HttpClient::request(const std::string& method, const std::string& url,
                                         std::optional<std::string_view> body,
                                         const HttpOptions& options) {
  const bool is_word = !method.empty() && std::ranges::all_of(method, [](char c) {
    return c > ' ' && c < 127 && std::strchr("\"(),/:;<=>?@[\\]{}", c) == nullptr;
  });
  if (!is_word) return error(Code::kInvalidArgument, "no method of HTTP: " + method);
  return impl_->exchange({.url = url, .method = method, .body = body}, options);
}

namespace {

curl_slist* header_list(const Exchange& exchange, const HttpOptions& options) {
  curl_slist* list = nullptr;
  auto add = [&](const std::string& line) {
    if (line.find_first_of("\r\n") == line.npos) list = curl_slist_append(list, line.c_str());
  };
  if (exchange.trusted) {
    for (const auto& [name, value] : options.headers) {
      const bool of_body = curl_strequal(name.c_str(), "content-type") != 0;
      if (!of_body || exchange.describes_body) add(name + ": " + value);
    }
    if (!options.etag.empty()) add("If-None-Match: " + options.etag);
  }
  if (exchange.body) {
    add("Expect:");
    const auto is_type = [](const auto& header) {
      return curl_strequal(header.first.c_str(), "content-type") != 0;
    };
    if (exchange.method != "POST" && std::ranges::none_of(options.headers, is_type))
      add("Content-Type:");
  }
  return list;
}

Error failure(CURLcode code, long os_error, const Transfer& transfer, const std::string& url,
              const char* detail) {
  auto place = place_of(url);
  auto at = redact_url(url);
  switch (code) {
    case CURLE_COULDNT_CONNECT:
      if (os_error != ECONNREFUSED && os_error != 0) {
        return {Code::kUnavailable, fmt::format("cannot connect to {}: {} ({})", place,
                                                std::strerror(static_cast<int>(os_error)), at)};
      }
      return {Code::kUnavailable, fmt::format("connection refused by {} ({})", place, at)};
    case CURLE_COULDNT_RESOLVE_HOST:
      return {Code::kUnavailable, fmt::format("host not found: {} ({})", place, at)};
    case CURLE_OPERATION_TIMEDOUT:
      return {Code::kDeadlineExceeded,
              fmt::format("timed out after {}: {}", seconds(transfer.options->timeout_ms), at)};
    case CURLE_ABORTED_BY_CALLBACK:
      return {Code::kCancelled, fmt::format("stopped: {}", at)};
    case CURLE_WRITE_ERROR:
      return {Code::kResourceExhausted, fmt::format("the answer of {} is larger than {} bytes", at,
                                                    transfer.options->max_body_bytes)};
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return {Code::kInvalidArgument, fmt::format("not an http or https URL: {}", at)};
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
      return {Code::kUnavailable,
              fmt::format("TLS: {} ({})", *detail ? detail : curl_easy_strerror(code), at)};
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
      return {Code::kUnavailable, fmt::format("connection broken off by {} ({})", place, at)};
    default:
      return {Code::kUnavailable, fmt::format("{}: {}", at, curl_easy_strerror(code))};
  }
}

}  // namespace

void HttpClient::Impl::set_up(const Exchange& exchange, Transfer& transfer, long left_ms,
                              curl_slist* headers) {
  const auto& options = *transfer.options;
  curl_easy_reset(easy);
  detail[0] = '\0';
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, detail.data());
  curl_easy_setopt(easy, CURLOPT_URL, exchange.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  const bool endless = transfer.sink != nullptr;
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, endless ? 0L : left_ms);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   endless ? long{options.connect_timeout_ms}
                           : std::min<long>(options.connect_timeout_ms, left_ms));
  curl_easy_setopt(easy, CURLOPT_USERAGENT, options.user_agent.c_str());
  if (options.unpack) curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  if (const std::string trusted = authorities_file(options.ca_file); !trusted.empty())
    curl_easy_setopt(easy, CURLOPT_CAINFO, trusted.c_str());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, endless ? on_piece : on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, options.verify_tls ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, options.verify_tls ? 2L : 0L);
  if (!options.public_key.empty())
    curl_easy_setopt(easy, CURLOPT_PINNEDPUBLICKEY, options.public_key.c_str());
  if (exchange.body) {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(exchange.body->size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, exchange.body->data());
  }
  if (options.at_most_once) {
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
  }
  if (exchange.method == "HEAD") curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  if (exchange.method != (exchange.body ? "POST" : "GET"))
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, exchange.method.c_str());
}

Result<HttpResponse> HttpClient::Impl::once(const Exchange& exchange, const HttpOptions& options,
                                            long left_ms, const HttpSink* sink) {
  Transfer transfer{.options = &options, .response = {}, .sink = sink, .easy = easy};
  auto* headers = header_list(exchange, options);
  set_up(exchange, transfer, left_ms, headers);
  auto code = curl_easy_perform(easy);
  curl_slist_free_all(headers);
  long request_bytes = 0;
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &request_bytes);
  left = left || request_bytes > 0;
  if (code != CURLE_OK && transfer.too_large) code = CURLE_WRITE_ERROR;
  if (!transfer.outcome) return std::unexpected(transfer.outcome.error());
  if (transfer.silent)
    return error(Code::kDeadlineExceeded,
                 fmt::format("nothing came for {}: {}", seconds(sink->idle_timeout_ms),
                             redact_url(exchange.url)));
  if (code != CURLE_OK) {
    long os_error = 0;
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_error);
    return std::unexpected(failure(code, os_error, transfer, exchange.url, detail.data()));
  }
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  transfer.response.status = static_cast<int>(status);
  transfer.response.url = redact_url(exchange.url);
  if (sink != nullptr && !is_redirect(transfer) && !tell_head(transfer))
    return std::unexpected(transfer.outcome.error());
  return std::move(transfer.response);
}

Result<HttpResponse> HttpClient::Impl::exchange(Exchange exchange, const HttpOptions& options,
                                                const HttpSink* sink) {
  std::lock_guard lock(mutex);
  left = false;
  const auto first_origin = origin_of(exchange.url);
  const auto first_url = exchange.url;
  const auto deadline = Clock::now() + std::chrono::milliseconds(options.timeout_ms);
  for (int redirects = 0;; ++redirects) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    ASSIGN(auto response, once(exchange, options, std::max<long>(1, left.count()), sink));
    char* next = nullptr;
    curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &next);
    if (next == nullptr || response.status == 304 || !options.follow_redirects) return response;
    if (redirects == options.max_redirects) {
      return error(Code::kFailedPrecondition,
                   fmt::format("more than {} redirects: {}", redirects, redact_url(first_url)));
    }
    exchange.url = next;
    exchange.trusted = exchange.trusted && origin_of(exchange.url) == first_origin;
    bool keeps_method = response.status == 307 || response.status == 308;
    if (!keeps_method) {
      exchange.body.reset();
      exchange.describes_body = false;
      if (exchange.method != "HEAD") exchange.method = "GET";
    }
  }
}

}  // namespace tailrace::net
