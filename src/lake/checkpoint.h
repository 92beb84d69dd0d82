// Classic (V1, single file) checkpoints of a Delta log: the state of a version as one Parquet file,
// an action a row.
//
//   _delta_log/00000000000000000010.checkpoint.parquet   columns protocol, metaData, txn, add,
//   remove: structs, one not null _delta_log/_last_checkpoint {"version":10,"size":…}, a hint
#pragma once

#include <optional>
#include <string>

#include "lake/snapshot.h"

namespace tailrace::lake {

/// Writes both files; tombstones older than a week are left out.
Status write_checkpoint(const std::string& log_folder, const Snapshot& snapshot, bool sync);

/// The newest version with a single-file checkpoint: by the hint, else by listing.
Result<std::optional<Version>> find_checkpoint(const std::string& log_folder);

/// The actions of a checkpoint.
Result<Actions> read_checkpoint(const std::string& log_folder, Version version);

}  // namespace tailrace::lake
