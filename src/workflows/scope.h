// What a try's templates may name, and where its connections and variables come from.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "jinja/template.h"
#include "metadata/metadata.h"
#include "tasks/operator.h"
#include "workflows/attempt.h"

namespace tailrace::workflows {

/// AIRFLOW_CONN_NAME of the environment, then the project's settings, then what is kept. What
/// is secret of it is masked in `log`. kNotFound: `The conn_id `x` isn't defined`.
Result<metadata::Connection> find_connection(const Workshop& workshop, std::string_view id,
                                             tasks::TaskLog& log);
/// AIRFLOW_VAR_NAME of the environment, then the project's settings, then what is kept; masked
/// likewise.
Result<std::string> find_variable(const Workshop& workshop, std::string_view key,
                                  tasks::TaskLog& log);

/// With the clock, and with random numbers that differ from try to try.
jinja::Template::Options template_options(const rt::Clock& clock, const dags::Dag& dag);

using FindConnection = std::function<Result<metadata::Connection>(std::string_view)>;
using FindVariable = std::function<Result<std::string>(std::string_view)>;

/// Every name of Airflow's template reference.
jinja::Scope scope_of(const Workshop& workshop, const Attempt& attempt, const dags::Task& task,
                      FindConnection connection, FindVariable variable);

}  // namespace tailrace::workflows
