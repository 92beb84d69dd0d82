#include "lambda/object_lines.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "net/aws_signature.h"
#include "net/http_connection.h"

namespace tailrace::lambda {
namespace {

constexpr std::size_t kLongestLine = 16 << 20;
constexpr std::chrono::seconds kPatience{10};

std::string value_of(const Environment& environment, const std::string& name,
                     std::string otherwise = "") {
  const auto found = environment.find(name);
  return found == environment.end() || found->second.empty() ? std::move(otherwise) : found->second;
}

struct Place {
  std::string origin, path;
};

/// Another endpoint is asked by paths; Amazon's by the bucket's host, but for dotted names, which
/// its certificate does not cover.
Place place_of(const Environment& environment, const S3Object& object, const std::string& region) {
  std::string endpoint = value_of(environment, "AWS_ENDPOINT_URL_S3");
  if (endpoint.empty()) endpoint = value_of(environment, "AWS_ENDPOINT_URL");
  while (endpoint.ends_with('/')) endpoint.pop_back();
  const std::string key = net::aws_encode(object.key, true);
  const std::string in_bucket = fmt::format("/{}/{}", net::aws_encode(object.bucket, false), key);
  if (!endpoint.empty()) return {endpoint, in_bucket};
  const std::string_view zone = region.starts_with("cn-") ? ".cn" : "";
  const std::string host = fmt::format("s3.{}.amazonaws.com{}", region, zone);
  if (object.bucket.find('.') != std::string::npos) return {"https://" + host, in_bucket};
  return {fmt::format("https://{}.{}", object.bucket, host), "/" + key};
}

/// The error's code and message in S3's XML.
std::string said(const std::string& body, std::string_view name) {
  const std::string open = fmt::format("<{}>", name), close = fmt::format("</{}>", name);
  const std::size_t from = body.find(open);
  const std::size_t to = from == body.npos ? from : body.find(close, from);
  return to == body.npos ? "" : body.substr(from + open.size(), to - from - open.size());
}

Error refusal(const S3Object& object, int status, const std::string& body) {
  const std::string code = said(body, "Code");
  const Code kind = status == 404   ? Code::kNotFound
                    : status == 403 ? Code::kPermissionDenied
                                    : Code::kUnavailable;
  return {kind, fmt::format("s3://{}/{}: {} {} {}", object.bucket, object.key, status, code,
                            said(body, "Message"))};
}

Status fetch(const Environment& environment, const S3Object& object, Deadline deadline,
             const TakeLine& take) {
  const std::string region =
      object.region.empty() ? value_of(environment, "AWS_REGION",
                                       value_of(environment, "AWS_DEFAULT_REGION", "us-east-1"))
                            : object.region;
  const Place place = place_of(environment, object, region);
  const auto left =
      std::chrono::duration_cast<std::chrono::seconds>(deadline - std::chrono::steady_clock::now());
  ASSIGN(auto connection, net::HttpConnection::make(
                              place.origin, std::clamp(left, std::chrono::seconds(1), kPatience)));
  net::AwsRequest signed_request{.method = "GET",
                                 .host = connection.host(),
                                 .path = place.path,
                                 .region = region,
                                 .seconds_since_1970 = std::time(nullptr)};
  if (!object.version.empty()) signed_request.query.emplace_back("versionId", object.version);
  const net::AwsKeys keys{value_of(environment, "AWS_ACCESS_KEY_ID"),
                          value_of(environment, "AWS_SECRET_ACCESS_KEY"),
                          value_of(environment, "AWS_SESSION_TOKEN")};
  const std::string query = net::aws_query(signed_request);
  net::HttpAsk request{.method = "GET", .target = place.path + (query.empty() ? "" : "?" + query)};
  if (!keys.access_key.empty()) request.headers = net::aws_signature(signed_request, keys);
  LineCutter cutter(take);
  Unpacker unpacker;
  std::string refused;
  const auto lines = [&](std::string_view text) { return cutter.add(text); };
  const auto piece = [&](const net::HttpAnswer& head, std::string_view bytes) -> Status {
    if (head.status == 200) return unpacker.add(bytes, lines);
    constexpr std::size_t kMost = 64 << 10;
    if (refused.size() < kMost) refused += bytes;
    return {};
  };
  ASSIGN(const auto answer, connection.ask(request, piece));
  if (answer.status != 200) return std::unexpected(refusal(object, answer.status, refused));
  TRY(unpacker.finish(lines));
  return cutter.finish();
}

}  // namespace

Status LineCutter::give(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.find_first_not_of(" \t") == std::string_view::npos) return {};
  return take_(line);
}

