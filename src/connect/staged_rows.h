// The changes of a staging table in PostgreSQL, as messages of the staging: what the capture
// (postgres_source.h) gives, without the columns that begin with `_` and with the key's text.
//
//   flat      the row; a deleted row is a tombstone
//   debezium  as the capture gives it, with `_` columns left out of before and after
#pragma once

#include <memory>
#include <string>

#include "connect/source.h"

namespace tailrace::connect {

struct StagedRowsConfig {
  std::string table;
  bool debezium = false;
};

/// `capture`: of that table alone, in the flat envelope or Debezium's, without tombstones.
std::unique_ptr<Source> staged_rows(StagedRowsConfig config, std::unique_ptr<Source> capture);

}  // namespace tailrace::connect
