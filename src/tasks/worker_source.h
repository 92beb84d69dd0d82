// python/tailrace_task as it was when the program was built.
#pragma once

#include <string>

namespace tailrace::tasks {

/// What `python -c` runs: worker.py, after its module of values.
const std::string& worker_source();

}  // namespace tailrace::tasks
