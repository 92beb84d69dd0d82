// speculative_retry and additional_write_policy: "99p", "50ms", "MIN(99p,50ms)", "ALWAYS".
#pragma once

#include <string>

#include "cql_types/failure.h"

namespace tailrace::cql_schema {

/// As Cassandra writes it again. kConfiguration for what is none.
cql_types::Outcome<std::string> retry_policy(const std::string& text);

}  // namespace tailrace::cql_schema
