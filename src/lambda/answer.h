// What Lambda is told of an invocation, from what became of its items.
//
// A queue's or a stream's batch is answered in parts, {"batchItemFailures": [{"itemIdentifier"}]}:
// a queue gets its failed messages back, a stream goes on from its first failed record. Where all
// failed the invocation did: that is safe even where the mapping lacks ReportBatchItemFailures.
// A request is answered 200, 400 where nothing of it could be a record, or 503. Of everything else
// one failure fails the invocation, and Lambda delivers it again.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "lambda/event.h"
#include "lambda/settings.h"

namespace tailrace::lambda {

struct Outcome {
  std::size_t records = 0;  ///< that are acknowledged
  std::optional<Refusal> refused = {};
  std::optional<Error> failed = {};
};

struct Answer {
  std::string body;        ///< JSON: of the response, or of the error
  std::string error_type;  ///< empty: the invocation succeeded
};

Answer answer_of(const Event& event, std::span<const Outcome> outcomes, const Settings& settings);

/// {"errorMessage", "errorType", "stackTrace"}.
Answer error_answer(const std::string& type, const std::string& message);

bool is_request(Source source);

}  // namespace tailrace::lambda
