// `staging` of tailrace.yml: the tables that sources land in before their topic.
#pragma once

#include "pipeline/project.h"
#include "yaml/file.h"

namespace tailrace::pipeline {

/// `embedded`, postgresql://…, or a mapping with a url, user and password.
Status read_staging_role(const yaml::File& file, const YAML::Node& node, Roles& roles);

/// After `ingest`: each source with a `stage` has its table, whether `staging` names it or not.
Status read_stages(Project& project, const yaml::File& file);

}  // namespace tailrace::pipeline
