#include "app/traces.h"

#include <algorithm>

namespace tailrace::app {

Result<std::shared_ptr<telemetry::Exporter>> start_traces(const pipeline::Project& project) {
  ASSIGN(auto settings, telemetry::read_settings());
  if (!settings) return nullptr;
  const auto otherwise = [&](const char* name, const std::string& value) {
    const bool said = std::ranges::any_of(settings->resource,
                                          [&](const auto& pair) { return pair.first == name; });
    if (!said) settings->resource.emplace_back(name, value);
  };
  otherwise("service.name", "tailrace");
  otherwise("service.version", TAILRACE_VERSION);
  otherwise("tailrace.project", project.name);
  return telemetry::Exporter::start(std::move(*settings));
}

}  // namespace tailrace::app
