// The shapes of notifications, one function each.
#include "s3/notification.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "net/http_message.h"

namespace tailrace::s3 {
namespace {

using Json = nlohmann::json;

constexpr int kMaxEnvelopes = 3;

std::string text_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

std::int64_t size_of(const Json& object) {
  const auto found = object.find("size");
  return found != object.end() && found->is_number() ? found->get<std::int64_t>() : 0;
}

std::string bare(std::string etag) {
  if (etag.size() >= 2 && etag.starts_with('"') && etag.ends_with('"'))
    return etag.substr(1, etag.size() - 2);
  return etag;
}

Status read_record(const Json& record, std::vector<News>& news) {
  const std::string event = text_of(record, "eventName");
  const bool made = event.find("ObjectCreated:") != event.npos ||
                    event.find("ObjectRestore:Completed") != event.npos;
  if (!made) return {};
  const Json& object = record.at("s3").at("object");
  ASSIGN(std::string key, net::percent_decode(object.at("key").get<std::string>(), true));
  news.push_back({.bucket = record.at("s3").at("bucket").at("name").get<std::string>(),
                  .object = {.key = std::move(key),
                             .etag = bare(text_of(object, "eTag")),
                             .size_bytes = size_of(object),
                             .modified = text_of(record, "eventTime")},
                  .version = text_of(object, "versionId")});
  return {};
}

void read_bridge(const Json& event, std::vector<News>& news) {
  if (text_of(event, "detail-type") != "Object Created") return;
  const Json& object = event.at("detail").at("object");
  news.push_back({.bucket = event.at("detail").at("bucket").at("name").get<std::string>(),
                  .object = {.key = object.at("key").get<std::string>(),
                             .etag = bare(text_of(object, "etag")),
                             .size_bytes = size_of(object),
                             .modified = text_of(event, "time")},
                  .version = text_of(object, "version-id")});
}

}  // namespace

Result<std::vector<News>> read_notification(std::string_view text) {
  std::vector<News> news;
  try {
    Json json = Json::parse(text);
    // SNS, and what forwards its messages, wraps the text as a string.
    for (int depth = 0; depth < kMaxEnvelopes && json.is_object(); ++depth) {
      const std::string inner = text_of(json, "Message");
      if (inner.empty() || json.contains("Records")) break;
      json = Json::parse(inner);
    }
    if (json.is_object() && text_of(json, "Event") == "s3:TestEvent") return news;
    if (json.is_object() && json.contains("detail-type")) {
      read_bridge(json, news);
      return news;
    }
    if (!json.is_object() || !json.contains("Records"))
      return error(Code::kInvalidArgument, "no notification of a bucket: it has no Records");
    for (const Json& record : json.at("Records")) TRY(read_record(record, news));
  } catch (const Json::exception& failure) {
    return error(Code::kInvalidArgument,
                 fmt::format("no notification of a bucket: {}", failure.what()));
  }
  return news;
}

}  // namespace tailrace::s3
