// SQS in its JSON protocol.
#include "s3/queue.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "net/aws_signature.h"

namespace tailrace::s3 {
namespace {

using Json = nlohmann::json;

constexpr int kMostMessages = 10;
constexpr int kTimeoutMs = 15'000;
constexpr std::size_t kMostBody = 16 << 20;  // ten messages of 1 MiB, escaped

/// sqs.REGION.amazonaws.com; "" for another host.
std::string region_in(const std::string& host) {
  if (!host.starts_with("sqs.") || host.find(".amazonaws.com") == host.npos) return "";
  const std::string rest = host.substr(4);
  return rest.substr(0, rest.find('.'));
}

}  // namespace

Status check_address(const QueueAddress& address) {
  const bool has_path = address.url.find('/', address.url.find("://") + 3) != std::string::npos;
  if (net::origin_of(address.url).empty() || !has_path)
    return error(Code::kInvalidArgument,
                 fmt::format("\"{}\" is no queue: write "
                             "https://sqs.REGION.amazonaws.com/ACCOUNT/NAME",
                             net::redact_url(address.url)));
  return {};
}

Queue::Queue(QueueAddress address, std::shared_ptr<Credentials> credentials, const rt::Clock& clock)
    : address_(std::move(address)), credentials_(std::move(credentials)), clock_(clock) {
  const auto at = address_.url.find("://");
  const auto slash = address_.url.find('/', at + 3);
  origin_ = address_.url.substr(0, slash);
  host_ = origin_.substr(at + 3);
  region_ = address_.region.empty() ? region_in(host_) : address_.region;
  if (region_.empty()) region_ = "us-east-1";
}

Result<std::string> Queue::ask(Operation operation, const std::string& body, int timeout_ms,
                               std::stop_token stop) {
  const std::string_view name =
      operation == Operation::kReceive ? "ReceiveMessage" : "DeleteMessageBatch";
  const net::AwsRequest request{.method = "POST",
                                .host = host_,
                                .path = "/",
                                .query = {},
                                .body = body,
                                .region = region_,
                                .service = "sqs",
                                .seconds_since_1970 = clock_.now().value / 1000,
                                .headers = {{"content-type", "application/x-amz-json-1.0"},
                                            {"x-amz-target", fmt::format("AmazonSQS.{}", name)}}};
  net::HttpOptions options;
  ASSIGN(const auto keys, credentials_->keys(stop));
  options.headers = keys ? net::aws_signature(request, *keys) : request.headers;
  options.timeout_ms = timeout_ms;
  options.follow_redirects = false;
  options.max_body_bytes = kMostBody;
  options.ca_file = address_.ca_file;
  options.verify_tls = address_.verify_tls;
  options.stop = stop;
  const auto begun = clock_.monotonic();
  auto exchanged = client_.post(origin_ + "/", body, options);
  if (exchanged || exchanged.error().code != Code::kCancelled)
    count_exchange(operation, exchanged ? std::optional(exchanged->status) : std::nullopt,
                   clock_.monotonic() - begun, exchanged ? exchanged->body.size() : 0);
  ASSIGN(auto answer, std::move(exchanged));
  if (answer.status == 200) return std::move(answer.body);
  const Json json = Json::parse(answer.body, nullptr, false);
  std::string type = std::to_string(answer.status), message = answer.reason;
  if (json.is_object()) {
    type = json.value("__type", type);
    message = json.value("message", json.value("Message", message));
  }
  type = type.substr(type.find('#') + 1);
  const Code code = answer.status == 403 || type.ends_with("AccessDenied") ||
                            type.ends_with("InvalidClientTokenId")
                        ? Code::kPermissionDenied
                    : type.ends_with("QueueDoesNotExist")          ? Code::kNotFound
                    : answer.status >= 500 || answer.status == 429 ? Code::kUnavailable
                                                                   : Code::kFailedPrecondition;
  return error(code, fmt::format("{}: {}: {}: {}", address_.url, name, type, message));
}

Result<std::vector<Message>> Queue::receive(int wait_s, int hidden_s, std::stop_token stop) {
  const Json asked = {{"QueueUrl", address_.url},
                      {"MaxNumberOfMessages", kMostMessages},
                      {"WaitTimeSeconds", wait_s},
                      {"VisibilityTimeout", hidden_s}};
  ASSIGN(const std::string body,
         ask(Operation::kReceive, asked.dump(), kTimeoutMs + wait_s * 1000, stop));
  std::vector<Message> messages;
  try {
    const Json json = Json::parse(body);
    if (!json.contains("Messages") || json.at("Messages").is_null()) return messages;
    for (const Json& one : json.at("Messages"))
      messages.push_back({.id = one.value("MessageId", ""),
                          .receipt = one.at("ReceiptHandle").get<std::string>(),
                          .body = one.value("Body", "")});
  } catch (const Json::exception& failure) {
    return error(Code::kUnavailable,
                 fmt::format("{}: ReceiveMessage: {}", address_.url, failure.what()));
  }
  return messages;
}

Status Queue::remove(const std::vector<std::string>& receipts, std::stop_token stop) {
  if (receipts.empty()) return {};
  Json entries = Json::array();
  for (std::size_t i = 0; i < receipts.size(); ++i)
    entries.push_back({{"Id", std::to_string(i)}, {"ReceiptHandle", receipts[i]}});
  const Json asked = {{"QueueUrl", address_.url}, {"Entries", std::move(entries)}};
  ASSIGN(const std::string body, ask(Operation::kDeleteMessages, asked.dump(), kTimeoutMs, stop));
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object() || !json.contains("Failed") || json.at("Failed").empty()) return {};
  return error(Code::kUnavailable,
               fmt::format("{}: DeleteMessageBatch: {} of {} messages could not be deleted",
                           address_.url, json.at("Failed").size(), receipts.size()));
}

}  // namespace tailrace::s3
