// The schema registry as a project's roles name it.
#pragma once

#include <memory>

#include "app/open_log.h"
#include "app/registry_service.h"
#include "base/result.h"
#include "pipeline/project.h"
#include "subjects/remote_client.h"
#include "subjects/schema_client.h"

namespace tailrace::app {

struct OpenedSchemas {
  std::unique_ptr<RegistryService> embedded;       ///< without a door; null when it is elsewhere
  std::unique_ptr<subjects::SchemaClient> client;  ///< null where no topic needs one
};

/// Nothing where no topic's format has a schema. The log must outlive it.
Result<OpenedSchemas> open_schemas(const pipeline::Project& project, const OpenedLog& opened);

/// Where a project's roles say that the registry is, when it is somewhere else.
subjects::RemoteRegistry remote_registry(const pipeline::Project& project);

/// The same for who only looks: asked once, and not waited for long.
subjects::RemoteRegistry to_look_at(subjects::RemoteRegistry registry);

/// For commands: the registry that was named, or the project's, or that of the instance which runs
/// on its folder, or the usual address.
subjects::RemoteRegistry registry_for(const std::string& named, const std::string& project,
                                      const std::string& data);

/// Whether some topic's format has a schema.
bool needs_schemas(const pipeline::Project& project);

}  // namespace tailrace::app
