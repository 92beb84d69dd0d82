// A Python handler in processes that are kept warm: each takes one event after the other, with a
// time for each and a limit of memory, in an environment that is said in full.
//
//   a call waits for a process; none is free: another is begun, up to `workers`
//   its time is over: the process is killed, {"errorType": "Sandbox.Timedout", "errorMessage":
//     "RequestId: … Error: Task timed out after 3.00 seconds"}
//   it ends by itself: {"errorType": "Runtime.ExitError", …}
//   no call for ten minutes: the process ends
//   the module, or one beside it, was written: the next call gets a new process
//
// Each process has a thread of ours, which lives as long as the function (tasks/process.h says
// why). What a handler prints goes to `log_file`, of which one older file is kept, and its last 4
// KB to the answer. A process that has more than `memory` in use while it is called is killed, as
// {"errorType": "Runtime.ExitError", …}; its address space ends at twice that and 256 MB.
#pragma once

#include <memory>
#include <string>

#include "hooks/function.h"

namespace tailrace::hooks {

struct PythonConfig {
  std::string python = "python3";
  std::string file;    ///< the module's
  std::string folder;  ///< where it runs
  int workers = 2;
  std::size_t most_waiting = 100;
  std::string log_file = {};  ///< empty: nowhere
};

std::unique_ptr<Function> python_function(FunctionInfo info, PythonConfig config);

}  // namespace tailrace::hooks
