// NOT, IS NULL and IS NAN.
#include <cmath>

#include "engine/functions/registry.h"

namespace tailrace::engine {
namespace {

Result<Array> null_test(Call& call, bool wanted) {
  const Nulls nulls(call.args[0]);
  Sink<bool> out(arrow::boolean(), call.rows);
  for (std::int64_t row = 0; row < call.rows; ++row) out.set(row, nulls[row] == wanted);
  return out.finish();
}

Result<Array> is_nan(Call& call) {
  const Reader<double> values(call.args[0]);
  Sink<bool> out(arrow::boolean(), call.rows);
  for (std::int64_t row = 0; row < call.rows; ++row) {
    out.set(row, !values.nulls[row] && std::isnan(values[row]));
  }
  return out.finish();
}

}  // namespace

void add_logic(Functions& out) {
  out.push_back(
      {{"not", "NOT a", "True for false, false for true, null for null.", "NOT true", "false"},
       {"!"},
       signature("boolean -> boolean"),
       [](Call& call) { return map_rows<bool>(call, [](auto, bool value) { return !value; }); }});
  out.push_back({{"isnull", "isnull(a)", "Whether a is null.", "isnull(NULL)", "true"},
                 {},
                 signature("any -> boolean"),
                 [](Call& call) { return null_test(call, true); }});
  out.push_back({{"isnotnull", "isnotnull(a)", "Whether a is not null.", "isnotnull(1)", "true"},
                 {},
                 signature("any -> boolean"),
                 [](Call& call) { return null_test(call, false); }});
  out.push_back({{"isnan", "isnan(a)", "Whether a is not a number; false for null.",
                  "isnan(double('NaN'))", "true"},
                 {},
                 signature("double -> boolean"),
                 is_nan});
}

}  // namespace tailrace::engine
