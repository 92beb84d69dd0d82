// The project's tables, topics and sources, as its workflows' tasks see them.
#pragma once

#include <memory>

#include "app/instance.h"
#include "tasks/operator.h"

namespace tailrace::app {

/// Of a running instance, which must outlive it.
std::unique_ptr<tasks::ProjectAccess> project_access(Instance& instance);

/// Of a project that does not run (`tailrace dags test`): each call is an Error that says so.
std::unique_ptr<tasks::ProjectAccess> no_project();

}  // namespace tailrace::app
