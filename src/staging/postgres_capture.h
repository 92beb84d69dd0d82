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

/// A place in the server's log (16/B374D848) that is behind all that is committed now, and that a
/// capture comes to also where nothing else happens.
Result<std::string> place_behind_all(const PostgresStaging& config);

}  // namespace tailrace::staging
