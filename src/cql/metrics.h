// What the clients of a CQL door ask for, as numbers: requests by opcode with their durations,
// errors by code, bytes. Each thread counts for itself.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/metrics.h"
#include "cql_types/failure.h"

namespace tailrace::cql {

using Clock = std::chrono::steady_clock;

class DoorMetrics {
 public:
  // Any thread.
  void connected() { counts_.mine().connections.add(); }
  void received(std::size_t bytes) { counts_.mine().received_bytes.add(bytes); }
  void sent(std::size_t bytes) { counts_.mine().sent_bytes.add(bytes); }
  /// A request that came at `since` got its answer.
  void answered(std::uint8_t opcode, Clock::time_point since);
  /// The answer was an ERROR.
  void failed(cql_types::ErrorCode code);

  /// tailrace_cql_…, with so many connections open now; only what was asked for at least once.
  void write(MetricsText& out, std::size_t open_connections) const;

 private:
  static constexpr std::size_t kOpcodes = 17;  // at 0, no client's, what is none
  static constexpr std::size_t kCodes = 17;
  struct Counts {
    Counter connections, received_bytes, sent_bytes;
    std::array<DurationHistogram, kOpcodes> took;
    std::array<Counter, kCodes> errors;
  };
  void write_requests(MetricsText& out) const;

  ByThread<Counts> counts_;
};

}  // namespace tailrace::cql
