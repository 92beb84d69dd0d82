// + - * / where a side is a date, a timestamp or an interval.
#pragma once

#include "engine/functions/function.h"

namespace tailrace::engine {

/// Nothing when no argument is a date, timestamp or interval.
std::optional<Result<BoundFunction>> bind_date_arithmetic(const BindCall& call, char op);
bool is_date_arithmetic(const Call& call);
Result<Array> date_arithmetic(Call& call, char op, bool quiet);

}  // namespace tailrace::engine
