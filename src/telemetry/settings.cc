#include "telemetry/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "net/http_client.h"
#include "net/http_message.h"

namespace tailrace::telemetry {
namespace {

constexpr const char* kDefaultEndpoint = "http://localhost:4318";

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// "a=b,c=d", values percent-encoded as in W3C Baggage.
Result<Pairs> read_pairs(const char* variable, std::string_view text) {
  Pairs pairs;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view one = trimmed(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (one.empty()) continue;
    const std::size_t equals = one.find('=');
    if (equals == 0 || equals == std::string_view::npos)
      return error(
          Code::kInvalidArgument,
          fmt::format("{}: its parts are NAME=VALUE, with a comma between them", variable));
    auto value = net::percent_decode(trimmed(one.substr(equals + 1)), false);
    if (!value)
      return error(Code::kInvalidArgument,
                   fmt::format("{}: the value of {} has a % that begins no escape; write %25",
                               variable, trimmed(one.substr(0, equals))));
    pairs.emplace_back(trimmed(one.substr(0, equals)), std::move(*value));
  }
  return pairs;
}

void put(Pairs& pairs, const std::string& name, std::string value) {
  std::erase_if(pairs, [&](const auto& pair) { return pair.first == name; });
  pairs.emplace_back(name, std::move(value));
}

Result<std::int64_t> read_number(const Environment& environment, const char* variable,
                                 std::int64_t otherwise, std::int64_t least, std::int64_t most) {
  const std::string text = environment(variable);
  if (text.empty()) return otherwise;
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size() || number < least || number > most)
    return error(Code::kInvalidArgument,
                 fmt::format("{}={}: a whole number from {} to {}", variable, text, least, most));
  return number;
}

Result<Sampler> read_sampler(const Environment& environment) {
  const std::string name = environment("OTEL_TRACES_SAMPLER");
  Sampler sampler;
  std::string_view kind = name.empty() ? "parentbased_always_on" : std::string_view(name);
  sampler.by_parent = kind.starts_with("parentbased_");
  if (sampler.by_parent) kind.remove_prefix(std::string_view("parentbased_").size());
  if (kind == "always_on") return sampler;
  if (kind == "always_off") {
    sampler.ratio = 0;
    return sampler;
  }
  if (kind != "traceidratio")
    return error(Code::kInvalidArgument,
                 fmt::format("OTEL_TRACES_SAMPLER={}: always_on, always_off, traceidratio, or one "
                             "of them after parentbased_",
                             name));
  const std::string share = environment("OTEL_TRACES_SAMPLER_ARG");
  if (share.empty()) return sampler;
  const auto [end, failed] =
      std::from_chars(share.data(), share.data() + share.size(), sampler.ratio);
  if (failed != std::errc() || end != share.data() + share.size() || !(sampler.ratio >= 0) ||
      !(sampler.ratio <= 1))
    return error(Code::kInvalidArgument,
                 fmt::format("OTEL_TRACES_SAMPLER_ARG={}: a share from 0 to 1", share));
  return sampler;
}

/// The variable of traces, else that of all signals: its name and its value.
std::pair<std::string, std::string> of_traces(const Environment& environment,
                                              const std::string& what) {
  std::string own = "OTEL_EXPORTER_OTLP_TRACES_" + what, general = "OTEL_EXPORTER_OTLP_" + what;
  std::string value = environment(own.c_str());
  if (!value.empty()) return {std::move(own), std::move(value)};
  return {general, environment(general.c_str())};
}

Status read_exporter(const Environment& environment, Settings& settings) {
  const std::string own = environment("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
  if (!own.empty()) {
    settings.url = own;
  } else {
    settings.url = environment("OTEL_EXPORTER_OTLP_ENDPOINT");
    if (settings.url.empty()) settings.url = kDefaultEndpoint;
    while (settings.url.ends_with('/')) settings.url.pop_back();
    settings.url += "/v1/traces";
  }
  if (net::origin_of(settings.url).empty())
    return error(Code::kInvalidArgument,
                 fmt::format("{}: no address of the form http://HOST:4318",
                             own.empty() ? "OTEL_EXPORTER_OTLP_ENDPOINT"
                                         : "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"));
  const auto [headers_name, headers] = of_traces(environment, "HEADERS");
  ASSIGN(settings.headers, read_pairs(headers_name.c_str(), headers));
  const auto [protocol_name, protocol] = of_traces(environment, "PROTOCOL");
  settings.json = protocol == "http/json";
  if (!settings.json && !protocol.empty() && protocol != "http/protobuf")
    return error(Code::kInvalidArgument,
                 fmt::format("{}={}: http/protobuf or http/json; a collector takes both at its "
                             "port 4318",
                             protocol_name, protocol));
  const auto [packing_name, packing] = of_traces(environment, "COMPRESSION");
  settings.gzip = packing == "gzip";
  if (!settings.gzip && !packing.empty() && packing != "none")
    return error(Code::kInvalidArgument, fmt::format("{}={}: gzip or none", packing_name, packing));
  settings.ca_file = of_traces(environment, "CERTIFICATE").second;
  const auto [timeout_name, timeout] = of_traces(environment, "TIMEOUT");
  ASSIGN(const auto timeout_ms, read_number(environment, timeout_name.c_str(), 10'000, 1, 600'000));
  settings.timeout_ms = static_cast<int>(timeout_ms);
  return {};
}

}  // namespace

std::string process_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

Result<std::optional<Settings>> read_settings(const Environment& environment) {
  const std::string disabled = environment("OTEL_SDK_DISABLED");
  const std::string exporter = environment("OTEL_TRACES_EXPORTER");
  const bool named = !environment("OTEL_EXPORTER_OTLP_ENDPOINT").empty() ||
                     !environment("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").empty();
  // As the specification has it, what is not "true" is false.
  const bool off = std::ranges::equal(disabled, std::string_view("true"), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b;
  });
  if (off || exporter == "none") return std::nullopt;
  if (!exporter.empty() && exporter != "otlp")
    return error(Code::kInvalidArgument,
                 fmt::format("OTEL_TRACES_EXPORTER={}: otlp or none", exporter));
  if (exporter.empty() && !named) return std::nullopt;
  Settings settings;
  TRY(read_exporter(environment, settings));
  ASSIGN(settings.resource,
         read_pairs("OTEL_RESOURCE_ATTRIBUTES", environment("OTEL_RESOURCE_ATTRIBUTES")));
  if (const std::string name = environment("OTEL_SERVICE_NAME"); !name.empty())
    put(settings.resource, "service.name", name);
  ASSIGN(settings.sampler, read_sampler(environment));
  ASSIGN(const auto delay, read_number(environment, "OTEL_BSP_SCHEDULE_DELAY", 5'000, 1, 600'000));
  settings.delay = std::chrono::milliseconds(delay);
  ASSIGN(const auto queue,
         read_number(environment, "OTEL_BSP_MAX_QUEUE_SIZE", 2'048, 1, 1'000'000));
  settings.queue = static_cast<std::size_t>(queue);
  ASSIGN(const auto batch,
         read_number(environment, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512, 1, 100'000));
  settings.batch = std::min(static_cast<std::size_t>(batch), settings.queue);
  return settings;
}

}  // namespace tailrace::telemetry
