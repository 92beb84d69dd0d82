// What traced requests asked for and how long they took, written where Cassandra keeps it:
// system_traces.sessions and events, for a day. Drivers and cqlsh (TRACING ON) read it there.
//
// With logins it is written as the client's role, so it is kept for those who may write there.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "cql_protocol/messages.h"
#include "cql_query/engine.h"
#include "cql_types/failure.h"
#include "cql_types/uuid.h"

namespace tailrace::cql {

/// As Cassandra names them: query, consistency_level, page_size, bound_var_0_id …
using TraceParameters = std::map<std::string, std::string>;

/// Those of what goes with a request.
TraceParameters trace_parameters(const cql_protocol::Parameters& parameters);

/// A traced request on its way.
struct Trace {
  std::string id;            // a timeuuid's bytes
  std::string_view request;  // what it is called
  TraceParameters parameters;
  std::string client;  // whose address
  std::string role;
  std::int64_t started_us = 0;  // since 1970
  std::chrono::nanoseconds begun{0};
};

class Traces {
 public:
  Traces(cql_query::Engine& engine, std::uint64_t seed) : engine_(engine), ids_(seed) {}

  Trace begin(std::string_view request, TraceParameters parameters);
  /// It ended so. Any thread; after stop() nothing is kept.
  void keep(const Trace& trace, const cql_types::Outcome<cql_protocol::Answer>& outcome);
  /// The engine is not asked from now on.
  void stop();

 private:
  void write(const Trace& trace, const std::string& statement);

  cql_query::Engine& engine_;
  cql_types::TimeuuidSource ids_;
  std::shared_mutex mutex_;
  bool stopped_ = false;  // guarded by mutex_
};

}  // namespace tailrace::cql
