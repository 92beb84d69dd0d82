// Why a column came out NULL: where a record's JSON is not what from_json was told to expect.
#pragma once

#include <string>
#include <string_view>

#include "engine/plan.h"

namespace tailrace::pipeline {

/// "schema mismatch at field `dob.age`: INT expected, the record has a string"; empty when the
/// record fits every from_json of the plan, or is no JSON object.
std::string schema_mismatch(const engine::FlowPlan& plan, std::string_view record);

}  // namespace tailrace::pipeline
