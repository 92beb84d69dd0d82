// Copy-on-write: files that hold retracted rows are written anew without them.
//
// Two passes over a file: the first finds out whether it holds any, the second copies the rest.
// Counts matter: a row that is there three times and retracted twice stays once.
#include <arrow/compute/api.h>
#include <fmt/format.h>

#include "lake/delta_table.h"
#include "lake/disk.h"
#include "lake/pending.h"

namespace tailrace::lake {
namespace {

constexpr std::int64_t kDecodeRows = 4096;

Result<Batch> keep_rows(const Batch& rows, const std::vector<bool>& keep) {
  initialise_kernels();
  arrow::BooleanBuilder builder;
  TRY(from_arrow(builder.AppendValues(keep)));
  ASSIGN(const Array mask, from_arrow(builder.Finish()));
  ASSIGN(const arrow::Datum kept, from_arrow(arrow::compute::Filter(rows, mask)));
  return kept.record_batch();
}

}  // namespace

Status DeltaTable::Pending::write_inserts(const Schema& schema, DataFileWriter& into) {
  std::optional<RowDecoder> decoder(std::in_place, schema);
  std::int64_t rows = 0;
  const auto flush = [&]() -> Status {
    if (rows == 0) return {};
    ASSIGN(const Batch batch, decoder->finish());
    rows = 0;
    ASSIGN(const Batch aligned, align(batch, schema));
    TRY(into.write(*aligned));
    decoder.emplace(schema);
    return {};
  };
  for (auto at = weights_.begin(); at != weights_.end();) {
    if (at->second < 0) {
      ++at;
      continue;
    }
    for (Weight i = 0; i < at->second; ++i) {
      decoder->append(at->first);
      if (++rows == kDecodeRows) TRY(flush());
    }
    bytes_ -= std::min(bytes_, at->first.size() + kEntryBytes);
    at = weights_.erase(at);
  }
  return flush();
}

Result<bool> DeltaTable::rewrite_without(const std::string& path, DataFileWriter& into) {
  bool holds = false;
  const auto look = [&](const Batch& rows) -> Result<bool> {
    ASSIGN(const EncodedRows encoded, encode_rows(*rows));
    for (std::int64_t row = 0; row < encoded.size() && !holds; ++row)
      holds = pending_->retracts(encoded[row]);
    return !holds;
  };
  TRY(read_data_file(path, schema_, look));
  if (!holds) return false;
  const auto copy = [&](const Batch& rows) -> Result<bool> {
    ASSIGN(const EncodedRows encoded, encode_rows(*rows));
    std::vector<bool> keep(encoded.size());
    for (std::int64_t row = 0; row < encoded.size(); ++row)
      keep[row] = !pending_->take(encoded[row]);
    ASSIGN(const Batch kept, keep_rows(rows, keep));
    TRY(into.write(*kept));
    return true;
  };
  TRY(read_data_file(path, schema_, copy));
  return true;
}

Status DeltaTable::take_out(std::vector<AddFile>& adds, std::vector<RemoveFile>& removes) {
  if (!unpublished_.empty()) {
    return error(Code::kFailedPrecondition,
                 "retractions while a prepared commit is not published yet");
  }
  ASSIGN(const auto now, snapshot());
  DataFileWriter into(folder_, schema_, options_.files);
  std::vector<AddFile> kept;
  // Rows written by this very commit may be retracted too: such a file is replaced before anyone
  // sees it.
  for (AddFile& file : adds) {
    ASSIGN(const bool rewritten, rewrite_without(data_path(file.path), into));
    if (rewritten) {
      remove_quietly(data_path(file.path));
    } else {
      kept.push_back(std::move(file));
    }
  }
  for (const auto& [path, file] : now->files) {
    if (pending_->empty()) break;
    ASSIGN(const bool rewritten, rewrite_without(data_path(path), into));
    if (rewritten)
      removes.push_back({path, now_ms(), true, file.partition_values, file.size_bytes});
  }
  if (!pending_->empty()) {
    return error(Code::kDataLoss,
                 fmt::format("{} retracted row(s) are not in the Delta table", pending_->size()));
  }
  ASSIGN(std::vector<AddFile> written, into.finish());
  adds = std::move(kept);
  adds.insert(adds.end(), written.begin(), written.end());
  return {};
}

}  // namespace tailrace::lake
