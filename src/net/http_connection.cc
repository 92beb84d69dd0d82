#include "net/http_connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace tailrace::net {
namespace {

constexpr std::size_t kHeadBytes = 64 << 10;
constexpr std::size_t kPiece = 64 << 10;

std::string in_lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t') || text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

template <typename Number>
std::optional<Number> number(std::string_view text, int base = 10) {
  Number value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (failed != std::errc() || end != text.data() + text.size() || text.empty())
    return std::nullopt;
  return value;
}

std::unexpected<Error> not_http(std::string_view what) {
  return error(Code::kDataLoss, fmt::format("the answer is not HTTP: {}", what));
}

bool fits_a_head(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

}  // namespace

std::string HttpAnswer::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

Result<HttpConnection> HttpConnection::make(std::string_view origin,
                                            std::chrono::seconds patience) {
  HttpConnection made;
  made.patience_ = patience;
  bool secure = false;
  if (const std::size_t at = origin.find("://"); at != origin.npos) {
    const std::string scheme = in_lower_case(origin.substr(0, at));
    if (scheme != "http" && scheme != "https")
      return error(Code::kInvalidArgument, "an origin begins with http:// or https://");
    secure = scheme == "https";
    origin.remove_prefix(at + 3);
  }
  while (origin.ends_with('/')) origin.remove_suffix(1);
  if (origin.empty() || origin.find_first_of("/?#@ ") != origin.npos || !fits_a_head(origin))
    return error(Code::kInvalidArgument, "an origin is http(s)://HOST or http(s)://HOST:PORT");
  made.host_ = origin;
  const std::size_t colon = origin.rfind(':');
  const bool has_port = colon != origin.npos && origin.find(']', colon) == origin.npos;
  made.address_ = has_port ? std::string(origin) : fmt::format("{}:{}", origin, secure ? 443 : 80);
  if (secure) {
    ASSIGN(made.tls_, Tls::client({.identity = {}, .trusted = {}, .verify_host = true}));
  }
  return made;
}

Status HttpConnection::connect() {
  input_.clear();
  ASSIGN(socket_, TlsSocket::connect(address_, patience_, tls_));
  return {};
}

Result<HttpAnswer> HttpConnection::ask(const HttpAsk& request, const Take& take) {
  const bool kept = socket_.has_value();
  if (!kept) {
    if (auto connected = connect(); !connected)
      return std::unexpected(connected.error().in(address_));
  }
  bool begun = false;
  auto answer = exchange(request, take, begun);
  if (!answer && kept && !begun && request.repeatable &&
      answer.error().code == Code::kUnavailable) {
    if (auto connected = connect(); !connected)
      return std::unexpected(connected.error().in(address_));
    answer = exchange(request, take, begun);
  }
  if (!answer) socket_.reset();
  return answer;
}

Result<HttpAnswer> HttpConnection::exchange(const HttpAsk& request, const Take& take, bool& begun) {
  std::string out =
      fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", request.method, request.target, host_);
  if (!fits_a_head(request.target) || !fits_a_head(request.method))
    return error(Code::kInvalidArgument, "a line break in a request's target");
  for (const auto& [name, value] : request.headers) {
    if (!fits_a_head(name) || !fits_a_head(value))
      return error(Code::kInvalidArgument, "a line break in the header " + name);
    fmt::format_to(std::back_inserter(out), "{}: {}\r\n", name, value);
  }
  if (!request.body.empty() || request.method != "GET")
    fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", request.body.size());
  out += "\r\n";
  out += request.body;
  TRY(socket_->send(out));
  ASSIGN(HttpAnswer answer, read_head(begun));
  while (answer.status >= 100 && answer.status < 200) {
    ASSIGN(answer, read_head(begun));
  }
  Body body;
  const std::string coding = in_lower_case(answer.header("transfer-encoding"));
  body.chunked = coding == "chunked";
  if (!coding.empty() && !body.chunked) return not_http("transfer-encoding " + coding);
  if (const std::string length = answer.header("content-length"); !length.empty()) {
    body.length = number<std::uint64_t>(length);
    if (!body.length) return not_http("content-length");
  }
  if (request.method == "HEAD" || answer.status == 204 || answer.status == 304)
    body = {.length = 0};
  body.until_end = !body.chunked && !body.length;
  TRY(read_body(answer, body, request.max_body_bytes, take));
  if (body.until_end || in_lower_case(answer.header("connection")) == "close") socket_.reset();
  return answer;
}

Status HttpConnection::fill() {
  const std::size_t had = input_.size();
  input_.resize(had + kPiece);
  const auto got = socket_->receive_some(input_.data() + had, kPiece);
  input_.resize(had + got.value_or(0));
  if (!got) return std::unexpected(got.error());
  return {};
}

Result<std::string> HttpConnection::read_line(std::size_t most) {
  std::size_t end = input_.find('\n');
  while (end == std::string::npos) {
    if (input_.size() > most)
      return error(Code::kResourceExhausted, "the answer's head is too long");
    const std::size_t had = input_.size();
    TRY(fill());
    end = input_.find('\n', had);
  }
  if (end > most) return error(Code::kResourceExhausted, "the answer's head is too long");
  std::string line(trimmed(std::string_view(input_).substr(0, end)));
  input_.erase(0, end + 1);
  return line;
}

Result<HttpAnswer> HttpConnection::read_head(bool& begun) {
  if (input_.empty()) TRY(fill());
  begun = true;
  ASSIGN(const std::string line, read_line(kHeadBytes));
  HttpAnswer answer;
  const auto status = line.size() >= 12 && line.starts_with("HTTP/1.")
                          ? number<int>(std::string_view(line).substr(9, 3))
                          : std::nullopt;
  if (!status) return not_http("no status line");
  answer.status = *status;
  std::size_t left = kHeadBytes - std::min(kHeadBytes, line.size());
  while (true) {
    ASSIGN(const std::string field, read_line(left));
    if (field.empty()) return answer;
    left -= std::min(left, field.size() + 1);
    const std::size_t colon = field.find(':');
    if (colon == std::string::npos) return not_http("a header without a colon");
    answer.headers[in_lower_case(std::string_view(field).substr(0, colon))] =
        trimmed(std::string_view(field).substr(colon + 1));
  }
}

Status HttpConnection::read_body(HttpAnswer& answer, const Body& body, std::size_t most,
                                 const Take& take) {
  std::string whole;
  const auto give = [&](std::string_view piece) -> Status {
    if (take) return take(answer, piece);
    if (piece.size() > most - whole.size())
      return error(Code::kResourceExhausted, fmt::format("the answer is over {} bytes", most));
    whole += piece;
    return {};
  };
  if (body.chunked) {
    TRY(read_chunks(give));
  } else if (body.length) {
    TRY(read_length(*body.length, give));
  } else {
    while (true) {
      if (!input_.empty()) TRY(give(input_));
      input_.clear();
      input_.resize(kPiece);
      const auto got = socket_->receive_some(input_.data(), kPiece, true);
      input_.resize(got.value_or(0));
      if (!got) return std::unexpected(got.error());
      if (*got == 0) break;
    }
  }
  answer.body = std::move(whole);
  return {};
}

Status HttpConnection::read_length(std::uint64_t length,
                                   const std::function<Status(std::string_view)>& give) {
  while (length > 0) {
    if (input_.empty()) TRY(fill());
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(length, input_.size()));
    TRY(give(std::string_view(input_).substr(0, size)));
    input_.erase(0, size);
    length -= size;
  }
  return {};
}

Status HttpConnection::read_chunks(const std::function<Status(std::string_view)>& give) {
  constexpr std::size_t kLongestLine = 1024;
  while (true) {
    ASSIGN(const std::string line, read_line(kLongestLine));
    const auto size =
        number<std::uint64_t>(trimmed(std::string_view(line).substr(0, line.find(';'))), 16);
    if (!size) return not_http("a chunk without its size");
    if (*size == 0) break;
    TRY(read_length(*size, give));
    ASSIGN(const std::string end, read_line(kLongestLine));
    if (!end.empty()) return not_http("a chunk without its end");
  }
  while (true) {  // trailers
    ASSIGN(const std::string line, read_line(kHeadBytes));
    if (line.empty()) return {};
  }
}

}  // namespace tailrace::net
