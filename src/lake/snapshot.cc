// The log replayed: a checkpoint, then every commit after it.
#include "lake/snapshot.h"

#include <fmt/format.h>

#include <algorithm>

#include "lake/checkpoint.h"
#include "lake/disk.h"
#include "lake/schema_json.h"

namespace tailrace::lake {
namespace {

Status check_protocol(const Protocol& protocol) {
  const auto known = [](const std::string& feature) {
    return feature == "timestampNtz" || feature == "appendOnly" || feature == "invariants";
  };
  const bool old = protocol.reader <= 1 && protocol.writer <= 2;
  const bool features =
      protocol.reader == 3 && protocol.writer == 7 && std::ranges::all_of(protocol.features, known);
  if (old || features) return {};
  return error(Code::kUnimplemented, fmt::format("the Delta table asks for reader version {} and "
                                                 "writer version {} or features that are not "
                                                 "supported yet",
                                                 protocol.reader, protocol.writer));
}

}  // namespace

std::string commit_name(Version version) {
  return fmt::format("{:020}.json", version);
}

std::optional<std::int64_t> stats_rows(std::string_view stats) {
  constexpr std::string_view kName = "\"numRecords\":";
  const std::size_t at = stats.find(kName);
  if (at == std::string_view::npos) return std::nullopt;
  return std::strtoll(std::string(stats.substr(at + kName.size(), 24)).c_str(), nullptr, 10);
}

std::int64_t Snapshot::size_bytes() const {
  std::int64_t total = 0;
  for (const auto& [path, file] : files) total += file.size_bytes;
  return total;
}

std::int64_t Snapshot::rows() const {
  std::int64_t total = 0;
  for (const auto& [path, file] : files) total += stats_rows(file.stats).value_or(0);
  return total;
}

Status Snapshot::add(const Actions& actions, Version at) {
  if (actions.protocol) {
    TRY(check_protocol(*actions.protocol));
    protocol = *actions.protocol;
  }
  if (actions.metadata) {
    metadata = *actions.metadata;
    ASSIGN(schema, schema_from_json(metadata.schema_string));
  }
  for (const Txn& txn : actions.txns) txns[txn.app_id] = txn;
  for (const RemoveFile& file : actions.removes) {
    files.erase(file.path);
    removed[file.path] = file;
  }
  for (const AddFile& file : actions.adds) {
    removed.erase(file.path);
    files[file.path] = file;
  }
  if (actions.timestamp_ms > 0) timestamp_ms = actions.timestamp_ms;
  version = at;
  return {};
}

Result<std::shared_ptr<const Snapshot>> read_snapshot(
    const std::string& log_folder, const std::shared_ptr<const Snapshot>& before) {
  auto now = before ? std::make_shared<Snapshot>(*before) : std::make_shared<Snapshot>();
  if (!before) {
    ASSIGN(const std::optional<Version> checkpoint, find_checkpoint(log_folder));
    if (checkpoint) {
      ASSIGN(const Actions actions, read_checkpoint(log_folder, *checkpoint));
      TRY(now->add(actions, *checkpoint));
    }
  }
  while (true) {
    const Version next = now->version + 1;
    const auto text = read_file(log_folder + "/" + commit_name(next));
    if (!text && text.error().code == Code::kNotFound) break;
    if (!text) return std::unexpected(text.error());
    const auto actions = actions_from_text(*text);
    if (!actions) return std::unexpected(actions.error().in(log_folder + "/" + commit_name(next)));
    TRY(now->add(*actions, next));
  }
  if (now->version < 0) return error(Code::kNotFound, log_folder + ": no Delta table");
  if (!now->schema) return error(Code::kDataLoss, log_folder + ": no metaData in the log");
  if (before && before->version == now->version) return before;
  return now;
}

}  // namespace tailrace::lake
