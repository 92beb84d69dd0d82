// A Python function of a DAG's author, called in a process of its own: tasks, and the functions
// that other operators take (a response_check, an apply_function).
#pragma once

#include <nlohmann/json.hpp>

#include "tasks/operator.h"

namespace tailrace::tasks {

/// How a call ended. `value` is what it returned, `truth` its bool().
struct Called {
  Outcome outcome;
  nlohmann::json value;
  bool truth = false;
};

/// A job without a function: the try's context, where modules are found, empty `args` and `kwargs`.
/// A function is `path` (dotted), or `file` and `name`, or `lambda` (a text); those names of the
/// context that it takes are given to it. `keep` false: what it returns is only asked for its
/// truth. What classes `args` may name beside Airflow's: worker.py.
nlohmann::json python_job(const Context& context);

/// Runs a job to its end.
Result<Called> call_python(Context& context, nlohmann::json job);

/// A value as the worker reads it.
nlohmann::json value_json(const jinja::Value& value);

/// Puts the function of argument `name` into the job: a dotted path, or dag-factory's NAME_file and
/// NAME_name, or NAME_lambda. False: none is given.
Result<bool> take_function(const Context& context, std::string_view name, nlohmann::json& job);

}  // namespace tailrace::tasks
