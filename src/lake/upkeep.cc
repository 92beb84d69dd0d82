// Compaction and vacuum.
#include <set>

#include "lake/compaction.h"
#include "lake/delta_table.h"
#include "lake/disk.h"
#include "lake/metrics.h"
#include "lake/pending.h"

namespace tailrace::lake {

Result<int> DeltaTable::compact(bool force) {
  if (!unpublished_.empty())
    return error(Code::kFailedPrecondition, folder_ + ": compact while a commit is prepared");
  ASSIGN(const auto now, snapshot());
  const CompactionOptions rule{.target_file_bytes = options_.files.target_file_bytes,
                               .under_bytes = options_.compact_under_bytes};
  FileOptions files = options_.files;
  files.room = nullptr;  // what only saves space later does not wait for space now
  int replaced = 0;
  for (const std::vector<std::string>& group : files_to_compact(now->files, rule, force)) {
    DataFileWriter into(folder_, schema_, files);
    Actions actions;
    actions.operation = "OPTIMIZE";
    actions.timestamp_ms = now_ms();
    for (const std::string& path : group) {
      const auto copy = [&into](const Batch& rows) -> Result<bool> {
        TRY(into.write(*rows));
        return true;
      };
      TRY(read_data_file(data_path(path), schema_, copy));
      const AddFile& file = now->files.at(path);
      actions.removes.push_back(
          {path, actions.timestamp_ms, false, file.partition_values, file.size_bytes});
    }
    ASSIGN(actions.adds, into.finish());
    for (AddFile& file : actions.adds) file.data_change = false;
    const auto done = commit_actions(actions, std::nullopt);
    if (!done) {
      for (const AddFile& file : actions.adds) remove_quietly(data_path(file.path));
      return std::unexpected(done.error());
    }
    replaced += static_cast<int>(group.size());
    metrics_->compactions.add();
    metrics_->compacted_files.add(group.size());
  }
  return replaced;
}

Result<int> DeltaTable::vacuum(std::chrono::milliseconds retention) {
  ASSIGN(const auto now, snapshot());
  const std::int64_t before_ms = now_ms() - retention.count();
  std::set<std::string> keep;
  for (const auto& [path, file] : now->files) keep.insert(data_path(path));
  for (const auto& [path, file] : now->removed) {
    if (file.deleted_ms > before_ms) keep.insert(data_path(path));
  }
  for (const std::string& path : unpublished_) keep.insert(data_path(path));
  if (writer_) {
    for (const std::string& name : writer_->names()) keep.insert(data_path(name));
  }
  ASSIGN(const std::vector<FileInfo> files, list_files(folder_));
  int removed = 0;
  for (const FileInfo& file : files) {
    const bool hidden = file.name.starts_with('_') || file.name.starts_with('.');
    if (hidden || file.modified_ms > before_ms || keep.contains(folder_ + "/" + file.name))
      continue;
    remove_quietly(folder_ + "/" + file.name);
    ++removed;
    metrics_->vacuumed_files.add();
  }
  return removed;
}

}  // namespace tailrace::lake
