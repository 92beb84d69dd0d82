#include "app/open_schemas.h"

#include <algorithm>

#include "app/instance.h"

namespace tailrace::app {

bool needs_schemas(const pipeline::Project& project) {
  return std::ranges::any_of(project.topics,
                             [](const auto& topic) { return topic.values.has_value(); });
}

subjects::RemoteRegistry remote_registry(const pipeline::Project& project) {
  const auto& with = project.roles.remote_registry;
  return {.url = project.roles.registry,
          .user = with.user,
          .password = with.password,
          .ca_file = with.ca_file};
}

subjects::RemoteRegistry to_look_at(subjects::RemoteRegistry registry) {
  registry.tries = 1;
  registry.timeout_ms = 3'000;
  return registry;
}

subjects::RemoteRegistry registry_for(const std::string& named, const std::string& project,
                                      const std::string& data) {
  if (!named.empty()) return {.url = named};
  if (const auto known = pipeline::load_project(project);
      known && known->roles.registry != "embedded")
    return remote_registry(*known);
  const auto running = find_running(data_folder(project, data));
  const bool serves = running && !running->registry.empty();
  return {.url = serves ? running->registry : "http://127.0.0.1:8081"};
}

Result<OpenedSchemas> open_schemas(const pipeline::Project& project, const OpenedLog& opened) {
  OpenedSchemas schemas;
  if (!needs_schemas(project)) return schemas;
  if (project.roles.registry != "embedded") {
    schemas.client = subjects::remote_client(remote_registry(project));
    return schemas;
  }
  ASSIGN(schemas.embedded, RegistryService::open(*opened.log));
  schemas.client = subjects::local_client(schemas.embedded->registry());
  return schemas;
}

}  // namespace tailrace::app
