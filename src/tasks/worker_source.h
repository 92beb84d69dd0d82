// python/tailrace_task/worker.py as it was when the program was built.
#pragma once

#include <string_view>

namespace tailrace::tasks {

std::string_view worker_source();

}  // namespace tailrace::tasks
