// S3's requests, signed, and what their answers mean.
#include "s3/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "net/aws_signature.h"
#include "s3/metrics.h"

namespace tailrace::s3 {
namespace {

constexpr std::size_t kMostBody = 64 << 20;
constexpr int kMovedPermanently = 301, kTemporaryRedirect = 307, kBadRequest = 400;

std::string amazons(const std::string& region) {
  const bool china = region.starts_with("cn-");
  return fmt::format("https://s3.{}.amazonaws.com{}", region, china ? ".cn" : "");
}

Code code_of(int status) {
  if (status == 404) return Code::kNotFound;
  if (status == 401 || status == 403) return Code::kPermissionDenied;
  if (status == 412) return Code::kAborted;
  if (status == 416) return Code::kOutOfRange;
  if (status == 429 || status >= 500) return Code::kUnavailable;
  return Code::kFailedPrecondition;
}

std::string bare(std::string_view etag) {
  if (etag.size() >= 2 && etag.starts_with('"') && etag.ends_with('"'))
    etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

Operation operation_of(const Client::Asked& asked) {
  if (asked.method == "GET") return asked.key.empty() ? Operation::kList : Operation::kGet;
  if (asked.method == "HEAD") return Operation::kHead;
  if (asked.method == "DELETE") return Operation::kDelete;
  const bool copy = std::ranges::any_of(
      asked.headers, [](const auto& header) { return header.first == "x-amz-copy-source"; });
  return copy ? Operation::kCopy : Operation::kOther;
}

std::optional<int> status_of(const Result<net::HttpResponse>& exchanged) {
  return exchanged ? std::optional(exchanged->status) : std::nullopt;
}

}  // namespace

Status check_address(const BucketAddress& address) {
  const std::string& name = address.bucket;
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html; old ones have
  // capitals and underscores.
  const bool named =
      name.size() >= 3 && name.size() <= 255 && std::ranges::all_of(name, [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_';
      });
  if (!named)
    return error(Code::kInvalidArgument, fmt::format("\"{}\" is no name of a bucket", name));
  if (!address.endpoint.empty() && net::origin_of(address.endpoint).empty())
    return error(Code::kInvalidArgument,
                 fmt::format("\"{}\" is no endpoint: write http://HOST:9000",
                             net::redact_url(address.endpoint)));
  return {};
}

Client::Client(BucketAddress address, std::shared_ptr<Credentials> credentials,
               const rt::Clock& clock)
    : address_(std::move(address)), credentials_(std::move(credentials)), clock_(clock) {
  if (address_.region.empty()) address_.region = "us-east-1";
  find_host();
}

/// Another endpoint is asked by paths; Amazon's by the bucket's host, which no certificate fits
/// when the name has a dot.
void Client::find_host() {
  const bool dotted = address_.bucket.find('.') != std::string::npos;
  by_path_ = address_.path_style.value_or(!address_.endpoint.empty() || dotted);
  std::string endpoint = address_.endpoint.empty() ? amazons(address_.region) : address_.endpoint;
  while (endpoint.ends_with('/')) endpoint.pop_back();
  const auto at = endpoint.find("://");
  scheme_ = at == endpoint.npos ? "https://" : endpoint.substr(0, at + 3);
  host_ = at == endpoint.npos ? endpoint : endpoint.substr(at + 3);
  if (!by_path_) host_ = address_.bucket + "." + host_;
}

Result<net::HttpResponse> Client::ask(const Asked& asked, std::stop_token stop) {
  for (bool moved = false;; moved = true) {
    net::AwsRequest request{
        .method = asked.method,
        .host = host_,
        .path = (by_path_ ? "/" + net::aws_encode(address_.bucket, false) : "") +
                (asked.key.empty() && by_path_ ? "" : "/" + net::aws_encode(asked.key, true)),
        .query = asked.query,
        .body = {},
        .region = address_.region,
        .service = "s3",
        .seconds_since_1970 = clock_.now().value / 1000,
        .headers = asked.headers};
    net::HttpOptions options;
    ASSIGN(const auto keys, credentials_->keys(stop));
    has_keys_ = keys.has_value();
    options.headers = keys ? net::aws_signature(request, *keys) : asked.headers;
    options.timeout_ms = address_.timeout_ms;
    options.follow_redirects = false;
    options.verify_tls = address_.verify_tls;
    options.ca_file = address_.ca_file;
    options.max_body_bytes = kMostBody;
    options.unpack = false;
    options.stop = stop;
    const std::string query = net::aws_query(request);
    std::string url = scheme_ + host_ + request.path;
    if (!query.empty()) url += "?" + query;
    const bool has_body = asked.method == "PUT" || asked.method == "POST";
    const auto begun = clock_.monotonic();
    auto exchanged = client_.request(
        asked.method, url, has_body ? std::optional<std::string_view>("") : std::nullopt, options);
    if (exchanged || exchanged.error().code != Code::kCancelled)
      count_exchange(operation_of(asked), status_of(exchanged), clock_.monotonic() - begun,
                     exchanged ? exchanged->body.size() : 0);
    ASSIGN(auto answer, std::move(exchanged));
    const bool elsewhere = answer.status == kMovedPermanently ||
                           answer.status == kTemporaryRedirect || answer.status == kBadRequest;
    if (!elsewhere || moved || !address_.endpoint.empty()) return answer;
    std::string region(answer.header("x-amz-bucket-region"));
    if (region.empty()) region = read_refusal(answer.body).region;
    if (region.empty() || region == address_.region) return answer;
    address_.region = region;
    find_host();
  }
}

Error Client::refused(const char* operation, const std::string& key,
                      const net::HttpResponse& answer) {
  Refusal why = read_refusal(answer.body);
  if (why.code.empty()) why.code = std::to_string(answer.status);
  if (why.message.empty()) why.message = answer.reason;
  std::string what = fmt::format("{}: {}: {}: {}", place(key), operation, why.code, why.message);
  const Code code = code_of(answer.status);
  if (code == Code::kPermissionDenied && !has_keys_)
    what +=
        " (no keys were found: set access_key and secret_key, or AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY)";
  if (why.code == "RequestTimeTooSkewed") what += " (set this machine's clock)";
  return {code, std::move(what)};
}

Result<Listing> Client::list(const ListAsked& asked, std::stop_token stop) {
  std::vector<std::pair<std::string, std::string>> query = {
      {"list-type", "2"}, {"encoding-type", "url"}, {"max-keys", std::to_string(asked.most)}};
  if (!asked.prefix.empty()) query.emplace_back("prefix", asked.prefix);
  if (!asked.token.empty())
    query.emplace_back("continuation-token", asked.token);
  else if (!asked.start_after.empty())
    query.emplace_back("start-after", asked.start_after);
  ASSIGN(const auto answer,
         ask({.method = "GET", .key = {}, .query = std::move(query), .headers = {}}, stop));
  if (answer.status != 200) return std::unexpected(refused("ListObjectsV2", asked.prefix, answer));
  auto listing = read_listing(answer.body);
  if (!listing) return std::unexpected(listing.error().in(place(asked.prefix)));
  return listing;
}

Result<std::string> Client::get(const GetAsked& asked, std::stop_token stop) {
  Asked request{.method = "GET", .key = asked.key, .query = {}, .headers = {}};
  if (!asked.version.empty()) request.query.emplace_back("versionId", asked.version);
  if (!asked.etag.empty()) request.headers.emplace_back("if-match", "\"" + asked.etag + "\"");
  if (asked.most > 0)
    request.headers.emplace_back(
        "range", fmt::format("bytes={}-{}", asked.from, asked.from + asked.most - 1));
  ASSIGN(auto answer, ask(request, stop));
  if (answer.status != 200 && answer.status != 206)
    return std::unexpected(refused("GetObject", asked.key, answer));
  if (answer.status == 200 && asked.from > 0)
    return error(Code::kFailedPrecondition,
                 place(asked.key) + ": GetObject: the server does not know Range");
  return std::move(answer.body);
}

Result<std::optional<Object>> Client::head(const std::string& key, std::stop_token stop) {
  ASSIGN(const auto answer, ask({.method = "HEAD", .key = key, .query = {}, .headers = {}}, stop));
  if (answer.status == 404) return std::optional<Object>();
  if (answer.status != 200) return std::unexpected(refused("HeadObject", key, answer));
  Object object{.key = key,
                .etag = bare(answer.header("etag")),
                .size_bytes = 0,
                .modified = std::string(answer.header("last-modified"))};
  const std::string_view length = answer.header("content-length");
  std::from_chars(length.data(), length.data() + length.size(), object.size_bytes);
  return std::optional(std::move(object));
}

Status Client::remove(const std::string& key, std::stop_token stop) {
  ASSIGN(const auto answer,
         ask({.method = "DELETE", .key = key, .query = {}, .headers = {}}, stop));
  if (answer.status == 404 || answer.status / 100 == 2) return {};
  return std::unexpected(refused("DeleteObject", key, answer));
}

Status Client::copy(const std::string& key, const std::string& etag, const std::string& to,
                    std::stop_token stop) {
  Asked request{.method = "PUT", .key = to, .query = {}, .headers = {}};
  request.headers = {{"x-amz-copy-source", "/" + net::aws_encode(address_.bucket, false) + "/" +
                                               net::aws_encode(key, true)}};
  if (!etag.empty()) request.headers.emplace_back("x-amz-copy-source-if-match", etag);
  ASSIGN(const auto answer, ask(request, stop));
  if (answer.status != 200) return std::unexpected(refused("CopyObject", key, answer));
  if (auto copied = read_copied(answer.body); !copied)
    return std::unexpected(copied.error().in(place(key)));
  return {};
}

}  // namespace tailrace::s3
