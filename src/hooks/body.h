// What a webhook's body holds: records, by the format that the source says or the Content-Type.
//
//   json         one value, a record; with `split` the elements of the array at that path
//   ndjson       a value a line; bad lines are rejects, the others are taken
//   cloudevents  CloudEvents 1.0 (CNCF): structured, batched, or binary (ce-… headers), by the
//                headers; a record is the envelope as JSON, or its data
//   form         names and values as one JSON object; a name that comes again makes an array, and
//                `payload` that is a JSON object is one (Slack, GitHub)
//   raw          the bytes
//
// Pure. What is refused is not kept anywhere: the sender is told.
#pragma once

#include <string>
#include <vector>

#include "connect/inbox.h"
#include "connect/webhook_source.h"
#include "net/http_server.h"

namespace tailrace::hooks {

/// What is delivered as one: all of a request, or one CloudEvent of a batch.
struct Part {
  std::vector<connect::Delivery::Item> items = {};
  std::vector<connect::Reject> rejects = {};
  std::string id = {};  ///< of a CloudEvent: its source and id
};

struct BadLine {
  std::size_t line = 0;  ///< from 1
  std::string why;
};

struct Body {
  std::vector<Part> parts = {};
  std::vector<BadLine> bad = {};
  int refused = 0;  ///< or the status to refuse it with
  std::string why = {};
};

/// `name`: of the source, where rejects say they come from.
Body read_body(const connect::WebhookOptions& hook, const std::string& name,
               const net::Request& request);

/// A request has at most so many records.
inline constexpr std::size_t kMostRecords = 100'000;

/// Where the text stops being JSON: "line 3, column 14: …"; empty when it is JSON.
std::string where_not_json(std::string_view text);

}  // namespace tailrace::hooks
