// The embedded text as a view.
#include "tasks/worker_source.h"

extern "C" {
extern const char tasks_worker_begin[];
extern const char tasks_worker_end[];
}

namespace tailrace::tasks {

std::string_view worker_source() {
  return {tasks_worker_begin, static_cast<std::size_t>(tasks_worker_end - tasks_worker_begin)};
}

}  // namespace tailrace::tasks
