// What the capture of a staging table in PostgreSQL needs to know (connect/postgres_source.h).
#pragma once

#include <string>

#include "staging/staging.h"

namespace tailrace::staging {

struct Capture {
  std::string url, password;
  std::string table;  ///< with its schema
};

/// kUnavailable while the database is away.
Result<Capture> capture_of(const PostgresStaging& config, const TableSpec& spec);

}  // namespace tailrace::staging
