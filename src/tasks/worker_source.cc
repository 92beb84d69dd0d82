// The embedded texts, as one that `python -c` takes.
#include "tasks/worker_source.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

extern "C" {
extern const char tasks_values_begin[];
extern const char tasks_values_end[];
extern const char tasks_worker_begin[];
extern const char tasks_worker_end[];
extern const char tasks_virtualenv_begin[];
extern const char tasks_virtualenv_end[];
}

namespace tailrace::tasks {
namespace {

/// A module is made of its text, which as JSON is a literal of Python's, too.
std::string module(std::string_view name, std::string_view text) {
  return fmt::format(
      "import sys, types\n"
      "sys.modules['{0}'] = types.ModuleType('{0}')\n"
      "exec(compile({1}, '<{0}>', 'exec'), sys.modules['{0}'].__dict__)\n",
      name, nlohmann::json(text).dump(-1, ' ', true));
}

}  // namespace

const std::string& worker_source() {
  static const std::string source = module("tailrace_values", values_text()) +
                                    module("tailrace_worker", worker_text()) +
                                    "sys.modules['tailrace_worker'].main()\n";
  return source;
}

std::string_view values_text() {
  return {tasks_values_begin, tasks_values_end};
}

std::string_view worker_text() {
  return {tasks_worker_begin, tasks_worker_end};
}

std::string_view virtualenv_text() {
  return {tasks_virtualenv_begin, tasks_virtualenv_end};
}

}  // namespace tailrace::tasks
