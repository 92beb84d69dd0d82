// The console's view of a running instance.
#pragma once

#include <memory>
#include <vector>

#include "app/instance.h"
#include "pipeline/query.h"

namespace tailrace::app {

std::unique_ptr<console::Backend> make_backend(Instance& instance);

/// Every table of the project and the system tables, as relations for queries.
std::vector<pipeline::QueryRelation> query_relations(Instance& instance);

}  // namespace tailrace::app
