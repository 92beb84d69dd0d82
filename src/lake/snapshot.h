// The state of a Delta table at one version: what its log says when read from a checkpoint on.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lake/actions.h"

namespace tailrace::lake {

struct Snapshot {
  Version version = -1;
  Protocol protocol;
  Metadata metadata;
  Schema schema;                              ///< of metadata.schema_string
  std::map<std::string, AddFile> files;       ///< the table's data files by path
  std::map<std::string, RemoveFile> removed;  ///< tombstones, kept for vacuum
  std::map<std::string, Txn> txns;            ///< by app id
  std::int64_t timestamp_ms = 0;              ///< of the last commit

  std::int64_t size_bytes() const;
  /// From the files' statistics; files without them count as none.
  std::int64_t rows() const;
  /// Takes over the next commit.
  Status add(const Actions& actions, Version at);
};

/// Reads the newest version, starting from `before` when given. kNotFound when `log_folder` holds
/// no commit.
Result<std::shared_ptr<const Snapshot>> read_snapshot(
    const std::string& log_folder, const std::shared_ptr<const Snapshot>& before = nullptr);

/// "00000000000000000007.json"
std::string commit_name(Version version);

/// numRecords of a stats text; nullopt when it is not there.
std::optional<std::int64_t> stats_rows(std::string_view stats);

}  // namespace tailrace::lake
