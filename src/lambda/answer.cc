#include "lambda/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lambda/json.h"

namespace tailrace::lambda {
namespace {

struct Counts {
  std::size_t records = 0, refused = 0, failed = 0;
  std::string why;  ///< of the first that failed, or was refused
};

Counts count(std::span<const Outcome> outcomes) {
  Counts counts;
  for (const Outcome& one : outcomes) {
    counts.records += one.records;
    counts.refused += one.refused ? 1 : 0;
    if (one.failed && counts.failed++ == 0) counts.why = one.failed->what;
  }
  for (const Outcome& one : outcomes)
    if (counts.why.empty() && one.refused)
      counts.why = one.refused->reason + ": " + one.refused->detail;
  return counts;
}

Answer not_delivered(std::span<const Outcome> outcomes, const Counts& counts) {
  return error_answer("Tailrace.NotDelivered",
                      fmt::format("{} of {} items were not delivered: {}", counts.failed,
                                  outcomes.size(), counts.why));
}

void add_failure(std::string& body, const std::string& identifier) {
  if (!body.ends_with('[')) body += ',';
  body += "{\"itemIdentifier\":";
  append_string(body, identifier);
  body += '}';
}

/// Of a FIFO queue's group all after its first failure come again, or they would overtake it.
std::string queue_failures(const Event& event, std::span<const Outcome> outcomes) {
  std::string body = "{\"batchItemFailures\":[";
  std::set<std::string> held;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const Item& item = event.items[i];
    if (!outcomes[i].failed && (item.group.empty() || !held.contains(item.group))) continue;
    if (!item.group.empty()) held.insert(item.group);
    add_failure(body, item.identifier);
  }
  return body + "]}";
}

std::string stream_failures(const Event& event, std::span<const Outcome> outcomes) {
  std::string body = "{\"batchItemFailures\":[";
  const auto first =
      std::ranges::find_if(outcomes, [](const Outcome& one) { return one.failed.has_value(); });
  if (first != outcomes.end())
    add_failure(body, event.items[static_cast<std::size_t>(first - outcomes.begin())].identifier);
  return body + "]}";
}

Answer batch_answer(const Event& event, std::span<const Outcome> outcomes, const Counts& counts,
                    bool partial) {
  bool named = true;
  for (std::size_t i = 0; i < outcomes.size(); ++i)
    named = named && (!outcomes[i].failed || !event.items[i].identifier.empty());
  if (counts.failed > 0 && (counts.failed == outcomes.size() || !partial || !named))
    return not_delivered(outcomes, counts);
  return {.body = event.source == Source::kSqs ? queue_failures(event, outcomes)
                                               : stream_failures(event, outcomes),
          .error_type = {}};
}

Answer request_answer(const Event& event, std::span<const Outcome> outcomes, const Counts& counts) {
  const bool nothing = counts.refused == outcomes.size();
  const int status = counts.failed > 0 ? 503 : nothing ? 400 : 200;
  std::string body = fmt::format("{{\"accepted\":{},\"rejected\":{}", counts.records,
                                 nothing ? 0 : counts.refused);
  if (status != 200) {
    body += ",\"error\":";
    append_string(body, counts.why);
  }
  body += '}';
  std::string out = fmt::format("{{\"statusCode\":{},", status);
  if (event.source == Source::kAlb)
    out +=
        fmt::format("\"statusDescription\":\"{}\",", status == 200   ? "200 OK"
                                                     : status == 400 ? "400 Bad Request"
                                                                     : "503 Service Unavailable");
  const std::string_view type = "application/json";
  if (event.source == Source::kAlb || event.source == Source::kApiV1) {
    out += fmt::format("\"multiValueHeaders\":{{\"Content-Type\":[\"{}\"]}},", type);
  }
  out += fmt::format(
      "\"headers\":{{\"Content-Type\":\"{}\"{}}},\"isBase64Encoded\":false,\"body\":", type,
      status == 503 ? ",\"Retry-After\":\"1\"" : "");
  append_string(out, body);
  return {.body = out + "}", .error_type = {}};
}

}  // namespace

bool is_request(Source source) {
  return source == Source::kApiV1 || source == Source::kApiV2 || source == Source::kAlb;
}

Answer error_answer(const std::string& type, const std::string& message) {
  std::string body = "{\"errorMessage\":";
  append_string(body, message);
  body += ",\"errorType\":";
  append_string(body, type);
  return {.body = body + ",\"stackTrace\":[]}", .error_type = type};
}

Answer answer_of(const Event& event, std::span<const Outcome> outcomes, const Settings& settings) {
  const Counts counts = count(outcomes);
  if (is_request(event.source)) return request_answer(event, outcomes, counts);
  if (event.source == Source::kSqs || event.source == Source::kKinesis ||
      event.source == Source::kDynamoDb)
    return batch_answer(event, outcomes, counts, settings.partial);
  if (counts.failed > 0) return not_delivered(outcomes, counts);
  return {.body = fmt::format("{{\"records\":{},\"rejected\":{}}}", counts.records, counts.refused),
          .error_type = {}};
}

}  // namespace tailrace::lambda
