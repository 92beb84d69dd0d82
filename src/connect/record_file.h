// One input file as a sequence of JSON values: JSON lines, a JSON array, CSV with a header, or
// Parquet; .gz and .zst are unpacked on the way. The sequence depends on the file's bytes alone.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tailrace::connect {

enum class FileFormat { kAuto, kJsonLines, kJson, kCsv, kParquet };
Result<FileFormat> parse_file_format(std::string_view name);

struct FileRecord {
  std::string value;        ///< JSON, or the bytes as they are when it was rejected
  std::int64_t number = 0;  ///< line (text) or row (Parquet, JSON array), from 1
  std::string problem;      ///< why it is a reject; empty for a record
};

class RecordFile {
 public:
  virtual ~RecordFile() = default;
  /// False at the end.
  virtual Result<bool> next(FileRecord& record) = 0;

  /// kAuto goes by the name, then by the first byte ('[' is an array).
  static Result<std::unique_ptr<RecordFile>> open(const std::string& path, FileFormat format);
};

}  // namespace tailrace::connect
