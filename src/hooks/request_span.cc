#include "hooks/request_span.h"

#include <array>
#include <memory>

namespace tailrace::hooks {
namespace {

/// Of the standard; others are `_OTHER`, so that a client cannot make names up.
std::string method_of(const net::Request& request) {
  for (const char* known : {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"})
    if (request.method == known) return known;
  return "_OTHER";
}

}  // namespace

TracedRequest trace_request(const net::Request& request, const std::string& route,
                            const net::Respond& respond) {
  const auto parent = telemetry::parse_context(request.header(telemetry::kTraceParent),
                                               request.header(telemetry::kTraceState));
  const std::string method = method_of(request);
  auto span = std::make_shared<telemetry::Span>(
      telemetry::begin((method == "_OTHER" ? "HTTP" : method) + " " + route,
                       telemetry::SpanKind::kServer, parent.value_or(telemetry::SpanContext())));
  span->set("http.request.method", method);
  span->set("http.route", route);
  span->set("url.path", request.path);
  span->set("client.address", request.peer);
  span->set("http.request.body.size", static_cast<std::int64_t>(request.body.size()));
  if (const auto agent = request.header("user-agent"); !agent.empty())
    span->set("user_agent.original", std::string(agent.substr(0, 256)));
  return {span->context(), [span, respond](net::Response response) {
            span->set("http.response.status_code", response.status);
            if (response.status >= 500) {
              span->set("error.type", std::to_string(response.status));
              span->fail("");
            }
            span->end();
            respond(std::move(response));
          }};
}

}  // namespace tailrace::hooks