Status LineCutter::add(std::string_view bytes) {
  while (true) {
    const std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos) break;
    if (rest_.empty()) {
      TRY(give(bytes.substr(0, end)));
    } else {
      rest_ += bytes.substr(0, end);
      TRY(give(rest_));
      rest_.clear();
    }
    bytes.remove_prefix(end + 1);
  }
  rest_ += bytes;
  if (rest_.size() > kLongestLine)
    return error(Code::kDataLoss, "a line over 16 MiB: this is no file of lines");
  return {};
}

Status LineCutter::finish() {
  TRY(give(rest_));
  rest_.clear();
  return {};
}

struct Unpacker::Impl {
  enum class Form { kUnknown, kPlain, kGzip };
  Form form = Form::kUnknown;
  std::string head;  ///< until the form is known
  z_stream stream{};
  bool open = false, ended = false;
  std::array<char, 64 << 10> out{};

  Status inflate_all(std::string_view bytes, const std::function<Status(std::string_view)>& give) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    while (stream.avail_in > 0) {
      if (ended && inflateReset(&stream) != Z_OK) return error(Code::kDataLoss, "gzip: damaged");
      ended = false;
      stream.next_out = reinterpret_cast<Bytef*>(out.data());
      stream.avail_out = static_cast<uInt>(out.size());
      const int done = inflate(&stream, Z_NO_FLUSH);
      if (done != Z_OK && done != Z_STREAM_END)
        return error(Code::kDataLoss,
                     fmt::format("gzip: {}", stream.msg == nullptr ? "damaged" : stream.msg));
      ended = done == Z_STREAM_END;
      TRY(give({out.data(), out.size() - stream.avail_out}));
    }
    return {};
  }
};

Unpacker::Unpacker() : impl_(std::make_unique<Impl>()) {}
Unpacker::~Unpacker() {
  if (impl_->open) inflateEnd(&impl_->stream);
}

Status Unpacker::add(std::string_view bytes, const std::function<Status(std::string_view)>& give) {
  using Form = Impl::Form;
  if (impl_->form == Form::kPlain) return give(bytes);
  if (impl_->form == Form::kGzip) return impl_->inflate_all(bytes, give);
  impl_->head += bytes;
  if (impl_->head.size() < 4) return {};
  const std::string head = std::exchange(impl_->head, {});
  if (head.starts_with("\x28\xB5\x2F\xFD") || head.starts_with("PAR1"))
    return error(Code::kDataLoss, "zstd and Parquet are not read here: plain or gzip lines are");
  impl_->form = head.starts_with("\x1F\x8B") ? Form::kGzip : Form::kPlain;
  constexpr int kGzipOnly = 15 + 16;
  if (impl_->form == Form::kGzip) {
    if (inflateInit2(&impl_->stream, kGzipOnly) != Z_OK)
      return error(Code::kResourceExhausted, "gzip: no memory");
    impl_->open = true;
  }
  return add(head, give);
}

Status Unpacker::finish(const std::function<Status(std::string_view)>& give) {
  if (impl_->form == Impl::Form::kUnknown) return give(impl_->head);
  if (impl_->form == Impl::Form::kGzip && !impl_->ended)
    return error(Code::kDataLoss, "gzip: cut short");
  return {};
}

FetchLines s3_lines(const Environment& environment) {
  return [environment](const S3Object& object, Deadline deadline, const TakeLine& take) {
    return fetch(environment, object, deadline, take);
  };
}

}  // namespace tailrace::lambda
