// `functions` and `invoke` of tailrace.yml: what Lambda's Invoke API calls, and who may.
#pragma once

#include "pipeline/project.h"
#include "yaml/file.h"

namespace tailrace::pipeline {

/// After `ingest`: a function may name one of its webhooks.
Status read_functions(Project& project, const yaml::File& file);

}  // namespace tailrace::pipeline
