// python/tailrace_task as it was when the program was built.
#pragma once

#include <string>
#include <string_view>

namespace tailrace::tasks {

/// What `python -c` runs: worker.py, after its module of values.
const std::string& worker_source();

/// The modules of the worker.
std::string_view values_text();
std::string_view worker_text();
/// Not among what is run: a job that needs it brings it along.
std::string_view virtualenv_text();

}  // namespace tailrace::tasks
