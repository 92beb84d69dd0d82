// What must not be shown: Airflow's rule by names of keys.
#pragma once

#include <string>
#include <string_view>

#include "airflow/json.h"

namespace tailrace::airflow {

/// Members whose names sound secret (metadata/secrets.h), at any depth, are ***; so is all of it
/// where `name` is one.
Json redacted(Json value, std::string_view name = "");
/// The same of a text that may be JSON.
std::string redacted_text(const std::string& text, std::string_view name = "");

}  // namespace tailrace::airflow
