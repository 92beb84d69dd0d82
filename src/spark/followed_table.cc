#include "spark/followed_table.h"

#include <algorithm>
#include <filesystem>
#include <tuple>
#include <vector>

#include "lake/data_file.h"
#include "pipeline/names.h"

namespace tailrace::spark {
namespace {

namespace fs = std::filesystem;

Result<std::int64_t> rows_of(const std::string& path, const lake::AddFile& file,
                             const Schema& schema) {
  if (const auto said = lake::stats_rows(file.stats)) return *said;
  std::int64_t rows = 0;
  TRY(lake::read_data_file(path, schema, [&](const Batch& batch) -> Result<bool> {
    rows += batch->num_rows();
    return true;
  }));
  return rows;
}

}  // namespace

Result<std::unique_ptr<FollowedTable>> FollowedTable::open(const kv::Store& store, std::string lake,
                                                           std::string name) {
  std::unique_ptr<FollowedTable> table(new FollowedTable(std::move(lake), std::move(name)));
  const std::string prefix = table->prefix();
  Files files;
  TRY(store.scan(prefix, kv::prefix_end(prefix), [&](std::string_view key, std::string_view rows) {
    files.emplace(key.substr(prefix.size()), std::stoll(std::string(rows)));
    return true;
  }));
  table->set_files(std::move(files));
  return table;
}

std::string FollowedTable::folder() const {
  const std::string exact = lake_ + "/" + name_;
  std::error_code unknown;
  return fs::exists(exact, unknown) ? exact : lake_ + "/" + pipeline::lower(name_);
}

std::string FollowedTable::prefix() const {
  return "f" + pipeline::lower(name_) + '\0';
}

std::shared_ptr<const FollowedTable::Files> FollowedTable::files() const {
  const std::lock_guard lock(mutex_);
  return files_;
}

void FollowedTable::set_files(Files files) {
  auto made = std::make_shared<const Files>(std::move(files));
  const std::lock_guard lock(mutex_);
  files_ = std::move(made);
}

Result<std::optional<FollowedTable::Change>> FollowedTable::look() const {
  const std::string folder = this->folder();
  auto snapshot = lake::read_snapshot(folder + "/_delta_log");
  if (!snapshot && snapshot.error().code == Code::kNotFound) return std::nullopt;
  if (!snapshot) return std::unexpected(snapshot.error().in(folder));
  const auto taken = files();
  Change change;
  change.schema = (*snapshot)->schema;
  std::vector<const lake::AddFile*> added;
  for (const auto& [path, file] : (*snapshot)->files) {
    const auto known = taken->find(path);
    if (known == taken->end()) {
      added.push_back(&file);
      ASSIGN(change.files[path], rows_of(lake::data_path(folder, path), file, change.schema));
    } else {
      change.files[path] = known->second;
    }
  }
  std::ranges::sort(
      added, {}, [](const lake::AddFile* file) { return std::tie(file->modified_ms, file->path); });
  for (const lake::AddFile* file : added)
    change.paths.added.push_back(lake::data_path(folder, file->path));
  for (const auto& [path, rows] : *taken) {
    if (change.files.contains(path)) continue;
    change.paths.removed.push_back(lake::data_path(folder, path));
    std::error_code unknown;
    change.lost = change.lost || !fs::exists(change.paths.removed.back(), unknown);
  }
  if (change.paths.added.empty() && change.paths.removed.empty()) return std::nullopt;
  return change;
}

void FollowedTable::take(const Change& change, kv::WriteBatch& batch) {
  const auto before = files();
  for (const auto& [path, rows] : *before)
    if (!change.files.contains(path)) batch.erase(prefix() + path);
  for (const auto& [path, rows] : change.files)
    if (!before->contains(path)) batch.put(prefix() + path, std::to_string(rows));
  set_files(change.files);
}

void FollowedTable::forget(kv::WriteBatch& batch) {
  const std::string prefix = this->prefix();
  batch.erase_range(prefix, kv::prefix_end(prefix));
  set_files({});
}

std::int64_t FollowedTable::rows() const {
  std::int64_t rows = 0;
  for (const auto& [path, of_file] : *files()) rows += of_file;
  return rows;
}

Status FollowedTable::scan(const Schema& schema,
                           const std::function<Status(const Batch&)>& visit) const {
  const std::string folder = this->folder();
  const auto read = [&visit](const Batch& batch) -> Result<bool> {
    TRY(visit(batch));
    return true;
  };
  for (const auto& [path, rows] : *files())
    TRY(lake::read_data_file(lake::data_path(folder, path), schema, read));
  return {};
}

}  // namespace tailrace::spark
