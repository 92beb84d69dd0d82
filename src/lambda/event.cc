#include "lambda/event.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/base64.h"
#include "lambda/json.h"
#include "lambda/request_event.h"
#include "net/http_message.h"

namespace tailrace::lambda {
namespace {

constexpr std::string_view kMalformed = "malformed";

Item refuse(const Json& record, std::string detail) {
  Item item;
  item.value = record.raw();
  item.refused = Refusal{std::string(kMalformed), std::move(detail)};
  return item;
}

/// The last part of an ARN: a name.
std::string arn_name(std::string_view arn) {
  const std::size_t at = arn.find_last_of(":/");
  return std::string(at == std::string_view::npos ? arn : arn.substr(at + 1));
}

/// The members but one, as an object.
std::string without(const Json& object, std::string_view left_out) {
  std::string out = "{";
  for (const auto& [name, value] : object.members()) {
    if (name == left_out) continue;
    if (out.size() > 1) out += ',';
    append_string(out, name);
    out += ':';
    out += value.raw();
  }
  return out + "}";
}

/// A flat object of what is known of an S3 object.
std::string s3_value(const S3Object& object, const Json* facts, std::string_view type,
                     std::string_view time) {
  std::string out = "{\"bucket\":";
  append_string(out, object.bucket);
  out += ",\"key\":";
  append_string(out, object.key);
  if (object.size >= 0) out += fmt::format(",\"size\":{}", object.size);
  const auto add = [&out](std::string_view name, std::string_view text) {
    if (text.empty()) return;
    out += fmt::format(",\"{}\":", name);
    append_string(out, text);
  };
  std::string etag = facts == nullptr ? "" : text_at(*facts, {"eTag"});
  if (facts != nullptr && etag.empty()) etag = text_at(*facts, {"etag"});
  add("etag", etag);
  add("version_id", object.version);
  add("sequencer", object.sequencer);
  add("event", type);
  add("time", time);
  add("region", object.region);
  return out + "}";
}

void take_s3_object(Item& item, S3Object object, const Json* facts) {
  item.name = object.bucket;
  item.key = object.bucket + "/" + object.key;
  item.id = fmt::format("{}/{}@{}", object.bucket, object.key,
                        object.sequencer.empty() ? item.time : object.sequencer);
  if (!object.version.empty()) item.id += fmt::format("#{}", object.version);
  item.value = s3_value(object, facts, item.type, item.time);
  item.object = std::move(object);
}

Item s3_item(const Json& record) {
  const auto s3 = record.find("s3");
  const auto facts = record.follow({"s3", "object"});
  if (!s3 || !facts) return refuse(record, "an S3 record without s3.object");
  S3Object object;
  object.bucket = text_at(*s3, {"bucket", "name"});
  const std::string encoded = text_at(*facts, {"key"});
  if (object.bucket.empty() || encoded.empty())
    return refuse(record, "an S3 record without s3.bucket.name or s3.object.key");
  auto key = net::percent_decode(encoded, true);
  if (!key) return refuse(record, "s3.object.key: " + key.error().what);
  object.key = *std::move(key);
  object.version = text_at(*facts, {"versionId"});
  object.sequencer = text_at(*facts, {"sequencer"});
  object.region = text_at(record, {"awsRegion"});
  if (const auto size = facts->find("size")) object.size = size->integer().value_or(-1);
  Item item;
  item.type = text_at(record, {"eventName"});
  item.time = text_at(record, {"eventTime"});
  item.origin = text_at(*s3, {"bucket", "arn"});
  item.metadata = record.raw();
  take_s3_object(item, std::move(object), &*facts);
  return item;
}

Item sqs_item(const Json& record) {
  Item item;
  item.identifier = text_at(record, {"messageId"});
  item.id = item.identifier;
  item.origin = text_at(record, {"eventSourceARN"});
  item.name = arn_name(item.origin);
  item.type = "message";
  item.group = text_at(record, {"attributes", "MessageGroupId"});
  if (!item.group.empty()) item.key = item.group;
  item.time = text_at(record, {"attributes", "SentTimestamp"});
  item.metadata = without(record, "body");
  const auto body = record.find("body");
  const auto text = body ? body->string() : std::nullopt;
  if (!text) {
    item.value = record.raw();
    item.refused = Refusal{std::string(kMalformed), "an SQS message without a body"};
  } else {
    item.value = *text;
  }
  return item;
}

Item kinesis_item(const Json& record) {
  Item item;
  item.identifier = text_at(record, {"kinesis", "sequenceNumber"});
  item.id = text_at(record, {"eventID"});
  item.origin = text_at(record, {"eventSourceARN"});
  item.name = arn_name(item.origin);
  item.type = "record";
  const auto facts = record.find("kinesis");
  if (facts) {
    if (const auto key = facts->find("partitionKey")) item.key = key->string();
    if (const auto time = facts->find("approximateArrivalTimestamp")) item.time = time->text();
    item.metadata = without(*facts, "data");
  }
  const auto data = record.follow({"kinesis", "data"});
  const auto encoded = data ? data->string() : std::nullopt;
  auto bytes = encoded ? decode_base64(*encoded) : std::nullopt;
  if (!bytes) {
    item.value = record.raw();
    item.refused = Refusal{std::string(kMalformed), encoded ? "kinesis.data is not base64"
                                                            : "a Kinesis record without data"};
  } else {
    item.value = *std::move(bytes);
  }
  return item;
}

Item dynamodb_item(const Json& record) {
  Item item;
  item.identifier = text_at(record, {"dynamodb", "SequenceNumber"});
  item.id = text_at(record, {"eventID"});
  item.origin = text_at(record, {"eventSourceARN"});
  const std::size_t table = item.origin.find(":table/");
  if (table != std::string::npos) {
    item.name = item.origin.substr(table + 7);
    item.name.resize(std::min(item.name.size(), item.name.find('/')));
  }
  item.type = text_at(record, {"eventName"});
  item.metadata = without(record, "dynamodb");
  item.value = record.raw();
  const auto keys = record.follow({"dynamodb", "Keys"});
  if (!keys) {
    item.refused = Refusal{std::string(kMalformed), "a DynamoDB record without dynamodb.Keys"};
    return item;
  }
  item.key = std::string(keys->raw());
  if (const auto time = record.follow({"dynamodb", "ApproximateCreationDateTime"}))
    item.time = time->text();
  return item;
}

Item sns_item(const Json& record) {
  const auto sns = record.find("Sns");
  const auto message = record.follow({"Sns", "Message"});
  if (!sns || !message || !message->is_string())
    return refuse(record, "an SNS record without Sns.Message");
  Item item;
  item.origin = text_at(*sns, {"TopicArn"});
  item.name = arn_name(item.origin);
  item.id = text_at(*sns, {"MessageId"});
  item.type = text_at(*sns, {"Type"});
  item.time = text_at(*sns, {"Timestamp"});
  item.value = *message->string();
  item.metadata = without(*sns, "Message");
  return item;
}

struct Kind {
  std::string_view word;
  Source source;
  Item (*read)(const Json&);
};
constexpr Kind kKinds[] = {
    {"aws:s3", Source::kS3, s3_item},
    {"minio:s3", Source::kS3, s3_item},
    {"aws:sqs", Source::kSqs, sqs_item},
    {"aws:kinesis", Source::kKinesis, kinesis_item},
    {"aws:dynamodb", Source::kDynamoDb, dynamodb_item},
    {"aws:sns", Source::kSns, sns_item},
};

const Kind* kind_of(const Json& record) {
  std::string word = text_at(record, {"eventSource"});
  if (word.empty()) word = text_at(record, {"EventSource"});
  const auto* found = std::ranges::find(kKinds, word, &Kind::word);
  return found == std::end(kKinds) ? nullptr : found;
}

/// Nothing when no record is of a service that is known.
std::optional<Event> of_records(const Json& records) {
  const auto all = records.items();
  const auto known = std::ranges::find_if(all, [](const Json& record) { return kind_of(record); });
  if (known == all.end()) return std::nullopt;
  const Kind& kind = *kind_of(*known);
  Event event;
  event.source = kind.source;
  for (const Json& record : all) {
    const Kind* own = kind_of(record);
    if (own == &kind || (own == nullptr && record.is_object() && !record.find("eventSource"))) {
      event.items.push_back(kind.read(record));
    } else {
      event.items.push_back(
          refuse(record, fmt::format("not a record of {}, as the others are", kind.word)));
    }
    event.fifo = event.fifo || !event.items.back().group.empty();
  }
  return event;
}

Item kafka_item(const Json& record) {
  Item item;
  item.name = text_at(record, {"topic"});
  const auto number = [&](std::string_view name) {
    const auto found = record.find(name);
    return found ? found->text() : "";
  };
  item.id = fmt::format("{}-{}@{}", item.name, number("partition"), number("offset"));
  item.type = "record";
  item.time = number("timestamp");
  item.metadata = without(record, "value");
  const auto bytes = [&](std::string_view name) -> std::optional<std::optional<std::string>> {
    const auto found = record.find(name);
    if (!found || found->is_null()) return std::optional<std::string>();
    const auto text = found->string();
    auto decoded = text ? decode_base64(*text) : std::nullopt;
    if (!decoded) return std::nullopt;
    return decoded;
  };
  auto key = bytes("key"), value = bytes("value");
  if (!key || !value) return refuse(record, "key or value of a Kafka record is not base64");
  item.key = *std::move(key);
  item.value = value->value_or("");
  return item;
}

Event of_kafka(const Json& event) {
  Event out;
  out.source = Source::kKafka;
  const auto partitions = event.find("records");
  for (const auto& [partition, records] : partitions->members()) {
    for (const Json& record : records.items()) {
      out.items.push_back(kafka_item(record));
      out.items.back().origin = text_at(event, {"eventSourceArn"});
    }
  }
  return out;
}

Event of_event_bridge(const Json& event) {
  Event out;
  out.source = Source::kEventBridge;
  Item item;
  item.id = text_at(event, {"id"});
  item.origin = text_at(event, {"source"});
  item.name = item.origin;
  item.type = text_at(event, {"detail-type"});
  item.time = text_at(event, {"time"});
  item.metadata = without(event, "detail");
  const auto detail = event.find("detail");
  item.value = detail->raw();
  const auto object = detail->find("object");
  if (item.origin == "aws.s3" && object) {
    S3Object put;
    put.bucket = text_at(*detail, {"bucket", "name"});
    put.key = text_at(*object, {"key"});
    put.version = text_at(*object, {"version-id"});
    put.sequencer = text_at(*object, {"sequencer"});
    put.region = text_at(event, {"region"});
    if (const auto size = object->find("size")) put.size = size->integer().value_or(-1);
    if (!put.bucket.empty() && !put.key.empty()) {
      out.source = Source::kS3;
      item.type = item.type == "Object Created" ? "ObjectCreated:EventBridge" : item.type;
      take_s3_object(item, std::move(put), &*object);
    }
  }
  out.items.push_back(std::move(item));
  return out;
}

}  // namespace

std::string_view source_name(Source source) {
  switch (source) {
    case Source::kPlain:
      return "event";
    case Source::kS3:
      return "s3";
    case Source::kSqs:
      return "sqs";
    case Source::kKinesis:
      return "kinesis";
    case Source::kDynamoDb:
      return "dynamodb";
    case Source::kSns:
      return "sns";
    case Source::kEventBridge:
      return "eventbridge";
    case Source::kApiV1:
    case Source::kApiV2:
      return "api";
    case Source::kAlb:
      return "alb";
    case Source::kKafka:
      return "kafka";
  }
  return "";
}

Event read_event(std::string_view text) {
  const auto json = Json::parse(text);
  if (!json) {
    Item item;
    item.value = text;
    item.refused = Refusal{std::string(kMalformed), "the event is " + json.error().what};
    return {.source = Source::kPlain, .fifo = false, .items = {item}};
  }
  if (const auto records = json->find("Records"); records && records->is_array()) {
    if (auto event = of_records(*records)) return *std::move(event);
  }
  if (const auto records = json->find("records"); records && records->is_object()) {
    const std::string word = text_at(*json, {"eventSource"});
    if (word == "aws:kafka" || word == "SelfManagedKafka") return of_kafka(*json);
  }
  if (auto request = request_event(*json)) return *std::move(request);
  if (json->find("detail") && json->find("detail-type") && json->find("source"))
    return of_event_bridge(*json);
  Item item;
  item.value = json->raw();
  item.metadata = "{}";
  return {.source = Source::kPlain, .fifo = false, .items = {item}};
}

}  // namespace tailrace::lambda
