#include "cql/metrics.h"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <utility>

#include "cql_protocol/frame.h"

namespace tailrace::cql {
namespace {

using cql_types::ErrorCode;

/// As Cassandra's ExceptionCode calls them.
constexpr std::array<std::pair<ErrorCode, std::string_view>, 17> kErrors = {{
    {ErrorCode::kServer, "SERVER_ERROR"},
    {ErrorCode::kProtocol, "PROTOCOL_ERROR"},
    {ErrorCode::kBadCredentials, "BAD_CREDENTIALS"},
    {ErrorCode::kUnavailable, "UNAVAILABLE"},
    {ErrorCode::kOverloaded, "OVERLOADED"},
    {ErrorCode::kTruncate, "TRUNCATE_ERROR"},
    {ErrorCode::kWriteTimeout, "WRITE_TIMEOUT"},
    {ErrorCode::kReadTimeout, "READ_TIMEOUT"},
    {ErrorCode::kReadFailure, "READ_FAILURE"},
    {ErrorCode::kFunctionFailure, "FUNCTION_FAILURE"},
    {ErrorCode::kWriteFailure, "WRITE_FAILURE"},
    {ErrorCode::kSyntax, "SYNTAX_ERROR"},
    {ErrorCode::kUnauthorized, "UNAUTHORIZED"},
    {ErrorCode::kInvalid, "INVALID"},
    {ErrorCode::kConfiguration, "CONFIG_ERROR"},
    {ErrorCode::kAlreadyExists, "ALREADY_EXISTS"},
    {ErrorCode::kUnprepared, "UNPREPARED"},
}};

std::string_view request_name(std::size_t opcode) {
  const auto number = static_cast<std::uint8_t>(opcode);
  const std::string_view name = cql_protocol::opcode_name(number);
  return name.empty() || cql_protocol::is_response(number) ? "none" : name;
}

std::uint64_t count_of(const DurationHistogram& took) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i <= DurationHistogram::kBounds.size(); ++i) sum += took.count(i);
  return sum;
}

}  // namespace

void DoorMetrics::answered(std::uint8_t opcode, Clock::time_point since) {
  const bool asked = opcode < kOpcodes && request_name(opcode) != "none";
  counts_.mine().took[asked ? opcode : 0].observe(Clock::now() - since);
}

void DoorMetrics::failed(ErrorCode code) {
  const auto known = std::ranges::find(kErrors, code, [](const auto& one) { return one.first; });
  const auto at = known == kErrors.end() ? 0 : known - kErrors.begin();
  counts_.mine().errors[static_cast<std::size_t>(at)].add();
}

void DoorMetrics::write_requests(MetricsText& out) const {
  std::array<DurationHistogram, kOpcodes> took;
  counts_.each([&](const Counts& counts) {
    for (std::size_t i = 0; i < kOpcodes; ++i) took[i].add(counts.took[i]);
  });
  const auto each = [&](auto add) {
    for (std::size_t i = 0; i < kOpcodes; ++i)
      if (count_of(took[i]) > 0) add(request_name(i), took[i]);
  };
  out.family("tailrace_cql_requests_total", MetricType::kCounter,
             "Requests of CQL's clients that were answered, by opcode.");
  each([&](std::string_view name, const DurationHistogram& one) {
    out.add({{"opcode", name}}, count_of(one));
  });
  out.family("tailrace_cql_request_duration_seconds", MetricType::kHistogram,
             "From a request's arrival to its answer.");
  each([&](std::string_view name, const DurationHistogram& one) {
    out.add({{"opcode", name}}, one, std::chrono::seconds(1));
  });
}

void DoorMetrics::write(MetricsText& out, std::size_t open_connections) const {
  const auto sum = [&](auto of) {
    std::uint64_t all = 0;
    counts_.each([&](const Counts& counts) { all += of(counts).value(); });
    return all;
  };
  const auto counter = [&](std::string_view name, std::string_view help, Counter Counts::*of) {
    out.family(name, MetricType::kCounter, help);
    out.add({}, sum([of](const Counts& counts) -> const Counter& { return counts.*of; }));
  };
  out.family("tailrace_cql_connections", MetricType::kGauge, "Connections of CQL's clients now.");
  out.add({}, open_connections);
  counter("tailrace_cql_accepted_connections_total", "Connections that CQL's clients made.",
          &Counts::connections);
  write_requests(out);
  out.family("tailrace_cql_errors_total", MetricType::kCounter,
             "Answers to CQL's clients that are errors, by code.");
  for (std::size_t i = 0; i < kCodes; ++i)
    out.add({{"code", kErrors[i].second}},
            sum([i](const Counts& counts) -> const Counter& { return counts.errors[i]; }));
  counter("tailrace_cql_received_bytes_total", "Bytes of CQL's clients, as they came.",
          &Counts::received_bytes);
  counter("tailrace_cql_sent_bytes_total", "Bytes sent to CQL's clients.", &Counts::sent_bytes);
}

}  // namespace tailrace::cql
