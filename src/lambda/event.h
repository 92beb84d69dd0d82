// What an invocation brings, as items: each is one record to be, or says why it is none. The shapes
// are those that AWS's services give to a function; what is none of them is one item as it is.
//
//   kS3           Records[] of aws:s3, also S3's events by EventBridge
//   kSqs          Records[] of aws:sqs            partial answers by messageId
//   kKinesis      Records[] of aws:kinesis        partial answers by sequenceNumber
//   kDynamoDb     Records[] of aws:dynamodb       partial answers by SequenceNumber
//   kSns          Records[] of aws:sns
//   kEventBridge  {"detail-type", "source", "detail"}
//   kApiV1, kApiV2, kAlb   a request; v2 is a function's URL, too
//   kKafka        records{} of aws:kafka and SelfManagedKafka
//
// Pure functions. A malformed item is rejected alone; its neighbours are items as ever.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tailrace::lambda {

enum class Source {
  kPlain,
  kS3,
  kSqs,
  kKinesis,
  kDynamoDb,
  kSns,
  kEventBridge,
  kApiV1,
  kApiV2,
  kAlb,
  kKafka
};

/// As it stands in topics' names and headers: "s3", "sqs", "api", …
std::string_view source_name(Source source);

/// Why an item is no record: a word, and what was wrong.
struct Refusal {
  std::string reason, detail;
};

/// An object that was put into a bucket.
struct S3Object {
  std::string bucket, key, version, region, sequencer;
  std::int64_t size = -1;  ///< -1: not known
};

struct Item {
  std::string identifier = {};  ///< by which a partial answer names it; empty: it has none
  std::string group = {};       ///< of a FIFO queue: its messages keep their order
  std::string name = {};        ///< of the bucket, queue, stream, topic, bus, table or path
  std::string origin = {};      ///< its ARN where there is one
  std::string id = {};          ///< the same again when the event is delivered again
  std::string type = {};        ///< ObjectCreated:Put, INSERT, a detail-type, POST
  std::string time = {};        ///< as the event writes it
  std::optional<std::string> key = {};
  std::string value = {};     ///< the payload alone
  std::string metadata = {};  ///< JSON of what the event says beside it
  std::optional<S3Object> object = {};
  std::optional<Refusal> refused = {};  ///< then `value` is the item as it came
};

struct Event {
  Source source = Source::kPlain;
  bool fifo = false;
  std::vector<Item> items;
};

/// What is not JSON is one refused item.
Event read_event(std::string_view text);

}  // namespace tailrace::lambda
