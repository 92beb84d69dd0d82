// Requests that came over HTTP: API Gateway's two formats, a function's URL and a load balancer's
// target.
#pragma once

#include <optional>

#include "lambda/event.h"
#include "lambda/json.h"

namespace tailrace::lambda {

/// Nothing when the event is no request. The body is one item, or one a line where its content type
/// is of JSON lines.
std::optional<Event> request_event(const Json& event);

}  // namespace tailrace::lambda
