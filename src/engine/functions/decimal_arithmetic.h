// Arithmetic over DECIMAL arguments of any two shapes, in 256 bits, rounded half up to the result's
// scale.
#pragma once

#include "engine/functions/function.h"

namespace tailrace::engine {

Result<Array> decimal_arithmetic(Call& call, char op, bool quiet);

/// The low 128 bits of a number that fits them.
Decimal128 narrow(const arrow::Decimal256& wide);

}  // namespace tailrace::engine
