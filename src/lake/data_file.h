// Parquet files of a table: written to a target size, read batch by batch.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "columns/types.h"
#include "lake/actions.h"
#include "rt/room_watch.h"

namespace parquet::arrow {
class FileWriter;
}

namespace tailrace::lake {

enum class Compression { kNone, kSnappy, kLz4, kZstd };

struct FileOptions {
  std::int64_t target_file_bytes = 128 << 20;  ///< a file is closed when it has grown to this
  std::int64_t row_group_rows = 256 << 10;
  std::int64_t row_group_bytes = 32
                                 << 20;  ///< a row group is closed when its Arrow bytes reach this
  Compression compression = Compression::kSnappy;
  bool sync = true;  ///< false only in tests and throw-away runs
  /// Where writes wait on a full disk; null: they fail.
  std::shared_ptr<rt::RoomWatch> room = nullptr;
};

/// Writes rows into as many files as their size asks for. Files that finish() did not hand out are
/// removed.
class DataFileWriter {
 public:
  DataFileWriter(std::string folder, Schema schema, FileOptions options);
  ~DataFileWriter();

  /// `rows` has the schema's columns (align).
  Status write(const arrow::RecordBatch& rows);
  /// Closes and syncs the files; what they say in the log.
  Result<std::vector<AddFile>> finish();
  bool empty() const { return !open_ && done_.empty(); }
  /// Names of the files written so far.
  std::vector<std::string> names() const;

 private:
  struct Open;
  Status start(const arrow::RecordBatch& first);
  Status close();

  std::string folder_;
  Schema schema_;
  FileOptions options_;
  std::unique_ptr<Open> open_;
  std::vector<AddFile> done_;
};

/// `rows` with exactly the columns of `schema`, by name; those it lacks are null. kInvalidArgument:
/// a type differs.
Result<Batch> align(const Batch& rows, const Schema& schema);

/// Where a file is that the log of the table in `folder` names so: URL-encoded, relative or not.
std::string data_path(const std::string& folder, std::string_view logged);

/// Batches of a file with the columns of `schema`, in its order, until `visit` gives false; a
/// column that the file lacks is null. Gives whether `visit` wants more.
Result<bool> read_data_file(const std::string& path, const Schema& schema,
                            const std::function<Result<bool>(Batch)>& visit);

}  // namespace tailrace::lake
