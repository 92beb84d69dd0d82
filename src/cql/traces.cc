// Traces as rows, written as any client writes them.
#include "cql/traces.h"

#include <fmt/format.h>

#include <mutex>

#include "cql_types/inet.h"
#include "rt/clock.h"
#include "rt/wall_time.h"

namespace tailrace::cql {
namespace {

constexpr std::int64_t kDaySeconds = 24 * 60 * 60;
/// Of a parameter; longer ones are cut.
constexpr std::size_t kMostText = 4096;

std::string literal(std::string_view text) {
  std::string made = "'";
  for (const char c : text) {
    made += c;
    if (c == '\'') made += c;
  }
  return made + "'";
}

/// The text's beginning; ends between two characters.
std::string_view beginning(std::string_view text) {
  if (text.size() <= kMostText) return text;
  std::size_t end = kMostText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

std::string activity_of(const cql_types::Outcome<cql_protocol::Answer>& outcome) {
  if (!outcome) return "Refused: " + outcome.error().message;
  const auto* rows = std::get_if<cql_protocol::Rows>(&outcome->result);
  if (rows == nullptr) return "Done";
  return fmt::format("Read {} row{}{}", rows->count, rows->count == 1 ? "" : "s",
                     rows->paging_state ? ", and there are more" : "");
}

}  // namespace

TraceParameters trace_parameters(const cql_protocol::Parameters& parameters) {
  using cql_protocol::Consistency;
  using cql_protocol::consistency_name;
  const Consistency serial = parameters.serial_consistency.value_or(Consistency::kSerial);
  TraceParameters all = {
      {"consistency_level", std::string(consistency_name(parameters.consistency))},
      {"serial_consistency_level", std::string(consistency_name(serial))}};
  if (parameters.page_size.value_or(0) > 0)
    all["page_size"] = std::to_string(*parameters.page_size);
  return all;
}

Trace Traces::begin(std::string_view request, TraceParameters parameters) {
  Trace trace;
  trace.started_us = rt::wall_microseconds();
  trace.begun = rt::system_clock().monotonic();
  trace.id = ids_.next(trace.started_us / 1000);
  trace.request = request;
  trace.parameters = std::move(parameters);
  return trace;
}

void Traces::write(const Trace& trace, const std::string& statement) {
  // The client must stay until the statement is done.
  auto client = std::make_shared<cql_query::Client>();
  client->role = trace.role;
  cql_protocol::Query query;
  query.text = statement;
  engine_.query(*client, query, [client](const auto&) {});
}

void Traces::keep(const Trace& trace, const cql_types::Outcome<cql_protocol::Answer>& outcome) {
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(
      rt::system_clock().monotonic() - trace.begun);
  const std::shared_lock lock(mutex_);
  if (stopped_) return;
  const auto node = engine_.node();
  const std::string id = cql_types::uuid_text(trace.id);
  const std::string source = cql_types::inet_text(node.address);
  // Whoever finds the session looks for its events: they come first.
  write(trace,
        fmt::format("INSERT INTO system_traces.events (session_id, event_id, activity, source, "
                    "source_elapsed, source_port, thread) VALUES ({}, {}, {}, '{}', {}, {}, 'cql') "
                    "USING TTL {}",
                    id, cql_types::uuid_text(ids_.next(rt::wall_microseconds() / 1000)),
                    literal(activity_of(outcome)), source, took.count(), node.port, kDaySeconds));
  std::string parameters;
  for (const auto& [name, value] : trace.parameters)
    parameters += fmt::format("{}{}: {}", parameters.empty() ? "" : ", ", literal(name),
                              literal(beginning(value)));
  write(trace,
        fmt::format("INSERT INTO system_traces.sessions (session_id, client, command, coordinator, "
                    "coordinator_port, duration, parameters, request, started_at) VALUES ({}, "
                    "'{}', 'QUERY', '{}', {}, {}, {{{}}}, '{}', {}) USING TTL {}",
                    id, trace.client, source, node.port, took.count(), parameters, trace.request,
                    trace.started_us / 1000, kDaySeconds));
}

void Traces::stop() {
  const std::unique_lock lock(mutex_);
  stopped_ = true;
}

}  // namespace tailrace::cql
