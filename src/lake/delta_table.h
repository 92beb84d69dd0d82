// A Delta table in a folder: Parquet files, and a log of JSON commits that says which of them are
// the table.
//
//   FOLDER/part-….parquet                         data, never changed once written (no partition
//   columns) FOLDER/_delta_log/00000000000000000007.json   commit 7: actions (actions.h), created
//   by link(2), so one writer wins FOLDER/_delta_log/….checkpoint.parquet        every 10 commits
//   the state so far (checkpoint.h); _last_checkpoint
//
// A change in two halves, so that it can be part of a larger checkpoint:
//   stage(batch) … or apply(delta)  write data files; nothing is visible yet
//   prepare(info)                   syncs them and gives the actions as a value whose text can be
//   stored elsewhere publish(prepared)               commits; idempotent by (app id, version), also
//   after a crash
// A crash between leaves files that no commit names; vacuum() removes them when they are older than
// the retention.
//
// Threads: one thread changes a table; any thread may call snapshot() and scan(). Other programs
// may write the same table: a lost race is tried again with the next version, and fails (kAborted)
// when a file to be removed is gone or the schema changed. Durable: data files and commits are
// synced, with their folders, before publish returns.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "columns/types.h"
#include "lake/actions.h"
#include "lake/data_file.h"
#include "lake/snapshot.h"

namespace tailrace::lake {

struct TableMetrics;

struct TableOptions {
  FileOptions files;
  int checkpoint_every = 10;                    ///< commits
  std::int64_t compact_under_bytes = 64 << 20;  ///< compact() merges only files smaller than this
  std::size_t pending_bytes =
      64 << 20;  ///< changes kept in memory until prepare; inserts beyond go to files at once
  /// Inserts of at least so many rows go to files at once; fewer may soon be retracted again, which
  /// is cheap as long as they are in memory.
  std::int64_t direct_rows = 1024;
};

/// Who commits: a commit whose `version` is not above the last of `app_id` is a replay and does
/// nothing.
struct CommitInfo {
  std::string app_id;
  std::int64_t version = 0;
  std::string operation = "WRITE";
};

/// Everything a commit will say, with its data files already on disk. `to_text` and `from_text`
/// carry it through a store.
struct Prepared {
  CommitInfo info;
  Actions actions;

  bool empty() const {
    return actions.adds.empty() && actions.removes.empty() && !actions.metadata;
  }
  std::string to_text() const;
  static Result<Prepared> from_text(std::string_view text);
};

class DeltaTable {
 public:
  /// Opens the table, or creates it with commit 0. Columns and fields that an existing table lacks
  /// are added (with the next publish), and a column whose numbers grow is written anew with it;
  /// any other difference of types, or a column that the schema lacks, is kFailedPrecondition.
  static Result<std::unique_ptr<DeltaTable>> open_or_create(std::string folder, Schema schema,
                                                            TableOptions options = {});
  /// kNotFound when there is no table.
  static Result<std::unique_ptr<DeltaTable>> open(std::string folder, TableOptions options = {});
  ~DeltaTable();

  const std::string& folder() const { return folder_; }
  /// With the columns to be added.
  const Schema& schema() const { return schema_; }
  /// The newest version, foreign commits included.
  Result<std::shared_ptr<const Snapshot>> snapshot();
  /// The highest version committed for `app_id`.
  Result<std::optional<std::int64_t>> last_txn(const std::string& app_id);

  /// Appends rows to the files of the next commit. Columns by name; those the batch lacks are null.
  Status stage(const Batch& rows);
  /// Stages a change. Small changes of one commit are summed up first: a row inserted and retracted
  /// again is never written.
  Status apply(const Delta& delta);
  /// Closes and syncs the staged files; rows retracted are taken out of the files that hold them,
  /// which are written anew. kDataLoss: a row is not there as often as it is retracted; the table
  /// is unchanged and what was staged is forgotten. kFailedPrecondition: there are retractions
  /// while a prepared commit is not published yet.
  Result<Prepared> prepare(CommitInfo info);
  /// Forgets what was staged or prepared and not published.
  void discard();
  /// Commits; does nothing when a commit of info.app_id with this version or a later one is there,
  /// or nothing is staged. Gives the table's version.
  Result<Version> publish(const Prepared& prepared);
  /// prepare and publish.
  Result<Version> commit(CommitInfo info);

  /// Rows of `columns` (all when empty) of the newest version, until `visit` gives false. Memory:
  /// one batch of one file.
  Status scan(const std::vector<std::string>& columns,
              const std::function<Result<bool>(Batch)>& visit);

  /// Rewrites small files into ones near the target size when there are enough of them
  /// (compaction.h); commits with dataChange false. Gives how many files were replaced. Not between
  /// prepare and publish.
  Result<int> compact(bool force = false);
  /// Removes data files that left the table before the retention began, or never were in it and are
  /// older. Staged and prepared files stay. Gives how many files were removed.
  Result<int> vacuum(std::chrono::milliseconds retention = std::chrono::hours(24 * 7));

 private:
  struct Pending;
  DeltaTable(std::string folder, TableOptions options);
  Status create(const Schema& schema);
  Status adopt(const Schema& wanted);
  DataFileWriter& writer();
  /// Every file of the newest version is written anew with the present columns.
  Status restate(std::vector<RemoveFile>& removes);
  Status take_out(std::vector<AddFile>& adds, std::vector<RemoveFile>& removes);
  Result<bool> rewrite_without(const std::string& path, DataFileWriter& into);
  Result<Version> commit_actions(Actions actions, const std::optional<CommitInfo>& info);
  Result<Version> try_to_commit(const Actions& actions, const std::optional<CommitInfo>& info);
  void count(const Actions& actions) const;
  void checkpoint_if_due(const Snapshot& now) const;
  std::string log_folder() const { return folder_ + "/_delta_log"; }
  std::string data_path(const std::string& logged) const;

  std::string folder_;
  Schema schema_;
  TableOptions options_;
  std::optional<Metadata> new_metadata_;  ///< to be committed next: columns were added
  bool restate_ = false;                  ///< with it: a column's numbers grew
  std::unique_ptr<DataFileWriter> writer_;
  std::unique_ptr<Pending> pending_;
  std::vector<std::string> unpublished_;  ///< files of prepared commits
  std::mutex mutex_;                      ///< guards snapshot_
  std::shared_ptr<const Snapshot> snapshot_;
  std::shared_ptr<TableMetrics> metrics_;
};

}  // namespace tailrace::lake
