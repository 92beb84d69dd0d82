// What clients start over the control centre's API: each operation on a thread of its own.
#pragma once

#include <memory>

#include "app/instance.h"
#include "console/operations.h"

namespace tailrace::app {

/// Of a running instance, which must outlive it; the destructor stops what runs and waits for it.
std::unique_ptr<console::Operations> make_operations(Instance& instance);

}  // namespace tailrace::app
