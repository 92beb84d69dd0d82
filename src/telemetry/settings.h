// What OpenTelemetry's environment variables say of traces
// (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/):
//
//   OTEL_EXPORTER_OTLP_ENDPOINT (spans go to …/v1/traces) · OTEL_EXPORTER_OTLP_TRACES_ENDPOINT (as
//   it is) OTEL_EXPORTER_OTLP_[TRACES_]HEADERS (a=b,c=d) · …_PROTOCOL (http/protobuf, http/json) ·
//   …_TIMEOUT (ms) …_COMPRESSION (gzip, none) · …_CERTIFICATE (PEM) OTEL_TRACES_EXPORTER (otlp,
//   none) · OTEL_SDK_DISABLED · OTEL_SERVICE_NAME · OTEL_RESOURCE_ATTRIBUTES OTEL_TRACES_SAMPLER,
//   OTEL_TRACES_SAMPLER_ARG · OTEL_BSP_SCHEDULE_DELAY, _MAX_QUEUE_SIZE, _MAX_EXPORT_BATCH_SIZE
//
// Off unless an endpoint is named, or OTEL_TRACES_EXPORTER is otlp. Headers are secrets: they are
// in no error.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tailrace::telemetry {

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Sampler {
  bool by_parent = true;  ///< a span of a trace that is there is sampled as that is
  double ratio = 1;       ///< of the traces that begin here; 0 none, 1 all
};

struct Settings {
  std::string url;
  Pairs headers;
  bool json = false;
  bool gzip = false;
  std::string ca_file;
  int timeout_ms = 10'000;
  Pairs resource;  ///< service.name is among them
  Sampler sampler;
  std::chrono::milliseconds delay{5'000};
  std::size_t queue = 2'048;
  std::size_t batch = 512;
};

/// A variable's value; "" where it is not set.
using Environment = std::function<std::string(const char*)>;
std::string process_environment(const char* name);

/// Nothing when traces are off. kInvalidArgument names the variable.
Result<std::optional<Settings>> read_settings(const Environment& environment = process_environment);

}  // namespace tailrace::telemetry
