// The changes of a staging table in PostgreSQL, as messages of the staging: what the capture
// (postgres_source.h) gives, without the columns that begin with `_` and with the key's text.
//
//   flat      the row; a deleted row is a tombstone
//   flat with metadata
//             the row, a deleted one as it was, and what the capture puts behind it
//   debezium  as the capture gives it, with `_` columns left out of before and after
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>

#include "connect/source.h"

namespace tailrace::connect {

/// How far a table's changes have come. Any thread.
class StagedProgress {
 public:
  /// All before this position is in the log; `durable`: and stays there.
  void came_to(std::string_view position, bool durable);
  /// The rows that were there before are in the log for good, and each change will be a message.
  bool followed() const;
  /// False: not within that time, or stopped.
  bool wait_until_followed(std::chrono::milliseconds most, std::stop_token stop) const;
  /// `place`: of PostgreSQL's log, as it writes it.
  Result<bool> passed(std::string_view place) const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable_any changed_;
  std::string position_;
  bool followed_ = false;
};

struct StagedRowsConfig {
  std::string table;
  bool debezium = false;
  bool metadata = false;                          ///< flat alone
  std::shared_ptr<StagedProgress> progress = {};  ///< may be null
};

/// `capture`: of that table alone, in the flat envelope or Debezium's, without tombstones.
std::unique_ptr<Source> staged_rows(StagedRowsConfig config, std::unique_ptr<Source> capture);

}  // namespace tailrace::connect
