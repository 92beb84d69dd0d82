// The span of a request to the door, of OpenTelemetry's conventions for HTTP servers: it continues
// the request's trace, and ends with the answer.
#pragma once

#include <string>

#include "net/http_server.h"
#include "telemetry/span.h"

namespace tailrace::hooks {

struct TracedRequest {
  telemetry::SpanContext trace;  ///< not valid: tracing is off
  net::Respond respond;          ///< to be used instead of the server's
};

/// `route`: the path without what differs from call to call.
TracedRequest trace_request(const net::Request& request, const std::string& route,
                            const net::Respond& respond);

}  // namespace tailrace::hooks
