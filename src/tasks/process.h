// A child process of a task: a session of its own, limits, an environment that is said in full, its
// output by lines, an end within a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tailrace::tasks {

/// What a process and all that it started in its session may use together; nothing: what there is.
struct Limits {
  std::optional<std::uint64_t> memory_bytes = {};  ///< in memory; files that are mapped not counted
  std::optional<std::chrono::microseconds> processor_time = {};
  std::optional<std::uint64_t> processes = {};
  std::optional<std::uint64_t> open_files = {};  ///< of each process: RLIMIT_NOFILE
};

enum class Limit { kNone, kMemory, kProcessorTime, kProcesses };

struct Command {
  std::vector<std::string> arguments;  ///< [0] is looked for in PATH of `environment`
  std::map<std::string, std::string> environment = {};  ///< all of it
  std::string folder = {};                              ///< where it runs; empty: ours
  std::string input = {};                               ///< its standard input, then the end of it
  std::optional<std::uint64_t> memory_bytes = {};       ///< of its addresses: RLIMIT_AS
  Limits limits = {};
  std::optional<std::chrono::microseconds> timeout = {};
  std::chrono::milliseconds grace = std::chrono::seconds(5);  ///< between TERM and KILL
  /// Set: the child may ask. Each line that it writes to file descriptor 3 is a request, and what
  /// this returns is the answer's line on 4. Called on the thread of run_process().
  std::function<std::string(std::string_view request)> serve = {};
  std::size_t most_request_bytes = 64 << 20;  ///< beyond it the child is killed
};

struct Ended {
  int code = 0;    ///< of exit(); 128 + signal otherwise
  int signal = 0;  ///< 0: it left by itself
  bool timed_out = false, stopped = false, asked_too_much = false;
  Limit beyond = Limit::kNone;  ///< it was killed for that
};

/// Runs it to its end on the calling thread, which must be one that lives as long as the program's
/// tasks do: the child is killed when that thread ends (PR_SET_PDEATHSIG). `line` gets each line of
/// output and error output as it comes, without its end; lines over 64 KiB come in pieces. When
/// `stop` is asked for or the time is over, the whole session is sent TERM, after `grace` KILL.
/// What it left running in its session is killed when it ends. Limits are looked after some four
/// times a second (session_use.h), and a session that is beyond one is killed. The program must
/// ignore SIGPIPE. An Error: it could not be started.
Result<Ended> run_process(const Command& command, const std::function<void(std::string_view)>& line,
                          std::stop_token stop, const std::function<void(int pid)>& started = {});

/// Kills every process whose environment has NAME=VALUE: what a killed program left behind. How
/// many there were.
int kill_left_behind(std::string_view name, std::string_view value);

}  // namespace tailrace::tasks
